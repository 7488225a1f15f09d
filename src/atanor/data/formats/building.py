"""Records to examples: the reader of each shape, in one table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from atanor.data.formats.answers import (
    ClassificationReader,
    MultipleChoiceReader,
    PromptCompletionReader,
    SelfInstructReader,
)
from atanor.data.formats.chat import ChatReader, DialogueReader, VertexReader
from atanor.data.formats.fields import Field, Path
from atanor.data.formats.frame import Frame
from atanor.data.formats.gathering import gathered
from atanor.data.formats.preference import KtoReader, OpenAIPreferenceReader, PreferenceReader
from atanor.data.formats.scripts import ScriptReader
from atanor.data.formats.tally import Tally
from atanor.data.formats.texts import text_of
from atanor.data.formats.trees import NestedTreeReader, TreeReader
from atanor.data.options import RowFormat
from atanor.data.records import Record
from atanor.data.refusals import refusal_of
from atanor.data.rows import Example, Refusal
from atanor.errors import DataError

RowReader = Callable[[Record], Sequence[Example | DataError]]
"""The examples of one row, each or its error; it raises the `DataError` of a row that gives none."""


class TextReader:
    """Rows of plain text."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._place = frame.columns.text or ""
        self._text: Field = frame.field("text") or Path("")

    def __call__(self, record: Record) -> Sequence[Example]:
        """The one example of a row."""
        text = text_of(self._text.value(record.fields), self._place)
        return (Example((), text, self._frame.source, record.line, self._frame.group(record), record.fields),)


_ROW_READERS: dict[RowFormat, Callable[[Frame], RowReader]] = {
    RowFormat.PROMPT_COMPLETION: PromptCompletionReader,
    RowFormat.SELF_INSTRUCT: SelfInstructReader,
    RowFormat.CLASSIFICATION: ClassificationReader,
    RowFormat.MULTIPLE_CHOICE: MultipleChoiceReader,
    RowFormat.MESSAGES: ChatReader,
    RowFormat.SHAREGPT: ChatReader,
    RowFormat.TREE: NestedTreeReader,
    RowFormat.VERTEX: VertexReader,
    RowFormat.PREFERENCE: PreferenceReader,
    RowFormat.OPENAI_PREFERENCE: OpenAIPreferenceReader,
    RowFormat.KTO: KtoReader,
    RowFormat.TEXT: TextReader,
}


def examples_of_records(records: Iterable[Record | Refusal], frame: Frame, tally: Tally) -> Iterator[Example | Refusal]:
    """Every record as one example, several, a refusal, or part of another record's example.

    A block of a file gives what it gives in the whole file, unless `frame.columns.needs_whole_file`.

    Args:
        records: rows of one source in order; refusals among them are passed on.
        frame: how they are read.
        tally: counts, as the iterator goes, the rows that are not one example or refusal each.
    """
    columns = frame.columns
    if columns.format is RowFormat.SCRIPT:
        return ScriptReader(frame, tally).read(records)
    if columns.parents:
        return TreeReader(frame, tally).read(records)
    reader = DialogueReader(frame, tally) if columns.format is RowFormat.DIALOGUE else None
    outcomes = _row_by_row(records, reader or _ROW_READERS[columns.format](frame), frame.source, tally)
    return gathered(outcomes, tally) if columns.gathered else outcomes


def _row_by_row(
    records: Iterable[Record | Refusal], reader: RowReader, source: str, tally: Tally
) -> Iterator[Example | Refusal]:
    for record in records:
        if isinstance(record, Refusal):
            yield record
            continue
        try:
            outcomes = reader(record)
        except DataError as error:
            yield refusal_of(error, source, record.line, record.raw)
            continue
        tally.extra += len(outcomes) - 1
        for outcome in outcomes:
            if isinstance(outcome, Example):
                yield outcome
            else:
                yield refusal_of(outcome, source, record.line, record.raw)
