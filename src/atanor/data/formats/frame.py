"""What every example of a source shares, and the one place where a conversation becomes an example."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from atanor.data.formats.columns import Columns
from atanor.data.formats.fields import Field, Path, Template, as_json, field_of, template_of
from atanor.data.formats.texts import text_of
from atanor.data.options import Branches
from atanor.data.records import Record
from atanor.data.refusals import row_error
from atanor.data.rows import Example, Message, Speaker


@dataclass(frozen=True)
class Frame:
    """How the rows of a source become examples.

    Attributes:
        source: path of the file as the user wrote it.
        columns: its shape.
        group_by: column whose equal values stay on one side of the split, or None.
        system: system message of conversations that have none, or None.
        template: the same with the row's columns in it, written in the source; it goes before `system`.
        labels: names of the classes, or None.
        assistant: the speaker who is learned, or None for the usual ones.
        window: speeches of a play before an answer.
        branches: conversations of a tree.
    """

    source: str
    columns: Columns
    group_by: str | None = None
    system: str | None = None
    template: str | None = None
    labels: tuple[str, ...] | None = None
    assistant: str | None = None
    window: int = 6
    branches: Branches = Branches.BEST

    @cached_property
    def _system(self) -> Template | None:
        return None if self.template is None else template_of(self.template)

    @cached_property
    def _group(self) -> Path | None:
        return None if self.group_by is None else Path(self.group_by)

    def field(self, name: str) -> Field | None:
        """The column, path or template of one part of the shape, as `prompt`; None where the shape has none."""
        written = getattr(self.columns, name)
        return None if written is None else field_of(written)

    def group(self, record: Record, usual: str | None = None) -> str | None:
        """The row's group by `group_by`, else the one its shape gives it.

        Raises:
            DataError: `group_by` is asked for, and the row has nothing there.
        """
        if self._group is None:
            return usual
        value = self._group.value(record.fields)
        if value is None or value == "":
            raise row_error(
                f"`{self.group_by}` is empty, so the row could land on either side of the split",
                field=self.group_by,
                fix="Give the row its group, or split without `group_by`",
            )
        return value if isinstance(value, str) else as_json(value)

    def with_system(self, record: Record, messages: Sequence[Message]) -> tuple[Message, ...]:
        """The conversation with the system message that the row, the source or the role gives it, in this order."""
        for message in messages:
            if message.speaker is Speaker.SYSTEM:
                return tuple(messages)
        text: Any = None
        column = self.columns.system
        if column is not None:
            text = record.fields.get(column) or None
        if text is not None and column is not None:
            text = text_of(text, column)
        elif self._system is not None:
            text = text_of(self._system.value(record.fields), "system")
        else:
            text = self.system
        return tuple(messages) if text is None else (Message(Speaker.SYSTEM, text), *messages)

    def conversation(
        self, record: Record, messages: Sequence[Message], place: str, *, group: str | None = None, **more: Any
    ) -> Example:
        """The example of a conversation.

        Args:
            record: the row it is from.
            messages: its turns, the assistant's last.
            place: the column they are from, for errors.
            group: the group its shape gives it.
            more: further attributes of `Example`.

        Raises:
            DataError: the first turn is the assistant's, or the row has no group.
        """
        turns = self.with_system(record, messages)
        if turns[0].speaker is Speaker.ASSISTANT:
            # Templates cannot be asked for what comes before the first message of all.
            fix = "Put a system or user turn before it, or give the role a `system` message, or its source"
            reason = "the first turn is the assistant's, and nothing leads to it"
            raise row_error(reason, field=f"{place}[0]", fix=fix)
        return Example(turns, None, self.source, record.line, self.group(record, group), record.fields, **more)
