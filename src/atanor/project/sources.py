"""A role's rows, read and checked as a run would, without a model: what `atanor check` and every run begin with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from atanor.data import ReadResult, Refusal, read_examples, require_enough, write_quarantine
from atanor.errors import DataError
from atanor.project.options import ProjectFile, Task
from atanor.store.database import FOLDER
from atanor.store.files import remove


def read_role(project: ProjectFile, name: str, root: Path) -> ReadResult:
    """Read a role's sources; what is refused is kept in `.atanor/quarantine/ROLE.jsonl`.

    Raises:
        DataError: a source cannot be read, or more rows are refused than the project allows.
    """
    role = project.roles[name]
    with naming_role(name):
        result = read_examples(
            role.data,
            root,
            group_by=role.split.group_by,
            system=role.system,
            task_text=role.task is Task.TEXT,
            seed=project.seed,
        )
        keep_refused(result.refusals, root, name)
        require_enough(result, project.max_refused)
    return result


def quarantine_file(root: Path, name: str) -> Path:
    return root / FOLDER / "quarantine" / f"{name}.jsonl"


def keep_refused(refusals: Sequence[Refusal], root: Path, name: str) -> None:
    """Refused rows with their reasons, or no file when there are none any more."""
    if refusals:
        write_quarantine(refusals, quarantine_file(root, name))
    else:
        remove(quarantine_file(root, name))


@contextmanager
def naming_role(name: str) -> Iterator[None]:
    """Errors about the role's options name the role: the data room knows only `data`, `split` and `render`."""
    try:
        yield
    except DataError as error:
        problems = [
            replace(problem, field=f"roles.{name}.{problem.field}")
            if problem.field and problem.field.partition(".")[0].partition("[")[0] in ("data", "split", "render")
            else problem
            for problem in error.problems
        ]
        raise DataError(f"role {name}: {error.summary}", problems) from error
