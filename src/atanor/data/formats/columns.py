"""The shape of a file's rows: what kind they are, and which column is what."""

from __future__ import annotations

from dataclasses import dataclass

from atanor.data.formats.fields import columns_read
from atanor.data.options import RowFormat

_NAMED = (
    "prompt",
    "context",
    "completion",
    "references",
    "messages",
    "text",
    "label",
    "choices",
    "chosen",
    "rejected",
    "desirable",
    "speaker",
    "system",
    "tools",
)


@dataclass(frozen=True)
class Columns:
    """The shape of a file's rows and the columns that are read. Every name may be a path or a template.

    Attributes:
        format: the shape; never `auto`.
        prompt: what the model is given, or None.
        context: appended to the prompt after a blank line where it is not empty (Alpaca `input`), or None.
        completion: the answer, or None.
        references: the list of answers that are equally good; the first is the answer where `completion` is None.
        messages: the list of turns, the examples inside a row, or the first message of a tree, or None.
        text: plain text, or what a speaker says, or None.
        label: the class, or None.
        choices: the list of answers to choose from; `completion` is the position of the right one, or None.
        chosen: the better answer of a pair, or None.
        rejected: the worse answer of a pair, or None.
        desirable: whether the answer was judged good, or None.
        speaker: who speaks, or None.
        system: the row's own system message, or None.
        tools: the tools the conversation may call, or None.
        mapped: the project names the columns, so that what is not text is written as JSON.
        scenes: columns whose values together tell one scene of a script from another.
        parents: the rows of a tree are its messages, each naming its parent.
        gathered: rows of one prompt become one example with several references.
    """

    format: RowFormat
    prompt: str | None = None
    context: str | None = None
    completion: str | None = None
    references: str | None = None
    messages: str | None = None
    text: str | None = None
    label: str | None = None
    choices: str | None = None
    chosen: str | None = None
    rejected: str | None = None
    desirable: str | None = None
    speaker: str | None = None
    system: str | None = None
    tools: str | None = None
    mapped: bool = False
    scenes: tuple[str, ...] = ()
    parents: bool = False
    gathered: bool = False

    @property
    def named(self) -> dict[str, str]:
        """The columns, paths and templates that are read, by what each is."""
        every = {name: getattr(self, name) for name in _NAMED}
        return {name: column for name, column in every.items() if column is not None}

    @property
    def used(self) -> tuple[str, ...]:
        """The columns that are read, in the order of the attributes; a template gives those inside it."""
        return tuple(dict.fromkeys(name for written in self.named.values() for name in columns_read(written)))

    @property
    def told(self) -> str:
        """The shape in words: `classification (prompt text, label category)`."""
        parts = ", ".join(f"{name} {column}" for name, column in self.named.items())
        return f"{self.format} ({parts})" if parts else str(self.format)

    @property
    def needs_whole_file(self) -> bool:
        """Rows become examples only together with others: a block of the file is not enough."""
        return self.format is RowFormat.SCRIPT or self.parents or self.gathered
