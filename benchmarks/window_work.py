"""What one optimizer step has to compute: tokens, attention pairs and predictions of a window of rows."""

from __future__ import annotations

from collections.abc import Sequence

from atanor.compute.forest import Forest, WeightedTokens, grow
from atanor.train import PreferencePair
from benchmarks.flops import Counts, ModelShape, scoring_flops, training_flops


def counts_of(rows: Sequence[WeightedTokens], groups: Sequence[int] | None = None) -> Counts:
    """Count a window, or groups of rows that share no prediction with others (preference pairs).

    What rows share is counted once, as it is computed.
    """
    forest = grow(rows, groups=groups)
    places = [place for node in forest.nodes for place in range(node.start, node.start + len(node.tokens))]
    predicting = _predicting(forest, rows)
    return Counts(
        executed=len(places),
        pairs=sum(places) + len(places),
        predicting=len(predicting),
        predicting_pairs=sum(predicting) + len(predicting),
    )


def _predicting(forest: Forest, rows: Sequence[WeightedTokens]) -> list[int]:
    """Position from its root of every place of the forest that predicts a supervised token."""
    return [
        place
        for node in forest.nodes
        for place in range(node.start, node.start + len(node.tokens))
        if any(place + 1 < len(rows[row].weights) and rows[row].weights[place + 1] > 0 for row in node.rows)
    ]


def logical_tokens(rows: Sequence[WeightedTokens]) -> int:
    """Tokens as the rows are written."""
    return sum(len(row.tokens) for row in rows)


def row_figures(rows: Sequence[WeightedTokens], shape: ModelShape) -> dict[str, int]:
    """What a step on rows costs, for its result."""
    counts = counts_of(rows)
    flops = training_flops(shape, counts).total
    return {"logical": logical_tokens(rows), "executed": counts.executed, "flops": flops}


def preference_figures(pairs: Sequence[PreferencePair], shape: ModelShape) -> dict[str, int]:
    """What a step on preference pairs costs: training on both answers, and the reference's likelihoods of both.

    Logical tokens are those of both rows of each pair, once; executed ones are those of the trained model.
    """
    rows = [row for pair in pairs for row in (pair.chosen, pair.rejected)]
    policy = counts_of(rows, [number for number, _ in enumerate(pairs) for _ in range(2)])
    reference = counts_of(rows)
    return {
        "logical": logical_tokens(rows),
        "executed": policy.executed,
        "reference_executed": reference.executed,
        "flops": training_flops(shape, policy).total + scoring_flops(shape, reference).total,
    }
