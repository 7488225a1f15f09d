"""A role's rows as every run begins: read, cleaned, checked and split by the workshop, what is refused kept."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from atanor.data import Refusal, require_enough, write_quarantine
from atanor.data.workshop.recipe import Recipe
from atanor.errors import AtanorError, ConfigurationError, DataError
from atanor.options import Options
from atanor.progress import Progress
from atanor.project.options import ProjectFile, RoleOptions, Task
from atanor.store.database import FOLDER
from atanor.store.files import remove

if TYPE_CHECKING:
    from atanor.data.workshop.build import Judge
    from atanor.data.workshop.dataset import Dataset, Version
    from atanor.data.workshop.stages import StageReport

DATASETS = "datasets"
"""Folder of a project's datasets, below its store."""


@dataclass(frozen=True)
class CheckedRows:
    """What became of a role's rows without splitting them: how it was done, and what was refused."""

    version: Version
    refusals: tuple[Refusal, ...]


def recipe_of(
    project: ProjectFile, name: str, control_tokens: Sequence[str] = (), tokenizer: str | None = None
) -> Recipe:
    """What is done to a role's rows.

    Args:
        project: the project.
        name: of the role.
        control_tokens: of its base's tokenizer.
        tokenizer: folder of that tokenizer, for windows of books.
    """
    role = project.roles[name]
    recipe = Recipe(
        sources=role.data,
        split=role.split,
        clean=role.clean,
        check=role.check,
        system=role.system,
        task_text=role.task is Task.TEXT,
        control_tokens=tuple(control_tokens),
        seed=project.seed,
    )
    # Only books are measured, and only then does the tokenizer decide what the rows are.
    return recipe.model_copy(update={"tokenizer": tokenizer}) if recipe.has_books else recipe


def check_rows(project: ProjectFile, name: str, root: Path, progress: Progress) -> CheckedRows:
    """Read, clean and check a role's rows without splitting them; refused rows go into quarantine.

    Raises:
        DataError: a source cannot be read, or more rows are refused than the project allows.
    """
    from atanor.data.workshop.build import build_dataset

    recipe = recipe_of(project, name).model_copy(update={"split": None})
    with naming_role(name, project.roles[name]), tempfile.TemporaryDirectory() as folder:
        judge = _judge(root, name, project.max_refused)
        made = build_dataset(recipe, root, Path(folder), judge=judge, progress=progress)
        return CheckedRows(made.version, tuple(made.refusals))


def make_dataset(
    project: ProjectFile,
    name: str,
    root: Path,
    progress: Progress,
    *,
    control_tokens: Sequence[str] = (),
    tokenizer: str | None = None,
    repetition: int = 0,
) -> Dataset:
    """The role's dataset, with what augmentation adds to it, made or found; refused rows go into quarantine.

    Args:
        project: the project.
        name: of the role.
        root: folder of the project.
        progress: told about long work.
        control_tokens: see `recipe_of`.
        tokenizer: see `recipe_of`.
        repetition: another number draws other new rows; all else stays.

    Raises:
        DataError: a source cannot be read or split, more rows are refused than the project allows, or a technique
            lacks what it needs.
    """
    from atanor.data.workshop.augmenting import augment_dataset
    from atanor.data.workshop.build import build_dataset

    role = project.roles[name]
    with naming_role(name, role):
        made = build_dataset(
            recipe_of(project, name, control_tokens, tokenizer),
            root,
            root / FOLDER / DATASETS,
            frozen=root / FOLDER / "splits" / f"{name}.json",
            judge=_judge(root, name, project.max_refused),
            progress=progress,
        )
        if not role.augment.techniques:
            return made
        from atanor.project.engines import engines_for

        return augment_dataset(
            made,
            role.augment,
            root / FOLDER / DATASETS,
            seed=project.seed + repetition,
            engines=engines_for(project, name, root, made, progress),
            progress=progress,
        )


def _judge(root: Path, name: str, max_refused: float) -> Judge:
    """Keeps what was refused and stops when too little is left."""

    def judge(stages: Sequence[StageReport], refusals: Sequence[Refusal]) -> None:
        keep_refused(refusals, root, name)
        require_enough_rows(stages, refusals, max_refused)

    return judge


def require_enough_rows(stages: Sequence[StageReport], refusals: Sequence[Refusal], max_refused: float) -> None:
    """Stop when too few rows are usable after these stages; see `require_enough`."""
    require_enough(
        read=stages[0].read,
        left=stages[-1].out,
        left_out=sum(stage.left_out for stage in stages),
        refusals=refusals,
        max_refused=max_refused,
    )


def quarantine_file(root: Path, name: str) -> Path:
    return root / FOLDER / "quarantine" / f"{name}.jsonl"


def keep_refused(refusals: Sequence[Refusal], root: Path, name: str) -> None:
    """Refused rows with their reasons, or no file when there are none any more."""
    if refusals:
        write_quarantine(refusals, quarantine_file(root, name))
    else:
        remove(quarantine_file(root, name))


@contextmanager
def naming_role(name: str, role: RoleOptions) -> Iterator[None]:
    """Errors about the role's options name the role: the data room knows only `data`, `split` and the like."""
    groups = {key for key in type(role).model_fields if key == "data" or isinstance(getattr(role, key), Options)}
    try:
        yield
    except (DataError, ConfigurationError) as error:
        problems = [
            replace(problem, field=f"roles.{name}.{problem.field}")
            if problem.field and problem.field.partition(".")[0].partition("[")[0] in groups
            else problem
            for problem in error.problems
        ]
        named: type[AtanorError] = DataError if isinstance(error, DataError) else ConfigurationError
        raise named(f"role {name}: {error.summary}", problems) from error
