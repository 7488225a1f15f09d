"""The passages of a book that can be answers: whole paragraphs of one scene, with what they are made of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from atanor.data.corpora.blocks import Block, BlockKind
from atanor.data.corpora.options import Respect
from atanor.data.corpora.outline import Outline, Section, SectionKind
from atanor.data.corpora.windows import Ruler, packed, units_of


@dataclass(frozen=True)
class Passage:
    """A stretch of one chapter without headings, breaks and notes.

    Attributes:
        chapter: where it stands.
        number: the chapter's number in the book, from 0.
        start: offset of its first character.
        end: offset after its last one.
        text: the passage; paragraphs in one line each, verse and speeches in theirs.
        before: the passage right before it in the same scene; empty where there is none.
        blocks: the blocks it is made of.
    """

    chapter: Section
    number: int
    start: int
    end: int
    text: str
    before: str
    blocks: tuple[Block, ...]

    def share(self, *kinds: BlockKind) -> float:
        """Share of the characters that are in blocks of these kinds, from 0 to 1."""
        whole = sum(block.end - block.start for block in self.blocks)
        return sum(block.end - block.start for block in self.blocks if block.kind in kinds) / whole if whole else 0.0


def passages_of(book: Outline, ruler: Ruler) -> Iterator[Passage]:
    """Cut the body of a book into passages that the ruler has room for."""
    for number, chapter in enumerate(book.chapters):
        if chapter.kind is not SectionKind.BODY:
            continue
        for text_here, run in groupby(book.blocks_in(chapter), lambda block: block.kind not in _BETWEEN):
            if text_here:
                yield from _of_scene(book, chapter, number, tuple(run), ruler)


_BETWEEN = {BlockKind.HEADING, BlockKind.BREAK, BlockKind.NOTE}
_IN_LINES = {BlockKind.VERSE, BlockKind.SPEECH}
_WRAPPED = re.compile(r"[^\S\n]*\n\s*")


def _of_scene(book: Outline, chapter: Section, number: int, blocks: Sequence[Block], ruler: Ruler) -> Iterator[Passage]:
    before = ""
    units = units_of(book, blocks, (blocks[0].start, blocks[-1].end), ruler, Respect.PARAGRAPH)
    for start, end, _ in packed(book.text, units, ruler, 0):
        inside = tuple(
            Block(block.kind, max(start, block.start), min(end, block.end))
            for block in blocks
            if block.start < end and start < block.end
        )
        text = _written(book.text, inside)
        yield Passage(chapter, number, start, end, text, before, inside)
        before = text


def _written(text: str, blocks: Sequence[Block]) -> str:
    """The blocks with a blank line between them, and no line broken only because a page was full."""
    written = []
    for block in blocks:
        piece = text[block.start : block.end].strip("\n").rstrip()
        written.append(piece if block.kind in _IN_LINES else _WRAPPED.sub(" ", piece.strip()))
    return "\n\n".join(written)
