"""Nationalities, ethnicities, religions and ages exchanged, where a word surely speaks of a person.

A group keeps one partner in a row. `French` before a noun for a person, after `I am`, or with an article is a person;
in `French cuisine` it is not, and a row that has both readings of one group is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

from atanor.data.bias.agreement import plural_of
from atanor.data.bias.lexicon import entries, lexicon_of
from atanor.data.bias.options import Dimension, Language
from atanor.data.bias.outcome import Refused, Why
from atanor.data.bias.tokens import Tokens, word_set
from atanor.data.words.places import with_article
from atanor.data.words.vocabulary import FUNCTION_WORDS

_ETHNIC = ("black", "white", "asian", "latino")
_ETHNIC_WORDS = {"black": "Black", "white": "White", "asian": "Asian", "latino": "Hispanic"}
_ONE_BEFORE = word_set("a an another every each un una otro otra cada")
_SEVERAL_BEFORE = word_set(
    """
    the two three many some most few all both los las unos unas muchos muchas dos tres
    """
)
_BE = word_set("am is are was were m s re be being soy eres es somos son era eran")
_PEOPLE = word_set("i he she they we you who im yo él ella ellos ellas nosotros quien")


@dataclass(frozen=True, slots=True)
class Term:
    """A word that names a group.

    Attributes:
        group: the group.
        form: which of the group's forms it is: `adjective`, `one`, `several`, or a gender and number in Spanish.
    """

    group: str
    form: str


@dataclass(frozen=True)
class Exchange:
    """What can be exchanged in a dimension and language.

    Attributes:
        terms: each word in lower case with its readings.
        forms: for each group its word in each form.
        targets: for each group those it may become.
    """

    terms: Mapping[str, tuple[Term, ...]]
    forms: Mapping[str, Mapping[str, str]]
    targets: Mapping[str, tuple[str, ...]]


class GroupSwap:
    """Exchanges the groups of one dimension in one row's texts.

    Args:
        dimension: which.
        language: the language of the texts.
        rng: draws the partner of a group.
        doubtful: a name in the row that may belong to a group (`Paris`), or None.
    """

    def __init__(self, dimension: Dimension, language: Language, rng: Random, doubtful: str | None) -> None:
        self._doubtful = doubtful
        self._exchange = exchange_of(dimension, language)
        self._dimension, self._language, self._rng = dimension, language, rng
        self._partners: dict[str, str] = {}

    def swap(self, tokens: Tokens, kept: frozenset[int]) -> None:
        """Exchange every group that a person is said to belong to.

        Raises:
            Refused: a word of such a group is no person, or a name in the row may belong to the group.
        """
        found = [
            index for index in range(len(tokens)) if index not in kept and tokens.lower[index] in self._exchange.terms
        ]
        for index in found:
            term = self._person(tokens, index)
            if term is None or _is_part(tokens, index):
                raise Refused(Why.AGREEMENT, tokens.words[index])
            if self._doubtful is not None:
                raise Refused(Why.REAL_PERSON, self._doubtful)
            tokens.replace(index, self._in_case(tokens, index, self._other(term)))
            if tokens.before(index) in ("a", "an") and self._language == "en":
                tokens.words[index - 1] = with_article(tokens.words[index - 1], tokens.words[index])

    def _in_case(self, tokens: Tokens, index: int, word: str) -> str:
        # `white` and `Asian`: an English word keeps the capital that it needs, and takes none that it does not.
        if self._language == "en" and not tokens.is_capital(index) and word in ("Black", "White"):
            return word.lower()
        return word

    def _other(self, term: Term) -> str:
        partner = self._partners.get(term.group)
        if partner is None:
            free = [one for one in self._exchange.targets[term.group] if one not in self._partners.values()]
            if not free:
                raise Refused(Why.AGREEMENT, term.group)
            partner = self._partners[term.group] = self._rng.choice(free)
        word = self._exchange.forms[partner].get(term.form, "")
        if not word:
            raise Refused(Why.AGREEMENT, term.group)
        return word

    def _person(self, tokens: Tokens, index: int) -> Term | None:
        """The reading of a word that surely is a person, or None."""
        readings = {term.form: term for term in self._exchange.terms[tokens.lower[index]]}
        if self._dimension is Dimension.AGE and self._language == "en":
            return next(iter(readings.values())) if tokens.after(index) in _of_an_age() else None
        reader: Callable[[Tokens, int, Mapping[str, Term]], Term | None]
        reader = self._english if self._language == "en" else self._spanish
        return reader(tokens, index, readings)

    def _english(self, tokens: Tokens, index: int, readings: Mapping[str, Term]) -> Term | None:
        after, before = tokens.after(index), tokens.before(index)
        if _is_person(after, "en") and (tokens.words[index + 1].islower() or tokens.words[index].isupper()):
            return readings.get("adjective")
        ended = not after or (after in FUNCTION_WORDS["en"] and after not in ("one", "ones"))
        if "several" in readings:
            return readings["several"]
        if before in _ONE_BEFORE:
            return readings.get("one") if ended else None
        verb = tokens.at(index - 1)
        subject = tokens.at(index - 2)
        if ended and verb in _BE and (subject in _PEOPLE or _is_person(subject, "en")):
            return readings.get("adjective")
        return None

    def _spanish(self, tokens: Tokens, index: int, readings: Mapping[str, Term]) -> Term | None:
        term = next(iter(readings.values()))
        before, after = tokens.before(index), tokens.after(index)
        ended = not after or after in FUNCTION_WORDS["es"]
        if not ended:
            return None
        if _is_person(before, "es") and self._dimension is not Dimension.AGE:
            return term
        if before in _ONE_BEFORE or (before in _SEVERAL_BEFORE and term.form.endswith("s")):
            # A noun of two genders shows which it is by its article.
            feminine = before in ("una", "otra", "las", "unas", "muchas")
            return Term(term.group, term.form.replace("masculine", "feminine")) if feminine else term
        speaks = before in ("soy", "eres") or (before in _BE and _is_person(tokens.at(index - 2), "es"))
        return term if speaks and self._dimension is not Dimension.AGE else None


@cache
def exchange_of(dimension: Dimension, language: Language) -> Exchange:
    """The words that can be exchanged."""
    readers = {Dimension.ORIGIN: _origin, Dimension.RELIGION: _religion, Dimension.AGE: _age}
    forms, targets = readers[dimension](language)
    terms: dict[str, tuple[Term, ...]] = {}
    for group, words in forms.items():
        for form, word in words.items():
            if word:
                terms[word.lower()] = (*terms.get(word.lower(), ()), Term(group, form))
    return Exchange(terms, forms, {group: targets.get(group, ()) for group in forms})


Forms = dict[str, dict[str, str]]
Targets = dict[str, tuple[str, ...]]


def _origin(language: Language) -> tuple[Forms, Targets]:
    forms: Forms = {}
    open_to: list[str] = []
    for line in entries(language, "origin"):
        group, _, rest = line.partition(":")
        country, first, second, several = (column.strip() for column in rest.split("|"))
        word = first.split("/")[0].rstrip("*")
        if country == "!-":
            continue
        if language == "es":
            feminine = word if second == "=" else second.split("/")[0]
            forms[group] = _spanish_forms(word, feminine.rstrip("*"))
            regular = "*" not in second
        else:
            regular = second == several == "=" and "/" not in first
            forms[group] = {"adjective": word, "one": word if regular else "", "several": f"{word}s" if regular else ""}
        if regular and not country.startswith("!"):
            open_to.append(group)
    if language == "en":
        forms |= {group: {"adjective": _ETHNIC_WORDS[group]} for group in _ETHNIC}
    targets = {group: tuple(one for one in open_to if one != group) for group in forms}
    return forms, targets | {group: tuple(one for one in _ETHNIC if one != group) for group in _ETHNIC}


def _religion(language: Language) -> tuple[Forms, Targets]:
    rows = {row[0]: row[1:] for row in (line.split() for line in entries(language, "religion"))}
    forms: Forms = {}
    for at, religion in enumerate(rows["religions"]):
        one = rows["adherent"][at].split("/")
        if language == "es":
            forms[religion] = _spanish_forms(one[0], one[-1], tuple(rows["adherents"][at].split("/")))
        else:
            forms[religion] = {
                "adjective": rows["adjective"][at].split("/")[0],
                "one": one[0],
                "several": rows["adherents"][at].split("/")[0],
                "name": rows["name"][at],
            }
    return forms, {religion: tuple(one for one in forms if one != religion) for religion in forms}


def _age(language: Language) -> tuple[Forms, Targets]:
    forms: Forms = {"young": {}, "old": {}}
    for line in entries(language, "age"):
        if not line.startswith("= "):
            continue
        young, *old = line.removeprefix("= ").split()
        if language == "en":
            # `young` becomes `old`, the first of its partners.
            forms["young"][f"adjective {old[0]}"] = young
            forms["old"][f"adjective {old[0]}"] = old[0]
        else:
            number = "s" if old[0].endswith("s") else ""
            for gender, word in zip(("masculine", "feminine"), old, strict=True):
                forms["young"][f"{gender}{number}"] = young
                forms["old"][f"{gender}{number}"] = word
    return forms, {"young": ("old",), "old": ("young",)}


def _spanish_forms(masculine: str, feminine: str, several: Sequence[str] = ()) -> dict[str, str]:
    plurals = several or (plural_of(masculine), plural_of(feminine))
    return {
        "masculine": masculine,
        "feminine": feminine,
        "masculines": plurals[0],
        "feminines": plurals[-1],
    }


def _is_part(tokens: Tokens, index: int) -> bool:
    """Whether a hyphen makes the word a part of another: `African-Americans`."""
    return tokens.gaps[index].endswith("-") or tokens.gaps[index + 1].startswith("-")


@cache
def _of_an_age() -> frozenset[str]:
    """Persons of whom `old` says their age: an old friend and an old boss may be young."""
    lines = (line for line in entries("en", "age") if line.startswith("> "))
    return frozenset(word for line in lines for word in line.removeprefix("> ").split())


def _is_person(word: str, language: Language) -> bool:
    lexicon = lexicon_of(language)
    return word in lexicon.persons or word in lexicon.occupations
