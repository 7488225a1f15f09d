"""The part of the page on test items that stand in the training rows: each with its row, and both numbers."""

from __future__ import annotations

from atanor.evaluate.contamination.leaks import ContaminationSection, Leak
from atanor.evaluate.html import changes
from atanor.evaluate.html.words import verdict_mark
from atanor.evaluate.items import Comparison
from atanor.page import figures
from atanor.page.layout import scrolling
from atanor.page.markup import Markup, join, tag


def contamination_part(found: ContaminationSection | None) -> Markup:
    """What was looked for where, every item found, and what the other policy would make of the verdict."""
    if found is None:
        return tag("p", "It was not looked for.", class_="absent")
    looked = f"{figures.things(found.items, 'test item')} looked for in {'; '.join(found.looked_at)}."
    unknown = [tag("p", f"{sentence}.", class_="warning", role="note") for sentence in found.unknown]
    if not found.leaks:
        return join(tag("p", f"None was found: {looked}"), *unknown)
    head = [tag("th", name, scope="col") for name in ("item", "how", "training row", "counts")]
    caption = f"{looked} One counts as learned when a row is the item or nearly, or covers most of its words."
    return join(
        scrolling("Contamination", caption, head, [_leak(leak, found) for leak in found.leaks]),
        *unknown,
        _otherwise(found),
    )


def _leak(leak: Leak, found: ContaminationSection) -> Markup:
    counts = "yes" if found.policy == "keep" or not leak.learned else "no"
    row = tag("details", tag("summary", tag("code", leak.train), f" in {leak.dataset}"), tag("pre", leak.train_text))
    return tag(
        "tr",
        tag("th", tag("code", leak.test), " ", tag("span", tag("code", leak.item), class_="under"), scope="row"),
        tag("td", leak.in_words),
        tag("td", row),
        tag("td", counts),
    )


def _otherwise(found: ContaminationSection) -> Markup | None:
    """The comparisons with the items that do not count, or without those that do."""
    if found.verdict_otherwise is None:
        return None
    how = "With" if found.policy == "exclude" else "Without"
    caption = f"{how} the {figures.things(len(found.learned), 'learned item')}, the verdict is: "
    head = [tag("th", "metric", scope="col"), *(tag("th", name, scope="col", class_="num") for name in _COLUMNS)]
    rows = [_comparison(one) for one in found.otherwise]
    return join(
        tag("p", caption, verdict_mark(found.verdict_otherwise)),
        scrolling("Otherwise", "The same comparisons on the other choice of items.", head, rows),
    )


_COLUMNS = ("base", "candidate", "change", "items")


def _comparison(found: Comparison) -> Markup:
    places = figures.decimals(found.margin)
    return tag(
        "tr",
        tag("th", found.label, scope="row"),
        tag("td", figures.score(found.baseline, places), class_="num"),
        tag("td", figures.score(found.candidate, places), class_="num"),
        tag("td", tag("b", figures.signed(found.change, places)), " ", changes.interval(found), class_="num"),
        tag("td", f"{found.items:,}", class_="num"),
    )
