"""Every objective of compared or judged answers against its paper's formula, computed one answer at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from torch import Tensor
from torch.nn.functional import cross_entropy

from atanor.compute import Engine, Route
from atanor.data import Example, Message, PreferencePair, Speaker, TokenRow
from atanor.models import Adapter, Tuned
from atanor.progress import Silent
from atanor.train import OBJECTIVES, Material, Objective, ObjectiveChoice, Supervision, TrainingJob, TrainOptions, train
from atanor.train.objectives import JudgedAnswer
from tests.compute.models import adapted, gradients, largest_error
from tests.train.jobs import job, tiny_base
from tests.train.test_objectives import pairs


@dataclass(frozen=True)
class Answer:
    """What a formula needs of an answer: its log-likelihood under the tuned model and the base, and its length."""

    tuned: Tensor
    base: Tensor
    tokens: int

    @property
    def reward(self) -> Tensor:
        return self.tuned - self.base


def log_likelihood(model: PeftModel, row: TokenRow) -> Tensor:
    logits_TV = model(input_ids=torch.tensor([row.tokens])).logits[0]
    nll_T = cross_entropy(logits_TV[:-1], torch.tensor(row.tokens[1:]), reduction="none")
    return -(nll_T * torch.tensor(row.weights[1:], dtype=nll_T.dtype)).sum()


def answer(model: PeftModel, row: TokenRow) -> Answer:
    with torch.no_grad(), model.disable_adapter():  # type: ignore[operator]
        base = log_likelihood(model, row)
    return Answer(log_likelihood(model, row), base, row.supervised)


def sigmoid(x: Tensor) -> Tensor:
    return 1 / (1 + torch.exp(-x))


def dpo(y: Answer, n: Answer) -> Tensor:
    return -torch.log(sigmoid(0.3 * (y.reward - n.reward)))


def conservative_dpo(y: Answer, n: Answer) -> Tensor:
    return 0.8 * dpo(y, n) + 0.2 * dpo(n, y)


def ipo(y: Answer, n: Answer) -> Tensor:
    return (y.reward / y.tokens - n.reward / n.tokens - 1 / (2 * 0.4)) ** 2


def orpo(y: Answer, n: Answer) -> Tensor:
    p, q = torch.exp(y.tuned / y.tokens), torch.exp(n.tuned / n.tokens)
    return -torch.log(p) - 0.3 * torch.log(sigmoid(torch.log((p / (1 - p)) / (q / (1 - q)))))


def simpo(y: Answer, n: Answer) -> Tensor:
    return -torch.log(sigmoid(2.5 * y.tuned / y.tokens - 2.5 * n.tuned / n.tokens - 0.7))


FORMULAS: list[tuple[str, dict[str, float], Callable[[Answer, Answer], Tensor]]] = [
    ("dpo", {"beta": 0.3}, dpo),
    ("dpo", {"beta": 0.3, "label_smoothing": 0.2}, conservative_dpo),
    ("ipo", {"beta": 0.4}, ipo),
    ("orpo", {"weight": 0.3}, orpo),
    ("simpo", {"beta": 2.5, "margin": 0.7}, simpo),
]


def made(
    name: str, options: dict[str, float], tuned: Tuned, window: Sequence[PreferencePair]
) -> tuple[Objective, list]:
    """The objective as a project makes it, and its items."""
    choice = ObjectiveChoice.of(name, **options)
    side = Supervision([pair.chosen for pair in window], window)
    kind = OBJECTIVES[name]
    material = Material(None, side, side, 0, Path())  # type: ignore[arg-type]  # no objective here asks for the base
    return kind.build(choice.options, tuned, material), list(kind.items(choice.options, side).items)


def check(model: PeftModel, objective: Objective, items: list[Any], plain: Callable[[PeftModel], Tensor]) -> None:
    """Loss and gradient are the plain ones, on every route and however the window is cut into passes."""
    tolerance = 1e-12 if next(model.parameters()).dtype == torch.float64 else 1e-5
    model.zero_grad()
    truth_loss = plain(model)
    truth_loss.backward()
    truth, wanted = gradients(model), float(truth_loss.detach())
    for route in (Route.FOREST, Route.SEPARATE):
        for tokens_per_pass in (8, 30, 4096):
            model.zero_grad()
            engine = Engine(model, pad=0, tokens_per_pass=tokens_per_pass)
            engine.route = route
            assert objective.backward(engine, items) == pytest.approx(wanted, rel=tolerance)
            assert largest_error(gradients(model), truth) <= tolerance
            assert objective.mean_loss(engine, items) == pytest.approx(wanted, rel=tolerance)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(("name", "options", "formula"), FORMULAS)
def test_pairs_are_learned_by_the_papers_formula(
    name: str, options: dict[str, float], formula: Callable[[Answer, Answer], Tensor], dtype: torch.dtype
) -> None:
    model = adapted(dtype)
    objective, items = made(name, options, Adapter(model), pairs())

    def plain(model: PeftModel) -> Tensor:
        return torch.stack([formula(answer(model, p.chosen), answer(model, p.rejected)) for p in pairs()]).mean()

    check(model, objective, items, plain)


def judged() -> list[JudgedAnswer]:
    """Answers good and bad in other numbers, and one item whose prompt stands alone."""
    window = pairs()
    examples = {
        row.example_id: Example((Message(Speaker.USER, row.example_id),), None, "a", 1, desirable=number % 3 > 0)
        for number, row in enumerate(row for pair in window for row in (pair.chosen, pair.rejected))
    }
    rows = [row for pair in window for row in (pair.chosen, pair.rejected)][:-1]
    choice = ObjectiveChoice.of("kto")
    return list(OBJECTIVES["kto"].items(choice.options, Supervision(rows, (), examples)).items)  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("sign", [1, -1])
def test_judged_answers_are_learned_by_the_papers_formula(dtype: torch.dtype, sign: int) -> None:
    """With the adapter's sign turned the estimated divergence is above zero one way and clamped the other."""
    model, items = adapted(dtype), judged()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if "lora_B" in key:
                parameter.mul_(sign)
    options = {"beta": 0.4, "desirable_weight": 1.2, "undesirable_weight": 0.7}
    objective = OBJECTIVES["kto"].build(
        ObjectiveChoice.of("kto", **options).options,
        Adapter(model),
        None,  # type: ignore[arg-type]
    )

    def plain(model: PeftModel) -> Tensor:
        with torch.no_grad():
            away = torch.stack([answer(model, item.elsewhere).reward for item in items]).mean().clamp(min=0)
        losses = []
        for item in items:
            distance = 0.4 * (answer(model, item.row).reward - away)
            losses.append(1.2 * (1 - sigmoid(distance)) if item.desirable else 0.7 * (1 - sigmoid(-distance)))
        return torch.stack(losses).mean()

    check(model, objective, items, plain)


