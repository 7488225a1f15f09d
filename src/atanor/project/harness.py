"""Tasks of the lm-evaluation-harness asked of a candidate and of its base: what changed, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch

from atanor.compute import device_name
from atanor.errors import MissingExtraError, Problem
from atanor.evaluate.comparison import decide
from atanor.evaluate.items import Verdict
from atanor.models import BaseReference, load_base, resolve_base
from atanor.progress import Progress
from atanor.project.candidates import load_candidate
from atanor.project.file import LoadedProject
from atanor.store import CandidateRecord, Store

MARGIN = 0.02
"""Smallest change of interest of a share; of another score this share of the base's."""


@dataclass(frozen=True)
class HarnessAsked:
    """What is asked; see `atanor.evaluate.harness.HarnessTasks`."""

    tasks: tuple[str, ...]
    include: Path | None = None
    limit: int | None = None
    shots: int | None = None
    chat: bool = False


@dataclass(frozen=True)
class HarnessChange:
    """One metric of one task, the candidate beside its base.

    Attributes:
        task, metric: names, as the harness has them.
        higher_is_better: the metric's direction.
        items: documents that were asked.
        base, candidate: scores.
        change, low, high: candidate minus base with its interval, which is unbounded with too few items.
        margin: smallest change of interest.
        verdict: what follows.
    """

    task: str
    metric: str
    higher_is_better: bool
    items: int
    base: float
    candidate: float
    change: float
    low: float
    high: float
    margin: float
    verdict: Verdict


def run_harness(
    loaded: LoadedProject, candidate: CandidateRecord, asked: HarnessAsked, progress: Progress
) -> list[HarnessChange]:
    """Ask the base and the candidate the same tasks.

    Args:
        loaded: the project.
        candidate: which; not a classifier.
        asked: tasks and how they are put.
        progress: shown what is asked.

    Raises:
        MissingExtraError: the harness is not installed.
        ConfigurationError: there is no such task, or its data cannot be had.
        BaseModelError: the base is gone or has changed, or the candidate is a classifier.
    """
    if find_spec("lm_eval") is None:
        fix = "Run `python -m pip install 'atanor[harness]'`"
        raise MissingExtraError("the harness needs the `lm_eval` package", [Problem("it is not installed", fix=fix)])
    from atanor.evaluate.harness import HarnessModel, HarnessTasks, Measured, ask_harness

    options = loaded.file.roles[candidate.role].evaluate
    tasks = HarnessTasks(asked.tasks, asked.include, asked.limit, asked.shots, asked.chat, loaded.file.seed)
    store = Store(loaded.root)
    base, model, description = load_candidate(store, candidate, loaded.root, progress)
    after: Sequence[Measured] = ask_harness(HarnessModel(base, model, progress, candidate.id), tasks)
    del base, model  # before the base is loaded once more, without what was trained
    alone = load_base(
        resolve_base(BaseReference.parse(description.base), loaded.root, progress),
        dtype=getattr(torch, description.precision),
        device=device_name(),
    )
    before = ask_harness(HarnessModel(alone, alone.model, progress, "base"), tasks)
    found = []
    for one, other in zip(before, after, strict=True):
        change = one.change_to(other, confidence=options.confidence, resamples=options.resamples, seed=loaded.file.seed)
        share = bool((one.values[:, 1] == 1).all()) and 0 <= change.baseline <= 1
        margin = MARGIN if share else MARGIN * abs(change.baseline)
        verdict = decide(
            change.change,
            change.interval.low,
            change.interval.high,
            margin,
            one.higher_is_better,
            p_value=change.p_value,
            confidence=options.confidence,
        )
        found.append(
            HarnessChange(
                task=one.task,
                metric=one.metric,
                higher_is_better=one.higher_is_better,
                items=len(one.items),
                base=change.baseline,
                candidate=change.candidate,
                change=change.change,
                low=change.interval.low,
                high=change.interval.high,
                margin=margin,
                verdict=verdict,
            )
        )
    return found
