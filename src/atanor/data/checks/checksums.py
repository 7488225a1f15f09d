"""Check digits of cards, bank accounts and national numbers: pure arithmetic on a number without separators.

Every function takes the number as people write it, less spaces, dots and hyphens, with its letters in upper case, and
says whether it could have been issued. Numbers of the wrong length or alphabet are not valid; nothing is raised.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

SPAIN_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
CURP_ALPHABET = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"
ITALY_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
"""What the letters A to Z (and the digits 0 to 9 as A to J) count in odd places of a codice fiscale."""

IBAN_LENGTHS = {
    country: int(length)
    for length, countries in (
        ("15", "NO"),
        ("16", "BE"),
        ("18", "DK FI FK FO GL NL SD"),
        ("19", "MK SI"),
        ("20", "AT BA EE KZ LT LU MN XK"),
        ("21", "CH HR LI LV"),
        ("22", "BG BH CR DE GB GE IE ME RS VA"),
        ("23", "AE GI IL IQ OM SO TL"),
        ("24", "AD CZ ES MD PK RO SA SE SK TN VG"),
        ("25", "LY PT ST"),
        ("26", "IS TR"),
        ("27", "BI DJ FR GR IT MC MR SM"),
        ("28", "AL AZ BY CY DO GT HN HU LB NI PL SV"),
        ("29", "BR EG PS QA UA"),
        ("30", "JO KW MU YE"),
        ("31", "MT SC"),
        ("32", "LC"),
        ("33", "RU"),
    )
    for country in countries.split()
}
"""Characters of an IBAN by country, from the SWIFT IBAN registry."""

CARD_ISSUERS = (
    ("4", "4", (13, 16, 19)),  # Visa
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),
    ("6011", "6011", (16, 17, 18, 19)),  # Discover
    ("644", "659", (16, 17, 18, 19)),
    ("300", "305", (14,)),  # Diners Club
    ("3095", "3095", (14,)),
    ("36", "36", (14,)),
    ("38", "39", (14,)),
    ("3528", "3589", (16, 17, 18, 19)),  # JCB
    ("2131", "2131", (15,)),
    ("1800", "1800", (15,)),
    ("62", "62", (16, 17, 18, 19)),  # UnionPay
    *((prefix, prefix, tuple(range(13, 20))) for prefix in ("5018", "5020", "5038", "5893", "6304", "6759")),  # Maestro
    ("6761", "6763", tuple(range(13, 20))),
)
"""First and last prefix of an issuer, and how many digits its cards have."""


def luhn(number: str) -> bool:
    """Whether the digits pass the check of ISO/IEC 7812-1, annex B, used by cards."""
    if not _digits(number):
        return False
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def card(number: str) -> bool:
    """Whether 13 to 19 digits are a payment card: a known issuer's prefix and length, and the Luhn check."""
    issued = any(low <= number[: len(low)] <= high and len(number) in lengths for low, high, lengths in CARD_ISSUERS)
    return issued and luhn(number)


def iban(number: str) -> bool:
    """Whether a bank account number has its country's length and leaves 1 modulo 97 (ISO 13616)."""
    if len(number) != IBAN_LENGTHS.get(number[:2]) or not number.isascii() or not number.isalnum():
        return False
    if not _digits(number[2:4]):
        return False
    return int("".join(str(int(character, 36)) for character in number[4:] + number[:4])) % 97 == 1


def spain_dni(number: str) -> bool:
    """Whether a Spanish DNI (8 digits) or NIE (X, Y or Z and 7 digits) ends in its letter."""
    first = {"X": "0", "Y": "1", "Z": "2"}.get(number[:1], number[:1])
    digits = first + number[1:-1]
    return len(digits) == 8 and _digits(digits) and number[-1] == SPAIN_LETTERS[int(digits) % 23]


def spain_social_security(number: str) -> bool:
    """Whether a Spanish Social Security number has a province and the remainder modulo 97 as its last two digits."""
    if len(number) != 12 or not _digits(number):
        return False
    province, serial, key = int(number[:2]), int(number[2:10]), int(number[10:])
    # Serials below ten million are joined to the province without their leading zero.
    joined = serial + province * (10_000_000 if serial < 10_000_000 else 100_000_000)
    return (1 <= province <= 53 or province == 66) and joined % 97 == key


def us_ssn(number: str) -> bool:
    """Whether 9 digits could be a US Social Security number: no area, group or serial that is never given out."""
    if len(number) != 9 or not _digits(number):
        return False
    area, group, serial = number[:3], number[3:5], number[5:]
    advertised = number in {"078051120", "219099999"}
    return area not in {"000", "666"} and area < "900" and group != "00" and serial != "0000" and not advertised


def us_itin(number: str) -> bool:
    """Whether 9 digits could be a US Individual Taxpayer Identification Number: 9xx and a group of the IRS's ranges."""
    if len(number) != 9 or not _digits(number) or number[0] != "9":
        return False
    group = int(number[3:5])
    return 50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or 94 <= group <= 99


