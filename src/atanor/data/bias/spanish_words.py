"""Spanish word classes that agreement asks for: articles, adjectives, persons, verbs, pronouns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from atanor.data.bias.agreement import Forms, agreeing_forms, plural_of
from atanor.data.bias.lexicon import gender_pairs, sections
from atanor.data.bias.tokens import word_set
from atanor.data.words.vocabulary import FUNCTION_WORDS


class Number(StrEnum):
    """How many."""

    ONE = "one"
    SEVERAL = "several"


@dataclass(frozen=True, slots=True)
class Agreement:
    """Gender and number of a form, and the form of the other gender.

    Attributes:
        feminine: whether the form is feminine.
        number: one or several.
        other: the form of the other gender; empty where a rule must find it.
    """

    feminine: bool
    number: Number
    other: str


def _table(text: str, number: Number) -> dict[str, Agreement]:
    found: dict[str, Agreement] = {}
    for pair in text.split():
        masculine, feminine = pair.split("/")
        found.setdefault(masculine, Agreement(False, number, feminine))
        found.setdefault(feminine, Agreement(True, number, masculine))
    return found


DETERMINERS: Mapping[str, Agreement] = {
    **_table(
        "el/la un/una este/esta ese/esa aquel/aquella algún/alguna ningún/ninguna nuestro/nuestra "
        "vuestro/vuestra otro/otra todo/toda tanto/tanta mucho/mucha poco/poca",
        Number.ONE,
    ),
    **_table(
        "los/las unos/unas estos/estas esos/esas aquellos/aquellas algunos/algunas nuestros/nuestras vuestros/vuestras "
        "otros/otras todos/todas tantos/tantas muchos/muchas pocos/pocas ambos/ambas "
        "varios/varias cuantos/cuantas",
        Number.SEVERAL,
    ),
}
"""What agrees before a noun."""
BEFORE_NOUN: Mapping[str, Agreement] = _table("buen/buena mal/mala primer/primera tercer/tercera", Number.ONE)
"""Adjectives whose masculine loses its ending before a noun, and only there."""
AFTER_NOUN: Mapping[str, Agreement] = {
    **_table("mío/mía tuyo/tuya suyo/suya nuestro/nuestra vuestro/vuestra", Number.ONE),
    **_table("míos/mías tuyos/tuyas suyos/suyas nuestros/nuestras vuestros/vuestras", Number.SEVERAL),
}
"""Possessives that may follow their noun: `amigo mío`."""
CONTRACTIONS = {"al": "a la", "del": "de la"}
POSSESSIVES = word_set("mi tu su mis tus sus dos tres cuatro cinco cada qué cuyo cuya")
"""What stands before a noun and does not agree in gender (`cuyo` agrees with it, and is taken with it)."""
INVARIANT_ADJECTIVES = word_set(
    """
    gran grande grandes joven jóvenes pobre pobres feliz felices infeliz infelices triste tristes alegre alegres mejor
    peor mayor menor amable amables inteligente inteligentes fuerte fuertes débil débiles noble nobles ilustre simple
    humilde valiente valientes elegante elegantes prudente dulce cruel fiel leal gentil excelente ausente presente
    inocente adorable respetable insigne célebre
    """
)
ADVERBS = word_set(
    """
    muy tan más menos bien algo bastante demasiado casi siempre nunca ya también tampoco aún todavía aquí
    """
)
BEFORE_VERB = word_set("no se me te nos os le les ya siempre nunca también tampoco aún todavía casi")
CLITICS = word_set("lo la los las")
PREPOSITIONS = word_set(
    """
    a ante bajo con contra de desde durante en entre hacia hasta para por según sin sobre tras al del
    """
)
CONJUNCTIONS = word_set("y e o u ni que pero si cuando como porque pues aunque donde mientras quien sino")
NEUTRAL_AFTER_LO = word_set(
    """
    que cual de más menos mejor peor mismo demás propio bueno malo único primero último contrario cierto
    """
)
HARMLESS_LO = word_set(
    """
    sé siento creo sabe sabes supe sabía juro prometo espero dudo digo dijo decía pienso hago hizo
    """
)
"""Verbs whose `lo` is a fact and not a person."""
_ENCLITIC = re.compile(
    r"\w+(?:(?:[aeiáéí]r|ndo)(?:me|te|se|nos|os)?|[áéíóú]\w{0,3}?(?:me|te|se|nos|[aeioudn]))(?:lo|la|los|las)$"
)
_PARTICIPLE = re.compile(r"\w{2,}(?:[ai]d[oa]s?)$")
_IRREGULAR_PARTICIPLES = word_set(
    """
    abierto cubierto dicho escrito hecho muerto puesto resuelto roto visto vuelto frito impreso
    """
)
_ADJECTIVE_ENDING = re.compile(r"\w{2,}\w(?:os|iv|ísim|[aeiouáéó]tic|[áéóí]nic|[áéó]ric|ófic|ári|oni)[oa]s?$")


@dataclass(frozen=True)
class Vocabulary:
    """The committed Spanish lists, inflected.

    Attributes:
        persons: every word for a person that has a partner, with its gender and number.
        unpaired: words for persons that are counted and have no certain partner.
        common: persons of both genders (`estudiante`).
        fixed: nouns of one grammatical gender whoever is meant (`persona`).
        things: words that only look as if they agreed with a person.
        adjectives: what agrees, in all forms.
        personal: adjectives that say something only of persons.
        verbs: forms of verbs.
        copulas: verbs whose complement agrees with their subject.
        have: forms of `haber`, whose participle does not agree.
    """

    persons: Mapping[str, Agreement]
    unpaired: frozenset[str]
    common: frozenset[str]
    fixed: frozenset[str]
    things: frozenset[str]
    adjectives: Mapping[str, Agreement]
    personal: frozenset[str]
    verbs: frozenset[str]
    copulas: frozenset[str]
    have: frozenset[str]

    def adjective(self, word: str) -> Agreement | None:
        """How a word agrees if it is an adjective or participle: by the list, by its ending, or None."""
        known = self.adjectives.get(word)
        if known is not None:
            return known
        if word in ADVERBS or word in self.things or word in self.verbs or word in FUNCTION_WORDS["es"]:
            return None
        if _PARTICIPLE.fullmatch(word) or _ADJECTIVE_ENDING.fullmatch(word):
            return by_ending(word)
        return None


def by_ending(word: str) -> Agreement | None:
    """Gender, number and other form of a word in -o, -a, -os or -as."""
    for ending, other, feminine, number in (
        ("o", "a", False, Number.ONE),
        ("a", "o", True, Number.ONE),
        ("os", "as", False, Number.SEVERAL),
        ("as", "os", True, Number.SEVERAL),
    ):
        if word.endswith(ending):
            return Agreement(feminine, number, word[: -len(ending)] + other)
    return None


_FINITE = re.compile(r"\w{2,}(?:ó|aban?|aron|ieron|imos|amos|emos|aste|iste|[ei]rán?|arán?|[aei]ría[sn]?|[aei]ré)$")


def is_finite(word: str) -> bool:
    """Whether an ending shows a verb with a person: `vimos`, `llevaba`, `miró`."""
    return _FINITE.fullmatch(word) is not None


def is_enclitic(word: str) -> bool:
    """Whether a verb carries `lo`, `la`, `los` or `las` at its end: `verla`, `mirándolo`, `dímelo`."""
    return _ENCLITIC.fullmatch(word) is not None


@cache
def vocabulary() -> Vocabulary:
    """The Spanish lists, read once."""
    adjectives, nouns, verbs = (sections("es", name) for name in ("adjectives", "nouns", "verbs"))
    persons, unpaired = _persons()
    every = [*adjectives["person"], *adjectives["any"], *_IRREGULAR_PARTICIPLES]
    forms = [one for one in map(agreeing_forms, every) if one is not None]
    common = [word for word in nouns["common"] if not word.endswith("-")]
    return Vocabulary(
        persons=persons,
        unpaired=unpaired,
        common=frozenset([*common, *map(plural_of, common)]),
        fixed=frozenset(nouns["fixed"]),
        things=frozenset(nouns["things"]),
        adjectives={form: agreement for one in forms for form, agreement in _agreements(one)},
        personal=frozenset(
            form for one in map(agreeing_forms, adjectives["person"]) if one is not None for form in one.all
        ),
        verbs=frozenset([*verbs["forms"], *(form for verb in verbs["infinitives"] for form in _conjugated(verb))]),
        copulas=frozenset(verbs["copulas"]),
        have=frozenset(verbs["haber"]),
    )


def _persons() -> tuple[dict[str, Agreement], frozenset[str]]:
    persons: dict[str, Agreement] = {}
    unpaired: set[str] = set()
    for male, sign, female in gender_pairs("es"):
        for word, other, feminine, taken in ((male, female, False, "=>"), (female, male, True, "=<")):
            if word == "-":
                continue
            if sign in taken:
                number = Number.SEVERAL if word.endswith("s") and word not in _SINGULAR_S else Number.ONE
                persons.setdefault(word, Agreement(feminine, number, other))
            elif sign == "~":
                unpaired.add(word)
    return persons, frozenset(unpaired - set(persons))


_SINGULAR_S = word_set("marqués")


def _agreements(forms: Forms) -> tuple[tuple[str, Agreement], ...]:
    return (
        (forms.masculine, Agreement(False, Number.ONE, forms.feminine)),
        (forms.feminine, Agreement(True, Number.ONE, forms.masculine)),
        (forms.masculines, Agreement(False, Number.SEVERAL, forms.feminines)),
        (forms.feminines, Agreement(True, Number.SEVERAL, forms.masculines)),
    )


_ENDINGS = {
    "ar": "o as a amos an é aste ó aron aba abas aban e es en ara aran ase asen",
    "er": "o es e en í iste ió ieron ía ías ían a as an iera ieran iese",
    "ir": "o es e en í iste ió ieron ía ías ían a as an iera ieran iese",
}


def _conjugated(verb: str) -> tuple[str, ...]:
    """The forms of a regular verb in the moods and tenses that stories are told in."""
    stem, ending = verb[:-2], verb[-2:]
    future = [verb + one for one in ("é", "ás", "á", "emos", "án", "ía", "ías", "ían")]
    return (*future, *(stem + one for one in _ENDINGS[ending].split()), verb)
