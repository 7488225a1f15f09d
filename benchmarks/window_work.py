"""What one optimizer step has to compute: its tokens and operations."""

from __future__ import annotations

from collections.abc import Sequence

from atanor.compute import Architecture, Counts, WeightedTokens, count_window, scoring_flops, training_flops
from atanor.data import PreferencePair
from benchmarks.workloads import RANK

_UNLIMITED = 1 << 40


def counts_of(rows: Sequence[WeightedTokens], groups: Sequence[int] | None = None) -> Counts:
    """Count a window, whatever the passes it is cut into.

    Args:
        rows: of the window.
        groups: a number for each row; rows of different groups share no prediction (preference pairs).
    """
    return count_window(rows, _UNLIMITED, groups=groups, copied=0)[0]


def row_figures(rows: Sequence[WeightedTokens], model: Architecture) -> dict[str, int]:
    """What a step on rows costs, for its result."""
    counts = counts_of(rows)
    flops = training_flops(model, RANK, counts).total
    return {"logical": counts.logical, "executed": counts.executed, "flops": flops}


def preference_figures(pairs: Sequence[PreferencePair], model: Architecture) -> dict[str, int]:
    """What a step on preference pairs costs: training on both answers, and the reference's likelihoods of both.

    Logical tokens are those of both rows of each pair, once; executed ones are those of the trained model.
    """
    rows = [row for pair in pairs for row in (pair.chosen, pair.rejected)]
    policy = counts_of(rows, [number for number, _ in enumerate(pairs) for _ in range(2)])
    reference = counts_of(rows)
    return {
        "logical": policy.logical,
        "executed": policy.executed,
        "reference_executed": reference.executed,
        "flops": training_flops(model, RANK, policy).total + scoring_flops(model, reference).total,
    }
