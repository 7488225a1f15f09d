"""Heading lines of books in English and Spanish: chapters, parts, acts, scenes, numbers, titles, Markdown, wiki."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from atanor.data.corpora.paragraphs import Paragraph

LONGEST_HEADING = 320
"""Characters of the longest heading; the chapters of Don Quixote have long ones."""
LONGEST_TITLE = 100


class Rank(IntEnum):
    """How much a heading heads: a lower rank holds the higher ones."""

    TITLE = 0
    PART = 1
    CHAPTER = 2
    SCENE = 3


class Style(StrEnum):
    """How a heading is recognised."""

    KEYWORD = "a word as `Chapter` or `Acto` with its number"
    UNNUMBERED = "a word as `Preface` that needs no number"
    NUMBER = "a number alone"
    NUMBERED_TITLE = "a number and a title"
    CAPITALS = "a line in capitals"
    TITLE = "a short line with more space before it than paragraphs have"
    MARKUP = "Markdown or wiki signs"
    CONTENTS = "the heading of a table of contents"


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading.

    Attributes:
        start: offset of its first character.
        end: offset after its last one.
        style: how it was recognised.
        rank: how much it heads, as far as the line itself tells.
        label: its numbered part, as `CHAPTER I`; empty where it has none.
        title: the rest.
        gap: blank lines before it.
        level: number of markup signs; 0 without.
    """

    start: int
    end: int
    style: Style
    rank: Rank
    label: str
    title: str
    gap: int
    level: int = 0

    @property
    def name(self) -> str:
        """Label and title as they are shown."""
        return joined_name(self.label, self.title)


def joined_name(label: str, title: str) -> str:
    """`CHAPTER I. The Pool`, or `Primera parte del ingenioso hidalgo` where the title goes on from the label."""
    between = " " if title[:1].islower() else ". "
    return between.join(part for part in (label, title) if part)


def heading_of(paragraph: Paragraph, usual_gap: int) -> Heading | None:
    """The heading that this paragraph is, or that its first line is; None for anything else."""
    if ENDING.match(paragraph.line) or is_listing(paragraph):
        return None
    for recognise in (_markup, _keyword, _ordinal_first, _word, _number, _numbered_title, _capitals):
        heading = recognise(paragraph)
        if heading is not None:
            return heading
    return _loose_title(paragraph) if paragraph.gap > usual_gap else None


def subtitle_of(paragraph: Paragraph, gap_after: int, usual_gap: int) -> str | None:
    """The text of a paragraph that stands under a bare number or label as its title; None where it is body."""
    line = paragraph.line
    if len(line) > LONGEST_HEADING or len(paragraph.lines) > 5 or _OPENS_SPEECH.match(line):
        return None
    if _in_capitals(line):
        return line
    one = len(paragraph.lines) == 1 and len(line) <= LONGEST_TITLE and line[:1].isupper()
    return line if one and (gap_after > usual_gap or line[-1] not in ".,;:!?…") and gap_after >= usual_gap else None


