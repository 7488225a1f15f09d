"""A screen of 80 columns without colour, and what was printed on it."""

from __future__ import annotations

import io

from rich.cells import cell_len
from rich.console import Console, RenderableType


def shown(what: RenderableType, width: int = 80) -> str:
    """What is printed; fails where a line is wider than the screen."""
    console = Console(width=width, no_color=True, force_terminal=False, file=io.StringIO())
    console.print(what)
    text = printed(console)
    assert all(cell_len(line) <= width for line in text.splitlines())
    assert "\x1b" not in text
    return text


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def words(text: str) -> str:
    """A text with its folds undone."""
    return " ".join(text.split())
