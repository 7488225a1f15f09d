"""Slurs, obscenity, profanity and threats, found by lexicon and by pattern.

The lexicons are in `lexicons/`, which says how an entry reads. A lexicon finds words, not opinions: it misses polite
contempt, and a book that quotes a slur has it. What it finds is therefore reported with its severity, and the
project decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from atanor.data.checks.severity import Severity
from atanor.data.findings import Finding
from atanor.errors import shorten

RULE = "toxicity"
LEXICON_LANGUAGES = ("en", "es")
"""Languages there is a lexicon for."""


_REASONS = {
    Severity.MILD: "mild profanity",
    Severity.OBSCENE: "an obscenity",
    Severity.SLUR: "a slur",
    Severity.THREAT: "a threat",
}

_DRAWN_AS = {"a": "a4@á", "e": "e3é", "i": "i1!í", "o": "o0ó", "u": "uvúü", "s": "s$5", "t": "t7"}
"""Signs a letter may be drawn as where it is not the first of its word."""
_ACCENTED = {"á": "a", "é": "e", "í": "i", "ó": "o", "ú": "u", "ü": "u"}
_STARRED = "aeiou"
_GAP = r"[\s_-]+"

_HARM = r"(?:kill|murder|shoot|stab|strangle|rape|behead|burn|beat|bury|slaughter)"
_PERSON = r"(?:you|u|ya|him|her|them|your (?:family|kids?|children|mother|mom|wife|husband|daughter|son))"
_HARM_ES = r"(?:matar|violar|degollar|apuñalar|disparar|quemar|rajar|estrangular)"
_THREATS = {
    "en": (
        rf"i(?:['’]ll| will|['’]m going to| am going to|['’]m gonna|ma| gonna) (?:fucking )?{_HARM} {_PERSON}",
        rf"(?:we(?:['’]ll| will| are going to)|someone (?:should|will)) (?:fucking )?{_HARM} {_PERSON}",
        r"(?:i hope|hope) (?:you|u|they|he|she) (?:all )?(?:die|dies|get raped|gets raped|get cancer|gets cancer)",
        r"you (?:all )?deserve to (?:die|be killed|be raped|be shot)",
        r"(?:go )?kill (?:yourself|urself|yourselves)",
        r"go (?:and )?die",
        r"kys",
    ),
    "es": (
        rf"(?:te|os|los|las|le|lo|la) (?:voy|vamos) a {_HARM_ES}",
        rf"voy a {_HARM_ES}(?:te|os|los|las|le|lo|la)",
        r"te (?:mataré|violaré|degollaré|apuñalaré|rajaré)",
        r"(?:ojalá|espero que) (?:te|os) (?:mueras|muráis|maten|violen)",
        r"(?:mátate|suicídate)",
        r"mereces (?:morir|que te maten|que te violen)",
    ),
}


def find_toxicity(
    texts: pa.StringArray, languages: Sequence[str] = (), lowest: Severity = Severity.OBSCENE
) -> list[Finding]:
    """Find toxic words and threats.

    Args:
        texts: the texts; a null counts as an empty one.
        languages: ISO 639-1 codes of the lexicons asked; none: all. A language without a lexicon finds nothing.
        lowest: the least severity that is found.

    Returns:
        A finding for each place, by text and place; of places that overlap the first and longest.
    """
    asked = tuple(language for language in LEXICON_LANGUAGES if not languages or language in languages)
    if not asked or not len(texts):
        return []
    lexicon = _lexicon(asked, lowest)
    suspects = np.flatnonzero(pc.match_substring_regex(pc.fill_null(texts, ""), lexicon.prefilter).to_numpy(False))
    return [found for text in suspects for found in _in_text(int(text), texts[int(text)].as_py(), lexicon)]


@dataclass(frozen=True)
class _Lexicon:
    """Compiled entries.

    Attributes:
        prefilter: an RE2 pattern that is true for every text with an entry, and for few others.
        entries: one group a severity, as named in `Severity`; what is taken away has none.
    """

    prefilter: str
    entries: re.Pattern[str]


def _in_text(text: int, content: str, lexicon: _Lexicon) -> Iterator[Finding]:
    for place in lexicon.entries.finditer(content):
        if place.lastgroup is None:
            continue
        severity = Severity(place.lastgroup)
        yield Finding(
            text=text,
            rule=f"{RULE}.{severity}",
            start=place.start(),
            end=place.end(),
            shown=shorten(place.group()),
            reason=f"the text has {_REASONS[severity]}",
            fix="Reword or remove the row, or allow it with `toxicity: off`",
            mask=f"[{severity}]",
        )


@cache
def _lexicon(languages: tuple[str, ...], lowest: Severity) -> _Lexicon:
    """The entries of some languages from a severity on; the worst and the longest are tried first."""
    wanted = list(Severity)[list(Severity).index(lowest) :]
    spared: list[str] = []
    of_severity: dict[Severity, list[str]] = {severity: [] for severity in reversed(wanted)}
    for language in languages:
        for level, term, endings in _entries(language):
            if term.startswith("-"):
                spared.append(_pattern(term[1:], endings))
            elif level in of_severity:
                of_severity[level].append(_pattern(term, endings))
        if Severity.THREAT in of_severity:
            of_severity[Severity.THREAT] += [pattern.replace(" ", _GAP) for pattern in _THREATS[language]]
    groups = [f"(?P<{severity}>{_any(patterns)})" for severity, patterns in of_severity.items() if patterns]
    everything = [pattern for patterns in of_severity.values() for pattern in patterns]
    return _Lexicon(
        prefilter=rf"(?i)\b{_any(everything)}",
        entries=re.compile(
            rf"(?<!\w)(?:{'|'.join([*([_any(spared)] if spared else []), *groups])})(?!\w)", re.IGNORECASE
        ),
    )


def _any(patterns: Sequence[str]) -> str:
    return f"(?:{'|'.join(sorted(patterns, key=lambda pattern: (-len(pattern), pattern)))})"


def _entries(language: str) -> Iterator[tuple[Severity, str, list[str]]]:
    """Level, term and endings of each line of a lexicon."""
    content = files("atanor").joinpath(f"data/checks/lexicons/{language}.txt").read_text(encoding="utf-8")
    for line in content.splitlines():
        words = line.split()
        if words and not words[0].startswith("#"):
            endings = [word[1:] for word in words[1:] if word.startswith("+")]
            yield Severity(words[0]), " ".join(word for word in words[1:] if not word.startswith("+")), endings


def _pattern(term: str, endings: Sequence[str]) -> str:
    """The expression for a term in all its spellings, with one of its endings or none."""
    words = _GAP.join(re.escape(word) if "*" in word else _spellings(word) for word in term.split())
    if not endings:
        return words
    return f"{words}(?:{'|'.join(_spellings(ending, first=False) for ending in endings)})?"


def _spellings(word: str, *, first: bool = True) -> str:
    """A word with letters repeated, drawn as other signs or starred; its first letter stands as it is."""
    parts: list[str] = []
    for run in re.finditer(r"(.)\1*", word):
        letter, times = run.group(1), len(run.group())
        plain = _ACCENTED.get(letter, letter)
        if first and not parts:
            signs = letter + (plain if plain != letter else "")
        else:
            signs = _DRAWN_AS.get(plain, plain) + ("*" if plain in _STARRED else "")
        parts.append(f"[{signs}]" + (f"{{{times},}}" if times > 1 else "+"))
    return "".join(parts)
