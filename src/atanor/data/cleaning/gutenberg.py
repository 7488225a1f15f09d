"""The apparatus of Project Gutenberg around a book: headers, the old "small print", licences, production notes."""

from __future__ import annotations

import re

from atanor.data.cleaning.rule import Rule

_NAME = r"(?:THE |THIS |EL |ESTE |DE )*(?:LIBRO ELECTR[ÓO]NICO )?(?:DE )?(?:PROJECT|PROYECTO) GUTENBERG"
_START = re.compile(
    rf"^[ \t]*\*{{2,}}[ ]?(?:START|INICIO|COMIENZO)(?: OF| DE)? {_NAME}(?:.*\n){{1,3}}?(?=\s*\n|.*\Z)",
    re.MULTILINE | re.IGNORECASE,
)
_SMALL_PRINT = re.compile(r"^\*END[ *]*THE SMALL PRINT!.*\n(?:.*END\*.*\n)?", re.MULTILINE)
_END = re.compile(
    rf"^(?:[ \t]*\*{{2,}}[ ]?(?:END|FIN)(?: OF| DE)? {_NAME}|"
    r"(?:THE )?END OF (?:THE |THIS )?PROJECT GUTENBERG(?:['’]S)? (?:E-?TEXT|E-?BOOK|EDITION)\b|"
    r"END OF PROJECT GUTENBERG['’]S |"
    r"FIN (?:DEL? )(?:E-?TEXT |E-?BOOK |LIBRO )?(?:DEL? )?(?:PROYECTO|PROJECT) GUTENBERG)",
    re.MULTILINE | re.IGNORECASE,
)
_PRODUCTION = re.compile(
    r"\A\s*(?:(?:produced|e-?text prepared|transcribed|scanned|digitized) (?:by|from) |"
    r"(?:this|the) (?:e-?text|e-?book|book) was (?:produced|prepared|created|transcribed) (?:by|from) |"
    r"(?:producido|preparado|digitalizado|transcrito) por )(?:\S.*\n)+\s*\n",
    re.IGNORECASE,
)
_HEADING_LINES = re.compile(
    r"\A\s*(?:The )?Project Gutenberg(?:['’]s)? (?:E-?Book|E-?text)? ?(?:of|de) .*\n(?:.*\n){0,60}?"
    r"(?=(?:produced|e-?text prepared) by )",
    re.IGNORECASE,
)
_PICTURE = re.compile(r"^[ \t]*_?\[(?:Illustration|Ilustración)(?::[^\[\]]{0,400})?\]_?[ \t]*\n?", re.MULTILINE)
_SMALLEST_HEAD = 20_000
"""A header ends within this many characters; what looks like one further down is part of the book."""


def remove_gutenberg(text: str) -> str:
    """`text` without what Project Gutenberg put before, behind and between the words of the book."""
    head = max((found.end() for found in _heads(text)), default=0)
    text = text[head:]
    end = _END.search(text)
    if end is not None and text[: end.start()].strip():
        text = text[: end.start()].rstrip() + "\n"
    if head or end is not None:
        text = _PRODUCTION.sub("", text, count=1).lstrip("\n")
    return _PICTURE.sub("", text)


def _heads(text: str) -> list[re.Match[str]]:
    """Every mark that ends a header near the beginning, unless the text is nothing more than that."""
    patterns = (_START, _SMALL_PRINT, _HEADING_LINES)
    marks = [found for pattern in patterns for found in [pattern.search(text, 0, _SMALLEST_HEAD)] if found]
    return [found for found in marks if text[found.end() :].strip()]


def gutenberg_rule() -> Rule:
    """The rule for books of Project Gutenberg."""
    trace = r"(?i)(?:project|proyecto) gutenberg|the small print!|\[(?:illustration|ilustración)"
    return Rule("clean.gutenberg", trace, remove_gutenberg)
