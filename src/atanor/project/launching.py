"""A method trained in other processes: what lies before it goes there as files, and its checkpoints come back.

The processes do what this one would do (`METHODS[name].make` on the same bench), each its part of every step, and leave
checkpoints. Then the method is made here as ever: it finds the training done, takes the best checkpoint and publishes
it.
"""

from __future__ import annotations

import dataclasses
import json
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

import torch
from pydantic import TypeAdapter

from atanor.compute import device_name
from atanor.launch import LAUNCHERS, LaunchKind, LaunchOptions, Specification, launch
from atanor.methods import METHODS, Bench, Made
from atanor.methods.tuning import TuningOptions
from atanor.models import BaseReference, LocalBase, load_base
from atanor.progress import Activity, Progress
from atanor.project.options import MethodChoice
from atanor.project.teachers import ProjectTeachers
from atanor.store import Store
from atanor.store.files import write_text
from atanor.train import Group, Precision
from atanor.train.checkpoint import checkpoints

WORK = "work.json"
_ELSEWHERE = ("base", "folder", "group", "teachers", "follow")
"""Fields of a bench that are another there."""


def make(choice: MethodChoice, bench: Bench, where: LaunchOptions, progress: Progress) -> Made:
    """Make a candidate; what trains does so where the project says.

    Raises:
        AtanorError: see `Method.make`; of another process, its number is named.
    """
    method = METHODS[choice.name]
    if where.kind is LaunchKind.HERE or not isinstance(choice.options, TuningOptions):
        return method.make(choice.options, bench, progress)
    before = max((checkpoint.step for checkpoint in checkpoints(bench.folder)), default=0)
    told = _Once(progress)
    specification = Specification(
        folder=bench.folder,
        entry=f"{__name__}:work",
        processes=where.processes_in_force,
        sharding=where.sharding,
        timeout=where.timeout,
    )
    _send(choice, bench)
    launch(LAUNCHERS[where.kind], specification, told)
    made = method.make(choice.options, bench, told)
    assert made.training is not None
    first = 0 if bench.continuation is None else bench.continuation.after
    resumed = before if before > first else 0
    return dataclasses.replace(made, training=dataclasses.replace(made.training, resumed_at=resumed))


def work(folder: Path, group: Group, progress: Progress) -> None:
    """What each process does: train its part of what was sent into the folder."""
    told = json.loads((folder / WORK).read_text(encoding="utf-8"))
    choice = MethodChoice.model_validate(told["choice"])
    local = LocalBase(**{**told["base"], "folder": Path(told["base"]["folder"]), "reference": _reference(told)})
    base = load_base(local, dtype=getattr(torch, told["dtype"]), device=device_name())
    carried = {name: adapter.validate_python(told["bench"][name]) for name, adapter in _carried().items()}
    teachers = ProjectTeachers(carried["root"], Store(carried["root"]), base, progress)
    bench = Bench(base=base, folder=folder, group=group, teachers=teachers, **carried)
    METHODS[choice.name].make(choice.options, bench, progress)


def _send(choice: MethodChoice, bench: Bench) -> None:
    """Leave in the bench's folder what `work` reads."""
    dtype = bench.base.model.dtype
    # What the base was loaded in decides the arithmetic: another process might measure otherwise.
    precision = Precision.BFLOAT16 if dtype == torch.bfloat16 else Precision.EXACT
    options = choice.options.model_copy(update={"precision": precision})
    local = bench.base.local
    told = {
        "choice": {"name": choice.name, "options": options.model_dump(mode="json")},
        "base": {**dataclasses.asdict(local), "reference": str(local.reference), "folder": str(local.folder)},
        "dtype": str(dtype).removeprefix("torch."),
        "bench": {name: adapter.dump_python(getattr(bench, name), mode="json") for name, adapter in _carried().items()},
    }
    write_text(bench.folder / WORK, json.dumps(told))


def _reference(told: dict[str, Any]) -> BaseReference:
    return BaseReference.parse(told["base"]["reference"])


@cache
def _carried() -> dict[str, TypeAdapter[Any]]:
    """The fields of a bench that are the same everywhere, and how each is written and read."""
    hints = get_type_hints(Bench)
    return {one.name: TypeAdapter(hints[one.name]) for one in dataclasses.fields(Bench) if one.name not in _ELSEWHERE}


class _Once:
    """Passes on what is said the first time: the processes say what this one would say again."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._said: set[str] = set()

    def start(self, name: str, total: int, unit: str, done: int = 0) -> Activity:
        return self._progress.start(name, total, unit, done)

    def say(self, message: str) -> None:
        if message not in self._said:
            self._said.add(message)
            self._progress.say(message)
