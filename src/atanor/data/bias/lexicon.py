"""The committed word lists as the counter asks them: which group a word names, and what it is worth.

`lexicons/README.md` says how each file reads and how it was made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from atanor.data.bias.agreement import agreeing_forms, plural_of
from atanor.data.bias.options import Dimension, Language

FEMALE, MALE = "female", "male"
NEGATION = -0.74
"""What a negation before it makes of a valence (VADER, Hutto and Gilbert 2014)."""
MORE, LESS = 1.3, 0.7
"""What `very` and `slightly` make of the valence after them, near VADER's increments."""
SIGNS = frozenset(("=", ">", "<", "~"))


@dataclass(frozen=True)
class Lexicon:
    """All that is counted in one language. A word with a capital is meant only with it.

    Attributes:
        groups: for each dimension the group a word names.
        beside_person: words that name their group only beside a word for a person (`old man`, `black woman`).
        persons: words for persons.
        phrases: terms of several words in lower case, with dimension and group.
        occupations: an occupation's common name and the gender its form tells, or None.
        valence: what a word is worth, from -1 to 1.
        negations: words that turn round what follows.
        degrees: words that strengthen or weaken what follows, with their factor.
    """

    groups: Mapping[Dimension, Mapping[str, str]]
    beside_person: frozenset[str]
    persons: frozenset[str]
    phrases: tuple[tuple[tuple[str, ...], Dimension, str], ...]
    occupations: Mapping[str, tuple[str, str | None]]
    valence: Mapping[str, float]
    negations: frozenset[str]
    degrees: Mapping[str, float]


def entries(language: Language, name: str) -> Iterator[str]:
    """The lines of a word list without comments and empty ones."""
    content = files("atanor").joinpath(f"data/bias/lexicons/{language}/{name}.txt").read_text(encoding="utf-8")
    for line in content.splitlines():
        if line.strip() and not line.startswith("#"):
            yield line.strip()


def sections(language: Language, name: str) -> dict[str, tuple[str, ...]]:
    """The words of a list under its `[headings]`."""
    found: dict[str, list[str]] = {}
    for line in entries(language, name):
        if line.startswith("["):
            under = found.setdefault(line.strip("[]"), [])
        else:
            under += line.split()
    return {heading: tuple(words) for heading, words in found.items()}


def gender_pairs(language: Language) -> Iterator[tuple[str, str, str]]:
    """Masculine word, sign and feminine word of each line; in Spanish the plurals, too, by rule."""
    for line in entries(language, "gender"):
        male, sign, female, *rest = line.split()
        yield male, sign, female
        if language == "es" and rest != ["."]:
            yield plural_of(male) if male != "-" else "-", sign, plural_of(female) if female != "-" else "-"


@cache
def countries(language: Language) -> frozenset[str]:
    """Names of countries, with their capital; the first word of those that have several."""
    columns = (line.partition(":")[2].split("|")[0] for line in entries(language, "origin"))
    return frozenset(name.strip().removeprefix("!").split("_")[0] for column in columns for name in column.split("/"))


@cache
def lexicon_of(language: Language) -> Lexicon:
    """The lexicon of a language, read once."""
    builder = _Builder(language)
    return Lexicon(
        groups={
            Dimension.GENDER: _gender(language),
            Dimension.ORIGIN: builder.origin(),
            Dimension.AGE: builder.age(),
            Dimension.RELIGION: builder.religion(),
        },
        beside_person=frozenset(builder.beside),
        persons=frozenset(word for line in entries(language, "persons") for word in line.split()),
        phrases=tuple(builder.phrases),
        occupations=_occupations(language),
        valence=_valence(language),
        negations=frozenset(_marked(language, "negate")),
        degrees=dict.fromkeys(_marked(language, "more"), MORE) | dict.fromkeys(_marked(language, "less"), LESS),
    )


