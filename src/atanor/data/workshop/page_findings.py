"""The part of a dataset's page about what the rules found: refused first, then changed, left out and reported."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from difflib import SequenceMatcher

from atanor.data.workshop.log import Entry, Fate
from atanor.page import Content, Markup, join, tag
from atanor.page.figures import things
from atanor.page.layout import scrolling

_SHOWN_OF_A_RULE = 5
_AROUND = 36
"""Characters shown before and after what a rule changed."""

_GROUPS = {
    Fate.REFUSED: ("Refused", "Rows that are not used because of a fault. They are kept whole, to be mended."),
    Fate.CHANGED: ("Mended", "Rows that are used otherwise than they came."),
    Fate.LEFT_OUT: ("Left out", "Rows that nobody wanted, or that were there already."),
    Fate.REPORTED: ("Reported", "Rows that are used as they are; somebody should know."),
    Fate.ADDED: ("Added", "Rows that were made here."),
    Fate.NOT_MADE: (
        "Not made",
        "Candidates of augmentation that were not good enough; the rows they were made of stay.",
    ),
}
_NAMES = {
    "near_duplicates.minhash": "near-duplicates",
    "duplicates.exact": "exact copies",
    "contradictions.label": "contradicting labels",
    "read.row": "rows that cannot be read",
    "select.limit": "more than `limit`",
}
_INVISIBLE = {" ": "␣", "\t": "⇥", "\n": "⏎", "\u00a0": "⍽"}


def found(entries: Sequence[Entry]) -> Markup:
    """Every rule with how many rows it met, and a few of them."""
    by_fate: dict[str, dict[str, list[Entry]]] = defaultdict(lambda: defaultdict(list))
    for entry in entries:
        by_fate[entry.fate][entry.rule].append(entry)
    if not by_fate:
        return tag("p", "No rule found anything.", class_="absent")
    return join(_group(fate, by_fate[fate]) for fate in _GROUPS if fate in by_fate)


def _group(fate: Fate, rules: dict[str, list[Entry]]) -> Markup:
    title, told = _GROUPS[fate]
    counted = sorted(((_rows(found), rule, found) for rule, found in rules.items()), key=lambda one: (-one[0], one[1]))
    most = counted[0][0]
    return tag(
        "div",
        tag("h3", title),
        tag("p", told, class_="absent"),
        [_rule(rule, rows, most, found) for rows, rule, found in counted],
        class_="rule-group",
    )


def _rows(entries: Sequence[Entry]) -> int:
    return len({(entry.source, entry.line, entry.row) for entry in entries})


def _rule(rule: str, rows: int, most: int, found: Sequence[Entry]) -> Markup:
    told = any(entry.fate != Fate.CHANGED for entry in found)
    names = ("row", "where", "what", "why") if told else ("row", "where", "what")
    head = [tag("th", name, scope="col") for name in names]
    lines = [
        tag(
            "tr",
            tag("td", tag("code", f"{entry.source}:{entry.line}")),
            tag("td", entry.field or "the row"),
            tag("td", _what(entry)),
            tag("td", entry.reason if entry.fix is None else f"{entry.reason}. {entry.fix}.") if told else None,
        )
        for entry in found[:_SHOWN_OF_A_RULE]
    ]
    more = len(found) - len(lines)
    caption = f"{len(lines)} of {len(found):,} places" if more > 0 else "All of them"
    bar = tag("rect", x=0, y=2, width=max(300 * rows / most, 1.0), height=10, class_="column base full")
    return tag(
        "details",
        tag(
            "summary",
            tag("b", _NAMES.get(rule, rule.replace(".", ": ").replace("_", " "))),
            tag("span", things(rows, "row"), class_="num"),
            tag("svg", bar, viewBox="0 0 300 14", aria_hidden="true", preserveAspectRatio="none"),
        ),
        scrolling(rule, caption, head, lines),
        class_="rule",
    )


def _what(entry: Entry) -> Markup | str:
    if entry.before is None:
        return "–"
    if entry.after is None:
        return tag("code", entry.before)
    return tag("code", _difference(entry.before, entry.after))


def _difference(before: str, after: str) -> Markup:
    """The text with what went struck out and what came underlined, a little of its surroundings, and spaces shown."""
    steps = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    parts: list[Content] = []
    for number, (kind, start, end, new_start, new_end) in enumerate(steps):
        last = number == len(steps) - 1
        if kind == "equal":
            parts.append(_shortened(before[start:end], first=number == 0, last=last))
        elif not last or len(steps) == 1 or kind == "replace":
            # Both texts are cut to a length, so that what one has more at its end is no difference.
            parts.append(tag("del", _seen(before[start:end])) if start < end else None)
            parts.append(tag("ins", _seen(after[new_start:new_end])) if new_start < new_end else None)
    return join(parts)


def _shortened(text: str, *, first: bool, last: bool) -> str:
    """What stays, without what is far from a change."""
    if first and len(text) > _AROUND:
        return "…" + text[-_AROUND:]
    return text[:_AROUND] + "…" if last and len(text) > _AROUND else text


def _seen(text: str) -> str:
    """White space and format characters by signs that show, where nothing else is there."""
    if text.strip() and text.isprintable():
        return text
    return "".join(_INVISIBLE.get(sign, sign if sign.isprintable() else f"U+{ord(sign):04X}") for sign in text)
