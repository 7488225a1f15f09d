"""E-mail addresses, written as such or in words, and street addresses in English and Spanish."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from atanor.data.checks.scanning import Span

EMAIL_FORM: Final = "@"
"""RE2: an e-mail address may be there."""

_TOP = r"(?:com|org|net|edu|gov|info|io|me|us|uk|eu|es|mx|ar|cl|co|pe|de|fr|it|pt|br|nl|ch|ca|au)\b"

EMAIL_IN_WORDS_FORM: Final = (
    rf"(?i)[\[({{< ](?:at|arroba)[\])}}> ] ?[a-z0-9.-]+(?: ?[\[({{<](?:dot|punto)| (?:dot|punto) |\.{_TOP})"
)
"""RE2: an e-mail address in words may be there."""

_STREETS = (
    r"Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Way|Place|Square|Terrace|Crescent|Close|Gardens"
    r"|Grove|Parkway|Pkwy|Highway|Hwy|Circle|Plaza|Trail|Loop|Alley|Mews|Row|Walk"
)

_CALLES = (
    r"[Cc]alle|[Aa]vda\.?|[Aa]venida|Av\.|[Pp]laza|Pza\.?|[Pp]aseo|[Cc]amino|[Cc]arretera|Ctra\.?|[Rr]onda|[Tt]raves[ií]a"
    r"|[Rr]ambla|[Gg]lorieta|[Aa]lameda|[Pp]asaje|[Cc]allejón|[Cc]uesta|[Uu]rbanización|Urb\."
)

STREET_FORM: Final = rf"[0-9][A-Za-z]?,? (?:[A-Z0-9][^\s,]* )+(?:{_STREETS})\b|\b(?:[Cc]/|{_CALLES})[^0-9\n]+[0-9]"
"""RE2: a street address may be there. It counts no repetitions: large counts make RE2 slow."""

_LETTER = "A-Za-z0-9\u00c0-\u024f"
_LABEL = rf"[{_LETTER}](?:[{_LETTER}-]{{0,61}}[{_LETTER}])?"
_EMAIL = re.compile(
    rf"(?<![{_LETTER}.!#$%&*+/=?^_`{{|}}~@\]-])"
    rf"(?P<local>[{_LETTER}_+][{_LETTER}.!#$%&'*+=?^_`|~-]{{0,63}})"
    rf"@(?:{_LABEL}\.){{1,8}}(?P<top>[a-z]{{2,24}}|[A-Z]{{2,24}}|xn--[a-z0-9-]{{2,59}})(?![{_LETTER}@])"
)
_FILE_ENDINGS = frozenset(
    {"png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "py", "html", "json", "pdf", "txt", "zip"}
)
_REMOTE_BEFORE = re.compile(r"://[^\s/]*$|\b(?:ssh|scp|sftp|rsync|ssh-copy-id)\b[^\n|;]{0,80}$")
_REMOTE_AFTER = re.compile(r":[/~.]")

_AT = r"(?P<at> ?[\[({<](?:at|arroba)[\])}>] ?| (?:at|arroba) )"
_DOT = r"(?: ?[\[({<](?:dot|punto)[\])}>] ?| (?:dot|punto) |\.)"
_EMAIL_IN_WORDS = re.compile(
    rf"(?<![\w.@-])[a-z0-9][\w+-]{{0,40}}(?:{_DOT}[a-z0-9][\w+-]{{0,40}}){{0,3}}{_AT}"
    rf"(?P<host>[a-z0-9][a-z0-9-]{{1,40}})(?:{_DOT}[a-z0-9-]{{2,20}}){{0,2}}"
    rf"{_DOT}{_TOP}",
    re.IGNORECASE,
)
_MAIL_HOSTS = re.compile(
    "gmail|googlemail|hotmail|yahoo|outlook|live|icloud|proton|protonmail|aol|gmx|msn", re.IGNORECASE
)
_MAIL_WORDS = re.compile(r"\b(?:e-?mail|mail|correo|contact\w*|write|escr[ií]b\w*|reach)\b[^\n]{0,30}$", re.IGNORECASE)

_NAME = r"(?:[A-Z\u00c0-\u00de][\w'’.-]*|[0-9]{1,3}(?:st|nd|rd|th))"
_ENGLISH_STREET = re.compile(
    rf"""(?<![\w.,$€£:/#-])(?P<number>[0-9]{{1,5}}[A-Za-z]?(?:-[0-9]{{1,5}})?),?[ ](?:{_NAME}[ ]){{1,4}}
    (?P<type>{_STREETS})\b(?:\.(?=,))?
    (?:,?[ ](?:[Aa]pt|[Aa]partment|[Ss]uite|[Uu]nit|[Ff]lat|\#)\.?[ ]?[\w-]{{1,6}})?
    (?P<town>(?:,[ ][A-Z][\w .'-]{{1,30}}?)?,?[ ](?:[A-Z]{{2}}[ ][0-9]{{5}}(?:-[0-9]{{4}})?
      |[A-Z]{{1,2}}[0-9][0-9A-Z]?[ ][0-9][A-Z]{{2}})\b)?""",
    re.VERBOSE,
)
_SPANISH_STREET = re.compile(
    rf"""(?<!\w)(?:[Cc]/|(?:{_CALLES})(?!\w))[ ]?
    (?:(?:de|del|la|las|los|el|d[ae]|San|Santa)[ ]){{0,3}}[A-ZÀ-Þ][\w'’.-]+
    (?:[ ](?:(?:de|del|la|las|los|y|el)[ ]){{0,3}}[A-ZÀ-Þ][\w'’.-]+){{0,4}}
    (?P<gap>,?[ ](?:n\.?[º°o]|n[uú]m(?:ero|\.)?|\#)?[ ]?)(?P<number>[0-9]{{1,4}})(?![\w.]*[0-9])[A-Za-z]?\b
    (?:,?[ ](?:[0-9]{{1,2}}\.?[º°ª]|piso|bajo|portal|esc\.|[Áá]tico|puerta)[ ]?[\w.º°ª]{{0,8}}){{0,2}}
    (?P<town>,?[ ][0-9]{{5}}\b(?:[ ][A-ZÀ-Þ][\w-]+)?)?""",
    re.VERBOSE,
)
_YEAR = re.compile(r"1[5-9][0-9]{2}|20[0-9]{2}")


def email_addresses(text: str) -> Iterator[Span]:
    """Where e-mail addresses stand (RFC 5321 dot-strings at a host with a top-level domain of letters).

    Names of images (`icon@2x.png`), accounts on remote machines (`ssh user@host`) and the user part of a URL are none.
    """
    for match in _EMAIL.finditer(text):
        start, end = match.span()
        if not (match["top"].lower() in _FILE_ENDINGS or match["local"].endswith(".") or ".." in match["local"]):
            remote = _REMOTE_BEFORE.search(text[max(0, start - 100) : start]) is not None
            if not remote and _REMOTE_AFTER.match(text, end) is None and match["local"] != "git":
                yield start, end


def emails_in_words(text: str) -> Iterator[Span]:
    """Where addresses stand as `name at domain dot com`, `name [at] domain.com`, `nombre arroba dominio punto es`.

    A bare `at` also says where things are, so the host must be a mail service or a word such as `e-mail` be near.
    """
    for match in _EMAIL_IN_WORDS.finditer(text):
        start, end = match.span()
        if (
            match["at"] != " at "
            or _MAIL_HOSTS.fullmatch(match["host"]) is not None
            or _MAIL_WORDS.search(text[max(0, start - 45) : start]) is not None
        ):
            yield start, end


def street_addresses(text: str) -> Iterator[Span]:
    """Where a house number and a street stand together, with flat, postcode and town if they follow."""
    for match in _ENGLISH_STREET.finditer(text):
        # `in 2008 Wall Street` is a year; `St Mary` is a saint and `Dr Jones` a doctor.
        year = _YEAR.fullmatch(match["number"]) is not None and match["town"] is None
        title = match["type"] in {"St", "Dr"} and text[match.end() : match.end() + 2].strip().isupper()
        if not year and not title:
            yield match.span()
    for match in _SPANISH_STREET.finditer(text):
        year = _YEAR.fullmatch(match["number"]) is not None and match["gap"] == " " and match["town"] is None
        if not year:
            yield match.span()
