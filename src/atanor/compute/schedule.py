"""Which nodes of a forest are computed together, and in which order.

Whole trees are packed into passes of at most `tokens_per_pass` tokens. A tree that is larger is cut at its root: the
root's node becomes a *trunk* pass, the subtrees below it are packed into passes that attend to the trunk's keys and
values, and the same again for a subtree that is still too large. The trunk is computed once for all of them and its
gradient goes back through it once (arXiv:2606.01143). A long sequence is a chain of trunks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from atanor.compute.forest import Forest


@dataclass
class Pass:
    """Nodes computed in one forward pass.

    Attributes:
        nodes: in depth-first order, parents first.
        tokens: how many they hold.
        branches: the passes that attend to this one; all nodes of a pass with branches are on their path.
    """

    nodes: list[int]
    tokens: int
    branches: list[Pass] = field(default_factory=list)


def plan(forest: Forest, tokens_per_pass: int, groups: Sequence[int] | None = None, *, copied: int = 0) -> list[Pass]:
    """Cut a forest into passes, largest first, so that a lack of memory shows at once.

    Args:
        forest: its nodes must not be longer than `tokens_per_pass` for the limit to hold.
        tokens_per_pass: most tokens of a pass. A group that is larger has a pass of its own.
        groups: for each row its group; rows of a group stay in one pass.
        copied: a node of at most so many tokens stands in every pass below it instead of being a trunk; the forest
            then has the copies.
    """
    return _pack(forest, list(forest.roots), tokens_per_pass, groups, copied)


def _pack(forest: Forest, siblings: Sequence[int], limit: int, groups: Sequence[int] | None, copied: int) -> list[Pass]:
    passes: list[Pass] = []
    open_passes: list[Pass] = []
    units = _units(forest, siblings, groups)
    for unit in sorted(units, key=lambda unit: -_size(forest, unit)):
        size = _size(forest, unit)
        if size > limit and len(unit) == 1 and _may_cut(forest, unit[0], groups):
            passes += _cut(forest, unit[0], limit, groups, copied)
            continue
        for candidate in open_passes:
            if candidate.tokens + size <= limit:
                candidate.nodes.extend(_subtrees(forest, unit))
                candidate.tokens += size
                break
        else:
            open_passes.append(Pass(_subtrees(forest, unit), size))
    return passes + open_passes


def _cut(forest: Forest, number: int, limit: int, groups: Sequence[int] | None, copied: int) -> list[Pass]:
    """A tree that is larger than a pass: its root as a trunk, or a copy of the root in each of its passes."""
    node = forest.nodes[number]
    length = len(node.tokens)
    if length <= min(copied, limit // 2):
        parts = _pack(forest, list(node.children), limit - length, groups, copied)
        if not any(part.branches or part.tokens > limit - length for part in parts):
            inside = [set(part.nodes) for part in parts]
            heads = forest.part(number, [[child for child in node.children if child in nodes] for nodes in inside])
            for part, nodes, head in zip(parts, inside, heads, strict=True):
                part.nodes = part.nodes if head in nodes else [head, *part.nodes]
                part.tokens += length
            return parts
    return [Pass([number], length, _pack(forest, list(node.children), limit, groups, copied))]


def _units(forest: Forest, siblings: Sequence[int], groups: Sequence[int] | None) -> list[list[int]]:
    """Siblings that must stay together because a group has rows in several of them."""
    if groups is None:
        return [[node] for node in siblings]
    units: list[tuple[list[int], set[int]]] = []
    for node in siblings:
        here = {groups[row] for row in forest.nodes[node].rows}
        joined = [unit for unit in units if unit[1] & here]
        units = [unit for unit in units if not unit[1] & here]
        units.append(([n for unit in joined for n in unit[0]] + [node], here.union(*(unit[1] for unit in joined))))
    return [nodes for nodes, _ in units]


def _may_cut(forest: Forest, node: int, groups: Sequence[int] | None) -> bool:
    if not forest.nodes[node].children:
        return False
    return groups is None or len({groups[row] for row in forest.nodes[node].rows}) > 1


def _size(forest: Forest, unit: Sequence[int]) -> int:
    return sum(forest.nodes[node].size for node in unit)


def _subtrees(forest: Forest, roots: Sequence[int]) -> list[int]:
    """Depth-first, parents first; a node's descendants follow it without a gap."""
    order: list[int] = []
    stack = list(reversed(roots))
    while stack:
        node = stack.pop()
        order.append(node)
        stack.extend(reversed(forest.nodes[node].children))
    return order
