"""A run as a folder that can be carried to where it executes."""

from __future__ import annotations

import importlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from atanor.progress import Progress
from atanor.store.files import write_text
from atanor.train.group import Group
from atanor.train.options import Sharding

NAME = "specification.json"
STOP = "stop"

Entry = Callable[[Path, Group, Progress], None]
"""What each process calls: with the run's folder, its place among the processes, and who is told of progress."""


@dataclass(frozen=True)
class Specification:
    """One run, described by data.

    Attributes:
        folder: of the run; what the run needs lies in it, and what it makes is written there.
        entry: an `Entry`, as `module:function`.
        processes: how many run it together.
        sharding: what each of them keeps.
        timeout: seconds that one waits for the others.
    """

    folder: Path
    entry: str
    processes: int = 1
    sharding: Sharding = Sharding.NONE
    timeout: float = 600.0

    @property
    def control(self) -> Path:
        """Beside what the run makes: what the processes and who started them tell each other."""
        return self.folder / "launch"

    @property
    def stop(self) -> Path:
        """A file; once it is there, the processes end after the running step."""
        return self.control / STOP

    def write(self) -> None:
        """Leave the specification in the folder, and nothing of an earlier launch."""
        for path in self.control.glob("*"):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        self.control.mkdir(parents=True, exist_ok=True)
        told = {name: value for name, value in asdict(self).items() if name != "folder"}
        write_text(self.control / NAME, json.dumps(told, indent=1))

    @classmethod
    def read(cls, folder: Path) -> Specification:
        """The specification that `write` left in a folder, wherever that lies by now."""
        told = json.loads((folder / "launch" / NAME).read_text(encoding="utf-8"))
        return cls(folder=folder, **{**told, "sharding": Sharding(told["sharding"])})

    def function(self) -> Entry:
        """What each process calls."""
        module, _, name = self.entry.partition(":")
        entry: Entry = getattr(importlib.import_module(module), name)
        return entry
