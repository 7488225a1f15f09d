"""A candidate asked the test items in turn: it stops as soon as the role's first metric is decided.

The base is asked everything once and remembered. Items come in an order drawn by the project's seed, whole clusters at
a time, so that those of the first looks are a sample of all.
"""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from atanor.evaluate import Item, Outcome
from atanor.evaluate.items import Verdict
from atanor.evaluate.sequential import confidences_of_looks
from atanor.project.assessment import Examiner, Sat
from atanor.project.dataset import RoleData

Ask = Callable[[RoleData, str], Sat]
"""Asks a candidate the test items of a role's data; the text says which look it is."""


@dataclass(frozen=True)
class Looked:
    """What is known when the looking ends.

    Attributes:
        examiner: of the items that were asked, with the confidence that looking so often needs.
        baseline, candidate: outcomes on those items, in the order of the test.
        note: what was left out and why, in a sentence; None where everything was asked.
    """

    examiner: Examiner
    baseline: Sat
    candidate: Sat
    note: str | None = None


def look_in_turn(
    examiner: Examiner, data: RoleData, baseline: Sat, ask: Ask, *, looks: int, without: Collection[str]
) -> Looked:
    """Ask a candidate until the first metric is decided, or everything was asked.

    Args:
        examiner: of all test items.
        data: the role's.
        baseline: the base's outcomes on all test items.
        ask: asks the candidate some of them.
        looks: how often the answers are looked at, at equal steps.
        without: ids of items that do not count.
    """
    order = _in_turn(examiner.items, examiner.seed)
    # Fewer clusters than looks are looked at as often as there are clusters.
    ends = sorted({math.ceil(len(order) * look / looks) for look in range(1, looks + 1)})
    confidences = confidences_of_looks([end / len(order) for end in ends], examiner.role.evaluate.confidence)
    answers: dict[int, Outcome] = {}
    for look, (end, confidence) in enumerate(zip(ends, confidences, strict=True), 1):
        new = [number for cluster in order[:end] for number in cluster if number not in answers]
        sat = ask(
            dataclasses.replace(data, test=tuple(data.test[number] for number in new)), f", look {look} of {len(ends)}"
        )
        answers.update(zip(new, sat.test, strict=True))
        numbers = sorted(answers)
        found = Looked(
            _narrowed(examiner, numbers, confidence),
            dataclasses.replace(baseline, test=[baseline.test[number] for number in numbers]),
            dataclasses.replace(sat, test=[answers[number] for number in numbers]),
        )
        if end < len(order) and _decided(found, without):
            told = (
                f"The answers were looked at {len(ends)} times at most; at look {look}, after {len(numbers):,} of "
                f"{len(data.test):,} items, the first metric was decided and the rest was not asked. So that stopping "
                f"early fools nobody, every interval has a confidence of {confidence:.2%}."
            )
            return dataclasses.replace(found, note=told)
    return found


def _in_turn(items: Sequence[Item], seed: int) -> list[list[int]]:
    """Numbers of the items by cluster, the clusters in an order that the seed draws."""
    clusters: dict[str, list[int]] = {}
    for number, item in enumerate(items):
        clusters.setdefault(item.cluster, []).append(number)
    order = list(clusters.values())
    random.Random(seed).shuffle(order)
    return order


def _narrowed(examiner: Examiner, numbers: Sequence[int], confidence: float) -> Examiner:
    evaluate = examiner.role.evaluate.model_copy(update={"confidence": confidence})
    items = [examiner.items[number] for number in numbers]
    return dataclasses.replace(examiner, role=examiner.role.model_copy(update={"evaluate": evaluate}), items=items)


def _decided(found: Looked, without: Collection[str]) -> bool:
    learned = [item for item in found.examiner.items if item.id in without]
    if len(learned) == len(found.examiner.items):
        return False
    first = found.examiner.compare(found.baseline, found.candidate, without=without)[0]
    return first.verdict is not Verdict.CANNOT_TELL
