"""Single items to read: the largest gains and losses side by side, and all of them behind a filter."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import takewhile

from atanor.evaluate.html.words import ItemOutcome, gain, outcome_mark, outcome_of
from atanor.evaluate.items import Comparison
from atanor.evaluate.report import Report, ReportItem
from atanor.page import figures
from atanor.page.markup import Content, Markup, join, tag

SHOWN = 4
"""Largest gains and largest losses laid open; the browser has every item."""

SNIPPET = 140
_WORDS = re.compile(r"\s*\S+|\s+$")
"""A word with the space before it."""


@dataclass(frozen=True)
class Reading:
    """The items of a report with what is needed to lay them out.

    Attributes:
        items: all test items.
        metrics: the comparisons that score single items of the test.
        skip: length of what all prompts begin with (an instruction), which says nothing in a list.
    """

    items: Sequence[ReportItem]
    metrics: Sequence[Comparison]
    skip: int

    @classmethod
    def of(cls, report: Report) -> Reading:
        scored = {name for item in report.items for name in (*item.baseline_scores, *item.candidate_scores)}
        metrics = [found for found in report.comparisons if found.metric in scored]
        return cls(report.items, metrics, _shared([item.prompt for item in report.items]))

    def gain(self, item: ReportItem, found: Comparison) -> float:
        """How much better the candidate did on an item."""
        return gain(item.baseline_scores.get(found.metric), item.candidate_scores.get(found.metric), found)

    def outcome(self, item: ReportItem, found: Comparison) -> ItemOutcome:
        return outcome_of(self.gain(item, found))

    def snippet(self, item: ReportItem) -> str:
        """The beginning of what sets this item apart, on one line."""
        text = " ".join((item.prompt[self.skip :] or item.prompt or item.reference).split())
        return text if len(text) <= SNIPPET else text[: SNIPPET - 1] + "…"


def _shared(prompts: Sequence[str]) -> int:
    """Length of the whole lines that all prompts begin with."""
    if len(prompts) < 2:
        return 0
    # What the first and the last in order share, all between them share too.
    pairs = zip(min(prompts), max(prompts), strict=False)
    alike = "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return alike.rfind("\n") + 1


@dataclass(frozen=True)
class _Side:
    """Gains or losses: heading, what is said when there are none, and which outcome counts."""

    title: str
    none: str
    outcome: ItemOutcome


def best_and_worst(reading: Reading) -> Markup:
    """The largest gains and the largest losses on the first metric."""
    if not reading.metrics:
        return tag("p", "No metric scores single items.", class_="absent")
    first = reading.metrics[0]
    sides = [
        _Side("Largest gains", f"The candidate did better on no item, by {first.label}.", ItemOutcome.WIN),
        _Side("Largest losses", f"The candidate did worse on no item, by {first.label}.", ItemOutcome.LOSS),
    ]
    found = [(side, _extremes(reading, first, side.outcome)) for side in sides]
    if all(items for _, items in found):
        columns = [tag("div", tag("h3", side.title), _cards(reading, items)) for side, items in found]
        return tag("div", columns, class_="columns")
    return join(_alone(reading, side, items) for side, items in found)


def browser(reading: Reading) -> Markup:
    """Every item, closed; the filter appears only where its script runs."""
    if not reading.items:
        return tag("p", "There are no test items.", class_="absent")
    entries = [_entry(reading, number, item) for number, item in enumerate(reading.items, 1)]
    return join(_filter(reading), tag("div", entries, id="items"))


def _extremes(reading: Reading, first: Comparison, wanted: ItemOutcome) -> list[ReportItem]:
    """Items of one outcome, the most telling first; where the first metric ties, the next ones decide."""

    def rank(item: ReportItem) -> list[float]:
        gains = [reading.gain(item, found) for found in reading.metrics]
        sign = -1 if wanted is ItemOutcome.WIN else 1
        return [math.inf if math.isnan(value) else sign * value for value in gains]

    return sorted((item for item in reading.items if reading.outcome(item, first) is wanted), key=rank)[:SHOWN]


def _alone(reading: Reading, side: _Side, items: Sequence[ReportItem]) -> Markup:
    """One side when the other is empty: it has the whole width."""
    if not items:
        return join(tag("h3", side.title), tag("p", side.none, class_="absent"))
    return join(tag("h3", side.title), tag("div", _cards(reading, items), class_="columns"))


def _cards(reading: Reading, items: Sequence[ReportItem]) -> list[Markup]:
    return [tag("article", _body(reading, item), class_="card", aria_label=reading.snippet(item)) for item in items]


def _entry(reading: Reading, number: int, item: ReportItem) -> Markup:
    outcomes = [reading.outcome(item, found) for found in reading.metrics]
    scores = [
        tag("span", _short_scores(item, found), class_="num", hidden=at > 0, data_metric=at)
        for at, found in enumerate(reading.metrics)
    ]
    marks = [tag("span", outcome_mark(one), hidden=at > 0, data_metric=at) for at, one in enumerate(outcomes)]
    summary = tag(
        "summary",
        tag("span", str(number), class_="number num"),
        tag("span", marks, class_="sign-of-item"),
        tag("span", reading.snippet(item), class_="snippet", dir="auto"),
        tag("span", scores, class_="scores"),
    )
    return tag("details", summary, _body(reading, item), class_="item", data_outcomes=" ".join(outcomes))


def _short_scores(item: ReportItem, found: Comparison) -> str:
    before, after = item.baseline_scores.get(found.metric), item.candidate_scores.get(found.metric)
    return f"{figures.score(before)} → {figures.score(after)}"


def _body(reading: Reading, item: ReportItem) -> Markup:
    prompt = _said("Prompt", item.prompt, "prompt") if item.prompt else None
    right = [item.reference, *item.also_right]
    if item.baseline_answer is None and item.candidate_answer is None:
        texts = join(prompt, _said("Reference", item.reference, "reference"))
    else:
        answers = [
            _said("Base", item.baseline_answer, "base", same=item.baseline_answer in right),
            _said("Candidate", item.candidate_answer, "tuned", same=item.candidate_answer in right),
        ]
        references = [
            _said("Also right" if place else "Reference", text, "reference") for place, text in enumerate(right)
        ]
        texts = join(prompt, *references, tag("div", answers, class_="answers"), _word_by_word(item))
    learned = " · stands in the training rows" if item.learned else None
    named = tag("p", "item ", tag("code", item.id), learned, class_="id")
    return tag("div", texts, _scores(reading, item), named, class_="body")


def _word_by_word(item: ReportItem) -> Markup | None:
    """What the candidate's answer has beside the base's and what it lacks; None where there is nothing to see."""
    before, after = item.baseline_answer, item.candidate_answer
    if not before or not after or before == after:
        return None
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    parts: list[Content] = []
    for kind, start, end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append("".join(new[new_start:new_end]))
            continue
        parts.append(tag("del", "".join(old[start:end])) if start < end else None)
        parts.append(tag("ins", "".join(new[new_start:new_end])) if new_start < new_end else None)
    summary = tag("summary", "From base to candidate, word by word")
    return tag("details", summary, tag("pre", parts, dir="auto"), class_="difference")


def _said(name: str, text: str | None, style: str, *, same: bool = False) -> Markup:
    """A text somebody wrote, under who it was; never interpreted, only shown."""
    if text is None:
        shown = tag("p", "not generated", class_="absent")
    elif not text.strip():
        shown = tag("p", "(empty)", class_="absent")
    else:
        shown = tag("pre", text, dir="auto")
    equal = tag("span", " = reference", class_="equal") if same else None
    return tag("div", tag("p", name, equal, class_="who"), shown, class_=f"said {style}")


def _scores(reading: Reading, item: ReportItem) -> Markup | None:
    if not reading.metrics:
        return None
    rows = [
        tag(
            "tr",
            tag("th", found.label, scope="row"),
            tag("td", figures.score(item.baseline_scores.get(found.metric)), class_="num"),
            tag("td", figures.score(item.candidate_scores.get(found.metric)), class_="num"),
            tag("td", outcome_mark(reading.outcome(item, found))),
        )
        for found in reading.metrics
    ]
    columns = [tag("th", name, scope="col", class_="num") for name in ("base", "candidate")]
    head = tag("tr", tag("td"), columns, tag("td"))
    caption = tag("caption", "Scores of this item", class_="unseen")
    return tag("table", caption, tag("thead", head), tag("tbody", rows), class_="item-scores")


def _filter(reading: Reading) -> Markup:
    metrics = [tag("option", found.label, value=at) for at, found in enumerate(reading.metrics)]
    outcomes = [
        tag("option", text, value=value)
        for value, text in (("", "all"), ("win", "wins"), ("loss", "losses"), ("tie", "ties"), ("unscored", "unscored"))
    ]
    total = len(reading.items)
    return tag(
        "form",
        tag("label", "Metric ", tag("select", metrics, name="metric")) if metrics else None,
        tag("label", "Show ", tag("select", outcomes, name="outcome")) if metrics else None,
        tag("label", "Text ", tag("input", type="search", name="text", placeholder="in prompts and answers")),
        tag("output", f"{total} of {total}", aria_live="polite"),
        id="filter",
        role="search",
        aria_label="Filter the items",
        hidden=True,
    )
