"""Exotic spaces and line breaks, each written the one plain way."""

from __future__ import annotations

import re

from atanor.data.cleaning.rule import Rule

# The ideographic space U+3000 is the common space of Chinese and Japanese, and stays.
_EXOTIC = "\u00a0\u1680\u2000-\u200a\u202f\u205f"
_SPACE = re.compile(f"[{_EXOTIC}]")
_BREAK = re.compile("\r\n?|[\u2028\u2029]")


def spaces_rule() -> Rule:
    """No-break, thin, em and other spaces become U+0020."""
    return Rule("clean.spaces", f"[{_EXOTIC}]", lambda text: _SPACE.sub(" ", text))


def line_breaks_rule() -> Rule:
    """CR LF, CR and the line and paragraph separators of Unicode become LF."""
    return Rule("clean.line_breaks", "[\r\u2028\u2029]", lambda text: _BREAK.sub("\n", text))
