"""Which headings head a chapter of this book, which a scene, and which only stand in its title page or contents.

A line alone does not tell: a Roman numeral is a chapter in one book and a scene in another, and a line in capitals is
a story's title, or a poem's inside a chapter. The other headings of the same book decide.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace

from atanor.data.corpora.headings import Heading, Rank, Style, is_listing
from atanor.data.corpora.paragraphs import Paragraph

SHORTEST_BODY = 120
"""Characters of text under which a heading is taken to head nothing."""
SHORTEST_CONTENTS = 4
"""Headings with nothing under them that, one after another, make a table of contents."""
WORKS = 3
"""Titles from which on a book is a collection, and the bare numbers in it are parts of its pieces."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The headings that open sections, ranked within the book.

    Attributes:
        headings: in order; a table of contents is one heading of the style `CONTENTS`.
        front_end: offset at which the first of them begins.
    """

    headings: tuple[Heading, ...]
    front_end: int


def laid_out(headings: Sequence[Heading], paragraphs: Sequence[Paragraph]) -> Layout:
    """Drop the headings of the title page, join those of contents, and rank the rest."""
    bodies = _bodies(headings, paragraphs)
    kept = _without_lists(headings, bodies)
    bare = {heading.start for heading, body in zip(headings, bodies, strict=True) if body < SHORTEST_BODY}
    return Layout(tuple(_ranked(kept, bare)), kept[0].start if kept else 0)


def _bodies(headings: Sequence[Heading], paragraphs: Sequence[Paragraph]) -> list[int]:
    """Characters of text under each heading."""
    bodies = [0] * len(headings)
    at = -1
    for paragraph in paragraphs:
        while at + 1 < len(headings) and headings[at + 1].start <= paragraph.start:
            at += 1
        if at >= 0 and not is_listing(paragraph):
            bodies[at] += max(0, paragraph.end - max(paragraph.start, headings[at].end))
    return bodies


def _without_lists(headings: Sequence[Heading], bodies: Sequence[int]) -> list[Heading]:
    """Runs of headings with nothing under them: on the title page they go, elsewhere they are contents."""
    kept: list[Heading] = []
    collection = _is_collection(headings)
    at = 0
    while at < len(headings):
        end = at
        while end < len(headings) and bodies[end] < SHORTEST_BODY:
            end += 1
        chain = _opening(headings, at, end, collection)
        listed = headings[at:chain]
        if listed and at == 0 and end < len(headings):
            pass  # the title page: it is what stands before the first section
        elif len(listed) >= SHORTEST_CONTENTS or any(heading.style is Style.CONTENTS for heading in listed):
            kept.append(replace(listed[0], style=Style.CONTENTS, rank=Rank.TITLE))
        else:
            kept.extend(listed)
        kept.extend(headings[chain : end + 1])
        at = end + 1
    return kept


def _is_collection(headings: Sequence[Heading]) -> bool:
    """Whether titles head the pieces of the book, and its first one is a piece's title like the others."""
    labelled = sum(heading.style is Style.KEYWORD for heading in headings)
    return sum(_is_title(heading) for heading in headings[1:]) >= max(WORKS - 1, labelled + 1)


def _opening(headings: Sequence[Heading], first: int, end: int, collection: bool) -> int:
    """Where the headings begin that open the section at `end` together with it: PART ONE, then CHAPTER I."""
    chain = end
    while chain > first and end < len(headings) and headings[chain - 1].rank < headings[chain].rank:
        if headings[chain - 1].rank is Rank.TITLE and first == 0 and not collection:
            break  # the title of the book
        chain -= 1
    return chain


def _ranked(headings: Sequence[Heading], bare: Set[int]) -> list[Heading]:
    """Each heading with its rank in this book; `bare` are the starts of those with nothing under them."""
    repeated = Counter(heading.name for heading in headings)
    titles = [heading for heading in headings if _is_title(heading) and repeated[heading.name] == 1]
    chapters = [heading for heading in headings if heading.style is Style.KEYWORD and heading.rank is Rank.CHAPTER]
    by_chapters = len(chapters) >= max(2, len(titles))
    usual = statistics.median(heading.gap for heading in chapters) if chapters else 0.0
    levels = sorted({heading.level for heading in headings if heading.style is Style.MARKUP})

    def rank(heading: Heading, following: Heading | None) -> Rank:
        if heading.style is Style.MARKUP:
            # The first level that is used heads chapters, the deeper ones scenes.
            return Rank.CHAPTER if heading.level == levels[0] else Rank.SCENE
        if heading.style is Style.NUMBER:
            return Rank.SCENE if by_chapters or len(titles) >= WORKS else Rank.CHAPTER
        return rank_of_title(heading, following) if _is_title(heading) else heading.rank

    def rank_of_title(heading: Heading, following: Heading | None) -> Rank:
        if repeated[heading.name] > 1:
            return Rank.SCENE
        if not by_chapters:
            return Rank.TITLE
        if heading.start > chapters[0].start:
            return Rank.SCENE if heading.gap < max(3, usual + 1) else Rank.TITLE
        # A preface or a dedication holds none of the chapters that follow; a title right above them does.
        above = heading.start in bare and following is not None and following.style is Style.KEYWORD
        return Rank.TITLE if above else Rank.CHAPTER

    following = [*headings[1:], None]
    return [replace(heading, rank=rank(heading, after)) for heading, after in zip(headings, following, strict=False)]


def _is_title(heading: Heading) -> bool:
    return heading.style in {Style.CAPITALS, Style.TITLE}
