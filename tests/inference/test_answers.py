"""Answers in batches are the answers one at a time, in the order asked."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from atanor.data.rows import TokenRow
from atanor.errors import ConfigurationError
from atanor.inference import Decoding, generate_answers, generation, score_rows
from atanor.models import Base, BaseReference, encode_prompt, load_base, resolve_base
from atanor.progress import Silent


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
