"""The distance from a teacher against the plain computation: every row alone, all logits, autograd."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from peft import PrefixTuningConfig, PromptTuningConfig, get_peft_model
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from atanor.compute import Divergence, Engine, Matching, Route, Taught, Teacher, head_divergence, total_weight
from atanor.data.rows import TokenRow
from tests.compute.models import (
    FAMILIES,
    RECURRENT,
    VOCABULARY,
    adapted,
    gradients,
    largest_error,
    windows,
    with_adapter,
)

slowly = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ROWS = [
    TokenRow("a", (5, 6, 7, 8, 9, 10, 11), (0, 0, 0, 1, 1, 2, 1), 1),
    TokenRow("b", (5, 6, 7, 8, 9, 4), (0, 0, 0, 1, 0.5, 2), 1),
    TokenRow("c", (5, 6, 7, 8, 9, 10, 11), (0, 0, 0, 1, 1, 1, 1), 1),
    TokenRow("d", (30, 31, 5, 7), (0, 1, 0, 1), 1),
]
MEASURES = [
    Matching(),
    Matching(Divergence.REVERSE, temperature=2.0),
    Matching(Divergence.JENSEN_SHANNON, temperature=0.7, beta=0.3, completion_weight=0.4, divergence_weight=0.6),
    Matching(completion_weight=0.5),
]


def teacher_network(dtype: torch.dtype, vocabulary: int = VOCABULARY) -> LlamaForCausalLM:
    """Another width, another depth, and sure of what it says: a divergence of almost nothing is all rounding."""
    torch.manual_seed(11)
    sizes = {"hidden_size": 24, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    network = LlamaForCausalLM(LlamaConfig(vocab_size=vocabulary, pad_token_id=0, **sizes))
    network.get_output_embeddings().weight.data *= 20
    return with_adapter(network, dtype).merge_and_unload().eval().requires_grad_(False)


def plainly(student: Tensor, teacher: Tensor, how: Matching) -> Tensor:
    """D at each place (T,) by its definition, from logits (T, V)."""
    common = min(student.shape[1], teacher.shape[1])
    log_s = (student[:, :common] / how.temperature).log_softmax(-1)
    log_t = (teacher[:, :common] / how.temperature).log_softmax(-1)
    s, t = log_s.exp(), log_t.exp()
    if how.divergence is Divergence.FORWARD:
        value = t * (log_t - log_s)
    elif how.divergence is Divergence.REVERSE:
        value = s * (log_s - log_t)
    else:
        log_m = (how.beta * t + (1 - how.beta) * s).log()
        value = how.beta * t * (log_t - log_m) + (1 - how.beta) * s * (log_s - log_m)
    return how.temperature**2 * value.sum(-1)


def logits(model: torch.nn.Module, row: TokenRow) -> Tensor:
    """Of the places that predict a token of the row, (T - 1, V)."""
    found: Tensor = model(input_ids=torch.tensor([row.tokens]), use_cache=False).logits[0, -len(row.tokens) : -1]
    return found if found.dtype == torch.float64 else found.float()


def truth_of(
    model: torch.nn.Module, taught: Sequence[Tensor], rows: Sequence[TokenRow], how: Matching
) -> tuple[float, dict[str, Tensor]]:
    """Loss and gradients of every row alone; `taught` are the teacher's logits of each row."""
    model.zero_grad()
    loss = 0.0
    for row, teacher_TV in zip(rows, taught, strict=True):
        student_TV = logits(model, row)
        nll_T = torch.nn.functional.cross_entropy(student_TV, torch.tensor(row.tokens[1:]), reduction="none")
        each_T = how.divergence_weight * plainly(student_TV, teacher_TV, how) + how.completion_weight * nll_T
        part = (each_T * torch.tensor(row.weights[1:], dtype=each_T.dtype)).sum() / total_weight(rows)
        part.backward()
        loss += float(part.detach())
    return loss, gradients(model)


@dataclass(frozen=True)
class Case:
    """A student, what computes on it, and what its teacher says: to the engine, and in logits of each row."""

    model: torch.nn.Module
    engine: Engine
    taught: Taught
    of_rows: list[Tensor]


def compare(case: Case, rows: list[TokenRow], how: Matching, tolerance: float) -> None:
    """Loss and gradients of the engine against those of each row alone."""
    model, engine, taught, of_rows = case.model, case.engine, case.taught, case.of_rows
    truth_loss, truth = truth_of(model, of_rows, rows, how)
    model.zero_grad()
    loss = engine.backward_matching(rows, taught, how)
    assert loss == pytest.approx(truth_loss, rel=tolerance, abs=tolerance)
    assert largest_error(gradients(model), truth) <= tolerance
    assert engine.mean_matching(rows, taught, how) == pytest.approx(truth_loss, rel=10 * tolerance, abs=tolerance)


