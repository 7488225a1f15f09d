"""Rows of tokens stored as a forest: what rows have in common stands once.

A causal transformer computes the same hidden state for a prefix whoever shares it, so rows are merged into a compressed
trie: a node is a run of tokens, a row is a path from a root to the end of a node, and the position of a token is its
depth. A position predicts every token that some row wants after it, each with the sum of those rows' weights, so equal
rows, and rows that diverge at any token, all fit without computing a state twice. Positions after the last supervised
prediction of a row have no influence on any loss and are left out.

In the literature: prefix trees for training (Tree Training, arXiv:2511.00413; AReaL-DTA, arXiv:2602.00482).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

Key = int | tuple[int, int, int]


class WeightedTokens(Protocol):
    """What is computed on: token ids and a loss weight for predicting each."""

    @property
    def tokens(self) -> tuple[int, ...]: ...

    @property
    def weights(self) -> tuple[float, ...]: ...


class Prompt:
    """A row that predicts its last token: what stands before it is what a generation has to have read."""

    def __init__(self, tokens: tuple[int, ...]) -> None:
        self.tokens = tokens
        self.weights = (*(0.0 for _ in tokens[1:]), 1.0)


@dataclass
class Node:
    """A run of tokens that the same rows pass through.

    Attributes:
        parent: the node before it, None for a root.
        start: position of its first token, counted from the root.
        tokens: its token ids.
        rows: numbers of the rows that pass through it.
        children: the nodes after it, longest first, so that leaves of equal length stand side by side.
        size: tokens of the node and everything below it.
    """

    parent: int | None
    start: int
    tokens: tuple[int, ...]
    rows: tuple[int, ...]
    children: list[int] = field(default_factory=list)
    size: int = 0


@dataclass(frozen=True)
class Forest:
    """Rows as a forest of nodes.

    Attributes:
        nodes: all nodes; one that was replaced by copies is empty.
        roots: numbers of the nodes without a parent.
        row_end: for each row the node its last needed position lies in, None for a row without supervision.
    """

    nodes: list[Node]
    roots: list[int]
    row_end: list[int | None]

    @property
    def tokens(self) -> int:
        return sum(len(node.tokens) for node in self.nodes)

    def part(self, node: int, children: Sequence[Sequence[int]]) -> list[int]:
        """Replace a node by copies of it, one for each group of its children; an only child has it at its front.

        Args:
            node: which; it stays in `nodes`, empty.
            children: all its children, in groups.

        Returns:
            For each group the node it now hangs from.
        """
        here = self.nodes[node]
        siblings = self.roots if here.parent is None else self.nodes[here.parent].children
        siblings.remove(node)
        going_on = {row for group in children for child in group for row in self.nodes[child].rows}
        ending = [row for row in here.rows if row not in going_on]
        heads = []
        for group in children:
            rows = {row for child in group for row in self.nodes[child].rows}.union(ending)
            if len(group) == 1:
                head = group[0]
                only = self.nodes[head]
                only.parent, only.start, only.tokens = here.parent, here.start, here.tokens + only.tokens
                only.rows = tuple(row for row in here.rows if row in rows)
                only.size += len(here.tokens)
            else:
                head = len(self.nodes)
                copied = tuple(row for row in here.rows if row in rows)
                size = len(here.tokens) + sum(self.nodes[child].size for child in group)
                self.nodes.append(Node(here.parent, here.start, here.tokens, copied, list(group), size))
                for child in group:
                    self.nodes[child].parent = head
            for row in ending:
                self.row_end[row] = head
            ending = []
            siblings.append(head)
            heads.append(head)
        self.nodes[node] = Node(None, here.start, (), ())
        above = here.parent
        while above is not None:
            self.nodes[above].size += (len(children) - 1) * len(here.tokens)
            above = self.nodes[above].parent
        return heads

    def path(self, node: int | None) -> list[int]:
        """Nodes from the root to this one."""
        path: list[int] = []
        while node is not None:
            path.append(node)
            node = self.nodes[node].parent
        return path[::-1]


def needed(row: WeightedTokens) -> int:
    """Positions whose hidden state matters: up to the one that predicts the last supervised token."""
    places = [place for place in range(1, len(row.tokens)) if row.weights[place] > 0]
    return places[-1] if places else 0


def shared_tokens(prompts: Sequence[tuple[int, ...]]) -> int:
    """Tokens of the forest of some prompts, each but its last token."""
    return grow([Prompt(prompt) for prompt in prompts]).tokens


def worth_copying(tokens_per_pass: int) -> int:
    """Tokens that are computed again rather than shared.

    A node that others hang from costs a block of attention for everything below it, which takes as long as a few tokens
    do; a trunk costs a pass of its own besides, as long as twice as many.
    """
    return min(12, tokens_per_pass // 80)


def grow(
    rows: Sequence[WeightedTokens],
    *,
    groups: Sequence[int] | None = None,
    share: bool = True,
    longest_node: int | None = None,
    copied: int = 0,
) -> Forest:
    """Build the forest of some rows.

    Args:
        rows: what to merge.
        groups: a number for each row; rows of different groups then never share a position that predicts a supervised
            token, so that a group's likelihoods can be computed without the others (a preference pair is a group).
        share: False keeps every row a tree of its own.
        longest_node: longer runs are cut into a chain of nodes of at most this many tokens.
        copied: a run stands in each of its branches instead of once where that adds at most so many tokens.
    """
    keys = [_keys(row, None if groups is None else groups[number]) for number, row in enumerate(rows)]
    forest = Forest(nodes=[], roots=[], row_end=[None] * len(rows))
    present = [number for number, line in enumerate(keys) if line]
    # Rows that agree up to `at`, of which the tokens from `start` on have no node yet.
    todo: list[tuple[int | None, int, int, list[int]]]
    todo = [(None, 0, 0, present)] if share else [(None, 0, 0, [number]) for number in reversed(present)]
    while todo:
        parent, start, at, members = todo.pop()
        for same in _by_key(keys, members, at):
            end = _common_end(keys, same, at)
            ending = [row for row in same if len(keys[row]) == end]
            onward = [row for row in same if len(keys[row]) > end]
            copies = len(_by_key(keys, onward, end)) + bool(ending)
            copy = copies > 1 and (end - start) * (copies - 1) <= copied
            here = ending if copy else same
            last = parent
            if here:
                run = rows[here[0]].tokens[start:end]
                last = _append(forest, parent, start, _pieces(run, longest_node), tuple(here))
            for row in ending:
                forest.row_end[row] = last
            if onward:
                todo.append((parent, start, end, onward) if copy else (last, end, end, onward))
    _measure(forest)
    return forest


def _keys(row: WeightedTokens, group: int | None) -> list[Key]:
    """What must be equal for two rows to share a position: the token and, in groups, what is predicted and for whom."""
    end = needed(row)
    keys: list[Key] = list(row.tokens[:end])
    if group is not None:
        for place in range(end):
            if row.weights[place + 1] > 0:
                keys[place] = (row.tokens[place], row.tokens[place + 1], group)
    return keys


def _by_key(keys: list[list[Key]], members: list[int], depth: int) -> list[list[int]]:
    found: dict[Key, list[int]] = {}
    for row in members:
        found.setdefault(keys[row][depth], []).append(row)
    return list(found.values())


def _common_end(keys: list[list[Key]], rows: list[int], depth: int) -> int:
    """Where the rows' common prefix ends, given that they agree up to and including `depth`."""
    first = keys[rows[0]]
    end = min(len(keys[row]) for row in rows)
    for row in rows[1:]:
        line = keys[row]
        if line[depth:end] != first[depth:end]:
            end = next(place for place in range(depth, end) if line[place] != first[place])
    return end


def _pieces(run: tuple[int, ...], longest: int | None) -> list[tuple[int, ...]]:
    step = longest or len(run)
    return [run[start : start + step] for start in range(0, len(run), step)]


def _append(
    forest: Forest, parent: int | None, start: int, pieces: Sequence[tuple[int, ...]], rows: tuple[int, ...]
) -> int:
    """Hang a chain of nodes under a parent; returns the last of them."""
    number = -1
    for piece in pieces:
        number = len(forest.nodes)
        forest.nodes.append(Node(parent=parent, start=start, tokens=piece, rows=rows))
        (forest.roots if parent is None else forest.nodes[parent].children).append(number)
        parent, start = number, start + len(piece)
    return number


def _measure(forest: Forest) -> None:
    for node in reversed(forest.nodes):
        node.size += len(node.tokens)
        if node.parent is not None:
            forest.nodes[node.parent].size += node.size
    for node in forest.nodes:
        node.children.sort(key=lambda child: (bool(forest.nodes[child].children), -forest.nodes[child].size, child))
    forest.roots.sort(key=lambda root: (bool(forest.nodes[root].children), -forest.nodes[root].size, root))
