"""A finished run goes on for more steps, as a run of its own with its own verdict."""

from __future__ import annotations

import math

from atanor.errors import ConfigurationError, NotFoundError, Problem, StoreError
from atanor.evaluate.report import Report
from atanor.methods import DESCRIPTION, METHOD_OPTIONS, CandidateDescription
from atanor.project.events import Watcher
from atanor.project.file import LoadedProject
from atanor.project.lineage import Continued
from atanor.project.options import MethodChoice
from atanor.project.workflow import RoleJob, open_role, run_method
from atanor.store import RunRecord, Store
from atanor.train.adopting import where_it_stopped
from atanor.train.continuing import PEAK, Continuation


def continue_run(
    loaded: LoadedProject,
    name: str,
    watcher: Watcher,
    *,
    epochs: float | None = None,
    steps: int | None = None,
    peak: float = PEAK,
) -> Report:
    """Train a finished run's candidate for more epochs or steps, from its last checkpoint.

    Args:
        loaded: the checked project.
        name: of the run.
        watcher: told about stages and long work.
        epochs: to add.
        steps: to add, in place of epochs.
        peak: share of the first peak that the learning rate rises to again.

    Raises:
        ConfigurationError: the run trained nothing, neither or both of `epochs` and `steps` are given, or the base or
            the data have changed.
        NotFoundError: no such run, or it is not finished.
        StoreError: its checkpoints are gone.
    """
    if (epochs is None) == (steps is None):
        problem = Problem(
            "one of them says how much is added", field="--epochs", fix="Write `--epochs N` or `--steps N`"
        )
        raise ConfigurationError("how long should the run go on?", [problem])
    store = Store(loaded.root)
    run = store.run(name)
    description, report = _finished(store, run)
    origin = description.training
    if origin is None:
        problem = Problem(
            "its method trained nothing, or an older Atanor did", value=run.id, fix="Name a run that trained"
        )
        raise ConfigurationError(f"run {run.id} cannot go on", [problem])
    job = open_role(_with_role(loaded, run), run.role, watcher)
    _require_same(job, description, report)
    folder = store.folder / "training" / origin.key[:16]
    left = where_it_stopped(folder, watcher)
    if left is None:
        fix = f"Write `start_from: {report.candidate}` in a method: it begins from those weights with a fresh optimizer"
        raise StoreError(f"run {run.id} cannot go on", [Problem("its checkpoints are gone", file=str(folder), fix=fix)])
    before = left.checkpoint.step
    more = steps if steps is not None else math.ceil((epochs or 0) * left.windows)
    options = METHOD_OPTIONS[description.method].model_validate(origin.options)
    # Half a step less is rounded up to the whole one, whatever the division rounds.
    longer = options.model_copy(update={"epochs": (before + more - 0.5) / left.windows})
    job.continued = Continued(report.candidate, origin.key, left, Continuation(before, peak), more)
    watcher.say(f"continue  {job.continued.in_words}")
    return run_method(job, MethodChoice(name=description.method, options=longer), [])


def _finished(store: Store, run: RunRecord) -> tuple[CandidateDescription, Report]:
    folder = store.run_folder(run)
    if not (folder / "report.json").is_file() or not (folder / DESCRIPTION).is_file():
        problem = Problem(f"it is {run.state}", value=run.id, fix="`atanor run` finishes it")
        raise NotFoundError(f"run {run.id} is not finished", [problem])
    report = Report.model_validate_json((folder / "report.json").read_text(encoding="utf-8"))
    return CandidateDescription.model_validate_json((folder / DESCRIPTION).read_text(encoding="utf-8")), report


def _with_role(loaded: LoadedProject, run: RunRecord) -> LoadedProject:
    if run.role not in loaded.file.roles:
        problem = Problem("its role is not in the project file any more", value=run.role, fix="Bring the role back")
        raise ConfigurationError(f"run {run.id} cannot go on", [problem])
    return loaded


def _require_same(job: RoleJob, description: CandidateDescription, report: Report) -> None:
    """Base, rows and seed are those of the run: its order of rows and its optimizer mean nothing with others."""
    assert description.training is not None
    precision = str(job.base.model.dtype).removeprefix("torch.")
    pairs = [
        ("base", "the base's weights", description.base_sha[:12], job.base.local.sha[:12]),
        ("base", "the chat template", description.template_sha[:12], job.base.template_sha[:12]),
        ("data", "the rows", report.data.dataset_sha[:12], job.data.section.dataset_sha[:12]),
        ("split", "the split", report.data.split_sha[:12], job.data.section.split_sha[:12]),
        ("seed", "the seed", str(description.training.seed), str(job.seed)),
        ("precision", "the arithmetic", description.precision, precision),
    ]
    fix = f"Bring it back, or write `start_from: {report.candidate}` in a method to begin from its weights"
    problems = [
        Problem(f"{what} was {before} and is now {present}", field=field, fix=fix)
        for field, what, before, present in pairs
        if before != present
    ]
    if problems:
        raise ConfigurationError(f"run {report.run} cannot go on: what it was trained with has changed", problems)
