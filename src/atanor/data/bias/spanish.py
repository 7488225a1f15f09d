"""Spanish words for a gender exchanged for those of the other one, with all that agrees with them.

Every word that names a person's gender is exchanged at once, so what refers to a person goes on referring to the same
one. What agrees is then settled word by word: an article or adjective beside an exchanged noun follows it; what
stands beside another noun stays; a predicate follows its subject where that stands right before the verb. A row in
which a word is left over that might agree with a person is refused.
"""

from __future__ import annotations

from functools import cache

from atanor.data.bias.agreement import agreeing_forms
from atanor.data.bias.named_persons import OtherNames, first_names, is_first_name
from atanor.data.bias.outcome import Refused, Why
from atanor.data.bias.spanish_binding import NO_NOUN, article_of, has_determiner, require_bound
from atanor.data.bias.spanish_words import (
    ADVERBS,
    AFTER_NOUN,
    BEFORE_NOUN,
    BEFORE_VERB,
    CONJUNCTIONS,
    CONTRACTIONS,
    DETERMINERS,
    INVARIANT_ADJECTIVES,
    POSSESSIVES,
    PREPOSITIONS,
    Agreement,
    Number,
    by_ending,
    vocabulary,
)
from atanor.data.bias.tokens import Tokens, word_set
from atanor.data.words.vocabulary import FUNCTION_WORDS

_PRONOUNS = {"él": "ella", "ella": "él", "ellos": "ellas", "ellas": "ellos"}
_TITLES = {"don": "doña", "doña": "don", "sr": "Sra", "sra": "Sr", "srta": "Sr", "dr": "Dra", "dra": "Dr"}
_OF_A_PERSON = frozenset(("con", "para", "a", "que", "y", "pero", "como", "si", "cuando", "porque"))
"""After these `él` and `ella` are persons; after `en` or `de` they may be things."""
_COUNTED = word_set("todas todos ambas ambos algunas algunos muchas muchos")
_SPEAKER = word_set("soy estoy eres estás sois")
"""Verbs whose subject is a person who speaks or is spoken to."""
_ALSO_ADJECTIVES = frozenset(
    form
    for noun in word_set(
        """
        científico anciano desconocido esclavo prisionero empleado invitado huérfano viudo vecino primo gitano hermano
        hermanito amigo niño chico maestro obrero campesino jefe forastero enfermero trabajador conductor inspector
        investigador pescador cazador guerrero autor creador viajero
        """
    )
    for forms in [agreeing_forms(noun)]
    if forms is not None
    for form in forms.all
)
"""Nouns that after another noun are adjectives: `el pueblo vecino`."""


def names_spanish_gender(tokens: Tokens) -> bool:
    """Whether a text has any Spanish word that is exchanged, or that may tell the gender of who speaks."""
    names = first_names("es")
    return any(lower in _asked() for lower in tokens.lower) or any(word in names for word in tokens.words)


@cache
def _asked() -> frozenset[str]:
    known = vocabulary()
    return frozenset({*known.persons, *known.unpaired, *known.common, *_PRONOUNS, *_TITLES, *_SPEAKER})


