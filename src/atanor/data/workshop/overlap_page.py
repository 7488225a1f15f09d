"""The part of a dataset's page about contamination: which held-out rows stand in the training rows, and where."""

from __future__ import annotations

from atanor.data.workshop.overlap import Contaminated, OverlapReport
from atanor.errors import shorten
from atanor.page import Markup, join, tag
from atanor.page.layout import scrolling

_SHOWN = 20
_CHARACTERS = 200
_KINDS = {"exact": "word for word", "near": "nearly the same", "ngram": "a run of words in common"}


def overlap_part(report: OverlapReport) -> Markup:
    """How many held-out rows were found in training, and the first of them beside what they stand in."""
    looked = f"{report.items:,} held-out rows were looked for in {report.rows:,} training rows"
    if not report.found:
        return tag("p", f"{looked}; none is there, whole, nearly or as a run of 13 words.")
    told = ", ".join(f"{count:,} {_KINDS[kind]}" for kind, count in report.counts.items() if count)
    head = [tag("th", name, scope="col") for name in ("held-out row", "overlap", "training row")]
    caption = "A verdict on these rows says less: what the model was trained on is no test."
    more = len(report.found) - _SHOWN
    return join(
        tag("p", f"{looked}; {len(report.found):,} are there: {told}."),
        scrolling("Contaminated rows", caption, head, [_row(one) for one in report.found[:_SHOWN]]),
        tag("p", f"… and {more:,} more; `atanor data contamination --json` has all.") if more > 0 else None,
    )


def _row(one: Contaminated) -> Markup:
    measured = f"{one.similarity:.0%} alike" if one.similarity is not None else f"{one.share:.0%} covered"
    return tag(
        "tr",
        tag("td", tag("code", one.test), tag("p", shorten(one.test_text, _CHARACTERS))),
        tag("td", f"{_KINDS[one.kind]}, {measured}"),
        tag("td", tag("code", one.train), tag("p", shorten(one.run or one.train_text, _CHARACTERS))),
    )
