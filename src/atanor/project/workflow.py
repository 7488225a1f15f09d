"""The main job of one role: data, baseline, candidates, verdicts, release. Every stage is found again when it was done.

A run is named by the hash of everything that decides its result. The same project run again finds finished runs and
their reports; an interrupted one goes on from its last whole checkpoint; nothing is asked or trained twice.
"""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property

from peft import PeftModel
from transformers import PreTrainedModel

from atanor.compute import device_name
from atanor.errors import AtanorError
from atanor.evaluate import render_html
from atanor.evaluate.card import CARD, model_card
from atanor.evaluate.contamination.leaks import ContaminationSection
from atanor.evaluate.decision import Decision, decision_of
from atanor.evaluate.report import ProbeSection, Report
from atanor.evaluate.runner import outcomes_to_json
from atanor.methods import DESCRIPTION, Framing, Made
from atanor.methods.classification.material import ClassMaterial
from atanor.methods.classification.options import ClassifierOptions
from atanor.methods.tuning import TuningOptions
from atanor.models import Base, load_base, resolve_base
from atanor.project.ability import GeneralAbility
from atanor.project.assessment import Examiner, Sat, build_report
from atanor.project.bench import SEARCHED, bench_of
from atanor.project.classes import class_material
from atanor.project.contamination import Contamination
from atanor.project.dataset import Reader, RoleData, prepare_role, test_paper
from atanor.project.describing import describe
from atanor.project.estimating import Prediction
from atanor.project.events import BaseReady, DataReady, RunJudged, RunPlanned, Watcher
from atanor.project.file import LoadedProject
from atanor.project.keys import free_key, parameters_of, training_key
from atanor.project.launching import make
from atanor.project.lineage import Beginning, Continued, find_beginning
from atanor.project.looking import Looked, look_in_turn
from atanor.project.options import MethodChoice, RoleOptions
from atanor.project.planning import plan_in_words, predicted
from atanor.project.probing import ask_probes, sections_of, with_canaries
from atanor.project.sampling import with_share
from atanor.project.teachers import ProjectTeachers
from atanor.project.tracking import tracked, was_untold
from atanor.store import CandidateRecord, DatasetRecord, RunRecord, RunState, Store, now
from atanor.store.files import write_text, writing_folder
from atanor.train import Follow, Interrupted, Precision, TrainOptions, train_dtype
from atanor.train.adopting import adopt

OUTCOMES = "outcomes.json"
"""What a run's candidate made of the test items, beside its report, so that two runs can be compared."""


@dataclass(frozen=True)
class Trial:
    """A run that is made to be compared with others: its candidate is not offered for chat and never released.

    Attributes:
        name: what is tried, in words for the list of runs and the report.
        repetition: added to the seed of training and of augmentation; the data and the split stay.
        share: of the training rows, drawn by the seed and the repetition; the name tells it.
    """

    name: str
    repetition: int = 0
    share: float = 1.0


@dataclass
class RoleJob:
    """One role's work in progress: what its methods share."""

    loaded: LoadedProject
    name: str
    store: Store
    watcher: Watcher
    base: Base
    data: RoleData
    examiner: Examiner
    again: bool
    trial: Trial | None = None
    beginning: Beginning | None = None
    """What the method at work begins from."""
    continued: Continued | None = None
    learned: dict[str, ClassMaterial] = field(default_factory=dict)

    @cached_property
    def contamination(self) -> Contamination:
        """Looks for the test items in what candidates were trained on."""
        return Contamination(self.data, self.role.evaluate.contaminated, self.store)

    @cached_property
    def ability(self) -> GeneralAbility:
        """Asks what the base could do before."""
        options = self.role.evaluate
        return GeneralAbility(self.base, options, self.loaded.root, seed=self.loaded.file.seed, store=self.store)

    @property
    def role(self) -> RoleOptions:
        return self.loaded.file.roles[self.name]

    @property
    def seed(self) -> int:
        return self.loaded.file.seed + (0 if self.trial is None else self.trial.repetition)

    @property
    def teachers(self) -> ProjectTeachers:
        return ProjectTeachers(self.loaded.root, self.store, self.base, self.watcher)

    @property
    def reader(self) -> Reader:
        return Reader(self.base.tokenizer, self.base.context, self.base.end_ids, self.base.encoder_decoder)

    @property
    def choices(self) -> tuple[str, ...]:
        """The only answers allowed; without any they are written freely."""
        return () if self.role.generate.choices is None else self.data.labels

    def classes(self, choice: MethodChoice) -> ClassMaterial | None:
        """What a classifier learns from, gathered once; None for the other methods."""
        if not isinstance(choice.options, ClassifierOptions):
            return None
        if choice.name not in self.learned:
            found = class_material(choice.options, self.data, self.role, self.loaded.root, self.watcher)
            self.learned[choice.name] = found
        return self.learned[choice.name]


