"""Windows over a book for causal language modelling: whole paragraphs, inside a chapter, with a known place."""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Union

from atanor.data.corpora.blocks import Block, BlockKind
from atanor.data.corpora.options import Respect, WindowOptions
from atanor.data.corpora.outline import Outline, outline
from atanor.data.corpora.sentences import line_starts, sentence_starts, word_starts
from atanor.data.rows import Example

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Measure = Union["PreTrainedTokenizerBase", Callable[[str], int]]
"""What tells how long a text is: a base's tokenizer, or a function of the text."""
MOST_REPEATED = 256
"""Paragraphs or sentences that an overlap has at most."""


@dataclass(frozen=True)
class Window:
    """A stretch of a book.

    Attributes:
        book: title of the book; empty where it is not known.
        chapter: name of the chapter it begins in, with those around it.
        group: what keeps the windows of one chapter, or of one book where windows share text across chapters, on one
            side of a split.
        start: offset of its first character in the book.
        end: offset after its last one.
        line: line of the book it begins in, counted from 1.
        text: the characters in between.
        tokens: its length as measured.
    """

    book: str
    chapter: str
    group: str
    start: int
    end: int
    line: int
    text: str
    tokens: int

    def example(self, source: str) -> Example:
        """The window as a row to train on, without the blank lines around it; `source` is the book's file."""
        fields = {"book": self.book, "chapter": self.chapter, "start": self.start, "end": self.end}
        return Example((), _BLANK_LINES.sub("", self.text).rstrip(), source, self.line, self.group, fields)


def windows(book: str | Outline, measure: Measure, options: WindowOptions, *, title: str | None = None) -> list[Window]:
    """Cut a book into windows.

    A window ends where a paragraph ends. A paragraph longer than a window is split after sentences, a sentence longer
    than that after words, and a word after characters. Every character of the book lies in one window, and without
    overlap in exactly one. No window ends with a heading that another one follows.

    Args:
        book: a text, or its outline.
        measure: the base's tokenizer, or a function that says how long a text is.
        options: length, overlap, and what a window never lies across.
        title: the book's title, where the outline has none or another is wanted.
    """
    whole = outline(book) if isinstance(book, str) else book
    ruler = ruler_of(measure, options.tokens)
    line_ends = [found.end() for found in _LINE_END.finditer(whole.text)]
    name = title or whole.title or ""
    shared = options.overlap > 0 and options.respect is not Respect.CHAPTER
    made: list[Window] = []
    for units in _stretches(whole, ruler, options.respect):
        for start, end, tokens in packed(whole.text, units, ruler, options.overlap):
            text = whole.text[start:end]
            number = bisect.bisect_right(whole.chapters, start, key=lambda chapter: chapter.start) - 1
            chapter = " / ".join(part for part in (*whole.chapters[number].path, whole.chapters[number].name) if part)
            group = name if shared else f"{name}/{number} {chapter}".rstrip()
            line = 1 + bisect.bisect_right(line_ends, start + _blank_lines(text))
            made.append(Window(name, chapter, group, start, end, line, text, tokens + ruler.around))
    return made


@dataclass(frozen=True)
class Ruler:
    """How long texts are, and how much of a window is left for them."""

    lengths: Callable[[Sequence[str]], list[int]]
    around: int
    room: int


@dataclass(frozen=True, slots=True)
class Unit:
    """What a window takes whole; its end is the next one's start."""

    start: int
    end: int
    tokens: int
    heading: bool = False


_LINE_END = re.compile(r"\n")
_BLANK_LINES = re.compile(r"\A(?:[^\S\n]*\n)+")


def ruler_of(measure: Measure, limit: int) -> Ruler:
    """How texts are measured, for windows of at most `limit` tokens."""

    def counted(texts: Sequence[str]) -> list[int]:
        return [measure(text) for text in texts]

    def tokenized(texts: Sequence[str]) -> list[int]:
        encoded = tokenizer(list(texts), add_special_tokens=False, return_attention_mask=False, verbose=False)[
            "input_ids"
        ]
        return [len(tokens) for tokens in encoded]

    if not hasattr(measure, "bos_token_id"):
        return Ruler(counted, 0, limit)
    from atanor.models.chat_template import encode_text

    tokenizer: PreTrainedTokenizerBase = measure
    around = len(encode_text(tokenizer, ""))
    return Ruler(tokenized, around, limit - around)


def _blank_lines(text: str) -> int:
    blank = _BLANK_LINES.match(text)
    return blank.end() if blank else 0


