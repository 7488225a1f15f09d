"""Where sentences and words end, for texts in English, Spanish and languages written like them."""

from __future__ import annotations

import re


def sentence_starts(text: str) -> list[int]:
    """Offsets at which the sentences of a paragraph begin, the first one at 0.

    A sentence ends with its closing marks and quotation marks, before white space and a capital, a digit or an opening
    mark; not after a title (`Mr.`), an initial (`W. H.`) or a number's point.
    """
    starts = [0]
    for found in _END.finditer(text):
        before = text[max(0, found.start() - 12) : found.start() + 1]
        if found[0].rstrip() != "." or not _ABBREVIATED.search(before):
            starts.append(found.end())
    return starts


def word_starts(text: str) -> list[int]:
    """Offsets at which the words of a text begin, the first one at 0."""
    return [0, *(found.end() for found in _SPACE.finditer(text) if found.start() > 0 and found.end() < len(text))]


def line_starts(text: str) -> list[int]:
    """Offsets at which the lines of a text begin: the natural units of verse."""
    return [0, *(found.end() for found in _LINE_END.finditer(text) if found.end() < len(text))]


_END = re.compile(r"[.!?…]+[\"”’»)\]_*]*\s+(?=[\"“«‘'(\[¿¡—–_*-]*[A-ZÁÉÍÓÚÑÜÀÈÇ\d])")
_ABBREVIATED = re.compile(
    r"(?:^|[\s(\"“«])(?:[A-Z]|Mr|Mrs|Ms|Dr|St|Sr|Jr|Esq|Rev|Col|Capt|Gen|Prof|vol|Vol|Sra|Srta|Dra|Ud|Uds|Vd|Vds|Vm|"
    r"D|Dª|Fr|Gral|Excmo|Ilmo|pág|núm|etc)\.$"
)
_SPACE = re.compile(r"\s+")
_LINE_END = re.compile(r"\n+")
