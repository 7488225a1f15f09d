"""Trees of messages that answer each other (OpenAssistant, Köpf et al. 2023) to the conversations along their paths."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from atanor.data.formats.fields import Path
from atanor.data.formats.frame import Frame
from atanor.data.formats.tally import Tally
from atanor.data.formats.texts import text_of
from atanor.data.formats.turns import key_of, speaker_of
from atanor.data.options import Branches
from atanor.data.records import Record
from atanor.data.refusals import refusal_of, row_error
from atanor.data.rows import Example, Message, Refusal, Speaker
from atanor.errors import DataError

_ROLES = {"prompter": Speaker.USER, "user": Speaker.USER, "assistant": Speaker.ASSISTANT, "system": Speaker.SYSTEM}


@dataclass(eq=False)
class _Node:
    """One message of a tree.

    Attributes:
        name: its `message_id`.
        rank: its place among the replies to one message, 0 the best; infinite where nobody ranked it.
        message: what it says.
        record: the row it is from.
        parent: the message it answers, or None for the first of a tree.
        replies: what answers it, the best first.
    """

    name: str
    rank: float
    message: Message
    record: Record
    parent: str | None = None
    replies: list[_Node] = field(default_factory=list)


class TreeReader:
    """Rows that are one message each and name their parents: the whole file is needed."""

    def __init__(self, frame: Frame, tally: Tally) -> None:
        self._frame = frame
        self._tally = tally

    def read(self, records: Iterable[Record | Refusal]) -> Iterator[Example | Refusal]:
        """Every message is the last answer of an example, part of one, a refusal, or on a path that is left out."""
        nodes: dict[str, _Node] = {}
        for record in records:
            if isinstance(record, Refusal):
                yield record
                continue
            try:
                node = _node(record.fields, record, "text")
                if node.name in nodes:
                    reason = "the `message_id` was used before"
                    raise row_error(reason, field="message_id", value=node.name, fix="Give every message its own id")
                nodes[node.name] = node
            except DataError as error:
                yield refusal_of(error, self._frame.source, record.line, record.raw)
        roots, lost = _grown(nodes)
        yield from (self._orphan(node) for node in lost)
        paths = [path for root in roots for path in _paths(root, self._frame.branches)]
        yield from (_outcome(self._frame, path[-1].record, path) for path in paths)
        # Every path ends in a message of its own, which is its example's row; the others on it are part of it.
        used = {node for path in paths for node in path}
        self._tally.joined += len(used) - len(paths)
        self._tally.left_out += len(nodes) - len(lost) - len(used)

    def _orphan(self, node: _Node) -> Refusal:
        fix = "Bring the whole tree, or remove the message"
        reason = "the message it answers is not in the file, or was refused"
        error = row_error(reason, field="parent_id", value=node.parent, fix=fix)
        return refusal_of(error, self._frame.source, node.record.line, node.record.raw)


class NestedTreeReader:
    """Rows that are one tree each: the first message, with the replies to every message under it."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def __call__(self, record: Record) -> Sequence[Example | DataError]:
        """An example, or an error, for each path that is wanted."""
        place = self._frame.columns.messages
        first = record.fields if place is None else Path(place).value(record.fields)
        root = _planted(first, record, place or "")
        outcomes: list[Example | DataError] = []
        for path in _paths(root, self._frame.branches):
            try:
                outcomes.append(_example(self._frame, record, path))
            except DataError as error:
                outcomes.append(error)
        if not outcomes:
            raise row_error("no message of the tree has an answer", field=place or "replies", fix="Remove the row")
        return outcomes