def _stretches(whole: Outline, ruler: Ruler, respect: Respect) -> Iterator[list[Unit]]:
    """The units that may share windows: those of each chapter, or of the whole book."""
    if respect is Respect.CHAPTER:
        for chapter in whole.chapters:
            yield units_of(whole, whole.blocks_in(chapter), (chapter.start, chapter.end), ruler, respect)
    else:
        yield units_of(whole, whole.blocks, (0, len(whole.text)), ruler, respect)


def units_of(
    whole: Outline, blocks: Sequence[Block], span: tuple[int, int], ruler: Ruler, respect: Respect
) -> list[Unit]:
    """The blocks of `text[span]` end to end, those split that are longer than a window."""
    if not blocks:
        return []
    start, end = span
    starts = [start, *(block.start for block in blocks[1:]), end]
    units: list[Unit] = []
    for unit, block in zip(_measured(whole.text, starts, ruler), blocks, strict=True):
        if unit.tokens <= ruler.room and (respect is not Respect.SENTENCE or block.kind is BlockKind.HEADING):
            units.append(Unit(unit.start, unit.end, unit.tokens, block.kind is BlockKind.HEADING))
        else:
            units.extend(_split(whole.text, unit, ruler, verse=block.kind is BlockKind.VERSE))
    return units


def _measured(text: str, starts: Sequence[int], ruler: Ruler) -> list[Unit]:
    spans = list(pairwise(starts))
    lengths = ruler.lengths([text[start:end] for start, end in spans])
    return [Unit(start, end, length) for (start, end), length in zip(spans, lengths, strict=True)]


def _split(text: str, unit: Unit, ruler: Ruler, *, verse: bool = False) -> list[Unit]:
    """A unit in sentences or verses, and whatever of them is too long in words, and then in halves of a word."""
    levels = (line_starts if verse else sentence_starts, word_starts, _half)
    units = [unit]
    for number, level in enumerate(levels):
        finer: list[Unit] = []
        for part in units:
            if number and part.tokens <= ruler.room:
                finer.append(part)
                continue
            starts = [part.start + start for start in level(text[part.start : part.end])]
            finer.extend(_measured(text, [*starts, part.end], ruler))
        units = finer
    return [piece for part in units for piece in _fitting(text, part, ruler)]


def _half(text: str) -> list[int]:
    return [0, len(text) // 2] if len(text) > 1 else [0]


def _fitting(text: str, unit: Unit, ruler: Ruler) -> list[Unit]:
    """Halves of halves, until each fits or is a single character."""
    if unit.tokens <= ruler.room or unit.end - unit.start < 2:
        return [unit]
    starts = [unit.start + start for start in _half(text[unit.start : unit.end])]
    return [piece for half in _measured(text, [*starts, unit.end], ruler) for piece in _fitting(text, half, ruler)]


def packed(text: str, units: Sequence[Unit], ruler: Ruler, overlap: int) -> Iterator[tuple[int, int, int]]:
    """Start, end and tokens of each window: as many units as fit, after what is repeated of the window before."""
    first = 0
    while first < len(units):
        start, repeated = units[first].start, 0
        if overlap and first:
            before = units[max(0, first - MOST_REPEATED) : first]
            start, repeated = _repeated(text, before, ruler, min(overlap, ruler.room - units[first].tokens))
        last = _filled(units, first, ruler.room - repeated)
        (tokens,) = ruler.lengths([text[start : units[last - 1].end]])
        while tokens > ruler.room and (last > first + 1 or start < units[first].start):
            # Units measured one by one can be shorter than together: a tokenizer may join or part them otherwise.
            last, start = (last - 1, start) if last > first + 1 else (last, units[first].start)
            (tokens,) = ruler.lengths([text[start : units[last - 1].end]])
        yield start, units[last - 1].end, tokens
        first = last


def _filled(units: Sequence[Unit], first: int, room: int) -> int:
    """The unit after the last one that fits; at least one is taken, and a heading is left to what it heads."""
    last, taken = first, 0
    while last < len(units) and (last == first or taken + units[last].tokens <= room):
        taken += units[last].tokens
        last += 1
    if last < len(units):
        while last > first + 1 and units[last - 1].heading:
            last -= 1
    return last


def _repeated(text: str, before: Sequence[Unit], ruler: Ruler, most: int) -> tuple[int, int]:
    """Where the last units, or the last sentences of the last one, begin that have at most so many tokens together."""
    start, taken = _tail(before, most)
    if taken == 0 and most > 0:
        last = before[-1]
        starts = [last.start + place for place in sentence_starts(text[last.start : last.end])]
        start, taken = _tail(_measured(text, [*starts, last.end], ruler), most)
    return start, taken


def _tail(units: Sequence[Unit], most: int) -> tuple[int, int]:
    start, taken = units[-1].end, 0
    for unit in reversed(units):
        if taken + unit.tokens > most:
            break
        start, taken = unit.start, taken + unit.tokens
    return start, taken
