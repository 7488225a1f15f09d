"""What a paragraph of a book is: prose, dialogue, a speech of a play, verse, a break between scenes, a note."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from atanor.data.corpora.headings import ENDING, is_listing
from atanor.data.corpora.paragraphs import Paragraph


class BlockKind(StrEnum):
    """What a block is."""

    HEADING = "heading"
    PROSE = "prose"
    DIALOGUE = "dialogue"
    SPEECH = "speech"
    """A speech of a play: the speaker's name, then the words."""
    VERSE = "verse"
    BREAK = "break"
    """Signs that part two scenes, as `* * *`."""
    NOTE = "note"
    """What is not the author's text: `[Illustration]`, THE END, a line of an index."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block of a book at `text[start:end]`; from its end to the next one's start there is only white space."""

    kind: BlockKind
    start: int
    end: int


def kind_of(paragraph: Paragraph, width: int) -> BlockKind:
    """What a paragraph that is no heading is.

    Args:
        paragraph: the paragraph.
        width: from `paragraphs.line_width`.
    """
    line = paragraph.line
    if _BREAK.match(line):
        return BlockKind.BREAK
    if _NOTE.match(line) or ENDING.match(line) or is_listing(paragraph):
        return BlockKind.NOTE
    if (_SPEAKER_LINE.match(paragraph.lines[0]) and len(paragraph.lines) > 1) or _SPEAKER.match(line):
        return BlockKind.SPEECH
    if _is_verse(paragraph, width):
        return BlockKind.VERSE
    return BlockKind.DIALOGUE if _SPOKEN.match(line) or _mostly_quoted(line) else BlockKind.PROSE


_BREAK = re.compile(r"(?:[*•·~#=_—–⁂-]\s*){1,60}$")
_NOTE = re.compile(r"[\[{].*[\]}][.]?$")
_SPEAKER_LINE = re.compile(r"(?:(?:[A-ZÁÉÍÓÚÑ][\w.'’-]*|of|the|and|to|de|del|la|el|los|y|a|\d+[ºª]?) ?){1,6}:$")
_SPEAKER = re.compile(r"[A-ZÁÉÍÓÚÑ]{2}[A-ZÁÉÍÓÚÑ.'’ ]{0,30}[.:]\s?[—–-]{1,2}\s?\S")
_SPOKEN = re.compile(r"[_*]?(?:[“\"«‘»]|(?:—|–|--|-)\s?(?=[\w¡¿«“\"_…]))")
_QUOTED = re.compile(r"“[^”]*(?:”|$)|«[^»]*(?:»|$)|\"[^\"]*(?:\"|$)")


def _mostly_quoted(line: str) -> bool:
    return 2 * sum(len(quoted) for quoted in _QUOTED.findall(line)) > len(line)


def _is_verse(paragraph: Paragraph, width: int) -> bool:
    """Verse has lines that end although the next word would have had room."""
    lines = paragraph.lines
    longest = width or 80
    if len(lines) < 2 or max(map(len, lines)) > longest:
        return False
    on_purpose = sum(len(line) + 1 + len(following.split()[0]) <= longest - 4 for line, following in pairwise(lines))
    return on_purpose >= 0.8 * (len(lines) - 1)
