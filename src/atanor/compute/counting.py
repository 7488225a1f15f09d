"""What training has to compute, counted in tokens before anything is computed.

A window is grown into its forest and cut into passes by the code that training itself uses (`forest`, `schedule`); what
is counted is what `window` would compute, and hold in memory while it does.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from atanor.compute.forest import Node, WeightedTokens, grow, worth_copying
from atanor.compute.schedule import Pass, plan


@dataclass(frozen=True)
class PassCount:
    """One pass at the moment all its activations are in memory.

    Attributes:
        tokens: computed in it.
        places: of them, those that predict a supervised token.
        kept_tokens, kept_places: of the trunks above whose activations wait for their backward.
        recomputed_tokens: of the trunks above that keep only keys and values and are computed again.
        collecting_tokens: of all trunks whose keys and values have a gradient now, the pass itself if it is one.
    """

    tokens: int
    places: int
    kept_tokens: int = 0
    kept_places: int = 0
    recomputed_tokens: int = 0
    collecting_tokens: int = 0

    @property
    def trunk_tokens(self) -> int:
        """Tokens of all trunks above."""
        return self.kept_tokens + self.recomputed_tokens


@dataclass(frozen=True)
class Counts:
    """What the rows of one optimizer step are made of.

    Attributes:
        logical: tokens of the rows as written.
        executed: tokens computed; what rows share counts once.
        again: of them, those computed a second time because their trunk was too long to be kept.
        supervised: tokens with a loss.
        pairs: of a query and a key it sees: for each token those before it on its path, and itself.
        places: that predict a supervised token.
        place_pairs: the pairs whose query is one of those.
    """

    logical: int
    executed: int
    again: int
    supervised: int
    pairs: int
    places: int
    place_pairs: int


def count_window(
    rows: Sequence[WeightedTokens],
    tokens_per_pass: int,
    *,
    share: bool = True,
    groups: Sequence[int] | None = None,
    copied: int | None = None,
) -> tuple[Counts, list[PassCount]]:
    """Count one window, and what is in memory pass by pass, as the engine would compute it.

    Args:
        rows: of one optimizer step.
        tokens_per_pass: most tokens of a pass.
        share: False where every row is computed on its own.
        groups: a number for each row; rows of different groups share no prediction (preference pairs).
        copied: as `forest.grow`; default: as the engine does.
    """
    copied = worth_copying(tokens_per_pass) if copied is None else copied
    forest = grow(rows, groups=groups, share=share, longest_node=None if groups else tokens_per_pass, copied=copied)
    plans = plan(forest, tokens_per_pass, groups, copied=2 * copied)
    # A place predicts the token behind it.
    predicting = [[place - 1 for place, weight in enumerate(row.weights) if place and weight > 0] for row in rows]
    places = [_places(node, predicting) for node in forest.nodes]
    cut = _Cut([len(node) for node in places], tokens_per_pass)
    passes = [count for part in plans for count in cut.in_memory(part, PassCount(0, 0))]
    counts = Counts(
        logical=sum(len(row.tokens) for row in rows),
        executed=forest.tokens,
        again=cut.again,
        supervised=sum(len(row) for row in predicting),
        pairs=sum(_pairs(node.start, len(node.tokens)) for node in forest.nodes),
        places=sum(len(node) for node in places),
        place_pairs=sum(place + 1 for node in places for place in node),
    )
    return counts, passes


class _Cut:
    """Walks the passes of a window as `window.Window.backward` does."""

    def __init__(self, places: Sequence[int], tokens_per_pass: int) -> None:
        self.places = places
        self.tokens_per_pass = tokens_per_pass
        self.again = 0

    def in_memory(self, part: Pass, above: PassCount) -> Iterator[PassCount]:
        """What is in memory in the backward of a pass, and in those of the passes that hang from it.

        Args:
            part: the pass.
            above: only its trunks are looked at.
        """
        places = sum(self.places[node] for node in part.nodes)
        here = replace(above, tokens=part.tokens, places=places)
        if not part.branches:
            yield here
            return
        below = replace(above, collecting_tokens=above.collecting_tokens + part.tokens)
        yield replace(here, collecting_tokens=below.collecting_tokens)
        if above.trunk_tokens + part.tokens <= self.tokens_per_pass:
            below = replace(below, kept_tokens=above.kept_tokens + part.tokens, kept_places=above.kept_places + places)
        else:
            below = replace(below, recomputed_tokens=above.recomputed_tokens + part.tokens)
            self.again += part.tokens
        for branch in part.branches:
            yield from self.in_memory(branch, below)


def _places(node: Node, predicting: Sequence[Sequence[int]]) -> Sequence[int]:
    """Positions from the root of the places of a node that predict a supervised token of some row."""
    end = node.start + len(node.tokens)
    lines = [predicting[row] for row in node.rows]
    spans = [line[bisect_left(line, node.start) : bisect_left(line, end)] for line in lines]
    return spans[0] if len(spans) == 1 else sorted(set().union(*spans))


def _pairs(start: int, length: int) -> int:
    """Keys seen by `length` queries that stand `start` tokens below their root."""
    return length * start + length * (length + 1) // 2
