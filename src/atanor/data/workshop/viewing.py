"""Rows as the model will see them, and files as they are recognised."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from atanor.data.options import RenderOptions, SourceOptions
from atanor.data.quarantine import read_quarantine, write_quarantine
from atanor.data.rendering import render_examples
from atanor.data.rows import Example, Refusal
from atanor.data.sides import Side
from atanor.data.sources import locate
from atanor.data.summary import weighted_pieces
from atanor.data.workshop.dataset import Dataset, Version
from atanor.data.workshop.log import Entry
from atanor.data.workshop.options import CheckOptions
from atanor.data.workshop.recipe import Recipe
from atanor.data.workshop.single import beside, made_dataset, opened_files, typed_refusals
from atanor.data.workshop.table import examples_of
from atanor.progress import Progress
from atanor.store.files import remove

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Pieces = tuple[tuple[str, float], ...]
"""A row's text cut where the loss weight changes, with the weights."""

_PATTERN = re.compile(r"[*?[]")


@dataclass(frozen=True)
class Recognised:
    """How one file is read.

    Attributes:
        path: of the file, as it was written.
        kind: how rows are laid out in it.
        shape: what its rows are.
        columns: each part of the shape and the column it is read from.
        unused: columns of the first rows that are not read.
        passed_over: files of the same folder that hold no rows.
    """

    path: str
    kind: str
    shape: str
    columns: dict[str, str]
    unused: tuple[str, ...]
    passed_over: tuple[str, ...]


@dataclass(frozen=True)
class Checked:
    """What checking files found.

    Attributes:
        files: how each is read.
        version: what every stage did, and what the rows are like.
        refusals: rows that cannot be used.
        quarantines: files that were written with them.
        cleared: files of an earlier check that accused rows which are in order now, and were removed.
    """

    files: tuple[Recognised, ...]
    version: Version
    refusals: tuple[Refusal, ...]
    quarantines: tuple[Path, ...]
    cleared: tuple[Path, ...] = ()


def check_files(
    sources: Sequence[SourceOptions],
    progress: Progress,
    *,
    languages: Sequence[str] = (),
    control_tokens: Sequence[str] = (),
) -> Checked:
    """Read, clean and check files as a project would, and write the refused rows of each into the folder one works in.

    Nothing is written beside the files: they may lie where nobody may or should write.

    Args:
        sources: files, folders or patterns.
        progress: told about long work.
        languages: ISO 639-1 codes of the languages rows may be in; without any they are only told.
        control_tokens: of a base's chat template.

    Raises:
        DataError: a file is missing or not recognised, or nothing of it can be read.
    """
    recipe = Recipe(
        sources=tuple(sources),
        check=CheckOptions(languages=tuple(languages)),
        task_text=all(source.text is not None and source.speaker is None for source in sources),
        control_tokens=tuple(control_tokens),
    )
    with made_dataset(recipe, progress) as dataset:
        refusals = typed_refusals(dataset)
        quarantines = tuple(path for source in sources if (path := _quarantined(source, refusals)) is not None)
        clean = dict.fromkeys(path for source in sources if (path := _quarantine_of(source)) not in quarantines)
        cleared = tuple(path for path in clean if _cleared(path))
        return Checked(recognised(recipe), dataset.version, refusals, quarantines, cleared)


def recognised(recipe: Recipe) -> tuple[Recognised, ...]:
    """How the files of a recipe are read; paths may lead anywhere.

    Raises:
        DataError: a file is missing or not recognised.
    """
    return tuple(
        Recognised(
            path=one.source.name,
            kind=str(one.source.kind),
            shape=str(one.columns.format),
            columns=one.columns.named,
            unused=one.unused,
            passed_over=one.source.passed_over,
        )
        for one in opened_files(recipe)
    )


def first_rows(dataset: Dataset, side: Side, count: int) -> tuple[Example, ...]:
    """The first rows of a side."""
    batch = next(dataset.batches(side, max(1, count)), None)
    return () if batch is None or count < 1 else tuple(examples_of(batch.slice(0, count)))


def entries_of_rule(dataset: Dataset, rule: str) -> list[Entry]:
    """What a rule, or every rule of a stage, did: `secrets.aws_key`, `secrets`, `clean`."""
    return [entry for entry in dataset.log() if rule in (entry.rule, entry.stage) or entry.rule.startswith(f"{rule}.")]


def seen_by_model(
    example: Example,
    tokenizer: PreTrainedTokenizerBase,
    options: RenderOptions,
    context: int,
    end_ids: frozenset[int],
    *,
    encoder_decoder: bool = False,
) -> Pieces | Refusal:
    """The row as the base sees it, with its loss weights, or why it cannot be rendered.

    Args:
        example: the row.
        tokenizer: the base's.
        options: which turns are learned, and what happens to a row that is too long.
        context: the base's, in tokens.
        end_ids: tokens that end a turn.
        encoder_decoder: an encoder reads the prompt and a decoder writes the answer.
    """
    rendered = render_examples([example], tokenizer, options, context, end_ids, encoder_decoder=encoder_decoder)
    return rendered.refusals[0] if rendered.refusals else tuple(weighted_pieces(rendered.rows[0], tokenizer))


def _quarantined(source: SourceOptions, refusals: Sequence[Refusal]) -> Path | None:
    """The file with the refused rows of what was typed; None without any."""
    files = {one.name for one in locate([source], Path(), confined=False)}
    own = [one for one in refusals if one.source in files]
    if not own:
        return None
    path = _quarantine_of(source)
    write_quarantine(own, path)
    return path


def _quarantine_of(source: SourceOptions) -> Path:
    """Where the refused rows of what was typed are kept."""
    plain = [part for part in Path(source.path).parts if not _PATTERN.search(part)]
    return beside(Path(plain[-1] if plain and plain[-1] not in ("/", "..") else "rows"), "quarantine")


def _cleared(path: Path) -> bool:
    """Remove the quarantine of an earlier check; whether there was one.

    Raises:
        DataError: a file of that name holds something else; it is left as it is.
    """
    if not path.is_file():
        return False
    read_quarantine(path)
    remove(path)
    return True
