"""English words for a gender exchanged for those of the other one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from atanor.data.bias.english_pronouns import swapped_her, swapped_his
from atanor.data.bias.lexicon import gender_pairs, lexicon_of
from atanor.data.bias.named_persons import OtherNames, first_names, is_first_name
from atanor.data.bias.outcome import Refused, Why
from atanor.data.bias.tokens import Tokens, word_set
from atanor.data.words.places import with_article

_PRONOUNS = word_set("he she him her his hers himself herself")
_PRONOUN_RULES: Mapping[str, Callable[[Tokens, int], str]] = {"her": swapped_her, "his": swapped_his}
_CAPITAL_ONLY = {"mr": "Ms", "ms": "Mr", "mrs": "Mr", "miss": "Mr"}
"""Titles: in lower case they are other words (`to miss`)."""
_CALLED = word_set(
    """
    mom dad mum mommy daddy mummy mother father papa mama grandma grandpa grandmother grandfather granny grandad uncle
    aunt auntie sir madam ma'am
    """
)
"""What people are called by, with a capital. Another noun with one belongs to a name: `the Beastie Boys`."""
_RANKS = word_set(
    """
    king queen prince princess emperor empress duke duchess baron baroness lord lady
    """
)
_PRIVATE = word_set(
    """
    a an my your our his her their some every each another no any one this that these those two
    """
)
"""What stands before a person who is nobody in particular, or of the writer's own circle."""
_VOCATIVE_MAN = frozenset(("man", "boy", "king", "queen"))
_VERBS = frozenset(("groom", "man", "lord", "father", "mother", "husband", "waitress", "widow"))
"""Nouns that are verbs after `to` and `I`."""


def names_english_gender(tokens: Tokens) -> bool:
    """Whether a text has any English word that is exchanged."""
    partners, names = _partners(), first_names("en")
    return any(lower in partners for lower in tokens.lower) or any(word in names for word in tokens.words)


class EnglishGender:
    """Exchanges the words of one row's texts.

    Args:
        names: gives the other names; one name always becomes the same one.
        doubtful: a name in the row that may be a real person's or a work's, or None.
    """

    def __init__(self, names: OtherNames, doubtful: str | None) -> None:
        self._names = names
        self._doubtful = doubtful

    def swap(self, tokens: Tokens, kept: frozenset[int]) -> None:
        """Exchange every word for a gender but those at `kept`.

        Raises:
            Refused: a word has no certain partner, or belongs to a real person.
        """
        for index in range(len(tokens)):
            if index in kept:
                continue
            word = self._other(tokens, index)
            if word is None:
                continue
            if self._doubtful is not None and not _is_anybody(tokens, index):
                raise Refused(Why.REAL_PERSON, self._doubtful)
            tokens.replace(index, word)
            _mend_article(tokens, index)

    def _other(self, tokens: Tokens, index: int) -> str | None:
        word, lower = tokens.words[index], tokens.lower[index]
        if lower in _PRONOUN_RULES:
            return _PRONOUN_RULES[lower](tokens, index)
        if lower in _CAPITAL_ONLY:
            titled = word[0].isupper() and tokens.is_capital(index + 1)
            return _CAPITAL_ONLY[lower] if titled else None
        if is_first_name(tokens, index, "en"):
            if tokens.before(index) in ("a", "an", "the"):
                raise Refused(Why.REAL_PERSON, f"{tokens.before(index)} {word}")
            return self._names.of(word)
        if lower not in _partners():
            return None
        _require_certain(tokens, index)
        return _partners()[lower]


def _require_certain(tokens: Tokens, index: int) -> None:
    word, lower = tokens.words[index], tokens.lower[index]
    if not _partners()[lower]:
        raise Refused(Why.AGREEMENT, word)
    capital = word[0].isupper() and not word.isupper() and not lower.endswith(("men", "man", "women", "woman"))
    if word in ("Man", "Men", "Woman", "Women") or capital:
        of_office = lower in _RANKS and tokens.before(index) in ("the", "my", "your", "our", "a")
        if not tokens.starts_sentence(index) and lower not in _CALLED and not of_office:
            raise Refused(Why.REAL_PERSON, word)
    if lower in ("male", "female", "males", "females") and not _is_persons(tokens, index):
        raise Refused(Why.AGREEMENT, word)
    if lower in _VERBS and tokens.before(index) in ("to", "i", "you", "we", "they"):
        raise Refused(Why.AGREEMENT, f"{tokens.before(index)} {word}")
    # `I know, man` and `Man, that hurts` speak to nobody of that gender.
    comma_before = "," in tokens.gaps[index] and tokens.gaps[index + 1][:1] in (".", "!", "?", ",", "")
    comma_after = tokens.starts_sentence(index) and tokens.gaps[index + 1].startswith((",", "!"))
    if lower in _VOCATIVE_MAN and (comma_before or comma_after):
        raise Refused(Why.AGREEMENT, word)


def _is_persons(tokens: Tokens, index: int) -> bool:
    """Whether `male` is said of a person: with a word for one after it, or of the speaker."""
    after, lexicon = tokens.after(index), lexicon_of("en")
    if after in lexicon.persons or after in lexicon.occupations or after.removesuffix("s") in lexicon.occupations:
        return True
    return tokens.before(index) == "a" and "i" in (tokens.at(index - 3), tokens.at(index - 2))


def _is_anybody(tokens: Tokens, index: int) -> bool:
    """Whether a noun is about nobody in particular, or somebody of the writer's own circle."""
    small = tokens.words[index].islower() or tokens.starts_sentence(index)
    return small and tokens.lower[index] not in _PRONOUNS and tokens.before(index) in _PRIVATE


def _mend_article(tokens: Tokens, index: int) -> None:
    if tokens.before(index) in ("a", "an"):
        tokens.words[index - 1] = with_article(tokens.words[index - 1], tokens.words[index])


@cache
def _partners() -> Mapping[str, str]:
    """The word of the other gender for each that has one; an empty one for words that are never exchanged."""
    found: dict[str, str] = {}
    for male, sign, female in gender_pairs("en"):
        if sign in "=>~":
            found.setdefault(male.lower(), female if sign != "~" else "")
        if sign in "=<~":
            found.setdefault(female.lower(), male if sign != "~" else "")
    return found | {"him": "her", "hers": "his"}
