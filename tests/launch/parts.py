"""What the processes of a launched test do: train a small job that a file in the run's folder describes."""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from atanor.launch import Specification
from atanor.models import Tuned, attach_all, attach_last, attach_lora
from atanor.progress import Progress
from atanor.train import Completion, DirectPreference, Group, Sharding, TrainingJob, TrainOptions, train
from tests.train.jobs import paired, rows, tiny_base


@dataclass(frozen=True)
class Part:
    """A job on the tiny base.

    Attributes:
        base: its folder.
        what: `lora`, `full` or `last`, and `completion` or `preference`.
        options: of training, as a project writes them.
        fault: what goes wrong in process 1, and after how many steps: `kill`, `error`, `crash` or `hang`.
    """

    base: str
    what: str
    options: dict[str, object]
    fault: tuple[str, int] | None = None

    def job(self, folder: Path, group: Group) -> TrainingJob:
        base = tiny_base(Path(self.base))
        options = TrainOptions.model_validate(self.options)
        every = rows(base, 23)
        tuned: Tuned
        if "full" in self.what:
            tuned = attach_all(base)
        elif "last" in self.what:
            tuned = attach_last(base, 1, head=False)
        else:
            tuned = attach_lora(base, rank=4, alpha=8, seed=5)
        items, objective = every, Completion()
        if "preference" in self.what:
            items, objective = paired(every), DirectPreference(tuned)
        return TrainingJob(
            tuned=tuned,
            training=items[5:],
            validation=items[:5],
            options=options,
            pad=2,
            seed=17,
            folder=folder,
            versions={"atanor": "test"},
            objective=objective,
            group=group,
        )


def prepared(folder: Path, part: Part, *, processes: int = 2, timeout: float = 60.0, **more: object) -> Specification:
    """The specification of a part, its description written into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "part.json").write_text(json.dumps(asdict(part)), encoding="utf-8")
    return Specification(folder, "tests.launch.parts:run", processes, timeout=timeout, **more)  # type: ignore[arg-type]


def run(folder: Path, group: Group, progress: Progress) -> None:
    """The entry."""
    told = json.loads((folder / "part.json").read_text(encoding="utf-8"))
    part = Part(**told)
    made = part.job(folder, group)
    if part.fault and group.rank == 1:
        fault, after = part.fault
        object.__setattr__(made, "objective", Faulty(made, fault, after))
    train(made, progress)


def run_several(folder: Path, group: Group, progress: Progress) -> None:
    """An entry that trains one part after another, each in a folder of its own."""
    for name, (sharding, told) in json.loads((folder / "parts.json").read_text(encoding="utf-8")).items():
        train(Part(**told).job(folder / name, replace(group, sharding=Sharding(sharding))), progress)


class Faulty:
    """An objective after some steps of which something goes wrong."""

    def __init__(self, made: TrainingJob, fault: str, after: int) -> None:
        self.inner = made.objective
        self.fault = fault
        self.left = after

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def backward(self, engine: object, window: list[object]) -> float:
        self.left -= 1
        if self.left < 0 and len(window) > 1:
            match self.fault:
                case "kill":
                    os.kill(os.getpid(), signal.SIGKILL)
                case "error":
                    return float("nan")
                case "crash":
                    raise ZeroDivisionError("a mistake in the code")
                case "hang":
                    time.sleep(120)
        return self.inner.backward(engine, window)  # type: ignore[arg-type]
