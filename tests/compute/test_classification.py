"""A classifier's gradient is that of one text at a time, whatever is shared, cut or padded."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertForTokenClassification,
    Gemma2Config,
    Gemma2ForSequenceClassification,
    LlamaConfig,
    LlamaForSequenceClassification,
    PreTrainedModel,
    Qwen3Config,
    Qwen3ForSequenceClassification,
)

from atanor.compute import Engine, Route
from atanor.train.objectives import Classification, ClassifiedText
from tests.compute.models import widen_norms

CLASSES = 5
ALONE = "llama, each on its own"
_SIZES = {
    "vocab_size": 60,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 128,
    "pad_token_id": 0,
    "num_labels": CLASSES,
}
_BERT = {name: value for name, value in _SIZES.items() if name not in ("num_key_value_heads", "head_dim")}
_STILL = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
NETWORKS = {
    "llama": lambda: LlamaForSequenceClassification(LlamaConfig(**_SIZES)),
    "qwen3": lambda: Qwen3ForSequenceClassification(Qwen3Config(**_SIZES)),
    "gemma2, soft caps, window of 5": lambda: Gemma2ForSequenceClassification(
        Gemma2Config(**_SIZES, sliding_window=5, attn_logit_softcapping=2.0, final_logit_softcapping=3.0)
    ),
    ALONE: lambda: LlamaForSequenceClassification(LlamaConfig(**_SIZES)),
    "bert, first token": lambda: BertForSequenceClassification(BertConfig(**_BERT, **_STILL)),
    "bert, mean": lambda: BertForTokenClassification(BertConfig(**_BERT, **_STILL)),
}
FOREST = {"llama", "qwen3", "gemma2, soft caps, window of 5"}
EXACT = [name for name in NETWORKS if not name.startswith("gemma2")]
"""Gemma's norm rounds to float32 whatever comes in."""


def network(name: str, dtype: torch.dtype = torch.float64) -> PreTrainedModel:
    torch.manual_seed(3)
    made = NETWORKS[name]().to(dtype).eval()
    if dtype == torch.float64:
        widen_norms(made)
    return made


def texts(several: bool) -> list[ClassifiedText]:
    """Texts of many lengths; some share a beginning, two are equal and of different classes."""
    draw = torch.Generator().manual_seed(1)

    def tokens(count: int) -> tuple[int, ...]:
        return tuple(torch.randint(1, 60, (count,), generator=draw).tolist())

    shared = tokens(20)
    read = [(*shared, *tokens(3)), (*shared, *tokens(9)), shared, tokens(4), tokens(13), (*shared, *tokens(3))]
    read.append(read[0])
    classes = [(0,), (1,), (2,), (1,), (4,), (0,), (3,)]
    if several:
        classes = [(0, 2), (1,), (0, 1, 2, 3, 4), (), (4, 1), (2,), (3, 0)]
    return [ClassifiedText(f"t{n}", one, own) for n, (one, own) in enumerate(zip(read, classes, strict=True))]


def alone(model: PreTrainedModel, item: ClassifiedText) -> Tensor:
    """Logits of one text by Transformers' own forward."""
    logits: Tensor = model(input_ids=torch.tensor([item.tokens])).logits[0]
    return logits.mean(0) if logits.dim() == 2 else logits


def plain_loss(model: PreTrainedModel, items: list[ClassifiedText], weights: Tensor, several: bool) -> Tensor:
    """The textbook's loss, one text at a time."""
    logits = torch.stack([alone(model, item) for item in items])
    if not several:
        return functional.cross_entropy(logits, torch.tensor([item.classes[0] for item in items]), weight=weights)
    there = torch.zeros_like(logits)
    for line, item in enumerate(items):
        there[line, list(item.classes)] = 1
    return functional.binary_cross_entropy_with_logits(logits, there, pos_weight=weights)


@pytest.mark.parametrize("tokens_per_pass", [16, 1024])
@pytest.mark.parametrize("several", [False, True], ids=["one class", "several classes"])
@pytest.mark.parametrize("name", EXACT)
def test_loss_and_gradient_are_those_of_one_text_at_a_time(name: str, several: bool, tokens_per_pass: int) -> None:
    items = texts(several)
    weights = torch.tensor([1.0, 0.5, 3.0, 1.0, 2.0], dtype=torch.float64)
    plain, model = network(name), network(name)
    wanted = plain_loss(plain, items, weights, several)
    wanted.backward()
    engine = Engine(model, pad=0, tokens_per_pass=tokens_per_pass)
    if name == ALONE:
        engine.route = Route.SEPARATE
    assert engine.route is (Route.FOREST if name in FOREST else Route.SEPARATE)
    objective = Classification(weights.tolist(), multi_label=several)
    assert objective.mean_loss(engine, items) == pytest.approx(float(wanted.detach()), abs=1e-12)
    assert objective.backward(engine, items) == pytest.approx(float(wanted.detach()), abs=1e-12)
    for (parameter, found), other in zip(model.named_parameters(), plain.parameters(), strict=True):
        assert (found.grad is None) == (other.grad is None), parameter
        if found.grad is not None and other.grad is not None:
            assert float((found.grad - other.grad).abs().max()) < 1e-12, parameter
    assert (engine.work.executed < engine.work.logical) == (name in FOREST)


@pytest.mark.parametrize("name", NETWORKS)
def test_float32_agrees_to_a_hundred_thousandth(name: str) -> None:
    items = texts(several=False)
    weights = torch.ones(CLASSES, dtype=torch.float64)
    with torch.no_grad():
        wanted = float(plain_loss(network(name), items, weights, several=False))
    engine = Engine(network(name, torch.float32), pad=0)
    found = Classification([1.0] * CLASSES, multi_label=False).mean_loss(engine, items)
    assert found == pytest.approx(wanted, rel=1e-5)


def test_the_self_check_compares_the_forest_with_the_network_s_own_layers() -> None:
    model = network("llama")
    engine = Engine(model, pad=0)
    rows = [item.row for item in texts(several=False)[:3]]
    assert 0 < engine.self_check(rows) < 1e-10
    engine._head.logits = lambda hidden: 2 * type(engine._head).logits(engine._head, hidden)  # type: ignore[method-assign]
    engine.self_check(rows)
    assert engine.route is Route.SEPARATE, "a computation that differs is not used"
