"""The outline of a book: its sections under headings, its chapters, and the blocks they are made of."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

from atanor.data.corpora.blocks import Block, BlockKind, kind_of
from atanor.data.corpora.headings import Heading, Rank, Style, heading_of, joined_name, subtitle_of
from atanor.data.corpora.hierarchy import Layout, laid_out
from atanor.data.corpora.paragraphs import Paragraph, line_width, paragraphs, usual_gap


class SectionKind(StrEnum):
    """What a section is."""

    FRONT = "front"
    """Title page and whatever else stands before the first heading."""
    CONTENTS = "contents"
    """A table of contents or an index: headings with nothing under them."""
    BODY = "body"


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a book from one heading to the next; the sections of a book lie end to end and cover it.

    Attributes:
        kind: front matter, contents or body.
        rank: how much its heading heads.
        label: numbered part of the heading, as `CHAPTER I`; empty where it has none.
        title: the rest of the heading.
        path: names of the sections around it, the outermost first.
        start: offset of its heading.
        end: offset of the next section, or the end of the text.
    """

    kind: SectionKind
    rank: Rank
    label: str
    title: str
    path: tuple[str, ...]
    start: int
    end: int

    @property
    def name(self) -> str:
        """Label and title."""
        return joined_name(self.label, self.title)


@dataclass(frozen=True)
class Outline:
    """A text with its sections and blocks.

    Attributes:
        text: the whole text; every offset is an index into it.
        title: title of the book; None where nobody said and the text does not show it.
        author: the author; None likewise.
        sections: every section, scenes included, in order.
        blocks: every block in order.
    """

    text: str
    title: str | None
    author: str | None
    sections: tuple[Section, ...]
    blocks: tuple[Block, ...]

    @cached_property
    def chapters(self) -> tuple[Section, ...]:
        """The sections with scenes joined to the chapter they belong to, and headings to the chapter they open.

        They cover the text as the sections do.
        """
        joined: list[Section] = []
        waiting: Section | None = None
        for section in self.sections:
            before = joined[-1] if joined else None
            bare = all(block.kind is BlockKind.HEADING for block in self.blocks_in(section))
            whole = section
            if waiting is not None:
                # A story's title over its part I names the chapter; a volume over its first chapter does not.
                named = waiting if section.rank is Rank.SCENE else section
                whole = replace(named, start=waiting.start, end=section.end)
            if bare and whole.kind is SectionKind.BODY and whole.end < len(self.text):
                waiting = whole
                continue
            if before is not None and before.kind is whole.kind and whole.rank is Rank.SCENE:
                joined[-1] = replace(before, end=whole.end)
            else:
                joined.append(whole)
            waiting = None
        return tuple(joined)

    def blocks_in(self, section: Section) -> tuple[Block, ...]:
        """The blocks that begin inside a section or chapter."""
        first = bisect.bisect_left(self.blocks, section.start, key=lambda block: block.start)
        last = bisect.bisect_left(self.blocks, section.end, key=lambda block: block.start)
        return self.blocks[first:last]


def outline(text: str, title: str | None = None, author: str | None = None) -> Outline:
    """Find the headings, scenes and blocks of a plain-text book in English or Spanish.

    Args:
        text: the book; boilerplate around it is better removed before.
        title: the book's title, where it is known; else it is looked for on the title page.
        author: the author, likewise.
    """
    found = paragraphs(text)
    gap = usual_gap(found)
    headings = _headings(found, gap)
    layout = laid_out(headings, found)
    blocks = _blocks(found, headings, line_width(found))
    sections = _sections(layout, blocks, len(text))
    shown_title, shown_author = _title_page(found, layout.front_end)
    return Outline(text, title or shown_title, author or shown_author, sections, blocks)


def outline_of_chapters(
    chapters: Iterable[tuple[str, str]], title: str | None = None, author: str | None = None
) -> Outline:
    """The outline of a book that comes in chapters, as the rows of an EPUB do.

    Args:
        chapters: title and text of each, in order. A title that the text does not begin with is put over it.
        title: the book's title.
        author: the author.
    """
    pieces: list[str] = []
    sections: list[Section] = []
    blocks: list[Block] = []
    at = 0
    for given_name, given_text in chapters:
        name, text = " ".join(given_name.split()), given_text.strip("\n")
        heading = "" if not name or " ".join(text.split()).startswith(name) else f"{name}\n\n"
        piece = f"{heading}{text}\n\n\n"
        found = paragraphs(piece)
        kinds = _blocks(found, _headings(found, usual_gap(found)), line_width(found))
        if heading:
            kinds = (Block(BlockKind.HEADING, 0, len(name)), *kinds[1:])
        blocks += [Block(block.kind, at + block.start, at + block.end) for block in kinds]
        sections.append(Section(SectionKind.BODY, Rank.CHAPTER, "", name, (), at, at + len(piece)))
        pieces.append(piece)
        at += len(piece)
    return Outline("".join(pieces), title, author, tuple(sections), tuple(blocks))


