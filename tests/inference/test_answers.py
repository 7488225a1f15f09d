"""Answers in batches are the answers one at a time, in the order asked."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from atanor.data.rows import TokenRow
from atanor.errors import ConfigurationError
from atanor.inference import Decoding, generate_answers, generation, score_choices, score_rows
from atanor.models import Base, BaseReference, encode_prompt, load_base, resolve_base
from atanor.progress import Silent
from tests.tiny import tiny_llama


@pytest.fixture(scope="module")
def base(tiny_base_folder: Path) -> Base:
    return load_base(resolve_base(BaseReference.parse(f"path:{tiny_base_folder}"), Path(), Silent()))


def prompts(base: Base) -> list[tuple[int, ...]]:
    texts = ["one", "count to two and wait by the lamp", "three four", "the porter said five", "x" * 40]
    return [encode_prompt(base.tokenizer, [{"role": "user", "content": text}]) for text in texts]


def test_batched_greedy_answers_equal_plain_generate_in_the_order_asked(
    base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = prompts(base)
    plain = []
    for prompt in asked:
        tokens = torch.tensor([prompt])
        written = base.model.generate(
            input_ids=tokens, attention_mask=torch.ones_like(tokens), max_new_tokens=12, do_sample=False
        )[0, len(prompt) :]
        plain.append(base.tokenizer.decode(written, skip_special_tokens=True))
    for limit in (8192, 120, 1):
        monkeypatch.setattr(generation, "TOKENS_PER_BATCH", limit)
        answers = generate_answers(base, base.model, asked, decoding=Decoding(12), progress=Silent())
        assert [answer.text for answer in answers] == plain


def test_an_answer_says_whether_it_ended_by_itself(base: Base) -> None:
    with torch.no_grad():
        weight = base.model.get_output_embeddings().weight
        saved = weight.clone()
        weight[2] = weight.mean(0) + 100 * torch.sign(weight.mean(0))
    asked = prompts(base)
    try:
        finished = {
            answer.finished
            for limit in (1, 12)
            for answer in generate_answers(base, base.model, asked, decoding=Decoding(limit), progress=Silent())
        }
    finally:
        with torch.no_grad():
            weight.copy_(saved)
    unfinished = generate_answers(base, base.model, asked, decoding=Decoding(2), progress=Silent())
    assert finished <= {True, False} and not all(answer.finished for answer in unfinished)


def test_sampling_follows_the_seed(base: Base) -> None:
    asked = prompts(base)

    def ask(seed: int) -> list[str]:
        decoding = Decoding(12, temperature=1.5, top_p=0.95, seed=seed)
        return [
            answer.text for answer in generate_answers(base, base.model, asked, decoding=decoding, progress=Silent())
        ]

    assert ask(1) == ask(1)
    assert ask(1) != ask(2)


def test_a_prompt_that_leaves_no_room_says_how_much_there_is(base: Base) -> None:
    longest = max(map(len, prompts(base)))
    with pytest.raises(ConfigurationError, match=f"Set it to at most {256 - longest}"):
        generate_answers(base, base.model, prompts(base), decoding=Decoding(250), progress=Silent())


def test_scores_are_the_likelihoods_of_the_model_in_the_order_given(base: Base) -> None:
    rows = [TokenRow(str(size), tuple(range(5, 5 + size)), (0.0, 0.0, *(1.0,) * (size - 2)), 1) for size in (9, 4, 30)]
    scores = score_rows(base.model, rows, Silent())
    for row, score in zip(rows, scores, strict=True):
        with torch.no_grad():
            logits = base.model(torch.tensor([row.tokens])).logits[0]
        truth = torch.nn.functional.cross_entropy(logits[1:-1], torch.tensor(row.tokens[2:]), reduction="sum")
        assert score == pytest.approx(float(truth), rel=1e-5)


def test_choices_are_scored_as_each_would_be_alone() -> None:
    model = tiny_llama(60).double().requires_grad_(False)
    prompts = [(5, 6, 7), (5, 6, 8, 9)]
    choices = [[(10, 11), (10, 12, 13)], [(14,)]]
    scores = score_choices(model, prompts, choices, Silent())
    assert [len(options) for options in scores] == [2, 1]
    for prompt, options, found in zip(prompts, choices, scores, strict=True):
        for choice, nll in zip(options, found, strict=True):
            logits_TV = model(input_ids=torch.tensor([(*prompt, *choice)])).logits[0].log_softmax(-1)
            truth = -sum(logits_TV[len(prompt) - 1 + place, token] for place, token in enumerate(choice))
            assert nll == pytest.approx(float(truth), rel=1e-6)
