"""Phone numbers: international ones, the national forms of Spain, the UK, France, Germany and North America, and any
run of digits that the words before it call a phone number.

Whether a number is a person's or a company's cannot be seen. Years, sums, dates, ISBNs and order numbers are left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from atanor.data.checks.scanning import Span
from atanor.data.checks.surroundings import NUMBER_STARTS, is_amount, is_other_number

SUBSCRIBER_DIGITS: Final = {
    "1": (10,),
    "7": (10,),
    "31": (9,),
    "33": (9,),
    "34": (9,),
    "351": (9,),
    "41": (9,),
    "44": (9, 10),
    "48": (9,),
    "51": (8, 9),
    "52": (10, 11),
    "54": (10, 11),
    "55": (10, 11),
    "56": (9,),
    "57": (10,),
    "61": (9,),
    "86": (9, 10, 11),
    "91": (10,),
}
"""Digits after the calling code where a country fixes them."""

ALL_DIGITS: Final = range(8, 16)
"""Digits of a number with its calling code elsewhere: at most 15 (ITU-T E.164)."""

_CALLING_CODE = re.compile(
    r"""1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]
        |2[1-69][0-9]|3[578][0-9]|42[013]|5[09][0-9]|6[789][0-9]|8[0578][0-9]|9[679][0-9]""",
    re.VERBOSE,
)
"""ITU-T E.164 calling codes; of those with three digits the zone."""

_INTERNATIONAL = re.compile(
    r"(?<![\w+^*\]])(?P<plus>\(?\+\(?|\(?00[ -]?)(?P<number>[1-9](?:(?: ?\(0\) ?|[ .()/-]{0,2})[0-9]){6,16})"
)
_ENDS = re.compile(r"(?!(?!x[0-9])\w)")
_EXTENSION = re.compile(r" ?(?:x|ext\.?) ?[0-9]{1,6}\b", re.IGNORECASE)

_GROUPED = re.compile(
    rf"""{NUMBER_STARTS}(?<![0-9][ ])(?:
      [679][0-9]{{2}}[ -][0-9]{{3}}[ -][0-9]{{3}}                                # Spain: 612 345 678
    | [6-9][0-9]{{2}}(?:[ -][0-9]{{2}}){{3}}                                     # 612 34 56 78
    | [89][0-9][ -][0-9]{{3}}[ -](?:[0-9]{{2}}[ -][0-9]{{2}}|[0-9]{{4}})         # 91 234 56 78
    | (?:1[ .-])?\([0-9]{{3}}\)[ -]?[0-9]{{3}}[ .-][0-9]{{4}}                    # North America: (212) 555-0123
    | (?:1[ .-])?[2-9][0-9]{{2}}(?P<gap>[ .-])[2-9][0-9]{{2}}(?P=gap)[0-9]{{4}}  # 212-555-0123
    | \([1-9][0-9]\)[ ]?9?[0-9]{{4}}-[0-9]{{4}}                                  # Brazil: (11) 96123-4567
    | 0[1-9](?:[ .][0-9]{{2}}){{4}}                                              # France: 06 12 34 56 78
    )(?!(?!x[0-9])\w)(?![.,/:-][0-9])(?![ ][0-9]{{2,4}}\b)""",
    re.VERBOSE,
)
_TRUNK = re.compile(
    rf"""{NUMBER_STARTS}(?<![0-9][ ])                                              # UK, Germany: 020 7946 0958
    (?:\(0[1-9][0-9]{{1,3}}\)[ -]?|0[1-9][0-9]{{1,3}}[ /-]|0[1-9][0-9]{{2}})
    (?:[0-9]{{3,4}}[ -][0-9]{{3,4}}|[0-9]{{5,8}})(?![0-9])(?![.,:-][0-9])""",
    re.VERBOSE,
)
_CALLED_A_PHONE = re.compile(
    rf"{NUMBER_STARTS}(?:\(?[0-9]{{9,13}}|\(?[0-9](?:[ .()/-]{{0,2}}[0-9]){{6,12}})(?![0-9])(?![.,/:-][0-9])"
)
_CALLS = re.compile(
    r"""(?:^|[\W_])(?:phones?|telephone|mobile|cell(?:phone)?|landline|what'?s ?app|fax|call(?:ing)?|dial|ring|text|sms
        |tel(?:[eé]fonos?)?|m[oó]vil|celular|tfno|tlfn?o?|ll[aá]m[aeo]\w{0,5}|marca|contact\w{0,3})\b
        [^\n"{};]{0,30}$""",
    re.IGNORECASE | re.VERBOSE,
)
_NO_PHONE = re.compile(
    r"""[0-9]{4}[-/. ][0-9]{1,2}[-/. ][0-9]{1,2} | [0-9]{1,2}[-/. ][0-9]{1,2}[-/. ][0-9]{4}  # a date
      | (?:1[5-9]|20)[0-9]{2}\W{1,3}(?:1[5-9]|20)[0-9]{2}                                   # years
      | [0-9]{1,3}(?:\.[0-9]{3})+ | [0-9]{1,3}(?:\.[0-9]{1,3}){2,3} | [0-9]+\.[0-9]+  # an amount, an IP address
      | (?=(?:[0-9]\W?){7,8}$)[0-9]{5,6}\W[0-9]+ | .*\W[0-9]  # a short code first, a part number""",
    re.VERBOSE,
)