def _headings(found: Sequence[Paragraph], gap: int) -> list[Heading]:
    """Every heading, with the title that stands in a paragraph of its own under a bare label or number."""
    headings: list[Heading] = []
    # The first line has all the space of the page before it.
    first = [replace(paragraph, gap=gap + 1) for paragraph in found[:1]]
    for number, paragraph in enumerate([*first, *found[1:]]):
        bare = headings[-1] if headings else None
        if (
            bare is not None
            and not bare.title
            and bare.end == found[number - 1].end
            and bare.style in {Style.KEYWORD, Style.NUMBER}
        ):
            after = found[number + 1].gap if number + 1 < len(found) else 0
            title = subtitle_of(paragraph, after, gap)
            own = heading_of(paragraph, gap)
            if title is not None and (own is None or own.style in {Style.CAPITALS, Style.TITLE}):
                headings[-1] = replace(bare, title=title.rstrip("."), end=paragraph.end)
                continue
        heading = heading_of(paragraph, gap)
        if heading is not None:
            headings.append(heading)
    return headings


def _blocks(found: Sequence[Paragraph], headings: Sequence[Heading], width: int) -> tuple[Block, ...]:
    spans = iter(headings)
    heading = next(spans, None)
    blocks: list[Block] = []
    for paragraph in found:
        while heading is not None and heading.end <= paragraph.start:
            heading = next(spans, None)
        if heading is None or heading.start > paragraph.start:
            blocks.append(Block(kind_of(paragraph, width), paragraph.start, paragraph.end))
            continue
        blocks.append(Block(BlockKind.HEADING, paragraph.start, min(heading.end, paragraph.end)))
        if heading.end < paragraph.end:  # text goes on in the line under the heading
            rest = replace(paragraph, lines=paragraph.lines[1:])
            start = heading.end + 1
            blocks.append(Block(kind_of(rest, width), start, paragraph.end))
    return tuple(blocks)


def _sections(layout: Layout, blocks: Sequence[Block], length: int) -> tuple[Section, ...]:
    """Sections end to end; a break between scenes opens one without a title."""
    if not length:
        return ()
    opened = [Section(SectionKind.FRONT, Rank.TITLE, "", "", (), 0, length)]
    path: list[tuple[Rank, str]] = []
    for heading in layout.headings:
        path = [(rank, name) for rank, name in path if rank < heading.rank]
        around = tuple(name for _, name in path)
        kind = SectionKind.CONTENTS if heading.style is Style.CONTENTS else SectionKind.BODY
        opened.append(Section(kind, heading.rank, heading.label, heading.title, around, heading.start, length))
        if kind is SectionKind.BODY:
            path.append((heading.rank, heading.name))
    starts = [section.start for section in opened]
    for block in blocks:
        if block.kind is BlockKind.BREAK:
            holder = opened[bisect.bisect_right(starts, block.start) - 1]
            if holder.kind is SectionKind.BODY:
                around = (*holder.path, *([holder.name] if holder.name else []))
                opened.append(Section(SectionKind.BODY, Rank.SCENE, "", "", around, block.start, length))
    opened.sort(key=lambda section: section.start)
    if len(opened) > 1 and (not blocks or blocks[0].start >= opened[1].start):
        opened[:2] = [replace(opened[1], start=0)]  # nothing but white space before the first heading
    if not layout.headings:
        opened[0] = replace(opened[0], kind=SectionKind.BODY)
    ends = [*(section.start for section in opened[1:]), length]
    return tuple(replace(section, end=end) for section, end in zip(opened, ends, strict=True))


_BY = re.compile(r"(?i:by|por|de)\b:?\s*(.*)$")
_CAPITALISED = r"[A-ZÁÉÍÓÚÑ][\w.'’-]*"
_PERSON = re.compile(
    rf"(?!.*\b(?i:by|por|edition|edición)\b){_CAPITALISED}(?: (?:de|del|la|of|von|van|y|{_CAPITALISED})){{1,5}}$"
)


def _title_page(found: Sequence[Paragraph], front_end: int) -> tuple[str | None, str | None]:
    """Title and author as a title page shows them: the title first, the author after `by` or on the next line."""
    front = [line for paragraph in found if paragraph.end <= front_end for line in paragraph.lines]
    lines = [" ".join(line.split()) for line in front or [line for paragraph in found[:4] for line in paragraph.lines]]
    title = lines[0] if lines and len(lines[0]) <= 120 else None
    for number, line in enumerate(lines[:12]):
        by = _BY.match(line) if number else None
        name = _plain(by[1] or (lines[number + 1] if number + 1 < len(lines) else "")) if by else ""
        if _PERSON.match(name):
            return title, name
    second = _plain(lines[1]) if front and len(lines) > 1 else ""
    return (title if front else None), (second if _PERSON.match(second) else None)


def _plain(name: str) -> str:
    """A person's name without brackets, and not in capitals."""
    name = re.sub(r"\s*[\[(].*?[\])]", "", name).strip(" .,_*")
    return name.title() if name.isupper() else name
