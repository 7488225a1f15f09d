"""The tensors of one pass: a flat stream of tokens, who attends to whom, and what is predicted where.

The nodes of a pass stand one after the other in depth-first order, so everything below a node is one range of the
stream. Attention then is a list of blocks, each a slice of queries against a slice of keys:

* every node against itself, causally (`Run`; neighbours of equal length are one batch);
* everything below a node against that node, without a mask (`Rectangle`);
* the whole pass against the trunks it hangs from, without a mask.

No mask of the size of the stream ever exists, and no token is padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor

from atanor.compute.forest import Forest, WeightedTokens
from atanor.compute.schedule import Pass


@dataclass(frozen=True)
class Run:
    """`count` neighbouring nodes of `length` tokens from place `start`, each causal in itself."""

    start: int
    length: int
    count: int

    @property
    def end(self) -> int:
        return self.start + self.length * self.count


@dataclass(frozen=True)
class Rectangle:
    """Queries [query_start, query_end) see all keys [key_start, key_end)."""

    query_start: int
    query_end: int
    key_start: int
    key_end: int


@dataclass(frozen=True)
class Segment:
    """A node: its range of the stream, those of its ancestors in the pass, root first, and what it is of the rows.

    Attributes:
        position: of its first token from the root.
        rows: that pass through it.
    """

    start: int
    end: int
    ancestors: tuple[tuple[int, int], ...]
    position: int
    rows: tuple[int, ...]


KeyValue = tuple[Tensor, Tensor]


class QueryKeyValue(NamedTuple):
    """What attention computes on: query (1, heads, N, d); key and value (1, groups, N, d), heads = n * groups."""

    query: Tensor
    key: Tensor
    value: Tensor


@dataclass
class Layout:
    """One pass as tensors. N tokens, U places that predict something, E predictions.

    Attributes:
        tokens_N: token ids.
        positions_N: position of each from its root.
        runs, rectangles: the attention blocks.
        segments: the same by node, for attention that has to see all its keys at once.
        depth: longest path in tokens, trunks included.
        places_U: places of the stream that predict a supervised token.
        index_E: which of the U places a prediction is made at.
        targets_E: the token predicted.
        weights_E: its loss weight; on joint predictions the sum of the rows'.
        owners: (rows, predictions) such that row owners[0][i] makes prediction owners[1][i].
        owned_O: for each of these pairs the position in the row of the token predicted.
        trunks: for each layer the keys and values of the trunks above, oldest first; each (1, heads, T, d).
        masks: block masks made of this layout, by window.
        captured: filled by attention with each layer's keys and values if not None.
    """

    tokens_N: Tensor
    positions_N: Tensor
    runs: tuple[Run, ...]
    rectangles: tuple[Rectangle, ...]
    segments: tuple[Segment, ...]
    depth: int
    places_U: Tensor
    index_E: Tensor
    targets_E: Tensor
    weights_E: Tensor
    owners: tuple[Tensor, Tensor]
    owned_O: Tensor
    trunks: dict[int, list[KeyValue]] = field(default_factory=dict)
    masks: dict[int | None, Any] = field(default_factory=dict)
    captured: dict[int, KeyValue] | None = None


def lay_out(forest: Forest, part: Pass, rows: Sequence[WeightedTokens], device: torch.device) -> Layout:
    """The tensors of one pass over a forest of `rows`."""
    ranges = _ranges(forest, part)
    tokens = [token for node in part.nodes for token in forest.nodes[node].tokens]
    positions = [forest.nodes[node].start + i for node in part.nodes for i in range(len(forest.nodes[node].tokens))]
    predictions = _Predictions()
    for node in part.nodes:
        predictions.add(forest, node, ranges[node][0], rows)
    index, targets, weights, places = predictions.columns()
    return Layout(
        tokens_N=torch.tensor(tokens, device=device),
        positions_N=torch.tensor(positions, device=device),
        runs=_runs(part, ranges),
        rectangles=_rectangles(forest, part, ranges),
        segments=_segments(forest, part, ranges),
        depth=max(positions) + 1,
        places_U=torch.tensor(places, dtype=torch.long, device=device),
        index_E=torch.tensor(index, dtype=torch.long, device=device),
        targets_E=torch.tensor(targets, dtype=torch.long, device=device),
        weights_E=torch.tensor(weights, dtype=torch.float64).to(device),
        owners=(
            torch.tensor([row for row, _ in predictions.owners], dtype=torch.long, device=device),
            torch.tensor([number for _, number in predictions.owners], dtype=torch.long, device=device),
        ),
        owned_O=torch.tensor(predictions.owned, dtype=torch.long, device=device),
    )


def cells_filled(layout: Layout, prompts: Sequence[tuple[int, ...]], width: int) -> tuple[Tensor, Tensor, Tensor]:
    """(place in the stream, row, column) of every cell of a cache that a pass fills."""
    cells = [
        (place, row, width - (len(prompts[row]) - 1) + segment.position + place - segment.start)
        for segment in layout.segments
        for row in segment.rows
        for place in range(segment.start, segment.end)
    ]
    place, row, column = torch.tensor(cells, device=layout.tokens_N.device).T
    return place, row, column


class _Predictions:
    """Collects what the places of a stream predict; equal predictions at one place become one."""

    def __init__(self) -> None:
        self.numbers: dict[tuple[int, int], int] = {}
        self.weights: list[float] = []
        self.owners: list[tuple[int, int]] = []
        self.owned: list[int] = []

    def add(self, forest: Forest, node: int, start: int, rows: Sequence[WeightedTokens]) -> None:
        here = forest.nodes[node]
        for row in here.rows:
            tokens, weights = rows[row].tokens, rows[row].weights
            stop = min(here.start + len(here.tokens), len(tokens) - 1)
            for position in range(here.start, stop):
                if weights[position + 1] > 0:
                    key = (start + position - here.start, tokens[position + 1])
                    number = self.numbers.setdefault(key, len(self.weights))
                    if number == len(self.weights):
                        self.weights.append(0.0)
                    self.weights[number] += weights[position + 1]
                    self.owners.append((row, number))
                    self.owned.append(position + 1)

    def columns(self) -> tuple[list[int], list[int], list[float], list[int]]:
        places = sorted({place for place, _ in self.numbers})
        rank = {place: number for number, place in enumerate(places)}
        return [rank[place] for place, _ in self.numbers], [t for _, t in self.numbers], self.weights, places


def _ranges(forest: Forest, part: Pass) -> dict[int, tuple[int, int]]:
    ranges: dict[int, tuple[int, int]] = {}
    place = 0
    for node in part.nodes:
        ranges[node] = (place, place + len(forest.nodes[node].tokens))
        place = ranges[node][1]
    return ranges


def _runs(part: Pass, ranges: dict[int, tuple[int, int]]) -> tuple[Run, ...]:
    runs: list[Run] = []
    for node in part.nodes:
        start, end = ranges[node]
        if runs and runs[-1].length == end - start:
            runs[-1] = Run(runs[-1].start, runs[-1].length, runs[-1].count + 1)
        else:
            runs.append(Run(start, end - start, 1))
    return tuple(runs)


def _rectangles(forest: Forest, part: Pass, ranges: dict[int, tuple[int, int]]) -> tuple[Rectangle, ...]:
    found = []
    for node in part.nodes:
        start, end = ranges[node]
        below = forest.nodes[node].size - len(forest.nodes[node].tokens) if not part.branches else 0
        if below:
            found.append(Rectangle(end, end + below, start, end))
    return tuple(found)


def _segments(forest: Forest, part: Pass, ranges: dict[int, tuple[int, int]]) -> tuple[Segment, ...]:
    found = []
    for node in part.nodes:
        above = [ranges[other] for other in forest.path(node)[:-1] if other in ranges]
        here = forest.nodes[node]
        found.append(Segment(*ranges[node], tuple(above), here.start, here.rows))
    return tuple(found)
