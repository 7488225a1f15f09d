"""Markdown as plain text: links and images become their words, needless escapes and closing heading marks go."""

from __future__ import annotations

import re

from atanor.data.cleaning.code_spans import on_prose
from atanor.data.cleaning.rule import Rule

_IMAGE = re.compile(r"!\[(?P<words>[^\[\]\n]*)\]\([^()\s]*(?:[ \t]+\"[^\"\n]*\")?\)")
_LINK = re.compile(r"(?<![\w!\]])\[(?P<words>[^\[\]\n]*)\]\((?:[^()\s]|\([^()\s]*\))*(?:[ \t]+\"[^\"\n]*\")?\)")
_CUT_LINK = re.compile(r"(?<![\w!\]])!?\[(?P<words>[^\[\]\n]+)\]\((?:https?://[^()\s]*)?$", re.MULTILINE)
_HEADING = re.compile(r"^(#{1,6}[ \t].*?)(?<![ \t])[ \t]+#+[ \t]*$", re.MULTILINE)
_ESCAPE = re.compile(r"\\([*_#>~|!+.-])")
# In TeX a backslash before a mark is a command.
_TEX = re.compile(r"\$|\\[a-zA-Z(\[{]")


def plain_markdown(text: str) -> str:
    """`text` with links and images as their words, and without needless escapes and closing heading marks."""
    return on_prose(text, _plain)


def _plain(prose: str) -> str:
    for pattern in (_IMAGE, _LINK, _CUT_LINK):
        prose = pattern.sub(lambda found: found["words"], prose)
    prose = _HEADING.sub(r"\1", prose)
    return prose if _TEX.search(prose) else _ESCAPE.sub(r"\1", prose)


def markdown_rule() -> Rule:
    """The rule for what is left of Markdown."""
    return Rule("clean.markdown", r"\]\(|\\[*_#>~|!+.-]|(?m)^#.*#[ \t]*$", plain_markdown)
