"""Page numbers and running heads of scanned books.

A number alone on a line may also head a stanza, a section or an answer. It is a page number when several rise one by
one and break sentences in two, which no other number does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from atanor.data.cleaning.rule import Rule

_NUMBER = re.compile(
    r"[ \t]*(?:[-–—\[(][ \t]*)?(?:(?:page|pág(?:ina)?\.?|pg\.?|p\.)[ \t]*)?(\d{1,4})(?:[ \t]*[-–—\])])?[ \t]*$",
    re.IGNORECASE,
)
_HEAD = re.compile(r"[ \t]*(?:(\d{1,4})[ \t]+[^\W\d_a-zà-ÿ][^\da-zß-ÿ]{3,60}|[^\da-zß-ÿ]{4,60}[ \t](\d{1,4}))[ \t]*$")
_MARK = re.compile(r"[ \t]?(?:\[(?:Pg|Page|Pág\.?) ?\d{1,4}\]|\{p\. ?\d{1,4}\})")
_FEWEST = 4
"""Fewer pages than this are no book."""
_LONGEST_HEAD = 80
_FEWEST_BROKEN = 0.25
"""Share of the page numbers that have to break a sentence in two."""


def remove_pages(text: str) -> str:
    """`text` without page numbers and the running heads beside them."""
    if len(_MARK.findall(text)) >= _FEWEST:
        text = _MARK.sub("", text)
    lines = text.split("\n")
    numbered = [(index, number) for index, line in enumerate(lines) if (number := _page_of(line)) is not None]
    rising = _rising(numbered)
    if len(rising) < _FEWEST:
        return text
    spots = [_spot(lines, index) for index in sorted(rising)]
    heads = Counter(lines[index].strip() for spot in spots for index in spot if lines[index].strip())
    spots = [[index for index in spot if index in rising or heads[lines[index].strip()] >= _FEWEST] for spot in spots]
    spots = [_with_blanks(lines, spot) for spot in spots]
    broken = [_breaks_a_sentence(lines, spot) for spot in spots]
    if sum(broken) < _FEWEST_BROKEN * len(spots):
        return text
    # The blank lines around a number that breaks a sentence go with it; between paragraphs one has to stay.
    drop = {index for spot, breaks in zip(spots, broken, strict=True) for index in (spot if breaks else spot[:-1])}
    blank = {spot[-1] for spot, breaks in zip(spots, broken, strict=True) if not breaks}
    return "\n".join("" if index in blank else line for index, line in enumerate(lines) if index not in drop)


def _page_of(line: str) -> int | None:
    found = (_NUMBER.match(line) or _HEAD.match(line)) if len(line) <= _LONGEST_HEAD else None
    return int(next(group for group in found.groups() if group)) if found else None


def _rising(numbered: Sequence[tuple[int, int]]) -> set[int]:
    """Lines whose number goes on from the numbered line before, or on which the next one goes on."""
    steps = [(first, second) for (first, one), (second, other) in pairwise(numbered) if other - one == 1]
    return {index for step in steps for index in step}


def _spot(lines: Sequence[str], index: int) -> list[int]:
    """The number's line and the nearest line with text on either side, at most two lines away."""
    near = [
        next((at for at in reach if 0 <= at < len(lines) and lines[at].strip()), None)
        for reach in (range(index - 1, index - 3, -1), range(index + 1, index + 3))
    ]
    return sorted({index, *(at for at in near if at is not None)})


def _with_blanks(lines: Sequence[str], spot: Sequence[int]) -> list[int]:
    first, last = spot[0], spot[-1]
    while first > 0 and not lines[first - 1].strip():
        first -= 1
    while last + 1 < len(lines) and not lines[last + 1].strip():
        last += 1
    return list(range(first, last + 1))


def _breaks_a_sentence(lines: Sequence[str], spot: Sequence[int]) -> bool:
    before = lines[spot[0] - 1].rstrip() if spot[0] else ""
    after = lines[spot[-1] + 1].lstrip() if spot[-1] + 1 < len(lines) else ""
    return bool(before and after and (before[-1].isalpha() or before[-1] in ",;-") and after[0].islower())


def pages_rule() -> Rule:
    """The rule for the pages of scanned books."""
    trace = r"(?m)^\W{0,3}(?:p\S{0,6}[ \t]*)?\d{1,4}\W{0,3}$|^[ \t]*\d{1,4}[ \t]|[ \t]\d{1,4}[ \t]*$|\[(?:Pg|P.g)|\{p"
    return Rule("clean.pages", trace, remove_pages)
