"""The engine against the plain computation: one example at a time through the model's own forward."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from peft import LoraConfig, PeftModel, get_peft_model

from atanor.compute import Engine
from atanor.compute.head_loss import CHUNK, row_nll, weighted_nll
from atanor.compute.passes import lay_out, plan_passes, total_weight
from atanor.data.rows import TokenRow
from tests.tiny import tiny_llama

VOCABULARY = 60


def adapted(dtype: torch.dtype) -> PeftModel:
    """A tiny model whose adapter is not zero, so that both its factors have gradients."""
    torch.manual_seed(3)
    model = get_peft_model(tiny_llama(VOCABULARY, dtype), LoraConfig(r=3, lora_alpha=6, target_modules="all-linear"))
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            parameter.data = torch.randn_like(parameter, dtype=dtype) * 0.1
    return model


def plain_gradients(model: PeftModel, rows: Sequence[TokenRow]) -> tuple[float, dict[str, torch.Tensor]]:
    """Loss and adapter gradients, one example at a time, all logits, no padding, no tricks."""
    model.zero_grad()
    total, loss = total_weight(rows), 0.0
    for row in rows:
        logits_TV = model(input_ids=torch.tensor([row.tokens])).logits[0]
        nll_T = torch.nn.functional.cross_entropy(logits_TV[:-1], torch.tensor(row.tokens[1:]), reduction="none")
        part = (nll_T * torch.tensor(row.weights[1:], dtype=nll_T.dtype)).sum() / total
        part.backward()
        loss += float(part.detach())
    return loss, gradients(model)


def gradients(model: PeftModel) -> dict[str, torch.Tensor]:
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters() if parameter.grad is not None}


def engine_gradients(
    engine: Engine, model: PeftModel, rows: Sequence[TokenRow]
) -> tuple[float, dict[str, torch.Tensor]]:
    model.zero_grad()
    loss = 0.0
    for part in engine.losses(rows):
        part.backward()
        loss += float(part.detach())
    return loss, gradients(model)


def largest_error(ours: dict[str, torch.Tensor], truth: dict[str, torch.Tensor]) -> float:
    assert ours.keys() == truth.keys()
    assert len(truth) == 28, "two layers x seven linear layers x two factors"
    # All gradients are zero where the only context is the padding token, whose embedding is zero.
    scale = max(float(gradient.abs().max()) for gradient in truth.values()) or 1.0
    return max(float((ours[name] - truth[name]).abs().max()) for name in truth) / scale


weights = st.sampled_from([0.0, 0.0, 1.0, 0.5, 2.0])
lines = st.lists(st.tuples(st.integers(0, VOCABULARY - 1), weights), min_size=2, max_size=24)


@st.composite
def windows(draw: st.DrawFn) -> list[TokenRow]:
    rows = []
    for number, line in enumerate(draw(st.lists(lines, min_size=1, max_size=6))):
        tokens, loss = zip(*line, strict=True)
        rows.append(TokenRow(str(number), tokens, loss, 1))
    first = rows[0]  # at least one supervised token
    rows[0] = TokenRow("0", first.tokens, (*first.weights[:-1], 1.0), 1)
    return rows


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=windows(), rows_per_pass=st.sampled_from([1, 2, 8, None]))
def test_loss_and_every_adapter_gradient_equal_one_example_at_a_time(
    rows: list[TokenRow], rows_per_pass: int | None
) -> None:
    for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 1e-5)):
        model = adapted(dtype)
        truth_loss, truth = plain_gradients(model, rows)
        engine = Engine(model, pad=2, rows_per_pass=rows_per_pass, tokens_per_pass=40)
        loss, ours = engine_gradients(engine, model, rows)
        assert abs(loss - truth_loss) <= tolerance * max(1.0, abs(truth_loss))
        assert largest_error(ours, truth) <= tolerance
        assert engine.mean_loss(rows) == pytest.approx(truth_loss, rel=10 * tolerance)


def test_loss_equals_the_one_transformers_computes() -> None:
    model = adapted(torch.float32)
    rows = [TokenRow("a", tuple(range(5, 17)), (0.0,) * 6 + (1.0,) * 6, 1), TokenRow("b", (7, 8, 9), (0, 0, 1), 1)]
    labels = [[-100] * 6 + list(range(11, 17)), [-100, -100, 9] + [-100] * 9]
    inputs = [list(range(5, 17)), [7, 8, 9] + [2] * 9]
    theirs = model(input_ids=torch.tensor(inputs), labels=torch.tensor(labels)).loss
    ours = sum(float(part) for part in Engine(model, pad=2).losses(rows))
    assert ours == pytest.approx(float(theirs), rel=1e-6)


def test_a_family_that_changes_its_logits_is_computed_through_its_own_forward() -> None:
    from transformers import Gemma2Config, Gemma2ForCausalLM

    torch.manual_seed(0)
    config = Gemma2Config(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        final_logit_softcapping=3.0,
    )
    model = Gemma2ForCausalLM(config).eval()
    model.requires_grad_(False)
    engine = Engine(model, pad=0)
    assert not engine.supervised_rows_only
    row = TokenRow("a", (5, 6, 7, 8), (0, 0, 1.0, 1.0), 1)
    logits_TV = model(input_ids=torch.tensor([row.tokens])).logits[0]
    truth = torch.nn.functional.cross_entropy(logits_TV[1:3], torch.tensor([7, 8]))
    assert engine.mean_loss([row]) == pytest.approx(float(truth), rel=1e-5)


def test_the_self_check_finds_a_wrong_fast_path_and_falls_back() -> None:
    model = tiny_llama(VOCABULARY)
    model.requires_grad_(False)
    row = TokenRow("a", tuple(range(5, 30)), (0.0,) * 5 + (1.0,) * 20, 1)
    engine = Engine(model, pad=2)
    assert engine.self_check(row) < 1e-5
    assert engine.supervised_rows_only

    original = model.forward

    def scaled(**inputs: torch.Tensor) -> object:
        output = original(**inputs)
        output.logits = output.logits * 30
        return output

    model.forward = scaled
    assert engine.self_check(row) > 1e-3
    assert not engine.supervised_rows_only
    logits_TV = model(input_ids=torch.tensor([row.tokens])).logits[0]
    truth = torch.nn.functional.cross_entropy(logits_TV[4:24], torch.tensor(row.tokens[5:]))
    assert engine.mean_loss([row]) == pytest.approx(float(truth), rel=1e-5)


@pytest.mark.parametrize("rows", [1, CHUNK, CHUNK + 1])
def test_head_loss_is_cross_entropy_whatever_the_chunk(rows: int) -> None:
    generator = torch.Generator().manual_seed(1)
    hidden = torch.randn(rows, 8, dtype=torch.float64, generator=generator, requires_grad=True)
    head = torch.randn(30, 8, dtype=torch.float64, generator=generator)
    targets = torch.randint(30, (rows,), generator=generator)
    weights = torch.rand(rows, dtype=torch.float64, generator=generator)
    nll = torch.nn.functional.cross_entropy(hidden @ head.T, targets, reduction="none")
    (truth,) = torch.autograd.grad((weights * nll).sum(), hidden)
    loss = weighted_nll(hidden, head, targets, weights)
    (ours,) = torch.autograd.grad(loss, hidden)
    torch.testing.assert_close(loss, (weights * nll).sum(), rtol=1e-12, atol=0)
    torch.testing.assert_close(ours, truth, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(row_nll(hidden, head, targets), nll, rtol=1e-12, atol=0)


@given(
    lengths=st.lists(st.integers(1, 50), min_size=1, max_size=30),
    rows_per_pass=st.one_of(st.none(), st.integers(1, 9)),
    budget=st.integers(16, 200),
)
def test_passes_hold_every_row_once_and_keep_their_limit(
    lengths: list[int], rows_per_pass: int | None, budget: int
) -> None:
    plan = plan_passes(lengths, rows_per_pass, budget)
    assert sorted(row for group in plan for row in group) == list(range(len(lengths)))
    assert lengths[plan[0][0]] == max(lengths), "the longest row comes first, so a lack of memory shows at once"
    for group in plan:
        if rows_per_pass is not None:
            assert len(group) <= rows_per_pass
        else:
            assert len(group) == 1 or len(group) * max(lengths[row] for row in group) <= budget


def test_the_first_token_is_never_predicted() -> None:
    batch = lay_out([TokenRow("a", (9, 8, 7), (5.0, 0.0, 1.0), 1)], [0], 0, torch.device("cpu"))
    assert batch.targets_S.tolist() == [7]
    assert batch.places_S.tolist() == [1]
    assert total_weight([TokenRow("a", (9, 8, 7), (5.0, 0.0, 1.0), 1)]) == 1.0
