"""What decides a run and a training: as hashes, by which what was done is found again, and as text for trackers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from atanor import __version__
from atanor.project.named_files import general_files, metric_files
from atanor.project.options import MethodChoice
from atanor.project.tracking import flat
from atanor.store import RunRecord, RunState

if TYPE_CHECKING:
    from atanor.project.workflow import RoleJob


def free_key(job: RoleJob, choice: MethodChoice) -> str:
    """The run's key; with `again`, the first attempt of it that is not finished."""
    for key in _keys(job, choice):
        found = job.store.find_run(key)
        if not job.again or found is None or found.state is not RunState.FINISHED:
            return key
    raise AssertionError("there are endlessly many keys")


def training_key(job: RoleJob, choice: MethodChoice, run: RunRecord | None) -> str:
    """Hash of everything that decides a candidate's weights, and of nothing else; with `again`, of the run too."""
    content = {
        "atanor": __version__,
        "method": choice.model_dump(mode="json"),
        "training": job.data.training.content,
        "validation": job.data.validation.content,
        "base": [job.base.local.sha, str(job.base.model.dtype), *_own_base(job, choice)],
        "seed": job.seed,
        "general": general_files(job.loaded.root, choice),
        "again": run.key if job.again and run is not None else None,
        "beginning": None if job.beginning is None else job.beginning.sha,
        "continued": None if job.continued is None else job.continued.identity,
        "teacher": job.teachers.named_in(choice.options),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _keys(job: RoleJob, choice: MethodChoice) -> Iterator[str]:
    role = job.role.model_dump(mode="json", exclude={"methods", "data", "search"})
    role["metrics"] = [metric.model_dump(mode="json") for metric in job.role.metrics_in_force]
    content = {
        "atanor": __version__,
        "role": [job.name, role],
        "method": choice.model_dump(mode="json"),
        "data": [job.data.section.dataset_sha, job.data.section.split_sha],
        "base": [job.base.local.sha, job.base.template_sha, str(job.base.model.dtype), *_own_base(job, choice)],
        "metrics": metric_files(job.loaded.root, job.role),
        "seed": job.seed,
        "general": general_files(job.loaded.root, choice),
        "teacher": job.teachers.named_in(choice.options),
    }
    if job.beginning is not None:
        content["beginning"] = job.beginning.sha
    if job.continued is not None:
        content["continued"] = job.continued.identity
    if job.trial is not None:
        content["trial"] = job.trial.name
    attempt = 0
    while True:
        text = json.dumps({**content, "attempt": attempt}, sort_keys=True)
        yield hashlib.sha256(text.encode()).hexdigest()
        attempt += 1


def parameters_of(job: RoleJob, choice: MethodChoice) -> dict[str, str]:
    """Every option in force and every hash, for trackers."""
    section = job.data.section
    hashes = {"base_sha": job.base.local.sha, "dataset_sha": section.dataset_sha, "split_sha": section.split_sha}
    return {
        **flat(choice.options.model_dump(mode="json"), choice.name),
        **flat(job.role.model_dump(mode="json", exclude={"methods", "search"}), "role"),
        **hashes,
        "base": str(job.base.local.reference),
        "seed": str(job.seed),
    }


def _own_base(job: RoleJob, choice: MethodChoice) -> tuple[str, ...]:
    """What stands for the weights of a classifier's own base."""
    classes = job.classes(choice)
    return () if classes is None or classes.local is None else (classes.local.sha,)
