"""Look for places in a batch of texts: a scan of the whole batch in C++ first, exact Python on the few that are left.

Nearly every text has nothing to find, so the batch meets one RE2 expression that joins the prefilters of all rules;
a text that passes meets each prefilter alone, and only then a rule's own search in Python.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from atanor.data.checks.masking import mask, unmasked_place
from atanor.data.findings import Finding

if TYPE_CHECKING:
    import pyarrow as pa

MOST_ROUNDS: Final = 10
"""Times a text is searched again with its findings masked. A mask shortens the way to a word such as `phone`, so what
was too far from it may come near, but never more often than masks fit into the characters that count as near."""

SHOWN: Final = 4
"""Characters of a finding that are shown."""

Span = tuple[int, int]
"""First character of a place and the character after its last one."""

Places = Callable[[str], Iterator[Span]]
"""An exact search: the places of a text, from left to right or at least so that the better ones come first."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing to look for.

    Attributes:
        name: dotted name for findings, as `personal_data.email`.
        prefilter: RE2 expression that matches every text in which `places` finds something.
        places: the exact search.
        reason: what is wrong with a text that has such a place, one sentence without a full stop.
        fix: what a person should do, in the imperative.
        mask: what is written over a place.
    """

    name: str
    prefilter: str
    places: Places
    reason: str
    fix: str
    mask: str


def scan(texts: pa.StringArray, rules: Sequence[Rule]) -> list[Finding]:
    """Everything the rules find, in the order of texts and places; no two findings of a text overlap.

    Masking the findings of a text leaves nothing that the same rules find.

    Args:
        texts: any number of texts; a null has no findings.
        rules: the surest first: where two find overlapping places, the earlier rule has it.
    """
    import pyarrow as pa

    found = _scan_once(texts, rules)
    again = list(found)
    for _ in range(MOST_ROUNDS):
        originals = texts.take(pa.array(again, pa.int64())).to_pylist()
        masked = pa.array([mask(text, found[index]) for index, text in zip(again, originals, strict=True)], pa.string())
        more = _scan_once(masked, rules)
        for place, new in more.items():
            found[again[place]] = _with_more(found[again[place]], new, originals[place])
        again = [again[place] for place in more]
    return [replace(one, text=index) for index in sorted(found) for one in found[index]]


def _scan_once(texts: pa.StringArray, rules: Sequence[Rule]) -> dict[int, list[Finding]]:
    """What the rules find by the index of the text, in order, before anything is masked."""
    import pyarrow.compute as pc

    if not rules or not len(texts):
        return {}
    prefilters = tuple(dict.fromkeys(rule.prefilter for rule in rules))
    maybe = pc.indices_nonzero(_matches(texts, "|".join(f"(?:{one})" for one in prefilters)))
    subset = texts.take(maybe)
    passed = {one: _matches(subset, one).to_pylist() for one in prefilters}
    found = {}
    for place, (index, text) in enumerate(zip(maybe.to_pylist(), subset.to_pylist(), strict=True)):
        findings = _search(text, [rule for rule in rules if passed[rule.prefilter][place]])
        if findings:
            found[index] = findings
    return found


def _search(text: str, rules: Sequence[Rule]) -> list[Finding]:
    findings: list[Finding] = []
    for rule in rules:
        for start, end in rule.places(text):
            after = bisect(findings, start, key=lambda found: found.start)
            free_left = after == 0 or findings[after - 1].end <= start
            free_right = after == len(findings) or end <= findings[after].start
            if free_left and free_right:
                place = shown(text[start:end])
                findings.insert(after, Finding(0, rule.name, start, end, place, rule.reason, rule.fix, rule.mask))
    return findings


def _with_more(findings: Sequence[Finding], more: Sequence[Finding], text: str) -> list[Finding]:
    """The findings and those of the masked text, which take in every mask they run across."""
    moved = []
    for found in more:
        start, end = unmasked_place(found.start, found.end, findings)
        moved.append(replace(found, start=start, end=end, shown=shown(text[start:end])))
    kept = [one for one in findings if all(one.end <= new.start or new.end <= one.start for new in moved)]
    return sorted((*kept, *moved), key=lambda found: found.start)


def _matches(texts: pa.StringArray, pattern: str) -> pa.BooleanArray:
    import pyarrow.compute as pc

    return pc.match_substring_regex(texts, pattern)


def shown(place: str) -> str:
    """The beginning of what was found: at most 4 characters and at most half of it."""
    return place[: min(SHOWN, len(place) // 2)] + "…"