def uk_nino(number: str) -> bool:
    """Whether a UK National Insurance number has two letters that are given out, 6 digits and a suffix A to D."""
    shaped = re.fullmatch(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][0-9]{6}[A-D]", number) is not None
    return shaped and number[:2] not in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}


def france_insee(number: str) -> bool:
    """Whether a French social security number (NIR, 13 places and a key of 2) has a possible month and its key."""
    if re.fullmatch(r"[1-478][0-9]{4}(?:[0-9]{2}|2[AB])[0-9]{8}", number) is None:
        return False
    month = int(number[3:5])
    # Corsica's letters stand for 19 and 18; months above 12 mark births whose date is not known.
    body = int(number[:13].replace("2A", "19").replace("2B", "18"))
    possible = 1 <= month <= 12 or 20 <= month <= 42 or month >= 50
    return possible and int(number[13:]) == 97 - body % 97


def germany_tax_id(number: str) -> bool:
    """Whether a German Steuer-ID has one digit two or three times among its first ten, and its check digit.

    The check is ISO/IEC 7064, MOD 11,10.
    """
    if len(number) != 11 or not _digits(number) or number[0] == "0":
        return False
    repeats = sorted(Counter(number[:10]).values(), reverse=True)
    if repeats[0] not in {2, 3} or repeats[1] != 1:
        return False
    product = 10
    for digit in number[:10]:
        product = 2 * ((int(digit) + product) % 10 or 10) % 11
    return int(number[10]) == (11 - product) % 10


def italy_fiscal_code(number: str) -> bool:
    """Whether an Italian codice fiscale (16 places, digits perhaps replaced by letters) ends in its check letter."""
    digit = "[0-9LMNP-V]"
    shape = rf"[A-Z]{{6}}{digit}{{2}}[A-EHLMPRST]{digit}{{2}}[A-Z]{digit}{{3}}[A-Z]"
    if re.fullmatch(shape, number) is None:
        return False
    values = [ord(one) - ord("A") if one.isalpha() else int(one) for one in number[:15]]
    total = sum(value if place % 2 else ITALY_ODD[value] for place, value in enumerate(values))
    return ord(number[15]) - ord("A") == total % 26


def portugal_nif(number: str) -> bool:
    """Whether 9 digits are the tax number of a Portuguese person (first digit 1, 2, 3 or 45) with its check digit."""
    if re.fullmatch(r"(?:[123][0-9]|45)[0-9]{7}", number) is None:
        return False
    return _mod11(number[:8], range(9, 1, -1)) % 11 % 10 == int(number[8])


def brazil_cpf(number: str) -> bool:
    """Whether 11 digits, not all equal, end in the two check digits of a Brazilian CPF."""
    if len(number) != 11 or not _digits(number) or len(set(number)) == 1:
        return False
    first = _mod11(number[:9], range(10, 1, -1)) % 11 % 10
    second = _mod11(number[:10], range(11, 1, -1)) % 11 % 10
    return number[9:] == f"{first}{second}"


def mexico_curp(number: str) -> bool:
    """Whether a Mexican CURP (18 places) has a date, a state and its check digit."""
    shape = (
        r"[A-Z][AEIOUX][A-Z]{2}[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[HMX]"
        r"(?:AS|B[CS]|C[CLMSH]|D[FG]|G[TR]|HG|JC|M[CNS]|N[ETL]|OC|PL|Q[TR]|S[PLR]|T[CSL]|VZ|YN|ZS)"
        r"[B-DF-HJ-NP-TV-Z]{3}[0-9A-Z][0-9]"
    )
    if re.fullmatch(shape, number) is None:
        return False
    total = sum(CURP_ALPHABET.index(one) * (18 - place) for place, one in enumerate(number[:17]))
    return int(number[17]) == -total % 10


def argentina_cuil(number: str) -> bool:
    """Whether 11 digits are the CUIL or CUIT of a person in Argentina (20, 23, 24, 25, 26 or 27) with its digit."""
    if re.fullmatch(r"2[034567][0-9]{9}", number) is None:
        return False
    check = _mod11(number[:10], (5, 4, 3, 2, 7, 6, 5, 4, 3, 2))
    # A remainder that would need the digit 10 is avoided by giving the person another prefix.
    return check != 10 and check % 11 == int(number[10])


def chile_rut(number: str) -> bool:
    """Whether a Chilean RUT (7 or 8 digits) ends in its check digit, K standing for 10; below 50 million: persons."""
    if re.fullmatch(r"[1-9][0-9]{6,7}[0-9K]", number) is None or int(number[:-1]) >= 50_000_000:
        return False
    factors = [2 + place % 6 for place in range(len(number) - 1)]
    check = _mod11(number[-2::-1], factors)
    return number[-1] == {10: "K", 11: "0"}.get(check, str(check))


def _mod11(digits: str, factors: Iterable[int]) -> int:
    """11 less the weighted sum modulo 11: from 1 to 11; what 10 and 11 stand for is each country's own."""
    return 11 - sum(int(digit) * factor for digit, factor in zip(digits, factors, strict=True)) % 11


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
