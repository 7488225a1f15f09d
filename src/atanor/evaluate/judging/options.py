"""The options of a judge, written below its metric."""

from __future__ import annotations

from pydantic import Field

from atanor.data.augmentation.options import EndpointOptions

JUDGES = ("judge", "judge_pairwise")
"""Metrics that ask a judge."""


class JudgeOptions(EndpointOptions):
    """A language model that judges answers by a rubric. Written `judge: {rubric: …, base_url: …, model: …}`."""

    rubric: str = Field(min_length=1, description="What makes an answer good, in words for the judge.")
    highest: int = Field(5, ge=2, le=10, description="Best score; the worst is 1. Not read where pairs are judged.")
    show_reference: bool = Field(True, description="Show the judge the reference beside the answer.")
    ratings: str | None = Field(
        None,
        description="File of answers that people rated, a JSON line each, on which the judge's agreement with them is "
        "measured; it widens the interval.",
    )
    temperature: float = Field(0.0, ge=0, le=2, description="Sampling temperature; 0 is greedy.")