_WORDS = {
    Rank.PART: r"part|book|volume|vol|parte|libro|volumen|tomo",
    Rank.CHAPTER: r"chapter|chap|letter|adventure|stave|act|canto|cap[ií]tulo|cap|carta|aventura|acto|jornada",
    Rank.SCENE: r"scene|escena|cuadro",
}
_NUMBER_WORDS = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|"
    "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|last|"
    "primer[oa]?|segund[oa]|tercer[oa]?|cuart[oa]|quint[oa]|sext[oa]|s[eé]ptim[oa]|octav[oa]|noven[oa]|d[eé]cim[oa]|"
    "[uú]ltim[oa]|[uú]nic[oa]|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce"
)
_ROMAN = r"(?=[IVXLCDM])M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,4})"
_NUMBER = rf"(?:\d{{1,3}}|{_ROMAN}|(?i:{_ROMAN}|{_NUMBER_WORDS}))"
_UNNUMBERED = re.compile(
    r"(?i:(?:(?:the )?(?:author|translator|editor)[’']?s )?(?:prologue|epilogue|preface|introduction|foreword|"
    r"afterword|dedication|conclusion|postscript|interlude)|pr[oó]logo|ep[ií]logo|prefacio|introducci[oó]n|dedicatoria|"
    r"conclusi[oó]n|interludio|post[- ]?scriptum)(?: (?:of|to|de|del|al|a) [^.]{1,60})?\.?$"
)
_CONTENTS = re.compile(
    r"(?i:(?:table of )?contents|[ií]ndice|tabla(?: de (?:los )?(?:cap[ií]tulos|contenidos))?)\.?:?$"
)
ENDING = re.compile(r"(?:THE END|The End|FIN|Fin|FINIS)\b.{0,40}$")
"""The words that end a book or a part of it."""
_KEYWORDS = {
    rank: re.compile(rf"((?i:{words})\.?\s+{_NUMBER})(?![\w’'])\s*(.*)$", re.DOTALL) for rank, words in _WORDS.items()
}
_ORDINALS_FIRST = {
    rank: re.compile(rf"((?i:{_NUMBER_WORDS})\s+(?i:{words}))\b\s*(.*)$", re.DOTALL) for rank, words in _WORDS.items()
}
_BARE = re.compile(rf"[-–—\[(*_\s]*({_ROMAN}|\d{{1,3}})[-–—\])*_.:\s]*$")
_NUMBERED = re.compile(rf"({_ROMAN}|\d{{1,3}})[.:)]\s*[-–—]*\s*(\S.*)$")
_LISTED = re.compile(rf"\s*(?:{_ROMAN}|\d{{1,3}})[.:)]\s+[A-ZÁÉÍÓÚÑ¿¡]")
_MARKDOWN = re.compile(r"(#{1,6})\s+(.*?)\s*#*$")
_WIKI = re.compile(r"\s*(=(?: ?=)*) (.+?) \1\s*$")
_INDEX_ENTRY = re.compile(r"\S(?:\s{2,}|[ .]{3,})\d{1,4}$")
_OPENS_SPEECH = re.compile(r"\s*[\"“”«»‘'\[(—–-]")


def is_listing(paragraph: Paragraph) -> bool:
    """Whether the paragraph is an entry or several of a table of contents or an index."""
    lines = [line for line in paragraph.lines if len(line) <= LONGEST_HEADING]
    entries = sum(bool(_INDEX_ENTRY.search(line) or _LISTED.match(line)) for line in lines)
    numbered = bool(lines) and bool(_INDEX_ENTRY.search(lines[0]))
    return entries >= 0.8 * len(paragraph.lines) and (len(paragraph.lines) >= 3 or numbered)


def _in_capitals(line: str) -> bool:
    letters = [sign for sign in line if sign.isalpha()]
    return len(letters) >= 2 and all(sign.isupper() or sign in "ªº" for sign in letters)


def _made(paragraph: Paragraph, style: Style, rank: Rank, label: str, title: str) -> Heading:
    """The heading of the whole paragraph."""
    label, title = label.strip(" .:"), title.strip(" *_.:—–-") + _closing(title)
    return Heading(paragraph.start, paragraph.end, style, rank, label, title, paragraph.gap)


def _closing(title: str) -> str:
    """A question or an ellipsis is part of a title; a full stop is not."""
    return "…" if title.endswith(("...", "…")) else ""


def _markup(paragraph: Paragraph) -> Heading | None:
    first = paragraph.lines[0]
    found = _MARKDOWN.match(first) or _WIKI.match(first)
    if found is None:
        return None
    level = found[1].count("#") + found[1].count("=")
    end = paragraph.start + len(first)
    return Heading(paragraph.start, end, Style.MARKUP, Rank.CHAPTER, "", found[2].strip(" *_"), paragraph.gap, level)


def _keyword(paragraph: Paragraph) -> Heading | None:
    return _labelled(paragraph, _KEYWORDS)


