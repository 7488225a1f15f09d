"""A candidate's trained change at several scales: what is gained on the task against what is forgotten.

Scales are compared on the role's validation rows, never on its test. Forgetting is measured as a run measures it, on
general text. The scale with the largest gain that the role's gates on forgetting allow becomes a candidate of its own,
and only that one is asked the test items.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from atanor import __version__
from atanor.errors import ConfigurationError, Problem
from atanor.evaluate import Comparison, GateResult, judge, parse_gate, render_html
from atanor.evaluate.comparison import GUARD, oriented
from atanor.evaluate.report import Report
from atanor.evaluate.runner import TestPaper, outcomes_to_json
from atanor.methods import DESCRIPTION, CandidateDescription, Framing, Made
from atanor.models import Scaling, Tuned, load_tuned
from atanor.project.assessment import Sat, build_report
from atanor.project.candidates import describe_candidate, require_same_base
from atanor.project.dataset import RoleData, test_paper
from atanor.project.events import RunJudged, Watcher
from atanor.project.file import LoadedProject
from atanor.project.workflow import OUTCOMES, RoleJob, offer, open_role
from atanor.store import CandidateRecord, RunRecord, RunState, Store, now
from atanor.store.files import write_text, writing_folder

SCALES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)


@dataclass(frozen=True)
class SweepPoint:
    """The candidate at one scale, against the base.

    Attributes:
        scale: of the trained change; 0 is the base, 1 the candidate.
        target: the role's first metric, on its validation rows.
        forgetting: the guard metric, on general text.
        gates: those on forgetting, judged.
    """

    scale: float
    target: Comparison
    forgetting: Comparison
    gates: tuple[GateResult, ...]

    @property
    def allowed(self) -> bool:
        """Every gate on forgetting passes."""
        return all(gate.passed for gate in self.gates)

    @property
    def gain(self) -> float:
        """Improvement on the target; positive is better whatever the metric's direction."""
        return oriented(self.target.change, self.target.low, self.target.high, self.target.higher_is_better)[0]


@dataclass(frozen=True)
class Sweep:
    """What a sweep found.

    Attributes:
        role, candidate: which.
        items: validation rows the target was measured on.
        points: in the order of the scales.
        picked: the scale that is best; None where no scale gains and keeps enough.
        report: of the new candidate; None where none was made, because nothing or the candidate itself was picked.
    """

    role: str
    candidate: str
    items: int
    confidence: float
    points: tuple[SweepPoint, ...]
    picked: float | None
    report: Report | None = None


def pick(points: Sequence[SweepPoint]) -> float | None:
    """The scale of the largest gain among those that the gates allow, the smaller of equals; None if none gains."""
    allowed = [point for point in points if point.scale > 0 and point.allowed and point.gain > 0]
    return min(allowed, key=lambda point: (-point.gain, point.scale)).scale if allowed else None


def sweep_candidate(
    loaded: LoadedProject, candidate: CandidateRecord, watcher: Watcher, scales: Sequence[float] = SCALES
) -> Sweep:
    """Measure a candidate at several scales, pick one, and judge it on the test items.

    Args:
        loaded: the checked project file.
        candidate: of this project.
        watcher: told about stages and long work.
        scales: what to look at, each from 0 on.

    Raises:
        ConfigurationError: the candidate has no trained change, or one that cannot be scaled.
        BaseModelError: its base has changed.
    """
    store = Store(loaded.root)
    folder = store.folder / candidate.folder
    described = describe_candidate(store, candidate)
    if described.adapter is None:
        problem = Problem(f"`{described.method}` trains nothing", value=candidate.id, fix="Name a trained candidate")
        raise ConfigurationError("there is nothing to scale", [problem])
    job = open_role(loaded, candidate.role, watcher)
    require_same_base(candidate, described, job.base)
    bench = _Validating(job, described.framing)
    baseline = bench.base()
    # Before anything is put on the base: whole weights change it, and the type it is in.
    tested = _base_on_the_test(job)
    tuned = load_tuned(job.base, folder / described.adapter)
    try:
        scaling = Scaling(tuned)
        identity = Made(described.framing, {}, folder=folder / described.adapter).identity
        points = []
        for scale in sorted(set(scales)):
            scaling.at(scale)
            points.append(bench.point(scale, tuned, f"{identity} x {scale!r}", baseline))
        found = Sweep(
            role=candidate.role,
            candidate=candidate.id,
            items=len(bench.examiner.items),
            confidence=job.role.evaluate.confidence,
            points=tuple(points),
            picked=pick(points),
        )
        if found.picked is None or found.picked == 1:
            return found
        scaling.at(found.picked)
        return dataclasses.replace(
            found, report=_judged(job, candidate, described, tuned, found=found, baseline=tested)
        )
    finally:
        tuned.detach()


