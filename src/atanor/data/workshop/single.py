"""One stage of the workshop over one file, into another file, with everything else turned off."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

import pyarrow as pa

from atanor.data.checks import find_personal_data, find_secrets, mask
from atanor.data.checks.personal_options import PersonalDataKind
from atanor.data.cleaning import CleanOptions, clean_texts
from atanor.data.findings import Action, Finding
from atanor.data.opening import OpenSource, Wishes, open_source
from atanor.data.options import NEAR_DUPLICATE, SourceOptions, SplitOptions
from atanor.data.quarantine import write_quarantine
from atanor.data.rows import Refusal
from atanor.data.sides import SIDES, Side
from atanor.data.sources import locate
from atanor.data.workshop.build import build_dataset
from atanor.data.workshop.dataset import Dataset, Version
from atanor.data.workshop.log import Entry
from atanor.data.workshop.options import CheckOptions, Copies
from atanor.data.workshop.originals import Rewrite, original_rows
from atanor.data.workshop.recipe import Recipe
from atanor.data.writing.plain import write_rows
from atanor.errors import ConfigurationError, DataError, Problem
from atanor.progress import Progress
from atanor.store.files import remove, write_text

_PACKED = (".gz", ".zst")
_KEY = re.compile(r"`(\w+):(?: ([^`]+))?`")
_KEYS = SourceOptions.model_fields.keys() - {"outside"}
_SHOWN = 6
"""Entries of the log that are kept for the reader."""


class Near(StrEnum):
    """What deduplication does with rows that say nearly the same."""

    LEAVE_OUT = "leave_out"
    KEEP = "keep"


@dataclass(frozen=True)
class Treated:
    """What a stage did to a file.

    Attributes:
        version: how the rows were read and what every stage did.
        written: each file with its rows.
        refusals: rows that went no further because of a fault.
        quarantine: the file they are in, or None.
        log: the file with everything that was done, or None when nothing was.
        entries: some of it, at most a few of each rule.
    """

    version: Version
    written: Mapping[Path, int]
    refusals: tuple[Refusal, ...]
    quarantine: Path | None
    log: Path | None
    entries: tuple[Entry, ...]


@contextmanager
def made_dataset(recipe: Recipe, progress: Progress, root: Path | None = None) -> Iterator[Dataset]:
    """The dataset of a recipe in a folder that is gone afterwards; paths may lead anywhere.

    Raises:
        DataError: see `build_dataset`.
    """
    with tempfile.TemporaryDirectory() as folder:
        with naming_typed_files():
            made = build_dataset(recipe, root or Path(), Path(folder), confined=False, progress=progress)
        yield made


@contextmanager
def naming_typed_files() -> Iterator[None]:
    """Errors about what was typed name `--map OPTION` and `--test` where the data room names keys of a project."""
    try:
        yield
    except DataError as error:
        raise DataError(error.summary.removesuffix("; nothing was started"), map(_as_typed, error.problems)) from error


def _as_typed(problem: Problem) -> Problem:
    problem = replace(problem, fix=problem.fix and _fix_as_typed(problem.fix))
    place, _, option = (problem.field or "").rpartition(".")
    if place == "split":
        return replace(problem, field=f"--{option.replace('_', '-')}")
    if place != "data" and not place.startswith("data["):
        return problem
    return replace(problem, field=None if option == "path" else f"--map {option}")


def typed_refusals(dataset: Dataset) -> tuple[Refusal, ...]:
    """The refused rows of a dataset made of files that were typed."""
    return tuple(replace(one, fix=_fix_as_typed(one.fix)) for one in dataset.refusals)


def _fix_as_typed(fix: str) -> str:
    """A fix that names a key of `data` as a project has it, as it is typed: `--map encoding=cp1252`."""
    return _KEY.sub(lambda key: f"`--map {key[1]}={key[2] or '…'}`" if key[1] in _KEYS else key[0], fix)


def one_stage(source: SourceOptions, *, task_text: bool = False) -> Recipe:
    """A recipe that only reads."""
    text = task_text or source.text is not None
    return Recipe(sources=(source,), clean=None, check=CheckOptions.nothing(), task_text=text, keep_copies=True)


def clean_file(source: SourceOptions, out: Path, options: CleanOptions, progress: Progress) -> Treated:
    """Clean the texts of a file and write its rows with them.

    Raises:
        DataError: the file cannot be read, or the rows cannot be written so.
        ConfigurationError: `out` is the file itself.
    """

    def rewrite(texts: pa.StringArray) -> pa.StringArray:
        return clean_texts(texts, options).texts

    return _treated(one_stage(source).model_copy(update={"clean": options}), out, progress, rewrite)


def mask_file(
    source: SourceOptions, out: Path, kinds: Sequence[PersonalDataKind], secrets: bool, progress: Progress
) -> Treated:
    """Write over personal data of these kinds, and secrets, in the rows of a file.

    Raises:
        DataError, ConfigurationError: see `clean_file`.
    """

    def rewrite(texts: pa.StringArray) -> pa.StringArray:
        found = find_personal_data(texts, kinds) if kinds else []
        return _masked(texts, [*found, *(find_secrets(texts) if secrets else [])])

    action = Action.MASK if kinds else Action.OFF
    check = CheckOptions.nothing().model_copy(
        update={
            "personal_data": action,
            "personal_data_kinds": tuple(kinds),
            "secrets": Action.MASK if secrets else Action.OFF,
        }
    )
    return _treated(one_stage(source).model_copy(update={"check": check}), out, progress, rewrite)


def dedupe_file(
    source: SourceOptions, out: Path, progress: Progress, *, near: bool = True, similarity: float = NEAR_DUPLICATE
) -> Treated:
    """Leave out rows that equal an earlier one, and with `near` those that say nearly the same.

    Raises:
        DataError, ConfigurationError: see `clean_file`.
    """
    copies = Copies.LEAVE_OUT if near else Copies.OFF
    check = CheckOptions.nothing().model_copy(update={"near_duplicates": copies, "similarity": similarity})
    recipe = one_stage(source).model_copy(update={"check": check, "keep_copies": False})
    return _treated(recipe, out, progress)


def split_file(source: SourceOptions, folder: Path, options: SplitOptions, seed: int, progress: Progress) -> Treated:
    """Divide a file into `train`, `validation` and `test` in a folder, in the container of the file.

    Near-duplicates stay on one side.

    Raises:
        DataError: the file cannot be read or the rows cannot be split so.
    """
    check = CheckOptions.nothing().model_copy(update={"near_duplicates": Copies.KEEP_TOGETHER})
    recipe = one_stage(source).model_copy(update={"check": check, "split": options, "seed": seed})
    suffix = "".join(Path(source.path).suffixes[-2:]) if _is_packed(source.path) else Path(source.path).suffix
    known = suffix if suffix.split(".")[1:2] in (["jsonl"], ["json"], ["csv"], ["tsv"], ["parquet"]) else ".jsonl"
    opened = opened_files(recipe)
    with made_dataset(recipe, progress) as dataset:
        written: dict[Path, int] = {}
        for side in SIDES:
            path = folder / f"{side}{known}"
            written[path] = write_rows(original_rows(dataset, side, opened), path)
        return _told(dataset, written, folder / f"split{known}")


def beside(path: Path, what: str) -> Path:
    """The JSON Lines file about `what` that lies beside a file: `rows.csv.gz` has `rows.refused.jsonl`."""
    plain = path.with_suffix("") if _is_packed(path.name) else path
    return plain.with_suffix(f".{what}.jsonl")


def require_other_file(source: SourceOptions, out: Path) -> None:
    """Raise the `ConfigurationError` of a file that would be written over while it is read."""
    if os.path.realpath(source.path) == os.path.realpath(out):
        problem = Problem("the rows would be written over the file they are from", file=str(out), fix="Name a new file")
        raise ConfigurationError("nothing was written", [problem])


def keep_refusals(refusals: Sequence[Refusal], out: Path) -> Path | None:
    """Write refused rows beside a file; without any an older such file goes, since it would accuse mended rows."""
    path = beside(out, "refused")
    if not refusals:
        remove(path)
        return None
    write_quarantine(refusals, path)
    return path


def _treated(recipe: Recipe, out: Path, progress: Progress, rewrite: Rewrite | None = None) -> Treated:
    require_other_file(recipe.sources[0], out)
    opened = opened_files(recipe)
    with made_dataset(recipe, progress) as dataset:
        count = write_rows(original_rows(dataset, Side.TRAIN, opened, rewrite), out)
        return _told(dataset, {out: count}, out)


def _told(dataset: Dataset, written: Mapping[Path, int], out: Path) -> Treated:
    entries = dataset.log()
    refusals = typed_refusals(dataset)
    log = beside(out, "log")
    if entries:
        write_text(log, "".join(json.dumps(asdict(entry), ensure_ascii=False) + "\n" for entry in entries))
    else:
        remove(log)
    return Treated(
        version=dataset.version,
        written=written,
        refusals=refusals,
        quarantine=keep_refusals(refusals, out),
        log=log if entries else None,
        entries=tuple(_some(entries)),
    )


def _some(entries: Sequence[Entry]) -> Iterator[Entry]:
    """At most a few entries of each rule."""
    seen: dict[str, int] = {}
    for entry in entries:
        seen[entry.rule] = seen.get(entry.rule, 0) + 1
        if seen[entry.rule] <= _SHOWN:
            yield entry


def opened_files(recipe: Recipe) -> tuple[OpenSource, ...]:
    """The files of a recipe with their shapes; paths may lead anywhere.

    Raises:
        DataError: a file is missing or not recognised.
    """
    wishes = Wishes(Path(), recipe.column_of_groups, recipe.system, recipe.task_text)
    with naming_typed_files():
        return tuple(open_source(source, wishes) for source in locate(recipe.sources, Path(), confined=False))


def _masked(texts: pa.StringArray, findings: Sequence[Finding]) -> pa.StringArray:
    of_text: dict[int, list[Finding]] = {}
    for finding in findings:
        of_text.setdefault(finding.text, []).append(finding)
    values = texts.to_pylist()
    for text, found in of_text.items():
        values[text] = mask(values[text], found)
    return pa.array(values, pa.string())


def _is_packed(name: str) -> bool:
    return Path(name).suffix.lower() in _PACKED