def phone_numbers(text: str) -> Iterator[Span]:
    """Where phone numbers stand in the text: first all international ones, then national forms, then by context."""
    for search in (_international, _national, _by_context):
        for start, end in search(text):
            extension = _EXTENSION.match(text, end)
            yield start, end if extension is None else extension.end()


def _international(text: str) -> Iterator[Span]:
    for match in _INTERNATIONAL.finditer(text):
        end = _end_of_number(text, *match.span("number"), plus="+" in match["plus"])
        if end is not None and not is_other_number(text, match.start()):
            # A bracket that closes outside the number was opened by the sentence.
            lone = match["plus"].startswith("(") and ")" not in text[match.start() : end]
            yield match.start() + lone, end


def _end_of_number(text: str, start: int, end: int, *, plus: bool) -> int | None:
    """The end of the number that begins with a calling code at `start`: the last gap at which its length is right."""
    code = _CALLING_CODE.match(text, start)
    if code is None or (not plus and code[0] not in SUBSCRIBER_DIGITS):
        return None
    lengths = SUBSCRIBER_DIGITS.get(code[0], tuple(number - len(code[0]) for number in ALL_DIGITS))
    for stop in range(end, start, -1):
        at_gap = text[stop - 1].isdigit() and _ENDS.match(text, stop) is not None
        digits = sum(one.isdigit() for one in text[code.end() : stop].replace("(0)", ""))
        if at_gap and digits in lengths:
            return stop
    return None


def _national(text: str) -> Iterator[Span]:
    for match in (*_GROUPED.finditer(text), *_TRUNK.finditer(text)):
        start, end = match.span()
        digits = sum(one.isdigit() for one in match[0])
        # Ten bare digits may be an ISBN or a record number; eleven with a leading zero hardly are.
        likely = match.re is _GROUPED or digits == 11 or (10 <= digits <= 12 and not match[0].isdigit())
        if likely and not is_amount(text, start, end) and not is_other_number(text, start):
            yield start, end


def _by_context(text: str) -> Iterator[Span]:
    for match in _CALLED_A_PHONE.finditer(text):
        start, end = match.span()
        called = _CALLS.search(text[max(0, start - 45) : start]) is not None
        refuted = _NO_PHONE.fullmatch(match[0]) is not None or is_amount(text, start, end)
        if called and not refuted and not is_other_number(text, start):
            yield start, end
