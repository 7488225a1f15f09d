"""A part of a role's training rows, drawn so that a smaller part lies within every larger one."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from atanor.data import Example
from atanor.errors import DataError, Problem
from atanor.project.dataset import RoleData
from atanor.train import Supervision


def with_share(data: RoleData, share: float, seed: int) -> RoleData:
    """The same data with so much of the training rows; validation and test stay.

    What belongs together (a group, a row and what augmentation made of it) comes or stays away together. Of labelled
    rows the first of every label come first, then the second, so that the classes keep their shares.

    Args:
        data: of a role.
        share: in (0, 1].
        seed: of the draw.

    Raises:
        DataError: so few rows are left that a label among which answers are chosen has none.
    """
    if share >= 1:
        return data
    training = data.training
    kept: set[str] = set()
    for cluster in _in_turn(training.examples, seed):
        if kept and len(kept) + len(cluster) / 2 > share * len(training.examples):
            break
        kept |= cluster
    examples = {name: example for name, example in training.examples.items() if name in kept}
    rows = [row for row in training.rows if row.example_id in kept]
    pairs = [pair for pair in training.pairs if pair.example_id in kept]
    left = [row for row in training.rows if row.example_id not in kept]
    section = data.section
    dropped = len(training.examples) - len(examples)
    counts = {
        "train": section.train - dropped,
        "used": section.used - dropped,
        "left_out": section.left_out + dropped,
        "tokens": section.tokens - sum(len(row.tokens) for row in left),
        "supervised_tokens": section.supervised_tokens - sum(row.supervised for row in left),
    }
    found = replace(
        data, training=Supervision(rows, pairs, examples), section=section.model_copy(update=counts), notes=()
    )
    _require_labels(data, found, share)
    return found


def _in_turn(examples: Mapping[str, Example], seed: int) -> list[set[str]]:
    """Ids of what belongs together, in the order in which it is taken."""
    clusters: dict[str, set[str]] = {}
    for name, example in examples.items():
        first = name if example.parent is None or example.parent not in examples else example.parent
        group = examples[first].group
        clusters.setdefault(first if group is None else group, set()).add(name)
    drawn = sorted(clusters, key=lambda key: hashlib.sha256(f"{seed} {key}".encode()).hexdigest())
    seen: Counter[str | None] = Counter()
    places = {}
    for number, key in enumerate(drawn):
        label = examples[min(clusters[key])].label
        places[key] = (seen[label] if label is not None else 0, number)
        seen[label] += 1
    return [clusters[key] for key in sorted(drawn, key=places.__getitem__)]


def _require_labels(whole: RoleData, part: RoleData, share: float) -> None:
    labelled = [example.label for example in whole.training.examples.values() if example.label is not None]
    if not labelled:
        return
    missing = sorted(set(labelled) - {example.label for example in part.training.examples.values()})
    if missing:
        least = len(set(labelled)) / len(whole.training.examples)
        raise DataError(
            f"{share:.3g} of the training rows are too few: {len(missing)} labels have none",
            [Problem("a label that is not learned cannot be told", value=missing[0], fix=f"Take at least {least:.2f}")],
        )