class _Validating:
    """Asks the validation rows as a run asks the test items."""

    def __init__(self, job: RoleJob, framing: Framing) -> None:
        self.job = job
        self.framing = framing
        # What follows of a role's data takes these rows for its test.
        self.data = dataclasses.replace(job.data, test=tuple(job.data.validation.examples.values()))
        self.examiner = dataclasses.replace(job.examiner, items=self.data.items)
        guards = [gate for gate in self.examiner.gates if gate.metric == GUARD]
        self.gates = guards or [parse_gate(f"{GUARD} not worse")]

    def base(self) -> Sat:
        """What the untouched base makes of them."""
        paper = _paper(self.job, self.data, Framing())
        return self.examiner.outcomes(self.job.base.model, paper, "base", "base", self.job.watcher)

    def point(self, scale: float, tuned: Tuned, identity: str, baseline: Sat) -> SweepPoint:
        """What the candidate makes of them at its present scale."""
        paper = _paper(self.job, self.data, self.framing)
        sat = self.examiner.outcomes(tuned.model, paper, f"scale {scale:g}", identity, self.job.watcher)
        comparisons = self.examiner.compare(baseline, sat)
        target = next(found for found in comparisons if found.metric != GUARD)
        forgetting = next(found for found in comparisons if found.metric == GUARD)
        return SweepPoint(scale, target, forgetting, tuple(judge(gate, comparisons) for gate in self.gates))


def _paper(job: RoleJob, data: RoleData, framing: Framing) -> TestPaper:
    """The test items of `data` as a run asks them."""
    answers, compared = job.examiner.wants_answers, job.role.measures_preference
    return test_paper(data, framing, job.reader, answers=answers, compared=compared)


def _base_on_the_test(job: RoleJob) -> Sat:
    """What the base makes of the test items; every run asked it before, so it is remembered."""
    paper = _paper(job, job.data, Framing())
    return job.examiner.outcomes(job.base.model, paper, "base", "base", job.watcher)


def _judged(
    job: RoleJob,
    candidate: CandidateRecord,
    described: CandidateDescription,
    tuned: Tuned,
    *,
    found: Sweep,
    baseline: Sat,
) -> Report:
    """The picked scale as a run of its own: published, asked the test items, compared, offered."""
    store, scale = job.store, found.picked
    key = hashlib.sha256(json.dumps([__version__, "sweep", candidate.id, candidate.artefact, scale]).encode())
    run = store.begin_run(key.hexdigest(), job.name, f"{candidate.method} · scale {scale:g}")
    folder = store.run_folder(run)
    if run.state is RunState.FINISHED:
        return Report.model_validate_json((folder / "report.json").read_text(encoding="utf-8"))
    with store.running(run):
        write_text(folder / "project.yaml", job.loaded.text)
        with writing_folder(folder / str(described.adapter)) as published:
            tuned.publish(published)
        made = Made(described.framing, {}, tuned=tuned, folder=folder / str(described.adapter))
        paper = _paper(job, job.data, made.framing)
        sat = job.examiner.outcomes(tuned.model, paper, run.method, made.identity, job.watcher)
        write_text(folder / OUTCOMES, outcomes_to_json(sat.test).decode())
        report = _report(job, candidate, run, made, sat=(baseline, sat), found=found)
        description = described.model_dump_json(indent=2)
        write_text(folder / DESCRIPTION, description)
        report = offer(job, run, report, description, [_source_report(job, candidate)])
        write_text(folder / "report.json", report.model_dump_json(indent=2))
        write_text(folder / "report.html", render_html(report))
        store.save_run(
            dataclasses.replace(
                run,
                state=RunState.FINISHED,
                finished=now(),
                verdict=report.verdict.value,
                headline=report.headline,
                candidate=report.candidate,
            )
        )
    job.watcher.show(RunJudged(report, str(folder / "report.json"), str(folder / "report.html")))
    return report


def _report(
    job: RoleJob, candidate: CandidateRecord, run: RunRecord, made: Made, *, sat: tuple[Sat, Sat], found: Sweep
) -> Report:
    """As of any run; what was trained is told from the run that trained it."""
    report = build_report(
        project=job.loaded.file.project,
        project_text=job.loaded.text,
        role_name=job.name,
        examiner=job.examiner,
        run=run,
        method=run.method,
        made=made,
        data=job.data.section,
        baseline=sat[0],
        candidate=sat[1],
        estimate=None,
        contamination=job.contamination.of(candidate.id),
    )
    training = _source_report(job, candidate).training
    if training is not None:
        training = training.model_copy(update={"settings": {**training.settings, "scale": found.picked}})
    note = (
        f"What run {candidate.run} trained, at {found.picked:g} of its size: of {len(found.points)} scales the one "
        f"that gains most on {found.items} validation rows among those that forget no more than the gates allow."
    )
    return report.model_copy(update={"training": training, "notes": [note]})


def _source_report(job: RoleJob, candidate: CandidateRecord) -> Report:
    folder: Path = job.store.folder / candidate.folder
    return Report.model_validate_json((folder / "report.json").read_text(encoding="utf-8"))
