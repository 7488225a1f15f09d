"""Which of the two languages a text is in, by its function words: enough to choose a thesaurus and to see a flip.

The language check of the data room knows more languages; it can be given to `augment` in place of this one.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from atanor.data.words.vocabulary import FUNCTION_WORDS

Identify = Callable[[str], str | None]
"""From a text to its ISO 639-1 code, or None where it cannot be told."""

_WORD = re.compile(r"[^\W\d_]+")
_ONLY = {
    "en": FUNCTION_WORDS["en"] - FUNCTION_WORDS["es"],
    "es": FUNCTION_WORDS["es"] - FUNCTION_WORDS["en"],
}
_SPANISH_MARKS = re.compile("[ñáéíóú¿¡]", re.IGNORECASE)


def language_of(text: str) -> str | None:
    """`en` or `es` by the function words that only one of them has; None for another language or too little text."""
    words = [word.lower() for word in _WORD.findall(text)]
    english, spanish = (sum(word in _ONLY[code] for word in words) for code in ("en", "es"))
    if _SPANISH_MARKS.search(text):
        spanish += 1
    if english == spanish:
        return None
    return "en" if english > spanish else "es"
