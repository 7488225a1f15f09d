"""Code inside Markdown: what stands between fences or backticks is not prose, and prose rules leave it alone."""

from __future__ import annotations

import re
from collections.abc import Callable

# A fence that is never closed runs to the end of the text, as CommonMark 0.31 (section 4.5) has it.
_FENCE = r"^[ \t]*(?P<fence>`{3,}|~{3,})[^`\n]*\n(?:(?:.*\n)*?[ \t]*(?P=fence)[`~]*[ \t]*$|[\s\S]*\Z)"
_INLINE = r"(?P<ticks>(?<!`)`{1,2}(?!`))(?=\S)[^`\n]+(?P=ticks)(?!`)"
_CODE = re.compile(f"{_FENCE}|{_INLINE}", re.MULTILINE)
_FENCED = re.compile(_FENCE, re.MULTILINE)


def on_prose(text: str, rewrite: Callable[[str], str], *, inline: bool = True) -> str:
    """`text` with `rewrite` applied to each stretch outside code.

    Args:
        text: Markdown or plain text.
        rewrite: what to do with a stretch of prose.
        inline: whether code between single or double backticks is left alone too, not only fenced blocks.
    """
    if "`" not in text and "~~~" not in text:
        return rewrite(text)
    parts: list[str] = []
    end = 0
    for code in (_CODE if inline else _FENCED).finditer(text):
        parts += [rewrite(text[end : code.start()]), code[0]]
        end = code.end()
    return "".join([*parts, rewrite(text[end:])])


def prose_of(text: str) -> str:
    """Everything of `text` outside fences and backticks."""
    if "`" not in text and "~~~" not in text:
        return text
    return _CODE.sub(" ", text)
