"""Names of persons told by a title or a phrase before them, and dates of birth told by what they are called."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from atanor.data.checks.scanning import Span

NAME_FORM: Final = (
    r"\b(?:Mr|Mrs|Ms|Miss|Mx|Dra?|Prof|Professor|Sir|Sra?|Srta|Dña|D|[Dd]on|[Dd]oña|[Ss]eñor(?:a|ita)?)[. ]"
    r"|\b(?:name(?:'s|’s| is)|[Cc]all me|llamo|nombre(?: completo)? es|am called"
    r"|[Dd]ear|[Qq]uerid[oa]|[Ee]stimad[oa])\b"
)
"""RE2: a name of a person may be there."""

BIRTH_FORM: Final = (
    r"(?i)\bd\.?o\.?b\b|date of birth|birth ?date|\bi(?: was|['’]m| am|['’]ve been) born|\bm[yi] (?:birthday|cumplea)"
    r"|nac[ií] el|de nacimiento|\bf\. ?nac"
)
"""RE2: a date of birth may be there."""

_WORD = r"[A-ZÀ-Þ][a-zß-ÿ]+(?:['’-](?!s\b)[A-ZÀ-Þ]?[a-zß-ÿ]+)*|[ODL]['’][A-ZÀ-Þ][a-zß-ÿ]+|Mac[A-Z][a-z]+|Mc[A-Z][a-z]+"
_PARTICLES = r"(?:(?:de|del|la|las|los|y|van|von|der|den|da|dos|di|bin|al)[ ]){0,3}"
_NAME = rf"(?:{_WORD})(?:(?:[ ][A-Z]\.)?[ ]{_PARTICLES}(?:{_WORD})){{0,3}}"
_TITLED = re.compile(
    rf"""(?<![\w.])(?:(?:Mr|Mrs|Ms|Mx|Dr|Dra|Prof|Sra?|Srta|Dña)\.?|Miss|Professor|Sir|[Ss]eñor(?:a|ita)?|[Dd]on|[Dd]oña
      |D\.(?=[ ](?:{_WORD})[ ](?:{_WORD})))[ ](?:[A-Z]\.[ ]?){{0,2}}(?P<name>{_NAME})""",
    re.VERBOSE,
)
_INTRODUCED = re.compile(
    rf"""(?<!\w)(?:[Mm]y[ ](?:full[ ]|first[ ])?name(?:[ ]is|['’]s)|[Cc]all[ ]me|I[ ]am[ ]called|[Mm]e[ ]llamo
      |[Mm]i[ ]nombre(?:[ ]completo)?[ ]es|[Dd]ear|[Qq]uerid[oa]|[Ee]stimad[oa]):?[ ]
    (?:(?:Mr|Mrs|Ms|Miss|Dr|Sra?|Srta|Don|Doña|Prof)\.?[ ])?(?P<name>{_NAME})""",
    re.VERBOSE,
)
_NO_NAMES = re.compile(
    r"""Sirs?|Madam|Customers?|All|Team|Diary|Friends?|God|Lord|Readers?|Colleagues?|Parents|Students?|Editor|Hiring
        |Manager|Recruiter|Committee|Members?|Everyone|Santa|Mom|Dad|Mum|Mother|Father|Sister|Brother|Pepper|President
        |Speaker|Minister|Chairman|Professor|Voucher|Subscriber|Winner|Valued|User|World|Universe|No|Who|Your?|Call
        |Clientes?|Amig[oa]s?|Señor(?:a|es)?|Equipo|Lector(?:es)?|Colegas|Todos|President[ea]|Ministr[oa]|Usuari[oa]s?""",
    re.VERBOSE,
)
"""First words after a title or a greeting that are no names: `Dear Customer`, `Dr. Pepper`, `Mr. President`."""

_MONTH = (
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*|enero|febrero|marzo|abril|mayo|junio|julio|agosto"
    r"|sep?tiembre|octubre|noviembre|diciembre"
)
_YEAR = r"(?:19[0-9]{2}|20[0-9]{2}|'?[0-9]{2})"
_DATE = (
    rf"(?:[0-9]{{1,2}}[./-][0-9]{{1,2}}[./-]{_YEAR}|(?:19|20)[0-9]{{2}}[./-][0-9]{{1,2}}[./-][0-9]{{1,2}}"
    rf"|[0-9]{{1,2}}(?:st|nd|rd|th|º|°)?(?:[ ](?:of|de))?[ ](?:{_MONTH})\.?,?(?:[ ](?:of|de|del))?[ ]{_YEAR}"
    rf"|(?:{_MONTH})\.?[ ][0-9]{{1,2}}(?:st|nd|rd|th)?,?[ ]{_YEAR})(?![0-9])"
)
_BIRTH = re.compile(
    rf"""(?<!\w)(?:d\.?o\.?b\.? | date\ of\ birth | birth\ ?date | fecha\ de\ nacimiento | f\.\ ?nac\.?
      | (?:my|mi)\ (?:birthday|cumplea[ñn]os)
      | i(?:\ was|['’]m|\ am|['’]ve\ been)\ born | nac[ií](?=\ el) )
    (?:[ ](?:is|was|es|fue))?\W{{1,4}}(?:(?:on|in|el|the|d[ií]a|of)\ ){{0,3}}(?P<date>{_DATE})""",
    re.IGNORECASE | re.VERBOSE,
)


def person_names(text: str) -> Iterator[Span]:
    """Where capitalised words follow a title (`Mr.`, `Sra.`, `Dr.`) or a phrase (`my name is`, `me llamo`, `Dear`)."""
    taken = 0
    matches = sorted((*_TITLED.finditer(text), *_INTRODUCED.finditer(text)), key=lambda match: match.start("name"))
    for match in matches:
        start, end = match.span("name")
        if start >= taken and _NO_NAMES.fullmatch(match["name"].split()[0]) is None:
            yield start, end
            taken = end


def dates_of_birth(text: str) -> Iterator[Span]:
    """Where a date stands that is called a date of birth, in a form or by the person: `DOB: …`, `I was born on …`.

    `She was born on …` is the sentence of encyclopaedias about public figures and is left.
    """
    for match in _BIRTH.finditer(text):
        yield match.span("date")