def run_role(
    loaded: LoadedProject,
    name: str,
    *,
    watcher: Watcher,
    only: str | None = None,
    again: bool = False,
    trial: Trial | None = None,
) -> list[Report]:
    """Take one role from its data to a verdict for each of its methods.

    Args:
        loaded: the checked project file.
        name: of the role.
        watcher: told about stages and long work.
        only: run just this method.
        again: make new runs even where finished ones exist.
        trial: the runs are made to be compared, not to be released.

    Returns:
        One report a method, in the order of the project file.
    """
    choices = [choice for choice in loaded.file.roles[name].methods if only in (None, choice.name)]
    job = open_role(loaded, name, watcher, again=again, trial=trial)
    reports: list[Report] = []
    for choice in choices:
        reports.append(run_method(job, choice, reports))
    return reports


def open_role(
    loaded: LoadedProject, name: str, watcher: Watcher, *, again: bool = False, trial: Trial | None = None
) -> RoleJob:
    """Data first, because it is quick and often wrong; then the base."""
    project = loaded.file
    role = project.roles[name]
    store = Store(loaded.root)
    local = resolve_base(project.base_of(name), loaded.root, watcher)
    repetition = 0 if trial is None else trial.repetition
    reader = Reader.of(local)
    data = prepare_role(project, name, loaded.root, reader, watcher, repetition=repetition)
    if trial is not None:
        data = with_share(data, trial.share, project.seed + repetition)
    data = with_canaries(data, role, reader, project.seed)
    store.add_dataset(
        DatasetRecord(
            sha=data.section.dataset_sha,
            split_sha=data.section.split_sha,
            role=name,
            sources=tuple(data.section.sources),
            rows=data.section.used,
            created=now(),
        )
    )
    for note in data.notes:
        watcher.say(f"data      {note}")
    watcher.show(DataReady(name, data.section, data.pieces))
    precisions = {choice.options.precision for choice in role.methods if isinstance(choice.options, TrainOptions)}
    dtype = train_dtype(precisions.pop() if len(precisions) == 1 else Precision.AUTO)
    base = load_base(local, dtype=dtype, device=device_name())
    watcher.show(
        BaseReady(
            title=local.title,
            reference=str(local.reference),
            licence=local.licence,
            parameters=base.parameters,
            precision=str(dtype).removeprefix("torch."),
        )
    )
    examiner = Examiner.of(base, role, items=data.items, root=loaded.root, seed=project.seed, store=store)
    for sentence in examiner.test_shows:
        watcher.say(f"test      {sentence}")
    job = RoleJob(loaded, name, store, watcher, base, data, examiner, again, trial)
    if job.contamination.in_words is not None:
        watcher.say(f"test      {job.contamination.in_words}")
    if job.ability.in_words is not None:
        watcher.say(f"ability   {job.ability.in_words}")
    return job