@slowly
@given(
    rows=windows(),
    tokens_per_pass=st.sampled_from([1, 5, 13, 4096]),
    divergence=st.sampled_from(list(Divergence)),
    temperature=st.sampled_from([1.0, 0.5, 3.0]),
    beta=st.sampled_from([0.1, 0.5, 0.9]),
    completion=st.sampled_from([0.0, 0.3]),
    route=st.sampled_from(list(Route)),
)
def test_loss_and_gradient_are_those_of_each_row_alone(
    rows: list[TokenRow], tokens_per_pass: int, divergence: Divergence, temperature: float, beta: float,
    completion: float, route: Route,
) -> None:  # fmt: skip
    how = Matching(divergence, temperature, beta, 1 - completion, completion)
    for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 1e-5)):
        model, teacher = adapted(dtype), teacher_network(dtype)
        engine = Engine(model, pad=0, tokens_per_pass=tokens_per_pass)
        engine.route = route
        taught = Teacher(Engine(teacher, pad=0, tokens_per_pass=7))(rows)
        assert taught.states_Sd.shape == (sum(weight > 0 for row in rows for weight in row.weights[1:]), 24)
        compare(Case(model, engine, taught, [logits(teacher, row).detach() for row in rows]), rows, how, tolerance)


@pytest.mark.parametrize("how", MEASURES)
@pytest.mark.parametrize("family", [*FAMILIES, "recurrent"])
def test_every_family_can_learn_from_itself_untouched(family: str, how: Matching) -> None:
    torch.manual_seed(0)
    model = with_adapter(RECURRENT(), torch.float32) if family == "recurrent" else adapted(torch.float32, family)
    engine = Engine(model, pad=0, tokens_per_pass=9)
    with model.disable_adapter():
        of_rows = [logits(model, row).detach() for row in ROWS]
    taught = Teacher(engine, model.disable_adapter)(ROWS)
    compare(Case(model, engine, taught, of_rows), ROWS, how, 2e-5)


@pytest.mark.parametrize("route", list(Route))
@pytest.mark.parametrize("family", ["llama", "gemma2, soft caps, window of 5"])
def test_full_tuning_is_held_to_the_head_it_began_with(family: str, route: Route) -> None:
    torch.manual_seed(0)
    network = FAMILIES[family]()
    engine = Engine(network, pad=0, tokens_per_pass=9)
    engine.route = route
    before = {name: parameter.detach().clone() for name, parameter in network.named_parameters()}
    of_rows = [logits(network, row).detach() for row in ROWS]
    taught = Teacher(engine)(ROWS)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    compare(Case(network, engine, taught, of_rows), ROWS, MEASURES[2], 2e-5)
    assert "lm_head.weight" in gradients(network) or network.config.tie_word_embeddings
    assert not torch.equal(before["model.embed_tokens.weight"], network.get_input_embeddings().weight)


@pytest.mark.parametrize("config", [PrefixTuningConfig, PromptTuningConfig])
def test_virtual_tokens_learn_from_the_network_without_them(config: type) -> None:
    torch.manual_seed(0)
    model = get_peft_model(FAMILIES["llama"](), config(num_virtual_tokens=3, task_type="CAUSAL_LM")).eval()
    engine = Engine(model, pad=0, tokens_per_pass=9)
    with model.disable_adapter():
        of_rows = [logits(model, row).detach() for row in ROWS]
    taught = Teacher(engine, model.disable_adapter)(ROWS)
    compare(Case(model, engine, taught, of_rows), ROWS, MEASURES[1], 2e-5)


@pytest.mark.parametrize("how", MEASURES)
@pytest.mark.parametrize("vocabulary", [VOCABULARY - 4, VOCABULARY + 4])
def test_padding_rows_of_a_head_are_left_out_of_both_distributions(vocabulary: int, how: Matching) -> None:
    model, teacher = adapted(torch.float64), teacher_network(torch.float64, vocabulary)
    taught = Teacher(Engine(teacher, pad=0))(ROWS)
    of_rows = [logits(teacher, row).detach() for row in ROWS]
    compare(Case(model, Engine(model, pad=0), taught, of_rows), ROWS, how, 1e-12)


