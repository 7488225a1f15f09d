"""What the terminal shows of an ablation: what it will take, and what each technique did to the score."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from atanor.cli import figures
from atanor.cli.tables import facts, ruled
from atanor.project.ablation import Ablation, AblationPlan, Effect, Measured
from atanor.project.trials import Budget, PlannedArm

_STYLES = {
    Effect.HELPS: "bold green",
    Effect.HARMS: "bold red",
    Effect.NO_DIFFERENCE: "bold",
    Effect.CANNOT_TELL: "bold yellow",
}
_COMMON = {
    Budget.STEPS: "every training takes as many optimizer steps as the one without augmentation, at most",
    Budget.EPOCHS: "every training takes as many epochs; with more rows that is more optimizer steps",
}


def plan_view(plan: AblationPlan) -> RenderableType:
    """Every training with its rows, steps and predicted time, and what all take together."""
    table = ruled()
    table.add_column("augmentation", no_wrap=True)
    for name in ("training rows", "of them new", "steps", "predicted"):
        table.add_column(name, justify="right", no_wrap=True)
    for planned in plan.arms:
        table.add_row(planned.arm.name, f"{planned.rows:,}", _new(planned), f"{planned.steps:,}", _time(planned))
    times = "" if plan.repetitions == 1 else f" · {plan.repetitions} times"
    lines = [
        ("role", f"{plan.role} · {plan.method}{times}"),
        ("budget", _COMMON[plan.budget]),
        ("predicted", f"{figures.duration(plan.seconds)} training in all; answering the test items comes on top"),
        ("", "what was trained and judged before is found again"),
    ]
    doubts = [found.advice for found in (planned.prediction for planned in plan.arms) if found and found.advice]
    return Group(Text(), facts([*lines, *(("", doubt) for doubt in doubts[:1])]), Text(), table)


def ablation_view(found: Ablation) -> RenderableType:
    """One line an arm: its score, the change with its interval, and what that means."""
    first = found.arms[0].comparisons[0]
    table = ruled()
    table.add_column("augmentation", no_wrap=True)
    table.add_column("rows", justify="right", no_wrap=True)
    table.add_column(first.label, justify="right")
    table.add_column(f"change [{100 * found.confidence:g} %]", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_row("the base, untrained", "–", figures.score(found.base), "", "")
    table.add_row("none", f"{found.rows:,}", figures.score(first.baseline), "", "")
    for measured in found.arms:
        _add(table, measured)
    seeds = "1 seed" if found.repetitions == 1 else f"{found.repetitions} seeds"
    lines = [
        ("role", f"{found.role} · {found.method} · {found.items:,} test items · {seeds}"),
        ("budget", _COMMON[found.budget]),
        ("change", "against no augmentation; help is claimed only where it stands Holm's adjustment for looking often"),
    ]
    if found.repetitions == 1:
        lines.append(("", "what another seed would give is not in the intervals; `--seeds 3` trains three times"))
    return Group(Text(), facts(lines), Text(), table)


def _add(table: Table, measured: Measured) -> None:
    change = measured.comparisons[0]
    table.add_row(
        measured.arm.name,
        f"{measured.rows:,}",
        figures.score(change.candidate),
        figures.change(change),
        Text(measured.effect, style=_STYLES[measured.effect]),
    )


def _new(planned: PlannedArm) -> str:
    return f"{planned.made:,}" if planned.made else "–"


def _time(planned: PlannedArm) -> str:
    return "–" if planned.prediction is None else figures.duration(planned.prediction.estimate.seconds)