class SpanishGender:
    """Exchanges the words of one row's texts.

    Args:
        names: gives the other names; one name always becomes the same one.
        doubtful: a name in the row that may be a real person's or a work's, or None.
    """

    def __init__(self, names: OtherNames, doubtful: str | None) -> None:
        self._names = names
        self._doubtful = doubtful
        self._vocabulary = vocabulary()

    def swap(self, tokens: Tokens, kept: frozenset[int]) -> None:
        """Exchange every word for a gender but those at `kept`, and what agrees with it.

        Raises:
            Refused: how a word agrees cannot be told, or a person may be real.
        """
        heads = [index for index in range(len(tokens)) if index not in kept and self._exchange(tokens, index)]
        if not heads and not self._has_speaker(tokens):
            return
        if self._doubtful is not None:
            raise Refused(Why.REAL_PERSON, self._doubtful)
        for head in heads:
            self._agree_beside(tokens, head)
        self._agree_predicates(tokens)
        for index in range(len(tokens)):
            if index not in tokens.changed and index not in kept:
                require_bound(tokens, index)

    def _exchange(self, tokens: Tokens, index: int) -> bool:
        """Exchange a noun, pronoun, title or name; whether there was one."""
        word, lower = tokens.words[index], tokens.lower[index]
        if lower in _PRONOUNS:
            if tokens.before(index) in PREPOSITIONS - _OF_A_PERSON or tokens.before(index) in _COUNTED:
                raise Refused(Why.AGREEMENT, f"{tokens.before(index)} {word}")
            if lower in ("ellos", "ellas") and self._has_other_plural(tokens):
                raise Refused(Why.AGREEMENT, word)
            tokens.replace(index, _PRONOUNS[lower])
        elif lower in _TITLES and tokens.is_capital(index + 1):
            tokens.replace(index, _TITLES[lower])
        elif is_first_name(tokens, index, "es"):
            if article_of(tokens, index) is not None:
                raise Refused(Why.REAL_PERSON, f"{tokens.before(index)} {word}")
            tokens.replace(index, self._names.of(word))
        elif lower in self._vocabulary.persons:
            self._exchange_noun(tokens, index)
        elif lower in self._vocabulary.common:
            # Its article alone may tell a gender, and follows.
            agreement = self._told_by_article(tokens, index)
            if agreement is None:
                return False
            tokens.changed.add(index)
        elif lower in self._vocabulary.unpaired:
            raise Refused(Why.AGREEMENT, word)
        else:
            return False
        return True

    def _has_other_plural(self, tokens: Tokens) -> bool:
        """Whether there is a plural that `ellos` may stand for and that is not exchanged: `los gigantes`."""
        return any(
            tokens.lower[index] in ("los", "las") and tokens.after(index) not in self._vocabulary.persons
            for index in range(len(tokens))
        )

    def _exchange_noun(self, tokens: Tokens, index: int) -> None:
        word, lower = tokens.words[index], tokens.lower[index]
        agreement = self._vocabulary.persons[lower]
        interjection = tokens.at(index) in ("hombre", "hija", "hijo", "mujer") and not has_determiner(tokens, index)
        if interjection and tokens.starts_sentence(index) and not tokens.joined(index + 1):
            raise Refused(Why.AGREEMENT, word)
        agrees = article_of(tokens, index)
        if agrees is not None and tokens.is_capital(index - 1) and not tokens.starts_sentence(index - 1):
            raise Refused(Why.REAL_PERSON, f"{tokens.words[index - 1]} {word}")
        if agrees is not None and agrees.feminine != agreement.feminine:
            raise Refused(Why.AGREEMENT, f"{tokens.before(index)} {word}")
        if (
            word[0].isupper()
            and not word.isupper()
            and not tokens.starts_sentence(index)
            and not tokens.is_capital(index + 1)
        ):
            raise Refused(Why.REAL_PERSON, word)
        participle = lower.endswith(("ado", "ada", "ados", "adas", "ido", "ida", "idos", "idas"))
        if participle and (tokens.before(index) == "sido" or tokens.before(index) in self._vocabulary.copulas):
            raise Refused(Why.AGREEMENT, f"{tokens.before(index)} {word}")
        if lower in _ALSO_ADJECTIVES and not self._may_be_noun(tokens, index):
            raise Refused(Why.AGREEMENT, f"{tokens.before(index)} {word}")
        own = lower == "mujer" and tokens.before(index) in ("mi", "tu", "su")
        tokens.replace(index, "marido" if own else agreement.other)

    def _may_be_noun(self, tokens: Tokens, index: int) -> bool:
        """Whether a word that is an adjective as well stands where only a noun can."""
        before = tokens.before(index)
        return (
            not before
            or has_determiner(tokens, index)
            or before in BEFORE_NOUN
            or before in INVARIANT_ADJECTIVES
            or before in self._vocabulary.copulas
            or before in PREPOSITIONS
            or before in CONJUNCTIONS
        )

    def _told_by_article(self, tokens: Tokens, index: int) -> Agreement | None:
        """The gender of a noun of both genders, by the article or adjective right beside it."""
        before, after = article_of(tokens, index), self._vocabulary.adjective(tokens.after(index))
        return before or after

    def _gender_of(self, tokens: Tokens, head: int) -> tuple[bool, Number]:
        """Whether an exchanged word was feminine, and its number."""
        lower, word = tokens.lower[head], tokens.words[head]
        if lower in _PRONOUNS:
            return lower.startswith("ella"), Number.SEVERAL if lower.endswith("s") else Number.ONE
        if lower in _TITLES:
            return lower.endswith("a"), Number.ONE
        if lower in self._vocabulary.persons:
            agreement = self._vocabulary.persons[lower]
            return agreement.feminine, agreement.number
        told = self._told_by_article(tokens, head) if lower in self._vocabulary.common else None
        if told is not None:
            return told.feminine, told.number
        return first_names("es").get(word, "female") == "male", Number.ONE

    def _agree_beside(self, tokens: Tokens, head: int) -> None:
        """Make the articles and adjectives before and after an exchanged noun follow it."""
        feminine, number = self._gender_of(tokens, head)
        at = head - 1
        while at >= 0 and tokens.joined(at + 1):
            lower = tokens.lower[at]
            if lower in CONTRACTIONS or self._agrees(tokens, at, feminine, number):
                self._follow(tokens, at, before_noun=True)
            elif lower in ("y", "e") and self._describes(tokens.before(at)):
                pass
            elif lower not in POSSESSIVES and lower not in INVARIANT_ADJECTIVES:
                if has_determiner(tokens, at):
                    raise Refused(Why.AGREEMENT, f"{tokens.words[at]} {tokens.words[at + 1]}")
                break
            at -= 1
        if tokens.lower[head] not in _PRONOUNS and tokens.lower[head] not in _TITLES:
            self._agree_after(tokens, head, feminine, number)

    def _agree_after(self, tokens: Tokens, head: int, feminine: bool, number: Number) -> None:
        """Adjectives after a noun, also several: `una mujer alta, rubia y muy simpática`."""
        at, linked = head + 1, False
        while at < len(tokens) and (tokens.joined(at) or (linked and tokens.gaps[at] == ", ")):
            lower = tokens.lower[at]
            possessive = AFTER_NOUN.get(lower) if at == head + 1 else None
            if possessive is not None and (possessive.feminine, possessive.number) == (feminine, number):
                tokens.replace(at, possessive.other)
            elif self._agrees(tokens, at, feminine, number) and lower not in DETERMINERS:
                self._follow(tokens, at)
                linked = True
            elif lower in ADVERBS or (linked and lower in ("y", "e", "o", "ni")):
                pass
            elif lower in INVARIANT_ADJECTIVES:
                linked = True
            elif (
                (at == head + 1 or tokens.at(at - 1) in ("muy", "tan"))
                and tokens.joined(at)
                and self._may_agree(lower, feminine, number)
            ):
                raise Refused(Why.AGREEMENT, f"{tokens.lower[head]} {tokens.lower[at]}")
            else:
                return
            at += 1

    def _describes(self, word: str) -> bool:
        return word in INVARIANT_ADJECTIVES or self._vocabulary.adjective(word) is not None

    def _may_agree(self, word: str, feminine: bool, number: Number) -> bool:
        """Whether an unknown word after a noun has its ending: an adjective, or a verb that no list knows."""
        ending = by_ending(word)
        if ending is None or word in NO_NOUN or word in self._vocabulary.verbs or word in DETERMINERS:
            return False
        verbal = word.endswith(("aba", "ía", "ara", "iera", "ará", "erá", "irá")) or word in ADVERBS
        return ending.feminine == feminine and ending.number == number and not verbal and len(word) > 3

    def _agrees(self, tokens: Tokens, at: int, feminine: bool, number: Number) -> bool:
        word = tokens.lower[at]
        agreement = DETERMINERS.get(word) or BEFORE_NOUN.get(word) or self._vocabulary.adjective(word)
        return agreement is not None and (agreement.feminine, agreement.number) == (feminine, number)

    def _follow(self, tokens: Tokens, at: int, *, before_noun: bool = False) -> None:
        """Write the other form of an article or adjective."""
        if at in tokens.changed:
            return
        word = tokens.lower[at]
        if word in CONTRACTIONS:
            tokens.replace(at, CONTRACTIONS[word])
            return
        if word == "la" and tokens.before(at) in ("a", "de"):
            # `a la` and `de la` become one word before a masculine noun.
            tokens.replace(at - 1, "al" if tokens.before(at) == "a" else "del")
            tokens.words[at] = tokens.gaps[at] = ""
            tokens.changed.add(at)
            return
        agreement = BEFORE_NOUN.get(word) if before_noun else None
        agreement = agreement or self._vocabulary.adjective(word) or DETERMINERS.get(word)
        other = agreement.other if agreement is not None else ""
        if not other:
            raise Refused(Why.AGREEMENT, tokens.words[at])
        tokens.replace(at, other)

    def _has_speaker(self, tokens: Tokens) -> bool:
        """Whether somebody says of themselves, or is told, what agrees: `estoy cansada`."""
        return any(self._complement(tokens, index) for index in range(len(tokens)) if tokens.lower[index] in _SPEAKER)

    def _complement(self, tokens: Tokens, verb: int) -> list[int]:
        """Adjectives right after a copula: `está muy cansada y enferma`."""
        found: list[int] = []
        at = verb + 1
        while at < len(tokens) and tokens.joined(at):
            lower = tokens.lower[at]
            if self._vocabulary.adjective(lower) is not None:
                found.append(at)
            elif (
                lower not in ADVERBS
                and lower not in INVARIANT_ADJECTIVES
                and not (found and lower in ("y", "e", "o", "ni"))
            ):
                break
            at += 1
        return found

    def _agree_predicates(self, tokens: Tokens) -> None:
        """Make what a copula says of an exchanged subject follow it."""
        for verb in range(len(tokens)):
            if tokens.lower[verb] not in self._vocabulary.copulas:
                continue
            complement = self._complement(tokens, verb)
            self._refuse_unknown_predicate(tokens, complement[-1] if complement else verb)
            self._agree_inverted(tokens, verb)
            if not complement:
                continue
            if tokens.lower[verb] in _SPEAKER or self._has_exchanged_subject(tokens, verb):
                for at in complement:
                    self._follow(tokens, at)

    def _agree_inverted(self, tokens: Tokens, verb: int) -> None:
        """`¡Qué orgullosa estaba Cristina!`: the subject after the verb, the predicate before it."""
        at = verb + 1
        while at < len(tokens) and tokens.joined(at) and at not in tokens.changed and has_determiner(tokens, at + 1):
            at += 1
        before = verb - 1
        inverted = at < len(tokens) and tokens.joined(at) and at in tokens.changed and tokens.joined(verb)
        adjective = self._vocabulary.adjective(tokens.before(verb)) is not None
        if inverted and adjective and article_of(tokens, before) is None:
            self._follow(tokens, before)

    def _refuse_unknown_predicate(self, tokens: Tokens, last: int) -> None:
        """Refuse `es carcelero` and `caprichudo es`: a word with a gender's ending that no list explains."""
        after = last + 1
        while tokens.joined(after) and (tokens.at(after) in ADVERBS or tokens.at(after) in ("un", "una")):
            after += 1
        places = [after] if tokens.joined(after) else []
        if tokens.joined(last) and tokens.starts_sentence(last - 1):
            places.append(last - 1)
        for at in places:
            if at not in tokens.changed and self._is_unknown_predicate(tokens.lower[at]):
                raise Refused(Why.AGREEMENT, tokens.words[at])

    def _is_unknown_predicate(self, word: str) -> bool:
        """Whether a word has a gender's ending and no list knows it."""
        gendered = by_ending(word) is not None or word.endswith(("or", "ora", "ón", "ín", "és"))
        if not gendered or word.endswith(("ción", "sión")) or self._vocabulary.adjective(word) is not None:
            return False
        known = self._vocabulary
        small = word in DETERMINERS or word in NO_NOUN or word in POSSESSIVES or word in FUNCTION_WORDS["es"]
        return not small and word not in known.verbs and word not in known.common

    def _has_exchanged_subject(self, tokens: Tokens, verb: int) -> bool:
        """Whether what was exchanged stands right before the verb, or before `que` or `no` before it."""
        at = verb - 1
        while at >= 0 and tokens.joined(at + 1) and (tokens.lower[at] in BEFORE_VERB or tokens.lower[at] == "que"):
            at -= 1
        return at >= 0 and tokens.joined(at + 1) and at in tokens.changed and not self._inside_other_noun(tokens, at)

    def _inside_other_noun(self, tokens: Tokens, at: int) -> bool:
        """Whether the person before the verb belongs to another subject: `la casa de mi tía está sucia`."""
        while (
            at >= 0
            and tokens.joined(at)
            and (at in tokens.changed or tokens.lower[at] in POSSESSIVES or tokens.lower[at] in INVARIANT_ADJECTIVES)
        ):
            at -= 1
        return at >= 0 and (tokens.lower[at] in ("de", "del", "con", "en", "y") or tokens.words[at].endswith("del"))
