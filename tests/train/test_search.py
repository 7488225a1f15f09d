"""A search without training: what is tried, in which order, and what is said of what was found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Barrier

import pytest

from atanor.errors import ConfigurationError, StoreError, TrainingError
from atanor.methods.options import METHOD_OPTIONS
from atanor.methods.tuning import TuningOptions
from atanor.progress import Silent
from atanor.project.options import MethodChoice
from atanor.project.searchable import space_for, values_in_force, with_values
from atanor.train.search.options import Pruner, SearchOptions
from atanor.train.search.outcome import Noise, Search, TrialState, Tried
from atanor.train.search.running import Tell, Trained, measure_noise, removed, run_trials
from atanor.train.search.space import RATE, Space, Value, space_of
from atanor.train.search.study import Plan, Study


def space(written: Mapping[str, object] | None = None, **options: object) -> Space:
    choice = MethodChoice.of("lora", **options)
    return space_for(SearchOptions.model_validate({"space": written or {}}), choice)


@dataclass
class Bowl:
    """Stands for trainings: the loss is lowest at one place, and known."""

    rate: float = 2e-3
    rank: int = 8
    noise: float = 0.0
    trained: list[dict[str, Value]] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    stop_after: int | None = None

    def loss(self, values: Mapping[str, Value]) -> float:
        away = math.log10(float(values[RATE]) / self.rate) ** 2
        return 1 + away + 0.05 * math.log2(float(values["rank"]) / self.rank) ** 2 if "rank" in values else 1 + away

    def train(self, values: Mapping[str, Value], tell: Tell, repetition: int = 0) -> Trained:
        if self.stop_after is not None and len(self.trained) >= self.stop_after:
            raise KeyboardInterrupt
        self.trained.append(dict(values))
        end = self.loss(values) + self.noise * math.sin(7 * repetition + float(values["batch"]))
        for quarter in range(1, 5):
            tell(quarter, end + (4 - quarter) * 0.1)
        return Trained(end, 1.0)

    def name(self, values: Mapping[str, Value], repetition: int = 0) -> str:
        return f"{sorted(values.items())}{repetition}"

    def drop(self, name: str) -> int:
        self.dropped.append(name)
        return 10


def study(folder: Path, over: Space, pruner: Pruner = Pruner.NONE, seed: int = 0) -> Study:
    return Study(Plan("test", over, seed, pruner), f"sqlite:///{folder / 'search.db'}", folder)


def searched(folder: Path, trainer: Bowl, trials: int, pruner: Pruner = Pruner.NONE, seed: int = 0) -> Study:
    opened = study(folder, space(), pruner, seed)
    run_trials(opened, trainer, Silent(), most=trials)
    return opened


def test_every_method_that_trains_has_a_space_with_its_own_rate_in_the_middle() -> None:
    training = {name: cls for name, cls in METHOD_OPTIONS.items() if issubclass(cls, TuningOptions)}
    assert len(training) >= 9
    for name in training:
        choice = MethodChoice.of(name)
        found = space_for(SearchOptions(), choice)
        rate = found.parameters[0]
        assert rate.name == RATE and rate.logarithmic, name
        assert (rate.low, rate.high) == pytest.approx((rate.default / 10, rate.default * 10)), name
        in_force = values_in_force(choice)
        assert {one.name: one.default for one in found.parameters} == {one: in_force[one] for one in found.default}
        assert with_values(choice, found, found.default) is choice, "the default trains what a run trains"
    assert [one.name for one in space().parameters] == [RATE, "rank", "epochs", "batch"]


def test_a_space_is_written_as_ranges_lists_and_null() -> None:
    found = space({"learning_rate": "1e-4 .. 1e-2", "rank": [4, 32], "batch": None, "optimizer": ["adamw", "lion"]})
    assert [one.name for one in found.parameters] == [RATE, "rank", "epochs", "optimizer"]
    rank = found.parameters[1]
    assert rank.choices == (4, 16, 32), "the value in force is among them, or it could not be compared"
    assert not found.parameters[3].ordered


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"learning_rat": [1e-3]}, "no option `learning_rat`"),
        ({"objective": ["completion"]}, "losses of different values cannot be compared"),
        ({"max_steps": [10, 20]}, "has to be the same for all"),
        ({"learning_rate": None, "rank": None, "epochs": None, "batch": None}, "nothing is left to search"),
        ({"rank": [0, 4]}, "cannot be trained with `rank: 0`"),
        ({"optimizer": "1 .. 3"}, "is no number and has no range"),
        ({"alpha": [8, 16]}, "no single value in force"),
    ],
)
def test_a_space_that_cannot_be_searched_is_refused(written: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        space(written)


@pytest.mark.parametrize(
    ("entry", "told"), [("fast", "no range"), ("3 .. 1", "low end first"), ([], "empty list"), ([4, 4], "twice")]
)
def test_an_entry_that_cannot_be_read_is_refused(entry: object, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        SearchOptions.model_validate({"space": {"rank": entry}})


def test_the_default_comes_first_then_the_rate_alone() -> None:
    first = space().first
    assert first[0] == space().default
    assert [values[RATE] for values in first] == [5e-4, 1.58e-3, 1.58e-4, 5e-3, 5e-5]
    assert all({**values, RATE: 5e-4} == space().default for values in first)


def test_a_planted_optimum_is_found(tmp_path: Path) -> None:
    trainer = Bowl()
    opened = searched(tmp_path, trainer, 40)
    best = opened.ranking()[0]
    assert float(best.values[RATE]) == pytest.approx(2e-3, rel=0.5) and best.values["rank"] in (8, 16)
    assert best.loss is not None and best.loss < trainer.loss(space().default) - 0.2
    importance = opened.importance()
    assert next(iter(importance)) == RATE and sum(importance.values()) == pytest.approx(1)


def test_the_same_seed_tries_the_same_and_another_seed_something_else(tmp_path: Path) -> None:
    tried = []
    for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
        trainer = Bowl()
        searched(tmp_path / folder, trainer, 14, Pruner.MEDIAN, seed)
        tried.append(trainer.trained)
    assert tried[0] == tried[1] and tried[0][:5] == tried[2][:5] and tried[0] != tried[2]


def test_an_interrupted_search_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole = searched(tmp_path / "whole", Bowl(), 12, Pruner.MEDIAN)
    for stop in (3, 7):
        with pytest.raises(KeyboardInterrupt):
            searched(tmp_path / "halves", Bowl(stop_after=stop), 12, Pruner.MEDIAN)
    opened = study(tmp_path / "halves", space(), Pruner.MEDIAN)
    assert [one.state for one in opened.trials()][-1] is TrialState.UNFINISHED
    run_trials(opened, Bowl(), Silent(), most=12)

    def told(found: Study) -> list[tuple[object, ...]]:
        return [(one.number, one.state, one.values, one.loss, one.validations) for one in found.trials()]

    assert told(opened) == told(whole)


def test_workers_share_trials_and_train_none_twice(tmp_path: Path) -> None:
    both = Barrier(2)

    class Slow(Bowl):
        def train(self, values: Mapping[str, Value], tell: Tell, repetition: int = 0) -> Trained:
            if not self.trained:
                both.wait(60)  # the other has a trial as well
            return super().train(values, tell, repetition)

    workers = [Slow(), Slow()]
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda worker: searched(tmp_path, worker, 12), workers))
    tried = [values for worker in workers for values in worker.trained]
    assert len(tried) == len({str(values) for values in tried}) and all(worker.trained for worker in workers)
    trials = study(tmp_path, space()).trials()
    assert [one.number for one in trials] == list(range(12))
    assert all(one.state is TrialState.FINISHED for one in trials)


def test_the_same_values_are_trained_once(tmp_path: Path) -> None:
    trainer = Bowl()
    opened = study(tmp_path, space({"learning_rate": [1e-3, 5e-4], "rank": None, "epochs": None, "batch": [8]}))
    run_trials(opened, trainer, Silent(), most=6)
    assert len(opened.trials()) == 6 and len(trainer.trained) == 2
    again = [one for one in opened.trials() if one.note]
    assert len(again) == 4 and all("again" in one.note and one.state is TrialState.FINISHED for one in again)


@pytest.mark.parametrize("pruner", [Pruner.MEDIAN, Pruner.HALVING])
def test_trials_far_behind_are_given_up_and_the_default_never(tmp_path: Path, pruner: Pruner) -> None:
    opened = searched(tmp_path, Bowl(rate=5e-2), 16, pruner)
    found = opened.trials()
    given_up = [one for one in found if one.state is TrialState.PRUNED]
    assert given_up and found[0].state is TrialState.FINISHED
    assert any(len(one.validations) < 4 for one in given_up), "before its end"
    best = opened.ranking()[0].loss
    assert best is not None and all(one.loss is not None and one.loss > best for one in given_up)


def test_what_lost_is_removed_and_counted(tmp_path: Path) -> None:
    trainer = Bowl()
    opened = searched(tmp_path, trainer, 8)
    best = trainer.name(opened.ranking()[0].values)
    assert removed(opened) == (7, 70) and len(set(trainer.dropped)) == 7 and best not in trainer.dropped


class Picky(Bowl):
    """Some values cannot be trained."""

    def train(self, values: Mapping[str, Value], tell: Tell, repetition: int = 0) -> Trained:
        if float(values[RATE]) > 4e-3:
            raise TrainingError("the loss is not finite at step 3")
        if float(values[RATE]) < 1e-4:
            raise ConfigurationError("too slow")
        return super().train(values, tell, repetition)


def test_trials_that_cannot_be_trained_are_told_and_counted(tmp_path: Path) -> None:
    opened = searched(tmp_path, Picky(), 8)
    states = {one.values[RATE]: (one.state, one.note) for one in opened.trials()}
    assert states[5e-3] == (TrialState.DIVERGED, "the loss is not finite at step 3")
    assert states[5e-5] == (TrialState.FAILED, "too slow") and len(states) == 8


def test_where_the_default_cannot_be_trained_nothing_is_searched(tmp_path: Path) -> None:
    class Broken(Bowl):
        def train(self, values: Mapping[str, Value], tell: Tell, repetition: int = 0) -> Trained:
            raise ConfigurationError("the base has no such layer")

    with pytest.raises(ConfigurationError, match="no such layer"):
        searched(tmp_path, Broken(), 8)


def test_a_lead_is_measured_against_what_seeds_make(tmp_path: Path) -> None:
    opened = searched(tmp_path, Bowl(), 10)
    quiet = measure_noise(opened, Bowl(noise=0.01), Silent(), 3)
    assert quiet is not None and quiet.beyond and len(quiet.best) == len(quiet.default) == 3
    again = Bowl()
    assert measure_noise(opened, again, Silent(), 3) == quiet and not again.trained, "remembered"
    assert measure_noise(opened, Bowl(), Silent(), 0) is None
    assert not Noise((1.0, 1.3, 1.1), (1.2, 1.3, 1.25)).beyond
    assert not Noise((1.0,), (2.0,)).beyond, "one seed shows no spread"


def found(best: Mapping[str, Value], noise: Noise | None = None) -> Search:
    over = space()
    trials = (
        Tried(0, TrialState.FINISHED, over.default, 2.0),
        Tried(1, TrialState.FINISHED, {**over.default, **best}, 1.5),
        Tried(2, TrialState.PRUNED, over.default, 1.0),
    )
    return Search("role", "lora", "name", over.parameters, trials, 3, 40, {}, noise, (0, 0))


def test_a_winner_at_the_edge_is_told_to_widen() -> None:
    warned = " ".join(found({RATE: 4.9e-3, "rank": 4}).warnings)
    assert "best learning rate, 0.0049, lies at the upper edge of what was tried (5e-05 .. 0.005): widen" in warned
    assert "best rank, 4, lies at the lower edge of what was tried (4, 8, 16, 32, 64)" in warned
    assert "edge" not in " ".join(found({RATE: 1e-3, "rank": 8}).warnings)


def test_what_is_said_of_the_winner_is_honest() -> None:
    searched_once = found({RATE: 1e-3})
    assert searched_once.best is not None and searched_once.best.number == 1, "a pruned one never wins"
    assert searched_once.place_of_default == 2
    told = searched_once.warnings
    assert "Chosen among 2 on 40 validation rows" in told[0] and "was not measured" in told[1]
    assert "may be noise" in found({RATE: 1e-3}, Noise((1.5, 1.9), (2.0, 2.1))).warnings[-1]
    assert "was noise" in found({RATE: 1e-3}, Noise((2.5, 2.6), (2.0, 2.1))).warnings[-1]
    assert "seeds alone make up to 0.1000" in found({RATE: 1e-3}, Noise((1.5, 1.6), (2.0, 2.1))).warnings[-1]


@pytest.mark.parametrize(
    "url", ["sqlite:////no/such/folder/search.db", "nothing://x", "postgresql://me:hunter22@localhost:1/none"]
)
def test_a_storage_that_cannot_be_used_is_told_without_its_password(tmp_path: Path, url: str) -> None:
    with pytest.raises(StoreError, match="storage of the search cannot be used") as refused:
        Study(Plan("test", space(), 0, Pruner.NONE), url, tmp_path)
    assert "hunter22" not in str(refused.value) and refused.value.problems[0].field == "--storage"


def test_a_method_without_its_written_size_searches_the_rest() -> None:
    options = METHOD_OPTIONS["ia3"]()
    assert isinstance(options, TuningOptions)
    over = space_of(options, {**options.model_dump(mode="json"), **options.in_force()}, {})
    assert [one.name for one in over.parameters] == [RATE, "epochs", "batch"]
    limited = space(max_steps=30)
    assert "epochs" not in [one.name for one in limited.parameters], "the steps are limited already"
    begun = space(start_from="counter@1")
    assert "rank" not in [one.name for one in begun.parameters], "what training begins from has its rank"