def test_an_answer_elsewhere_follows_another_prompt_and_is_no_longer_than_the_longest_row() -> None:
    items = judged()
    answers_of: dict[tuple[int, ...], set[tuple[int, ...]]] = {}
    for item in items:
        start = item.row.weights.index(1.0)
        answers_of.setdefault(item.tokens[:start], set()).add(item.tokens[start:])
    longest = max(len(item.tokens) for item in items)
    for item in items:
        start = item.row.weights.index(1.0)
        prompt, other = item.elsewhere.tokens[:start], item.elsewhere.tokens[start:]
        assert prompt == item.tokens[:start]
        assert not any(known[: len(other)] == other for known in answers_of[prompt]), "an answer to another prompt"
        assert item.elsewhere.weights == (0.0,) * start + (1.0,) * len(other)
        assert len(item.elsewhere.tokens) <= longest
    assert {item.desirable for item in items} == {True, False}


def test_of_a_pair_the_better_answer_is_good_and_the_worse_one_bad() -> None:
    _, items = made("kto", {}, None, pairs())  # type: ignore[arg-type]
    assert [item.desirable for item in items] == [True, False] * len(pairs())
    assert len({item.example_id for item in items}) == 2 * len(pairs())


def test_what_is_left_aside_is_said() -> None:
    options = ObjectiveChoice.of("kto").options
    rows = [pair.chosen for pair in pairs()]
    examples = {
        row.example_id: Example((), "x", "a", number, desirable=(None, True, False, True, True)[number])
        for number, row in enumerate(rows)
    }
    side = Supervision(rows, (), examples)
    found = OBJECTIVES["kto"].items(options, side)
    assert len(found.items) == 4
    assert found.notes == (
        "1 row has no judgement; left aside",
        "3 good and 1 bad answers, weighted 3 to 1; the paper advises a `desirable_weight` from 0.33 to 0.44",
    )
    found = OBJECTIVES["completion"].items(ObjectiveChoice.of("completion").options, side)
    assert [item.example_id for item in found.items] == [row.example_id for row in rows if row is not rows[2]]
    assert found.notes == ("1 row has an answer that was judged bad; left aside, because completion learns answers",)
    compared = {row.example_id: Example((), "x", "a", 1, rejected="no") for row in rows}
    found = OBJECTIVES["completion"].items(ObjectiveChoice.of("completion").options, Supervision(rows, (), compared))
    assert found.notes == ("5 rows have a worse answer too; completion does not use it",)
    found = OBJECTIVES["dpo"].items(ObjectiveChoice.of("dpo").options, Supervision(rows, pairs()[:2], {}))
    assert found.notes == ("5 rows have no worse answer; left aside",)


@pytest.mark.parametrize("name", [name for name in OBJECTIVES if name not in ("completion", "distillation")])
def test_training_makes_the_better_answers_gain(name: str, tiny_base_folder: Path, tmp_path: Path) -> None:
    start = job(tiny_base(tiny_base_folder), tmp_path, TrainOptions(epochs=8, batch=2, learning_rate=1e-2, patience=0))
    objective, items = made(name, {}, start.tuned, pairs())
    replaced = {"training": items, "validation": items, "objective": objective}
    result = train(TrainingJob(**{**start.__dict__, **replaced}), Silent())
    losses = [loss for _, loss in result.validation_loss]
    assert losses[-1] < losses[0]
    engine = Engine(start.tuned.model, pad=2)
    rows = [row for pair in pairs() for row in (pair.chosen, pair.rejected)]
    with start.tuned.untouched():
        before = dict(engine.likelihoods(rows))
    after = dict(engine.likelihoods(rows))
    gain = [before[number] - after[number] for number in range(len(rows))]
    assert sum(gain[::2]) > sum(gain[1::2]), "the better answers gained on the worse ones"
