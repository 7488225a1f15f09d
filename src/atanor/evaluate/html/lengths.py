"""How long the answers of base and candidate are."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from atanor.evaluate.report import ReportItem
from atanor.page.bars import Bins, bin_edges, two_histograms
from atanor.page.chart import BASE, LEFT, RIGHT, TUNED, WIDTH, drawing, figure, legend
from atanor.page.markup import Markup, tag
from atanor.page.scale import linear


def answer_lengths(items: Sequence[ReportItem]) -> Markup:
    """A histogram of both candidates' answers; a sentence where no answer was asked for."""
    before = [len(item.baseline_answer) for item in items if item.baseline_answer is not None]
    after = [len(item.candidate_answer) for item in items if item.candidate_answer is not None]
    if not before and not after:
        return tag("p", "No metric asked for answers, so none were generated.", class_="absent")
    x = linear([0.0, *map(float, before), *map(float, after)], LEFT, WIDTH - RIGHT, steps=6)
    shapes = two_histograms(Bins(bin_edges(x, 14), x), [(BASE, before), (TUNED, after)], "characters", "answers")
    references = [len(item.reference) for item in items]
    middles = ", ".join(
        f"{name} {median(lengths):,.0f}"
        for name, lengths in (("base", before), ("candidate", after), ("references", references))
        if lengths
    )
    caption = f"Length of the answers in characters. Medians: {middles}."
    return figure(caption, legend(BASE, TUNED), drawing("lengths", caption, shapes))
