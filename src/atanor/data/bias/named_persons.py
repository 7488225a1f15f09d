"""First names that can be exchanged, and names of real persons, titles and places that forbid an exchange."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from random import Random

from atanor.data.bias.lexicon import FEMALE, MALE, countries, lexicon_of, sections
from atanor.data.bias.options import Dimension, Language
from atanor.data.bias.outcome import Refused, Why
from atanor.data.bias.tokens import Tokens, word_set
from atanor.data.words.vocabulary import DAYS_AND_MONTHS, FUNCTION_WORDS, SENTENCE_STARTERS

DATED = re.compile(
    r"\b[A-Z]{2,}\d+\b|(?<![\d.,])(?:1\d{3}|20[0-4]\d)(?!\d)"
    r"|\b\d{1,2}(?:st|nd|rd|th) century\b|\b[sS]iglos? [IVXL]+\b"
)
"""A year, a century or the number of a flight: the text tells of something that happened."""
_PLACE_BEFORE = frozenset(("in", "at", "near", "from", "around", "en", "desde", "hacia"))
_TITLES = word_set(
    """
    king queen prince princess emperor empress duke duchess baron baroness lord lady sir pope saint st president
    senator minister chancellor governor general captain colonel major sultan pharaoh tsar rey reina príncipe princesa
    emperador emperatriz conde condesa duque duquesa marqués marquesa papa presidente presidenta fray sor san santo
    santa
    """
)
_LIVELY = word_set(
    """
    is was has had did does said says wrote went won died lived became made played es era fue dijo está estaba hizo
    tenía tiene había
    """
)
"""What follows a name at the start of a sentence."""
_GREETINGS = word_set(
    """
    hi hello hey hiya thanks thank dear okay bye goodbye sorry wow hola adiós gracias querida querido
    """
)
_WRITER = word_set("i my me we our mi mis yo nuestro nuestra")
_PRIVATE_TITLES = word_set("mr mrs ms miss don doña sr sra srta señor señora")
_COMMON_CAPITALS = word_set(
    """
    i mr mrs ms miss dr sr sra dra srta ok internet god christmas tv dios don doña señor señora señorita usted mom dad
    mother father grandma grandpa mum mommy daddy aunt uncle madrid
    """
)


@cache
def first_names(language: Language) -> Mapping[str, str]:
    """The gender of each first name of a language."""
    return {name: heading.split()[0] for heading, names in sections(language, "names").items() for name in names}


class OtherNames:
    """First names of the other gender and the same community.

    One name always becomes the same other one, and none comes twice.
    """

    def __init__(self, language: Language, rng: Random, taken: Sequence[str]) -> None:
        self._rng = rng
        self._taken = set(taken)
        self._sections = sections(language, "names")
        self.chosen: dict[str, str] = {}

    def of(self, name: str) -> str:
        """The name that takes the place of another one."""
        if name not in self.chosen:
            gender, community = next(heading for heading, names in self._sections.items() if name in names).split()
            other = self._sections[f"{MALE if gender == FEMALE else FEMALE} {community}"]
            free = [one for one in other if one not in self._taken]
            if not free:
                raise Refused(Why.AGREEMENT, name)
            self.chosen[name] = self._rng.choice(free)
            self._taken.add(self.chosen[name])
        return self.chosen[name]


_NAMES_AND_WORDS = word_set(
    """
    jack bob rob jean earl lance hank pat peg dean chad cliff drew rick randy clay jasmine daisy hazel heather ivy
    robin sally norma clara paloma pilar mercedes leo marina gloria cora lola alba rosa victoria clemente celia julio
    barry vera joel viola mia tara mario lidia elena ana eva ada eli marcos bella nieves rocío lourdes carmen
    valentina julia pepe pepa paco lorenzo mariana olga
    """
)
"""First names that in lower case are words, or as short as words."""


def refuse_small_names(tokens: Tokens, language: Language) -> None:
    """Refuse a text in which a first name has no capital, as in messages: `uncle john`.

    Raises:
        Refused: with the name as its detail.
    """
    for word in tokens.words:
        if word.islower() and word not in _NAMES_AND_WORDS and word.capitalize() in first_names(language):
            raise Refused(Why.REAL_PERSON, word)


def is_first_name(tokens: Tokens, index: int, language: Language) -> bool:
    """Whether the word is a first name that stands alone."""
    return tokens.words[index].capitalize() == tokens.words[index] and tokens.words[index] in first_names(language)


def refuse_full_names(tokens: Tokens, language: Language) -> None:
    """Refuse a text in which a first name has a surname, or a title has a name.

    Raises:
        Refused: with the name as its detail.
    """
    for index in range(len(tokens)):
        gap = tokens.gaps[index + 1]
        beside = tokens.is_capital(index + 1) and (gap.isspace() or re.fullmatch(r"\.\s|-", gap) is not None)
        if not beside:
            continue
        following = tokens.words[index + 1]
        shown = f"{tokens.words[index]} {following}"
        if is_first_name(tokens, index, language) and following.lower() not in _COMMON_CAPITALS:
            raise Refused(Why.REAL_PERSON, shown)
        shouted = tokens.words[index].isupper() and following.isupper()
        if (
            tokens.at(index) in _TITLES
            and not shouted
            and (tokens.is_capital(index) or is_first_name(tokens, index + 1, language))
        ):
            raise Refused(Why.REAL_PERSON, shown)
        greeted = tokens.at(index) in _GREETINGS or tokens.at(index) in _known(language)
        if is_first_name(tokens, index + 1, language) and tokens.is_capital(index) and not greeted:
            raise Refused(Why.REAL_PERSON, shown)


def unknown_names(tokens: Tokens, language: Language, *, places: bool = False) -> Iterator[str]:
    """Capitalised words that no list explains: they may be surnames, places or works.

    Args:
        tokens: the text.
        language: its language.
        places: whether names after `in` or `at` are given, too.
    """
    personal = not _WRITER.isdisjoint(tokens.lower)
    for index in range(len(tokens)):
        # `Mr. Brown` whom the writer knows is nobody's business; of others he may be in the news.
        if not _is_unknown(tokens, index, language) or (personal and tokens.at(index - 1) in _PRIVATE_TITLES):
            continue
        first = index
        while tokens.joined(first) and _is_unknown(tokens, first - 1, language):
            first -= 1
        if places or tokens.before(first) not in _PLACE_BEFORE:
            yield tokens.words[index]


def _is_unknown(tokens: Tokens, index: int, language: Language) -> bool:
    word, lower = tokens.words[index], tokens.lower[index]
    if not tokens.is_capital(index) or lower in _known(language) or word in _known(language):
        return False
    if tokens.starts_sentence(index):
        following = tokens.after(index)
        possessive = re.match(r"['’]", tokens.gaps[index + 1]) is not None and tokens.at(index + 1) == "s"
        return lower not in SENTENCE_STARTERS and (possessive or following in _LIVELY or following.endswith("ed"))
    return not word.isupper() or len(word) > 3


@cache
def _known(language: Language) -> frozenset[str]:
    """Capitalised words that are no names of real persons."""
    lexicon = lexicon_of(language)
    grouped = {word for dimension in Dimension for word in lexicon.groups[dimension]}
    lower = {*FUNCTION_WORDS["en"], *FUNCTION_WORDS["es"], *DAYS_AND_MONTHS, *_COMMON_CAPITALS}
    return frozenset({*grouped, *lower, *lexicon.persons, *lexicon.occupations} - countries(language))