def run_method(job: RoleJob, choice: MethodChoice, earlier: list[Report]) -> Report:
    """One run: found finished, resumed or begun."""
    job.beginning = beginning_of(job, choice)
    key = free_key(job, choice)
    found = job.store.find_run(key)
    if found is not None and found.state is RunState.FINISHED:
        folder = job.store.run_folder(found)
        report = Report.model_validate_json((folder / "report.json").read_text(encoding="utf-8"))
        job.watcher.show(RunPlanned(job.name, choice.name, found.id, "finished before; nothing to do", True))
        job.watcher.show(RunJudged(report, str(folder / "report.json"), str(folder / "report.html")))
        if was_untold(folder):
            with tracked(job.loaded, job.store, found, parameters_of(job, choice), job.watcher) as tracking:
                tracking.again()
                tracking.conclude(report)
        return report
    method = choice.name if job.trial is None else f"{choice.name} · {job.trial.name}"
    run = job.store.begin_run(key, job.name, method)
    with (
        job.store.running(run),
        tracked(job.loaded, job.store, run, parameters_of(job, choice), job.watcher) as tracking,
    ):
        started = time.perf_counter()
        try:
            report = _execute(job, choice, run, earlier, tracking.follow)
        except (Interrupted, KeyboardInterrupt):
            job.store.save_run(dataclasses.replace(run, state=RunState.INTERRUPTED))
            raise
        except AtanorError as error:
            job.store.save_run(dataclasses.replace(run, state=RunState.FAILED, error=error.summary))
            raise
        job.store.save_run(
            dataclasses.replace(
                run,
                state=RunState.FINISHED,
                finished=now(),
                seconds=time.perf_counter() - started,
                verdict=report.verdict.value,
                headline=report.headline,
                candidate=report.candidate,
            )
        )
        tracking.conclude(report)
    return report


def _execute(job: RoleJob, choice: MethodChoice, run: RunRecord, earlier: list[Report], follow: Follow) -> Report:
    folder = job.store.run_folder(run)
    plan = plan_in_words(job, choice)
    prediction = predicted(job, choice)
    job.watcher.show(RunPlanned(job.name, choice.name, run.id, plan, False, prediction))
    write_text(folder / "project.yaml", job.loaded.text)
    answers, compared = job.examiner.wants_answers, job.role.measures_preference
    baseline = job.examiner.outcomes(
        job.base.model,
        test_paper(job.data, Framing(), job.reader, answers=answers, compared=compared, choices=job.choices),
        "base",
        "base",
        job.watcher,
    )
    asked = ask_probes(job, Framing(), job.base.model, "base", "base")
    job.ability.ask_base(job.watcher)
    made = _make(job, choice, run, follow)
    origin = job.continued or job.beginning
    found = job.contamination.of(None if origin is None else origin.parent)
    sections: list[ProbeSection] = []
    try:
        if made.classifier is not None:
            test = job.data.test
            candidate = job.examiner.classified(made.classifier, test, choice.name, made.identity, job.watcher)
            looked = Looked(job.examiner, baseline, candidate)
        else:
            model = job.base.model if made.tuned is None else made.tuned.model
            looked = _ask(job, model, made, choice.name, baseline, without=found.excluded)
            sections = job.ability.sections(made, choice.name, job.watcher)
            sections += sections_of(job, asked, ask_probes(job, made.framing, model, choice.name, made.identity))
    finally:
        if made.tuned is not None:
            made.tuned.detach()
    write_text(folder / OUTCOMES, outcomes_to_json(looked.candidate.test).decode())
    found = found.about({item.id for item in looked.examiner.items})
    about = _Found(made, looked, found, sections, prediction)
    return _conclude(job, choice, run, about, earlier)


@dataclass(frozen=True)
class _Found:
    """What is known of a candidate before its report is written."""

    made: Made
    looked: Looked
    contamination: ContaminationSection
    sections: list[ProbeSection]
    prediction: Prediction | None


def _ask(
    job: RoleJob,
    model: PreTrainedModel | PeftModel,
    made: Made,
    who: str,
    baseline: Sat,
    *,
    without: Collection[str],
) -> Looked:
    """A candidate before the test, at once or in as many looks as the role wants."""

    def ask(data: RoleData, when: str) -> Sat:
        paper = test_paper(
            data,
            made.framing,
            job.reader,
            answers=job.examiner.wants_answers,
            compared=job.role.measures_preference,
            choices=job.choices,
        )
        return job.examiner.outcomes(model, paper, f"{who}{when}", made.identity, job.watcher)

    looks = job.role.evaluate.looks
    if looks == 1 or job.trial is not None:  # trials are compared with one another on all items
        return Looked(job.examiner, baseline, ask(job.data, ""))
    return look_in_turn(job.examiner, job.data, baseline, ask, looks=looks, without=without)


