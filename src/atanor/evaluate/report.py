"""The report of one run: everything a reader needs to believe or doubt the verdict, as one serialisable value."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from atanor.evaluate.contamination.leaks import ContaminationSection
from atanor.evaluate.items import Comparison, GateResult, Verdict


class ReportItem(BaseModel):
    """One test item with both answers and its score on every metric, for the item browser.

    A `learned` one stands in the training rows: see `Report.contamination`. An answer that was chosen among some has a
    probability, its `confidence`.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    prompt: str
    reference: str
    baseline_answer: str | None
    candidate_answer: str | None
    baseline_scores: dict[str, float | None]
    candidate_scores: dict[str, float | None]
    baseline_confidence: float | None = None
    candidate_confidence: float | None = None
    also_right: list[str] = []
    learned: bool = False


class DataSection(BaseModel):
    """What was trained and tested on, counted.

    `read + added == used + refused + left_out + duplicates + joined`: rows added are further examples of one row, of
    them `augmented` by augmentation; rows joined are parts of another's. `dataset` is the name `atanor data show`
    knows; `changed` rows were mended. `licences` has those that the project states, by source.
    """

    model_config = ConfigDict(frozen=True)

    sources: list[str]
    dataset_sha: str
    split_sha: str
    read: int
    used: int
    refused: int
    left_out: int
    duplicates: int
    train: int
    validation: int
    test: int
    tokens: int
    supervised_tokens: int
    longest: int
    context: int
    truncated: int
    quarantine: str | None
    dataset: str = ""
    changed: int = 0
    added: int = 0
    augmented: int = 0
    joined: int = 0
    split: int = 0
    near_duplicates: int = 0
    notes: list[str] = []
    licences: dict[str, str] = {}


class TrainingSection(BaseModel):
    """How the candidate was made; what was predicted of time and memory stands beside what was measured."""

    model_config = ConfigDict(frozen=True)

    method: str
    settings: dict[str, Any]
    trainable_parameters: int
    total_parameters: int
    precision: str
    steps: int
    best_step: int
    seconds: float
    logical_tokens: int
    executed_tokens: int
    peak_memory_bytes: int
    predicted_seconds: float | None = None
    predicted_memory_bytes: int | None = None
    ended: str | None = None
    train_loss: list[tuple[int, float]]
    validation_loss: list[tuple[int, float]]


class ProbeSection(BaseModel):
    """What probes found beside the role's task: a title, what was measured, and the changes from the base."""

    model_config = ConfigDict(frozen=True)

    title: str
    about: list[str]
    comparisons: list[Comparison]


class Report(BaseModel):
    """One candidate against the baseline, on frozen test items."""

    model_config = ConfigDict(frozen=True)

    project: str
    role: str
    run: str
    goal: str
    base: str
    base_sha: str
    base_licence: str | None
    candidate: str
    created: str
    verdict: Verdict
    headline: str
    confidence: float
    comparisons: list[Comparison]
    gates: list[GateResult]
    released: str | None
    data: DataSection
    training: TrainingSection | None
    items: list[ReportItem]
    project_file: str
    versions: dict[str, str]
    notes: list[str]
    parent: str | None = None
    test_shows: list[str] = []
    looks: int = 1
    contamination: ContaminationSection | None = None
    sections: list[ProbeSection] = []
