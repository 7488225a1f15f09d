"""Numbers of payment cards and bank accounts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from atanor.data.checks import checksums
from atanor.data.checks.scanning import Span
from atanor.data.checks.surroundings import NUMBER_ENDS, NUMBER_STARTS

IBAN_FORM: Final = r"(?i)\b[a-z]{2}[0-9]{2}[ -]?[a-z0-9]{4}[ -]?[a-z0-9]{4}[ -]?[a-z0-9]{3}"
"""RE2: the beginning of an account number."""

_CARD = re.compile(
    rf"""{NUMBER_STARTS}(?<![0-9][ ])(?:
      [0-9]{{13,19}}
    | [0-9]{{4}}(?P<gap>[ -])[0-9]{{4}}(?P=gap)[0-9]{{4}}(?P=gap)[0-9]{{4}}(?:(?P=gap)[0-9]{{3}})?
    | 3[0-9]{{3}}(?P<gap2>[ -])[0-9]{{6}}(?P=gap2)[0-9]{{4,5}}                   # American Express, Diners Club
    ){NUMBER_ENDS}(?![ ][0-9]{{4}}\b)""",
    re.VERBOSE,
)
_IBAN = re.compile(
    r"(?<![\w\]-])[A-Z]{2}[0-9]{2}(?=(?P<gap>[ -]?))(?:(?P=gap)[A-Z0-9]{4}){2,7}(?:(?P=gap)[A-Z0-9]{1,3})?",
    re.IGNORECASE,
)


def payment_cards(text: str) -> Iterator[Span]:
    """Where card numbers stand: 13 to 19 digits, bare or in the groups printed on cards, of a known issuer."""
    for match in _CARD.finditer(text):
        if checksums.card(match[0].replace(" ", "").replace("-", "")):
            yield match.span()


def bank_accounts(text: str) -> Iterator[Span]:
    """Where IBANs stand, bare or in groups of four, with their country's length and check digits."""
    for match in _IBAN.finditer(text):
        length = checksums.IBAN_LENGTHS.get(match[0][:2].upper(), 0)
        end = _end_of(length, text, match.start(), match.end())
        if end is not None and checksums.iban(re.sub(r"[ -]", "", text[match.start() : end]).upper()):
            yield match.start(), end


def _end_of(length: int, text: str, start: int, end: int) -> int | None:
    """The end of the first `length` letters and digits from `start`, if no further one follows at once."""
    seen = 0
    for position in range(start, end):
        seen += text[position].isalnum()
        if seen == length:
            return None if text[position + 1 : position + 2].isalnum() else position + 1
    return None
