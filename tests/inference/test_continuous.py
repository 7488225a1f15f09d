"""Answers that come and go together are, token for token, those of plain generation one prompt at a time."""

from __future__ import annotations

import pytest
import torch
from transformers import PreTrainedModel

from atanor.inference import continuous
from atanor.inference.continuous import continuing_engine, write_greedily
from tests.compute.models import FAMILIES

SHARED = tuple(range(3, 20))
PROMPTS = [(*SHARED, 41), (5,), (*SHARED, 42, 43, 44), (*SHARED[:9], 50), (7, 8, 9), (11, 12), (7, 8), SHARED[:5]]


def network(family: str, dtype: torch.dtype = torch.float64) -> PreTrainedModel:
    torch.manual_seed(3)
    made: PreTrainedModel = FAMILIES[family]().to(dtype).eval().requires_grad_(False)
    return made


def alone(model: PreTrainedModel, prompt: tuple[int, ...], limit: int, ends: frozenset[int]) -> tuple[int, ...]:
    text = list(prompt)
    while len(text) < len(prompt) + limit:
        text.append(int(model(torch.tensor([text]), use_cache=False).logits[0, -1].argmax()))
        if text[-1] in ends:
            break
    return tuple(text[len(prompt) :])


@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3"])
@pytest.mark.parametrize("rows", [1, 3, 96])
def test_every_answer_is_the_one_of_its_prompt_alone(family: str, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model = network(family)
    plain = [alone(model, prompt, 9, frozenset()) for prompt in PROMPTS]
    # Tokens that some answers hold early and others late or never: rows leave at different steps.
    ends = frozenset({plain[0][2], plain[4][5]})
    engine = continuing_engine(model, PROMPTS)
    assert engine is not None
    monkeypatch.setattr(continuous, "ROWS", rows)
    monkeypatch.setattr(continuous, "TOKENS_KEPT", 1)
    written = dict(write_greedily(engine, PROMPTS, 9, ends))
    assert [written[number] for number in range(len(PROMPTS))] == [alone(model, prompt, 9, ends) for prompt in PROMPTS]
    assert len({len(answer) for answer in written.values()}) > 1


def test_the_network_attends_as_before_afterwards() -> None:
    model = network("llama")
    before, tokens = model.config._attn_implementation, torch.tensor([PROMPTS[0]])
    truth = model(tokens).logits
    engine = continuing_engine(model, PROMPTS)
    assert engine is not None
    answers = write_greedily(engine, PROMPTS, 4, frozenset())
    next(answers)
    answers.close()
    assert model.config._attn_implementation == before and torch.equal(model(tokens).logits, truth)


def test_where_the_model_has_rules_of_its_own_or_a_window_slides_nothing_goes_on_together() -> None:
    model = network("llama")
    model.generation_config.repetition_penalty = 1.3
    assert continuing_engine(model, PROMPTS) is None
    assert continuing_engine(network("mistral, sliding window of 7"), PROMPTS) is None
    assert continuing_engine(network("llama"), PROMPTS[:1]) is None


def test_a_family_that_goes_on_otherwise_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = continuous.KeyValueStore.attend

    def without_position(self: continuous.KeyValueStore, *given: object) -> torch.Tensor:
        return right(self, *given) * 1.5  # type: ignore[arg-type]

    monkeypatch.setattr(continuous.KeyValueStore, "attend", without_position)
    assert continuing_engine(network("llama"), PROMPTS) is None