def _ordinal_first(paragraph: Paragraph) -> Heading | None:
    heading = _labelled(paragraph, _ORDINALS_FIRST, needs_mark=False)
    return None if heading is None or paragraph.lines[-1].endswith((".", ",", ";")) else heading


def _labelled(
    paragraph: Paragraph, patterns: dict[Rank, re.Pattern[str]], *, needs_mark: bool = True
) -> Heading | None:
    whole, first = paragraph.line, " ".join(paragraph.lines[0].split())
    if not whole[:1].isupper():
        return None
    for rank, pattern in patterns.items():
        alone = pattern.match(first)
        if alone is None:
            continue
        if not alone[2].strip(" .:]—–-"):
            return _label_alone(paragraph, rank, alone[1])
        short = len(whole) <= LONGEST_HEADING and len(paragraph.lines) <= 5
        found = pattern.match(whole) if short else alone
        rest = found[2] if found else ""
        if needs_mark and not (rest[:1] in ".:—–-])" or (rest[:1].isupper() and len(first) <= LONGEST_TITLE)):
            return None
        heading = _made(paragraph, Style.KEYWORD, rank, alone[1], rest.lstrip(" .:]—–-"))
        return heading if short else _first_line(paragraph, heading)
    return None


def _label_alone(paragraph: Paragraph, rank: Rank, label: str) -> Heading:
    """`CHAPTER I` in a line of its own; lines in capitals under it are its title, others are text."""
    title = list(paragraph.lines[1:])
    whole = len(title) <= 4 and (not title or _in_capitals(" ".join(title)))
    heading = _made(paragraph, Style.KEYWORD, rank, label, " ".join(" ".join(title).split()) if whole else "")
    return heading if whole else _first_line(paragraph, heading)


def _first_line(paragraph: Paragraph, heading: Heading) -> Heading:
    end = paragraph.start + len(paragraph.lines[0])
    return Heading(heading.start, end, heading.style, heading.rank, heading.label, heading.title, heading.gap)


def _word(paragraph: Paragraph) -> Heading | None:
    line = paragraph.line
    if len(paragraph.lines) > 1 or not line[:1].isupper():
        return None
    if _CONTENTS.match(line):
        return _made(paragraph, Style.CONTENTS, Rank.TITLE, "", line)
    return _made(paragraph, Style.UNNUMBERED, Rank.CHAPTER, "", line) if _UNNUMBERED.match(line) else None


def _number(paragraph: Paragraph) -> Heading | None:
    found = _BARE.match(paragraph.lines[0])
    if found is None or len(paragraph.lines) > 1:
        return None
    return _made(paragraph, Style.NUMBER, Rank.SCENE, found[1], "")


def _numbered_title(paragraph: Paragraph) -> Heading | None:
    found = _NUMBERED.match(paragraph.line)
    if found is None or len(paragraph.lines) > 2 or len(paragraph.line) > LONGEST_TITLE:
        return None
    if not _in_capitals(found[2]) or found[2][-1] in ".,;":
        return None
    return _made(paragraph, Style.NUMBERED_TITLE, Rank.CHAPTER, found[1], found[2])


def _capitals(paragraph: Paragraph) -> Heading | None:
    line = paragraph.line
    fits = len(paragraph.lines) <= 3 and len(line) <= LONGEST_TITLE
    if not fits or not _in_capitals(line) or line[-1] in ".,;:—-" or _OPENS_SPEECH.match(line):
        return None
    return _made(paragraph, Style.CAPITALS, Rank.TITLE, "", line)


def _loose_title(paragraph: Paragraph) -> Heading | None:
    line = paragraph.line
    if len(paragraph.lines) > 1 or len(line) > 64 or not line[:1].isupper() or line[-1] in ".,;:\"”»'’—–-_*":
        return None
    return None if _OPENS_SPEECH.match(line) else _made(paragraph, Style.TITLE, Rank.TITLE, "", line)
