"""Citation marks of encyclopaedias: `[12]` and `[citation needed]` after a word or a full stop."""

from __future__ import annotations

import re

from atanor.data.cleaning.code_spans import on_prose
from atanor.data.cleaning.rule import Rule

_MARK = (
    r"\[(?:\d{1,3}|(?:note|nota|nb) \d{1,3}|citation needed|clarification needed|cita requerida|¿quién\?|¿cuándo\?)\]"
)
# A short name before the bracket is an array or a variable, as in `a[1]`.
_AFTER_WORDS = re.compile(rf"(?:(?<=[^\W\d_]{{3}})|(?<=[.,;:!?)\"'”»%]))(?:[ \t]?{_MARK})+")


def citation_rule() -> Rule:
    """The rule that takes citation marks out of prose."""
    return Rule("clean.citations", r"\[[^\[\]\n]+\]", remove_citations)


def remove_citations(text: str) -> str:
    """`text` without the citation marks that follow a word or its punctuation."""
    return on_prose(text, lambda prose: _AFTER_WORDS.sub("", prose))
