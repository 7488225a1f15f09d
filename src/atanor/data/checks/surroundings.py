"""What stands around a number decides what it is: words before it, units after it, digits it runs on with."""

from __future__ import annotations

import re
from typing import Final

NUMBER_STARTS: Final = r"(?<![\w#@+\]])(?<![0-9][.,/:\-])(?<![\w]\-)"
"""Regular expression: a number may start here, not in the middle of a longer number, word or identifier."""

NUMBER_ENDS: Final = r"(?![\w@\[])(?![.,/:\-][0-9])(?!\-\w)"
"""Regular expression: a number may end here."""

DIGITS_FORM: Final = r"[0-9](?:[ .()/-]{0,3}[0-9]){6}"
"""RE2: seven digits with little between them, as cards, phone numbers and nearly all national numbers have."""

_OTHER_NUMBER = re.compile(
    r"""(?:\b(?:isbn|issn|doi|ean|upc|asin|oclc|pmid|arxiv|sku|orders?|pedidos?|invoices?|facturas?|refs?|references?
        |referencia|serial|patents?|tracking|seguimiento|parcel|ticket|case|expediente|hash|version|timestamp|id)
        \W{0,3}(?:(?:number|no|num|id|is|code|key|n[uú]mero|n[º°]|es|de)\W{0,3}){0,3} | \# )$""",
    re.IGNORECASE | re.VERBOSE,
)
_AMOUNT_BEFORE = re.compile(r"(?:[$€£¥₹*×÷^]|(?<![A-Za-z_])=|<<|\b(?:USD|EUR|GBP|MXN|CLP|Rs\.?))\s?$")
_UNIT_AFTER = re.compile(
    r"""\s?(?:[$€£¥₹%°=*×÷^]|>>|(?:euros?|dollars?|d[oó]lares|pesos|pounds|libras|USD|EUR|GBP|people|personas|habitants
        |habitantes|inhabitants|residents|users|usuarios|votes|votos|km|kilomet\w+|kil[oó]met\w+|miles|millas|m
        |met(?:er|re)s?|metros?|kg|tons|toneladas|years|a[ñn]os|bytes|bits|million|mill[oó]n|millones|billion)\b)""",
    re.IGNORECASE | re.VERBOSE,
)


def is_other_number(text: str, start: int) -> bool:
    """Whether words before `start` name the number something else: an order, an ISBN, a version."""
    return _OTHER_NUMBER.search(text[max(0, start - 40) : start]) is not None


def is_amount(text: str, start: int, end: int) -> bool:
    """Whether the number is a sum or part of one: a currency or operator before it, a unit or operator after it."""
    before = _AMOUNT_BEFORE.search(text[max(0, start - 5) : start])
    return before is not None or _UNIT_AFTER.match(text, end) is not None


def is_near(words: re.Pattern[str], text: str, start: int, end: int, reach: int = 40) -> bool:
    """Whether one of the words stands in the `reach` characters before the place or in half as many after it."""
    return words.search(text[max(0, start - reach) : start]) is not None or (
        words.search(text[end : end + reach // 2]) is not None
    )
