"""From a candidate to its verdict: outcomes on the test items, comparisons with the base, gates, the report."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from peft import PeftModel
from transformers import PreTrainedModel

from atanor.compute import Estimate
from atanor.data.rows import Example
from atanor.evaluate import (
    Comparison,
    Gate,
    GateResult,
    Item,
    Metric,
    Outcome,
    build_metric,
    compare,
    judge,
    overall,
    parse_gate,
)
from atanor.evaluate.contamination.leaks import ContaminationSection, both_numbers, clean_data
from atanor.evaluate.gates import ITEMS, GateKind
from atanor.evaluate.items import OnError, Verdict
from atanor.evaluate.marking import notes_on_marks
from atanor.evaluate.overfitting import overfitting_of
from atanor.evaluate.power import sight_of
from atanor.evaluate.report import DataSection, ProbeSection, Report, ReportItem, TrainingSection
from atanor.evaluate.runner import (
    OUTCOME_FORMAT,
    TestPaper,
    general_text,
    outcomes_from_json,
    outcomes_to_json,
    sit,
    this_machine,
)
from atanor.evaluate.wear import worn
from atanor.methods import Made
from atanor.methods.classification.classifier import Classifier
from atanor.models import Base
from atanor.progress import Progress
from atanor.project.classes import judged, named_classes, not_compared
from atanor.project.options import RoleOptions
from atanor.store import RunRecord, Store, now
from atanor.train import Ended

LIBRARIES = ("atanor", "torch", "transformers", "peft", "accelerate", "tokenizers", "numpy", "sacrebleu", "rouge-score")


def versions() -> dict[str, str]:
    """Versions of everything a result may depend on."""
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}


@dataclass(frozen=True)
class Examiner:
    """Knows a role's test and how it is marked; asks candidates and compares them with the base.

    Attributes:
        base: the loaded base.
        role: the role's options.
        items: test items, in order.
        metrics: what is measured.
        gates: what must be reached.
        seed: of sampling and of the bootstrap.
        store: remembers outcomes, so that an interrupted run does not ask again.
    """

    base: Base
    role: RoleOptions
    items: Sequence[Item]
    metrics: Sequence[Metric]
    gates: Sequence[Gate]
    seed: int
    store: Store

    @classmethod
    def of(
        cls, base: Base, role: RoleOptions, *, items: Sequence[Item], root: Path, seed: int, store: Store
    ) -> Examiner:
        metrics = [build_metric(spec, root) for spec in role.metrics_in_force]
        for metric in metrics:
            # Where an item that cannot be marked need not stop anything, it is told with those that fail later.
            if not metric.uses_general_text and metric.on_error is OnError.STOP:
                for item in items:
                    metric.check_item(item)
        return cls(base, role, items, metrics, [parse_gate(gate) for gate in role.gates], seed, store)

    @property
    def test_shows(self) -> list[str]:
        """What the test can show of each metric, in sentences, as far as that can be told before training."""
        clusters = len({item.cluster for item in self.items})
        found = (sight_of(metric, clusters, self.role.evaluate.confidence) for metric in self.metrics)
        return [sight.in_words for sight in found if sight is not None]

    @property
    def wants_answers(self) -> bool:
        return any(metric.needs_generation for metric in self.metrics)

    def outcomes(
        self, model: PreTrainedModel | PeftModel, paper: TestPaper, who: str, identity: str, progress: Progress
    ) -> Sat:
        """What one candidate makes of the test items and of the general text; asked once, then remembered.

        Args:
            model: the network with the candidate's adapter active.
            paper: the test items as the candidate sees them.
            who: for the progress bar.
            identity: names the candidate by content (`base`, or a hash of its adapter).
            progress: shown what is asked.
        """
        items, probe = general_text(self.base)

        def ask(sheet: TestPaper, name: str) -> list[Outcome]:
            key = self._key(identity, sheet)
            known = self.store.outcomes(key)
            if known is not None:
                return outcomes_from_json(known)
            outcomes = sit(
                self.base,
                model,
                sheet,
                generation=self.role.generate,
                seed=self.seed,
                who=name,
                progress=progress,
            )
            self.store.remember_outcomes(key, outcomes_to_json(outcomes))
            return outcomes

        return Sat(ask(paper, who), items, ask(probe, f"{who} (general text)"), self._key(identity, paper))

    def classified(
        self, classifier: Classifier, test: Sequence[Example], who: str, identity: str, progress: Progress
    ) -> Sat:
        """The same of a candidate that names classes and writes nothing: it has no general text."""
        description = classifier.description.model_dump_json()
        sha = classifier.classifying.base.local.sha
        content = [identity, description, sha, [example.id for example in test], *self._marks_of_time]
        key = hashlib.sha256(json.dumps(content).encode()).hexdigest()
        known = self.store.outcomes(key)
        if known is not None:
            return Sat(outcomes_from_json(known), [], None, key)
        outcomes = named_classes(classifier, test, who, progress)
        self.store.remember_outcomes(key, outcomes_to_json(outcomes))
        return Sat(outcomes, [], None, key)

    def compared(self, candidate: Sat) -> list[Metric]:
        """The metrics by which a candidate can be compared: a classifier has no likelihood of texts."""
        return [metric for metric in self.metrics if candidate.general is not None or judged(metric)]

    def compare(self, baseline: Sat, candidate: Sat, without: Collection[str] = ()) -> list[Comparison]:
        """One comparison a metric that both have, on the test items whose ids are not among `without`."""
        results = []
        kept = [number for number, item in enumerate(self.items) if item.id not in without]
        for metric in self.compared(candidate):
            items = [self.items[number] for number in kept]
            before, after = [baseline.test[number] for number in kept], [candidate.test[number] for number in kept]
            if metric.uses_general_text and baseline.general is not None and candidate.general is not None:
                items, before, after = baseline.general_items, baseline.general, candidate.general
            results.append(compare(metric, items, before, after, seed=self.seed, options=self.role.evaluate))
        return results

    def judge(self, comparisons: Sequence[Comparison], contamination: ContaminationSection) -> list[GateResult]:
        """Whether each gate is reached; one about a metric that the candidate has no figure of is not."""
        measured = {comparison.metric for comparison in comparisons}

        def judged(gate: Gate) -> GateResult:
            if gate.kind is GateKind.CLEAN:
                return clean_data(gate.text, contamination)
            if gate.metric in {*measured, ITEMS}:
                return judge(gate, comparisons)
            why = f"`{gate.metric}` is not defined for a candidate that writes nothing"
            if gate.metric not in {metric.name for metric in self.metrics}:
                why = f"`{gate.metric}` was not measured: its probe found nothing to ask, or nobody to answer"
            return GateResult(gate.text, False, why)

        return [judged(gate) for gate in self.gates]

    @property
    def _marks_of_time(self) -> list[int | str]:
        """What makes remembered outcomes out of date: what they hold, and another machine where time is measured."""
        return [OUTCOME_FORMAT, *([this_machine()] if any(metric.of_this_machine for metric in self.metrics) else [])]

    def _key(self, identity: str, paper: TestPaper) -> str:
        content = [
            identity,
            self.base.local.sha,
            self.base.template_sha,
            str(self.base.model.dtype),
            [list(row.tokens) for row in paper.rows],
            [list(prompt) for prompt in paper.prompts],
            [None if row is None else list(row.tokens) for row in paper.rejected],
            [list(tokens) for _, tokens in paper.choices],
            self.role.generate.model_dump(mode="json"),
            self.seed,
            *self._marks_of_time,
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


@dataclass(frozen=True)
class Sat:
    """One candidate's outcomes on the test items and on the general text, and what names it and the items together.

    A candidate that writes nothing has no outcomes on general text.
    """

    test: list[Outcome]
    general_items: list[Item]
    general: list[Outcome] | None
    key: str


def build_report(
    *,
    project: str,
    project_text: str,
    role_name: str,
    examiner: Examiner,
    run: RunRecord,
    method: str,
    made: Made,
    data: DataSection,
    baseline: Sat,
    candidate: Sat,
    estimate: Estimate | None,
    contamination: ContaminationSection,
    sections: Sequence[ProbeSection] = (),
) -> Report:
    """Compare, judge and gather everything a reader needs."""
    probed = [comparison for section in sections for comparison in section.comparisons]
    judged = weigh(examiner, baseline, candidate, contamination, probed)
    comparisons = judged.comparisons
    looks = examiner.store.look(data.split_sha, candidate.key)
    base = examiner.base
    training = _training_section(method, made, base, estimate)
    return Report(
        project=project,
        role=role_name,
        run=run.id,
        goal=examiner.role.goal,
        base=str(base.local.reference),
        base_sha=base.local.sha,
        base_licence=base.local.licence,
        candidate=f"{role_name}-{run.id}",
        created=now(),
        verdict=judged.verdict,
        headline=judged.headline,
        confidence=examiner.role.evaluate.confidence,
        comparisons=comparisons,
        gates=judged.gates,
        contamination=judged.contamination,
        sections=list(sections),
        released=None,
        data=data,
        training=training,
        items=_report_items(examiner, judged, baseline, candidate),
        project_file=project_text,
        versions=versions(),
        test_shows=examiner.test_shows,
        looks=looks,
        notes=[
            *notes_on_marks(judged.every),
            *_overfitted(training),
            *_notes(examiner, made, method, worn(looks, comparisons, examiner.role.evaluate.confidence)),
        ],
    )


@dataclass(frozen=True)
class Judged:
    """The verdict on a candidate, with everything it rests on; `every` compares on all items, counted or not."""

    every: list[Comparison]
    comparisons: list[Comparison]
    gates: list[GateResult]
    verdict: Verdict
    headline: str
    contamination: ContaminationSection


def weigh(
    examiner: Examiner,
    baseline: Sat,
    candidate: Sat,
    found: ContaminationSection,
    probed: Sequence[Comparison] = (),
) -> Judged:
    """The verdict as the role's policy on learned items has it, and what the other policy would make of it.

    Args:
        examiner: of the role.
        baseline: the base's outcomes.
        candidate: the candidate's.
        found: which test items were learned.
        probed: what the probes found, which gates may ask for and the verdict does not rest on.
    """
    confidence = examiner.role.evaluate.confidence
    every = examiner.compare(baseline, candidate)
    if not found.learned:
        gates = examiner.judge([*every, *probed], found)
        verdict, headline = overall(every, gates, confidence=confidence)
        return Judged(every, every, gates, verdict, headline + _worse_beside(probed), found)
    if len(found.learned) == len(examiner.items):
        headline = "Cannot tell: every test item stands in the training rows. Hold out others."
        return Judged(every, every, examiner.judge([*every, *probed], found), Verdict.CANNOT_TELL, headline, found)
    clean = examiner.compare(baseline, candidate, without=found.learned)
    counted, other = (clean, every) if found.policy == "exclude" else (every, clean)
    gates = examiner.judge([*counted, *probed], found)
    verdict, headline = overall(counted, gates, confidence=confidence)
    otherwise, _ = overall(other, examiner.judge([*other, *probed], found), confidence=confidence)
    section = found.model_copy(update={"otherwise": other, "verdict_otherwise": otherwise})
    return Judged(
        every, counted, gates, verdict, headline + both_numbers(section, counted) + _worse_beside(probed), section
    )


def _worse_beside(probed: Sequence[Comparison]) -> str:
    """What became worse beside the task, for the headline; empty where nothing did."""
    worse = [f"{one.label} {one.baseline:.3g} to {one.candidate:.3g}" for one in probed if one.verdict is Verdict.WORSE]
    return f" Worse beside the task: {', '.join(worse)}." if worse else ""


def _training_section(method: str, made: Made, base: Base, estimate: Estimate | None) -> TrainingSection | None:
    result = made.training
    if result is None:
        return None
    return TrainingSection(
        method=method,
        settings=made.settings,
        trainable_parameters=made.trainable_parameters,
        total_parameters=made.total_parameters or base.parameters,
        precision=result.precision,
        steps=result.steps,
        best_step=result.best_step,
        seconds=result.seconds,
        logical_tokens=result.logical_tokens,
        executed_tokens=result.executed_tokens,
        peak_memory_bytes=result.peak_memory_bytes,
        predicted_seconds=None if estimate is None else estimate.seconds,
        predicted_memory_bytes=None if estimate is None else estimate.memory.total,
        ended=result.ended.value,
        train_loss=list(result.train_loss),
        validation_loss=list(result.validation_loss),
    )


def _report_items(examiner: Examiner, judged: Judged, baseline: Sat, candidate: Sat) -> list[ReportItem]:
    general = {metric.name for metric in examiner.metrics if metric.uses_general_text}
    # Of all items: those that do not count in the verdict are shown as well.
    on_items = [comparison for comparison in judged.every if comparison.metric not in general]

    def scores(number: int, of: Callable[[Comparison], tuple[float | None, ...]]) -> dict[str, float | None]:
        return {comparison.metric: of(comparison)[number] for comparison in on_items}

    return [
        ReportItem(
            id=item.id,
            prompt=item.prompt,
            reference=item.reference,
            baseline_answer=before.answer,
            candidate_answer=after.answer,
            baseline_scores=scores(number, lambda comparison: comparison.baseline_scores),
            candidate_scores=scores(number, lambda comparison: comparison.candidate_scores),
            baseline_confidence=before.confidence,
            candidate_confidence=after.confidence,
            also_right=list(item.also_right),
            learned=item.id in judged.contamination.learned,
        )
        for number, (item, before, after) in enumerate(zip(examiner.items, baseline.test, candidate.test, strict=True))
    ]


def _overfitted(training: TrainingSection | None) -> list[str]:
    """A note where training went on to learn its rows by heart."""
    found = None if training is None else overfitting_of(training)
    return [] if found is None or not found.memorising else [f"Training overfitted: {found.in_words}."]


def _notes(examiner: Examiner, made: Made, method: str, wear: str | None) -> list[str]:
    notes = [] if wear is None else [wear]
    if made.classifier is not None:
        notes += not_compared(examiner.metrics, len(made.classifier.description.classes))
    if made.training is not None and 0 < made.training.resumed_at < made.training.steps:
        notes.append(f"Training was interrupted and went on from step {made.training.resumed_at}.")
    if made.training is not None and made.training.resumed_at == made.training.steps:
        notes.append("An earlier run had trained exactly this; its weights were used again.")
    if made.judged_as is not None:
        notes.append(made.judged_as)
    if made.training is not None and made.training.averaged is not None:
        notes.append(f"Published is {made.training.averaged}: it validated better than every checkpoint.")
    if made.training is not None and made.training.ended is not Ended.EPOCHS:
        spent = f"{made.training.steps} steps and {made.training.seconds / 60:.3g} minutes"
        notes.append(f"Training was ended by `{made.training.ended}` after {spent}.")
    if made.training is not None and made.training.skipped:
        notes.append(f"{made.training.skipped} steps were left out: their gradients overflowed float16.")
    if made.training is None:
        notes.append(f"`{method}` trains nothing: the untouched base answered with another prompt.")
    return notes
