"""How many new examples each row is asked for: so many a row, more for small classes, at most so many in all."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from random import Random

from atanor.data.rows import Example
from atanor.errors import DataError, Problem


def plan(
    examples: Sequence[Example], per_row: Sequence[int], *, balance: bool, limit: int | None, rng: Random
) -> list[list[int]]:
    """The number asked for each technique and row.

    Args:
        examples: the rows.
        per_row: for each technique how many it makes of a row on average.
        balance: give the small classes more, so that sizes come as near to each other as the total allows. Rows without
            a label are a class of their own.
        limit: the most in all; the techniques share it in proportion.
        rng: draws the rows where not all get the same.

    Returns:
        For each technique one count a row.

    Raises:
        DataError: `balance` is set and no row has a label.
    """
    if balance and examples and all(example.label is None for example in examples):
        fix = "Set `balance: false`, or name the column of the class so that the rows have a label"
        raise DataError(
            "classes cannot be balanced", [Problem("no training row has a label", field="augment.balance", fix=fix)]
        )
    totals = [count * len(examples) for count in per_row]
    if limit is not None and sum(totals) > limit:
        totals = _in_proportion(totals, limit)
    rows: defaultdict[str | None, list[int]] = defaultdict(list)
    for index, example in enumerate(examples):
        rows[example.label if balance else None].append(index)
    sizes = {label: len(indices) for label, indices in rows.items()}
    planned = []
    for total in totals:
        shares = _filled(sizes, total)
        asked = [0] * len(examples)
        for label, share in shares.items():
            for index in _drawn(rows[label], share, rng):
                asked[index] += 1
            sizes[label] += share
        planned.append(asked)
    return planned


def _filled(sizes: Mapping[str | None, int], total: int) -> dict[str | None, int]:
    """`total` poured over the classes so that the smallest rise first, as water fills a basin."""
    shares: Counter[str | None] = Counter()
    order = sorted(sizes, key=lambda label: (sizes[label], label or ""))
    left = total
    for number, label in enumerate(order, start=1):
        if number == len(order):
            break
        step = min(sizes[order[number]] - sizes[label], left // number)
        for below in order[:number]:
            shares[below] += step
        left -= step * number
    level, rest = divmod(left, len(order)) if order else (0, 0)
    for place, label in enumerate(order):
        shares[label] += level + (place < rest)
    return dict(shares)


def _drawn(rows: Sequence[int], count: int, rng: Random) -> list[int]:
    """`count` rows: each as often as the next, the remainder drawn."""
    every, rest = divmod(count, len(rows))
    return [*(index for index in rows for _ in range(every)), *rng.sample(rows, rest)]


def _in_proportion(totals: Sequence[int], limit: int) -> list[int]:
    """The totals scaled down to `limit` in all; the largest remainders are rounded up."""
    every = sum(totals)
    shares = [total * limit // every for total in totals]
    remainders = sorted(range(len(totals)), key=lambda index: (-(totals[index] * limit % every), index))
    for index in remainders[: limit - sum(shares)]:
        shares[index] += 1
    return shares
