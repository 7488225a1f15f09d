"""A file in any shape to a file in any format; what has no place in the format is kept beside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from atanor.data.options import RowFormat, SourceOptions
from atanor.data.rows import Example, Refusal
from atanor.data.sides import Side
from atanor.data.workshop.dataset import Dataset, Version
from atanor.data.workshop.single import keep_refusals, made_dataset, one_stage, require_other_file, typed_refusals
from atanor.data.workshop.table import examples_of
from atanor.data.writing import WriteFormat, WriteReport, write_examples
from atanor.data.writing.shapes import row_of
from atanor.errors import DataError
from atanor.progress import Progress


@dataclass(frozen=True)
class Converted:
    """What became of a file's rows. `version.read` of them are written, refused or joined to others.

    Attributes:
        version: how the rows were read.
        report: what was written, and what the format has no place for.
        refusals: rows that could not be read, and then those of the report.
        quarantine: the file with all refusals, or None.
    """

    version: Version
    report: WriteReport
    refusals: tuple[Refusal, ...]
    quarantine: Path | None


def convert_file(source: SourceOptions, out: Path, kind: WriteFormat, progress: Progress) -> Converted:
    """Read a file as it is recognised or mapped, and write it in another format.

    Raises:
        DataError: the file cannot be read, or nothing in it has a place in the format.
        ConfigurationError: `out` is the file itself.
    """
    require_other_file(source, out)
    with made_dataset(one_stage(source, task_text=kind is WriteFormat.TEXT and _is_text(source)), progress) as dataset:
        report = write_examples(every_example(dataset), out, kind)
        refusals = (*typed_refusals(dataset), *report.refusals)
        return Converted(dataset.version, report, refusals, keep_refusals(refusals, out))


def every_example(dataset: Dataset, side: Side = Side.TRAIN) -> Iterator[Example]:
    """The rows of a side one after the other, in bounded memory."""
    for batch in dataset.batches(side):
        yield from examples_of(batch)


def own_format(told: str, examples: Sequence[Example]) -> WriteFormat:
    """The format of others that is nearest to the shape rows were read in and has a place for all of them.

    Args:
        told: the shape as a source's record tells it; its first word is the `RowFormat`.
        examples: the rows.
    """
    shape = RowFormat(told.partition(" ")[0])
    several = (WriteFormat.REFERENCES,) if any(example.references for example in examples) else ()
    wanted = (*several, *_NEAREST.get(shape, ()), WriteFormat.MESSAGES)
    return next((kind for kind in wanted if all(_fits(example, kind) for example in examples)), WriteFormat.MESSAGES)


_NEAREST: Mapping[RowFormat, tuple[WriteFormat, ...]] = {
    RowFormat.PROMPT_COMPLETION: (WriteFormat.PROMPT_COMPLETION,),
    RowFormat.SELF_INSTRUCT: (WriteFormat.PROMPT_COMPLETION,),
    RowFormat.CLASSIFICATION: (WriteFormat.CLASSIFICATION,),
    RowFormat.MULTIPLE_CHOICE: (WriteFormat.PROMPT_COMPLETION,),
    RowFormat.SHAREGPT: (WriteFormat.SHAREGPT,),
    RowFormat.VERTEX: (WriteFormat.VERTEX, WriteFormat.VERTEX_PREFERENCE),
    RowFormat.PREFERENCE: (WriteFormat.PREFERENCE, WriteFormat.PREFERENCE_CHAT),
    RowFormat.OPENAI_PREFERENCE: (WriteFormat.PREFERENCE, WriteFormat.PREFERENCE_CHAT),
    RowFormat.KTO: (WriteFormat.KTO, WriteFormat.KTO_CHAT),
    RowFormat.TEXT: (WriteFormat.TEXT,),
}


def _fits(example: Example, kind: WriteFormat) -> bool:
    try:
        row_of(example, kind)
    except DataError:
        return False
    return True


def _is_text(source: SourceOptions) -> bool:
    """Whether a file that becomes plain text has to be read as such: nothing says that it holds conversations."""
    return source.format in (RowFormat.AUTO, RowFormat.TEXT) and not (source.prompt or source.messages)