class _Builder:
    """Terms as they are read: words, phrases, and words that need a person beside them."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.beside: set[str] = set()
        self.phrases: list[tuple[tuple[str, ...], Dimension, str]] = []

    def origin(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for line in entries(self.language, "origin"):
            group, _, rest = line.partition(":")
            columns = [[term.strip() for term in column.split("/")] for column in rest.split("|")]
            for term in self._terms_of_origin(columns):
                self._add(found, Dimension.ORIGIN, group, term)
        return found

    def age(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for line in entries(self.language, "age"):
            group, colon, terms = line.partition(":")
            for term in terms.split() if colon else ():
                self._add(found, Dimension.AGE, group, term)
        return found

    def religion(self) -> dict[str, str]:
        found: dict[str, str] = {}
        rows = [line.split() for line in entries(self.language, "religion")]
        religions = rows[0][1:]
        for concept, *cells in rows[1:]:
            groups = religions if len(cells) > 1 else [concept]
            for group, cell in zip(groups, cells, strict=True):
                for term in cell.split("/"):
                    self._add(found, Dimension.RELIGION, group, term)
        return found

    def _terms_of_origin(self, columns: list[list[str]]) -> Iterator[str]:
        country, first, second, third = columns
        yield from (name.removeprefix("!") for name in country)
        one = first if second == ["="] else [*first, *second]
        yield from one
        if self.language == "en":
            yield from (f"{term}s" for term in first if third == ["="])
            yield from third
        else:
            yield from (plural_of(term) for term in one)

    def _add(self, found: dict[str, str], dimension: Dimension, group: str, term: str) -> None:
        if term in ("-", "="):
            return
        word = term.rstrip("*")
        if "_" in word:
            self.phrases.append((tuple(word.lower().split("_")), dimension, group))
            return
        if term.endswith("*"):
            self.beside.add(word)
        found.setdefault(word, group)


def _gender(language: Language) -> dict[str, str]:
    found: dict[str, str] = {}
    for male, _, female in gender_pairs(language):
        found.update({male: MALE, female: FEMALE})
    for heading, names in sections(language, "names").items():
        found.update(dict.fromkeys(names, heading.split()[0]))
    found.pop("-", None)
    return found


def _occupations(language: Language) -> dict[str, tuple[str, str | None]]:
    found: dict[str, tuple[str, str | None]] = {}
    for term in (term for line in entries(language, "occupations") for term in line.split()):
        male, _, female = term.partition("/")
        if not female:
            plural = plural_of(male) if language == "es" else _english_plural(male)
            found.update({male: (term, None), plural: (term, None)})
            continue
        for form, gender in ((male, MALE), (female, FEMALE)):
            found[form] = (term, gender)
            if language == "es":
                found[plural_of(form)] = (term, gender)
            elif form.endswith("man"):
                found[f"{form[:-3]}men"] = (term, gender)
            else:
                found[_english_plural(form)] = (term, gender)
    return found


def _valence(language: Language) -> dict[str, float]:
    found: dict[str, float] = {}
    bare: set[str] = set()
    for line in entries(language, "valence"):
        weight, _, words = line.partition(":")
        if weight[0] not in "+-":
            continue
        for word in words.split():
            if word.startswith("!"):
                bare.add(word[1:])
                continue
            for form in (word, *(_english_forms(word) if language == "en" else _spanish_forms(word))):
                # The word itself decides over a form that a rule makes of another one.
                if form == word or form not in found:
                    found[form] = int(weight) / 3
    return {word: value for word, value in found.items() if word not in bare}


def _marked(language: Language, mark: str) -> Iterator[str]:
    for line in entries(language, "valence"):
        heading, _, words = line.partition(":")
        if heading == mark:
            yield from words.split()


def _english_plural(word: str) -> str:
    if word.endswith("y") and word[-2] not in "aeiou":
        return f"{word[:-1]}ies"
    if word.endswith(("s", "x", "ch", "sh")):
        return f"{word}es"
    return f"{word[:-3]}men" if word.endswith("man") and word != "human" else f"{word}s"


def _english_forms(word: str) -> tuple[str, ...]:
    stem = word[:-1] if word.endswith("e") else word
    if word.endswith("y"):
        return (f"{word[:-1]}ies", f"{word[:-1]}ied", f"{word}ing", f"{word[:-1]}ily", f"{word}s")
    return (_english_plural(word), f"{stem}ed", f"{stem}ing", f"{word}ly", f"{stem}y" if word.endswith("le") else word)


def _spanish_forms(word: str) -> tuple[str, ...]:
    """Plurals and feminine of a noun or adjective; the commonest forms of a regular verb."""
    if word.endswith(("ar", "er", "ir")) and len(word) > 4:
        stem = word[:-2]
        first = word.endswith("ar")
        endings = ("a", "as", "an", "o", "ó", "aba", "aban", "ado", "ando") if first else ("e", "en", "ió", "ía", "ido")
        return tuple(stem + ending for ending in endings)
    adjective = agreeing_forms(word)
    forms = adjective.all if adjective is not None else (plural_of(word),)
    adverb = adjective.feminine if adjective is not None else word
    return (*forms, f"{adverb}mente")
