"""Candidates beside each other on the same test items: which is better, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from atanor.errors import ConfigurationError, Problem
from atanor.evaluate import Item, Metric, build_metric, compare
from atanor.evaluate.items import Comparison, Outcome, Verdict
from atanor.evaluate.options import EvaluationOptions
from atanor.evaluate.report import Report
from atanor.evaluate.runner import outcomes_from_json
from atanor.evaluate.statistics import holm
from atanor.models import resolve_base
from atanor.project.dataset import Reader, prepare_role
from atanor.project.events import Watcher
from atanor.project.file import LoadedProject
from atanor.project.workflow import OUTCOMES
from atanor.store import Store


@dataclass(frozen=True)
class Beside:
    """A candidate beside the first one.

    Attributes:
        name: as it was asked for.
        report: its verdict against the base.
        comparisons: with the first candidate, one a metric of the role; empty for the first itself.
        p_values: theirs, adjusted for all metrics and candidates that are compared (Holm 1979).
        better, worse: labels of the metrics on which it is so after the adjustment; harm is not adjusted.
    """

    name: str
    report: Report
    comparisons: tuple[Comparison, ...] = ()
    p_values: tuple[float, ...] = ()
    better: tuple[str, ...] = ()
    worse: tuple[str, ...] = ()


@dataclass(frozen=True)
class Contest:
    """Several candidates of one role on the same test items; the first is what the others are compared with."""

    role: str
    items: int
    confidence: float
    candidates: tuple[Beside, ...]

    @property
    def first(self) -> Beside:
        """What the others are compared with."""
        return self.candidates[0]


def hold_contest(loaded: LoadedProject, names: Sequence[str], watcher: Watcher) -> Contest:
    """Compare candidates with the first of them; nothing is asked again.

    Args:
        loaded: the checked project.
        names: of runs, candidates or releases, at least two.
        watcher: told about long work.

    Raises:
        NotFoundError: there is no such candidate.
        ConfigurationError: fewer than two, of several roles, or judged on other test items than the project has now.
    """
    if len(set(names)) < _FEWEST:
        problem = Problem("two are needed to compare", value=" ".join(names), fix="Name two runs: `atanor runs`")
        raise ConfigurationError("there is nothing to compare", [problem])
    store = Store(loaded.root)
    runs = [store.run(store.candidate(name).run) for name in names]
    folders = [store.run_folder(run) for run in runs]
    reports = [Report.model_validate_json((folder / "report.json").read_text(encoding="utf-8")) for folder in folders]
    role = _one_role(names, reports)
    every = _items(loaded, role, watcher)
    options = loaded.file.roles[role]
    for name, report in zip(names, reports, strict=True):
        _require_same_items(name, report, every, in_turn=options.evaluate.looks > 1)
    counted = _counted(every, reports, options.evaluate)
    items = [every[number] for number in counted]
    answered = [
        dict(zip((item.id for item in report.items), outcomes_from_json((folder / OUTCOMES).read_bytes()), strict=True))
        for report, folder in zip(reports, folders, strict=True)
    ]
    outcomes = [[answers[item.id] for item in items] for answers in answered]
    metrics = [build_metric(spec, loaded.root) for spec in options.metrics_in_force]
    # A classifier has no likelihood of texts, so its report has no comparison by one.
    shared = set.intersection(*({one.metric for one in report.comparisons} for report in reports))
    targets = [metric for metric in metrics if not metric.uses_general_text and metric.name in shared]

    def beside(after: Sequence[Outcome], metric: Metric) -> Comparison:
        return compare(metric, items, outcomes[0], after, seed=loaded.file.seed, options=options.evaluate)

    found = [tuple(beside(after, metric) for metric in targets) for after in outcomes[1:]]
    adjusted = iter(holm([one.p_value for comparisons in found for one in comparisons]))
    others = [
        _judged(name, report, comparisons, tuple(next(adjusted) for _ in comparisons), options.evaluate.confidence)
        for name, report, comparisons in zip(names[1:], reports[1:], found, strict=True)
    ]
    return Contest(role, len(items), options.evaluate.confidence, (Beside(names[0], reports[0]), *others))


def _judged(
    name: str, report: Report, comparisons: tuple[Comparison, ...], p_values: tuple[float, ...], confidence: float
) -> Beside:
    pairs = list(zip(comparisons, p_values, strict=True))
    better = (one.label for one, p in pairs if one.verdict is Verdict.BETTER and p < 1 - confidence)
    worse = (one.label for one, _ in pairs if one.verdict is Verdict.WORSE)
    return Beside(name, report, comparisons, p_values, tuple(better), tuple(worse))


def _one_role(names: Sequence[str], reports: Sequence[Report]) -> str:
    roles = sorted({report.role for report in reports})
    if len(roles) == 1:
        return roles[0]
    told = ", ".join(f"{name} ({report.role})" for name, report in zip(names, reports, strict=True))
    problem = Problem(f"they belong to several roles: {told}", fix="Compare candidates of one role")
    raise ConfigurationError("candidates of different roles cannot be compared", [problem])


def _items(loaded: LoadedProject, role: str, watcher: Watcher) -> list[Item]:
    local = resolve_base(loaded.file.base_of(role), loaded.root, watcher)
    return prepare_role(loaded.file, role, loaded.root, Reader.of(local), watcher).items


def _counted(items: Sequence[Item], reports: Sequence[Report], options: EvaluationOptions) -> list[int]:
    """Numbers of the items that all were asked and none learned; learned ones too where they count, or none is left."""
    asked = set.intersection(*({item.id for item in report.items} for report in reports))
    learned = {item.id for report in reports for item in report.items if item.learned}
    shared = [number for number, item in enumerate(items) if item.id in asked]
    kept = [number for number in shared if items[number].id not in learned]
    return kept if kept and options.contaminated == "exclude" else shared


def _require_same_items(name: str, report: Report, items: Sequence[Item], *, in_turn: bool) -> None:
    """A candidate that was asked in turn may have been asked fewer of them."""
    asked, known = [item.id for item in report.items], [item.id for item in items]
    if asked == known or (in_turn and set(asked) <= set(known)):
        return
    problem = Problem(
        f"it was judged on {len(report.items)} test items that are not those the project has now ({len(items)})",
        value=name,
        fix="Run it again: `atanor run` trains nothing anew that it need not",
    )
    raise ConfigurationError("candidates that were judged on different items cannot be compared", [problem])


_FEWEST = 2