def test_a_student_equal_to_its_teacher_has_nothing_to_learn() -> None:
    model = adapted(torch.float64)
    engine = Engine(model, pad=0)
    taught = Teacher(engine)(ROWS)
    for divergence in Divergence:
        model.zero_grad()
        assert engine.backward_matching(ROWS, taught, Matching(divergence)) == pytest.approx(0, abs=1e-13)
        assert max(float(one.abs().max()) for one in gradients(model).values()) < 1e-13


def test_many_chunks_at_the_head_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [TokenRow("long", tuple(range(3, 58)), (0.0,) * 5 + (1.0,) * 50, 1)]
    network = FAMILIES["llama"]().double()
    engine, taught = Engine(network, pad=0), Teacher(Engine(teacher_network(torch.float64), pad=0))(rows)
    for how in MEASURES:
        network.zero_grad()
        whole, expected = engine.backward_matching(rows, taught, how), gradients(network)
        network.zero_grad()
        with monkeypatch.context() as patch:
            patch.setattr(head_divergence, "chunks", lambda places, _: [slice(i, i + 7) for i in range(0, places, 7)])
            assert engine.backward_matching(rows, taught, how) == pytest.approx(whole, rel=1e-13)
        assert largest_error(gradients(network), expected) < 1e-13


@pytest.mark.parametrize("route", list(Route))
def test_drawn_tokens_have_the_gradient_of_each_row_alone(route: Route) -> None:
    model = adapted(torch.float64)
    engine = Engine(model, pad=0, tokens_per_pass=9)
    engine.route = route
    taught = Teacher(Engine(teacher_network(torch.float64), pad=0))(ROWS)
    targets_Sk = taught.draw(5, torch.Generator().manual_seed(1))
    how = Matching(divergence_weight=0.7, completion_weight=0.3)
    model.zero_grad()
    truth_loss, left = 0.0, targets_Sk
    for row in ROWS:
        student_TV = logits(model, row).log_softmax(-1)
        for place, weight in enumerate(row.weights[1:]):
            if weight:
                drawn, left = left[0], left[1:]
                part = -0.7 * student_TV[place, drawn].mean() - 0.3 * student_TV[place, row.tokens[place + 1]]
                part = part * weight / total_weight(ROWS)
                part.backward(retain_graph=True)
                truth_loss += float(part.detach())
    truth = gradients(model)
    model.zero_grad()
    assert engine.backward_targets(ROWS, targets_Sk, how) == pytest.approx(truth_loss, rel=1e-12)
    assert largest_error(gradients(model), truth) <= 1e-12
    assert engine.mean_targets(ROWS, targets_Sk, how) == pytest.approx(truth_loss, rel=1e-11)


def test_drawn_tokens_are_unbiased_where_the_most_likely_ones_are_not() -> None:
    """The mean gradient over many draws of 4 tokens comes within chance of the exact one; top 4 stays away from it."""
    model, teacher = adapted(torch.float64), teacher_network(torch.float64)
    engine = Engine(model, pad=0)
    taught = Teacher(Engine(teacher, pad=0))(ROWS)

    def of_targets(targets_Sk: Tensor) -> Tensor:
        model.zero_grad()
        engine.backward_targets(ROWS, targets_Sk, Matching())
        return torch.cat([one.flatten() for one in gradients(model).values()])

    model.zero_grad()
    engine.backward_matching(ROWS, taught, Matching())
    exact = torch.cat([one.flatten() for one in gradients(model).values()])
    generator = torch.Generator().manual_seed(0)
    draws = torch.stack([of_targets(taught.draw(4, generator)) for _ in range(150)])
    apart = float((draws.mean(0) - exact).norm())
    by_chance = float((draws.var(0).sum() / len(draws)).sqrt())
    assert apart < 1.5 * by_chance, "the mean over draws is the exact gradient, within its standard error"
    likeliest = taught.head.logits(taught.states_Sd).topk(4).indices
    assert float((of_targets(likeliest) - exact).norm()) > 10 * by_chance, "top k would fail this test"


def test_draws_follow_the_distribution_and_repeat_by_their_generator() -> None:
    taught = Teacher(Engine(teacher_network(torch.float64), pad=0))([replace(ROWS[3], weights=(0, 0, 0, 1))])
    one, same = (taught.draw(40_000, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(one, same)
    expected = taught.head.logits(taught.states_Sd).softmax(-1)[0]
    found = torch.bincount(one[0], minlength=VOCABULARY) / one.shape[1]
    assert float((found - expected).abs().max()) < 4 * float((expected.max() / one.shape[1]).sqrt())
    assert int(taught.draw(500, torch.Generator().manual_seed(5), vocabulary=10).max()) == 9