def _make(job: RoleJob, choice: MethodChoice, run: RunRecord, follow: Follow) -> Made:
    """Make the candidate; what was trained before, under whatever metrics and gates, is not trained again."""
    folder = job.store.run_folder(run)
    with job.store.training(training_key(job, choice, run)) as training:
        (training / SEARCHED).unlink(missing_ok=True)  # what a search left is the run's from now on
        if job.continued is not None:
            adopt(job.continued.left, training)
        made = make(choice, bench_of(job, choice, training, follow), job.loaded.file.launch, job.watcher)
        if made.folder is not None:
            with writing_folder(folder / made.folder.name) as copy:
                shutil.copytree(made.folder, copy, dirs_exist_ok=True)
            made = dataclasses.replace(made, folder=folder / made.folder.name)
    return made


def _conclude(
    job: RoleJob,
    choice: MethodChoice,
    run: RunRecord,
    found: _Found,
    earlier: list[Report],
) -> Report:
    """Write candidate, report and release, in that order."""
    made, folder = found.made, job.store.run_folder(run)
    origin = job.continued or job.beginning
    report = build_report(
        project=job.loaded.file.project,
        project_text=job.loaded.text,
        role_name=job.name,
        examiner=found.looked.examiner,
        run=run,
        method=choice.name,
        made=made,
        data=job.data.section,
        baseline=found.looked.baseline,
        candidate=found.looked.candidate,
        estimate=None if found.prediction is None else found.prediction.estimate,
        contamination=found.contamination,
        sections=found.sections,
    )
    if found.looked.note is not None:
        report = report.model_copy(update={"notes": [found.looked.note, *report.notes]})
    if origin is not None:
        report = report.model_copy(update={"parent": origin.parent, "notes": [origin.in_words, *report.notes]})
    description = describe(job, choice, run, made).model_dump_json(indent=2)
    write_text(folder / DESCRIPTION, description)
    if job.trial is None:
        report = offer(job, run, report, description, earlier)
    else:
        note = f"A trial, made to be compared and never released: {job.trial.name}."
        report = report.model_copy(update={"notes": [note, *report.notes]})
    write_text(folder / "report.json", report.model_dump_json(indent=2))
    write_text(folder / "report.html", render_html(report))
    if made.folder is not None:
        write_text(made.folder / CARD, model_card(report))
    job.watcher.show(RunJudged(report, str(folder / "report.json"), str(folder / "report.html")))
    return report


def offer(job: RoleJob, run: RunRecord, report: Report, description: str, earlier: list[Report]) -> Report:
    """The candidate can be talked with from now on; the best one that passes is released."""
    job.store.add_candidate(
        CandidateRecord(
            id=report.candidate,
            run=run.id,
            role=job.name,
            method=run.method,
            base=report.base,
            folder=run.folder,
            artefact=job.store.put_artefact(description.encode()),
            created=now(),
            parent=report.parent,
        )
    )
    passing = [other for other in earlier if decision_of(other) is Decision.PASS]
    if decision_of(report) is Decision.PASS and not any(_at_least_as_good(other, report) for other in passing):
        return report.model_copy(update={"released": job.store.release(job.name, report.candidate).name})
    return report


def _at_least_as_good(one: Report, other: Report) -> bool:
    """On the role's first metric that both have: a classifier has no likelihood of texts."""
    named = {comparison.metric for comparison in other.comparisons}
    first = next(comparison.metric for comparison in one.comparisons if comparison.metric in named)
    return _gain(one, first) >= _gain(other, first)


def _gain(report: Report, metric: str) -> float:
    """Improvement on a metric; positive is better whatever the metric's direction."""
    first = next(one for one in report.comparisons if one.metric == metric)
    return first.change if first.higher_is_better else -first.change


def beginning_of(job: RoleJob, choice: MethodChoice) -> Beginning | None:
    """What the method's training begins from, where it does not begin afresh."""
    written = choice.options.start_from if isinstance(choice.options, TuningOptions) else None
    return None if written is None else find_beginning(written, job.store, job.loaded.root, job.base)