def _node(fields: Mapping[str, Any], record: Record, place: str) -> _Node:
    """One message as it stands in its row or object."""
    if fields.get("deleted") is True:
        raise row_error("the message was deleted", field=place, fix="Remove it, and what answers it")
    name, parent = fields.get("message_id"), fields.get("parent_id")
    if not isinstance(name, str) or not name:
        raise row_error("the message has no id", field="message_id", value=name, fix="Give every message its own id")
    rank = fields.get("rank")
    ranked = float(rank) if isinstance(rank, (int, float)) and not isinstance(rank, bool) else math.inf
    if isinstance(rank, str) and rank.strip().isdecimal():
        ranked = float(rank)
    message = _message(fields, place)
    return _Node(name, ranked, message, record, parent if isinstance(parent, str) and parent else None)


def _message(fields: Mapping[str, Any], place: str) -> Message:
    return Message(speaker_of(key_of(fields, "role", place), "role", _ROLES), text_of(fields.get("text"), place))


def _planted(first: Any, record: Record, place: str) -> _Node:
    """The tree under a nested message. Walked with a list, because trees may be deeper than Python's stack."""
    root = _nested(first, record, place, 0)
    waiting = [(root, first, place)]
    planted = 1
    while waiting:
        node, value, at = waiting.pop()
        for index, reply in enumerate(value.get("replies") or ()):
            below = f"{at}.replies[{index}]".lstrip(".")
            node.replies.append(_nested(reply, record, below, planted))
            waiting.append((node.replies[-1], reply, below))
            planted += 1
    _sort(root)
    return root


def _nested(value: Any, record: Record, place: str, number: int) -> _Node:
    """One message of a nested tree; its parent is the object it stands in, and its id may be missing."""
    if not isinstance(value, Mapping) or not isinstance(value.get("replies") or [], list):
        fix = 'Write {"text": …, "role": …, "replies": […]}'
        raise row_error("the message is not an object with a list of replies", field=place, value=value, fix=fix)
    named = {"message_id": str(number), **value, "parent_id": None}
    return _node(named, record, f"{place}.text".lstrip("."))


def _grown(nodes: Mapping[str, _Node]) -> tuple[list[_Node], list[_Node]]:
    """The first messages of the trees, in order, and the messages that hang on nothing."""
    roots = [node for node in nodes.values() if node.parent is None]
    for node in nodes.values():
        if node.parent is not None and node.parent in nodes:
            nodes[node.parent].replies.append(node)
    reached: set[str] = set()
    for root in roots:
        reached.update(node.name for node in _sort(root))
    return roots, [node for node in nodes.values() if node.name not in reached]


def _sort(root: _Node) -> list[_Node]:
    """Every message under `root`, after its replies are put in order, the best first."""
    found, waiting = [], [root]
    while waiting:
        node = waiting.pop()
        found.append(node)
        node.replies.sort(key=lambda reply: reply.rank)
        waiting.extend(node.replies)
    return found


def _paths(root: _Node, branches: Branches) -> list[tuple[_Node, ...]]:
    """The paths from `root` to a last answer: the best-ranked one, or every one. Prompts nobody answers end none."""
    ended: dict[_Node, tuple[_Node, ...]] = {}
    waiting: list[tuple[_Node, ...]] = [(root,)]
    while waiting:
        path = waiting.pop()
        replies = path[-1].replies[:1] if branches is Branches.BEST else path[-1].replies
        waiting.extend((*path, reply) for reply in reversed(replies))
        if not replies:
            last = max((i for i, node in enumerate(path) if node.message.speaker is Speaker.ASSISTANT), default=-1)
            if last >= 0:
                ended[path[last]] = path[: last + 1]
    inner = {node for path in ended.values() for node in path[:-1]}
    return [path for end, path in ended.items() if end not in inner]


def _example(frame: Frame, record: Record, path: Sequence[_Node]) -> Example:
    tree = record.fields.get("message_tree_id")
    group = tree if isinstance(tree, str) and tree else path[0].name
    place = frame.columns.messages or "text"
    return frame.conversation(record, [node.message for node in path], place, group=group)


def _outcome(frame: Frame, record: Record, path: Sequence[_Node]) -> Example | Refusal:
    try:
        return _example(frame, record, path)
    except DataError as error:
        return refusal_of(error, frame.source, record.line, record.raw)
