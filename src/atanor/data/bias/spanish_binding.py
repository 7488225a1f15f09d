"""What a Spanish word that agrees is bound to: the noun beside it, a verb, or perhaps a person somewhere else."""

from __future__ import annotations

from atanor.data.bias.outcome import Refused, Why
from atanor.data.bias.spanish_words import (
    ADVERBS,
    BEFORE_VERB,
    CLITICS,
    CONJUNCTIONS,
    CONTRACTIONS,
    DETERMINERS,
    HARMLESS_LO,
    NEUTRAL_AFTER_LO,
    POSSESSIVES,
    PREPOSITIONS,
    Agreement,
    Number,
    by_ending,
    is_enclitic,
    is_finite,
    vocabulary,
)
from atanor.data.bias.tokens import Tokens, word_set

NO_NOUN = PREPOSITIONS | CONJUNCTIONS | BEFORE_VERB | word_set("muy más tan es son era eran está están fue")
"""Words that are no nouns, after an article or an adjective."""
_PRONOMINAL = word_set(
    """
    uno una unos unas otro otra otros otras alguno alguna algunos algunas ninguno ninguna mismo misma mismos mismas
    todos todas ambos ambas muchos muchas pocos pocas este esta ese esa aquel aquella estos estas esos esas aquellos
    aquellas éste ésta ése ésa aquél aquélla mío mía míos mías tuyo tuya suyo suya suyos suyas juntos juntas solo sola
    solos solas primera nosotras vosotras cuál cuánto cuánta cuántos cuántas
    """
)
"""Words that without a noun beside them stand for one."""
_ADVERBIAL = word_set(
    """
    mucho poco tanto todo demasiado medio bajo alto claro cierto nada sólo primero bueno malo
    """
)
"""Masculine forms that are adverbs as well."""
_ARTICLES = word_set("el la los las")
_BEFORE_CLITIC = word_set("no se me te nos os ya")


def article_of(tokens: Tokens, index: int) -> Agreement | None:
    """How the article or determiner right before a word agrees, or None."""
    before = tokens.before(index)
    return Agreement(False, Number.ONE, "") if before in CONTRACTIONS else DETERMINERS.get(before)


def has_determiner(tokens: Tokens, index: int) -> bool:
    """Whether an article, a determiner or a possessive stands right before a word."""
    return tokens.before(index) in POSSESSIVES or article_of(tokens, index) is not None


def require_bound(tokens: Tokens, index: int) -> None:
    """Refuse a word that was not exchanged and might agree with a person.

    Raises:
        Refused: with the word as its detail.
    """
    word, lower, after = tokens.words[index], tokens.lower[index], tokens.after(index)
    clitic = lower in CLITICS and _is_clitic(tokens, index)
    pronominal = lower in _PRONOMINAL - _ADVERBIAL and not _stands_beside_noun(tokens, index)
    determiner, noun = DETERMINERS.get(lower), by_ending(after)
    # `toda ojos`: the word is about somebody else than its neighbour.
    alone = determiner is not None and noun is not None and determiner.number != noun.number and after not in NO_NOUN
    relative = lower in _ARTICLES and after in ("que", "de", "cual", "del")
    if clitic or pronominal or relative or (alone and lower not in _ADVERBIAL):
        raise Refused(Why.AGREEMENT, f"{word} {after}".strip())
    # After `al` stands an infinitive, after another article a noun such as `la película`.
    if is_enclitic(lower) and (tokens.before(index) in CONTRACTIONS or not has_determiner(tokens, index)):
        raise Refused(Why.AGREEMENT, word)
    agrees = vocabulary().adjective(lower) is not None and lower not in DETERMINERS and lower not in _ADVERBIAL
    if agrees and not _after_haber(tokens, index) and not _stands_beside_noun(tokens, index):
        raise Refused(Why.AGREEMENT, word)


def _is_clitic(tokens: Tokens, index: int) -> bool:
    """Whether `lo`, `la`, `los` or `las` is a pronoun: `la vio`, and not `la casa` or `lo bueno`."""
    known = vocabulary()
    before, after = tokens.before(index), tokens.after(index)
    if tokens.lower[index] == "lo":
        neuter = known.adjective(after) is not None and after not in known.verbs
        return not neuter and after not in NEUTRAL_AFTER_LO and after not in HARMLESS_LO
    if before in _BEFORE_CLITIC or after in PREPOSITIONS or not after:
        return True
    if after in known.persons or after in known.things:
        return False
    return (after in known.verbs or after in known.have or is_finite(after)) and before not in PREPOSITIONS


def _after_haber(tokens: Tokens, index: int) -> bool:
    """Whether a participle stands after `haber`, where it does not agree: `había comido`."""
    have = vocabulary().have
    before = tokens.before(index)
    return tokens.lower[index].endswith("o") and (
        before in have or (before in ADVERBS and tokens.before(index - 1) in have)
    )


def _stands_beside_noun(tokens: Tokens, index: int) -> bool:
    """Whether the word is bound to a noun that is not exchanged: `la casa blanca`, `otra vez`, `el mismo día`."""
    lower = tokens.lower[index]
    agreement = DETERMINERS.get(lower) or vocabulary().adjective(lower) or by_ending(lower)
    return agreement is not None and (_noun_before(tokens, index, agreement) or _noun_after(tokens, index, agreement))


def _noun_after(tokens: Tokens, index: int, agreement: Agreement) -> bool:
    known, after = vocabulary(), tokens.after(index)
    if not after or after in NO_NOUN or index + 1 in tokens.changed:
        return False
    if tokens.lower[index] in DETERMINERS and known.adjective(after) is None:
        return after not in known.verbs or has_determiner(tokens, index)
    return after not in known.verbs and after not in known.copulas and _same(by_ending(after), agreement)


def _noun_before(tokens: Tokens, index: int, agreement: Agreement) -> bool:
    """Whether a noun that agrees stands before the word, with only adverbs and adjectives between."""
    known = vocabulary()
    at = index - 1
    while at >= 0 and tokens.joined(at + 1) and _is_between(tokens, at):
        at -= 1
    if at < 0 or not tokens.joined(at + 1) or at in tokens.changed:
        return False
    noun, article = tokens.lower[at], article_of(tokens, at)
    if article is not None:
        return noun not in NO_NOUN and _same(article, agreement)
    if noun in NO_NOUN or noun in POSSESSIVES or noun in known.copulas or noun in known.verbs:
        return False
    plain = noun in known.fixed or noun in known.things or tokens.before(at) in PREPOSITIONS | POSSESSIVES
    return plain and _same(by_ending(noun), agreement)


def _is_between(tokens: Tokens, at: int) -> bool:
    """Whether a word may stand between a noun and an adjective after it: an adverb, an adjective, `y` after one."""
    word = tokens.before(at) if tokens.lower[at] in ("y", "e") else tokens.lower[at]
    adjective = vocabulary().adjective(word) is not None and word not in DETERMINERS
    return adjective or tokens.lower[at] in ADVERBS


def _same(one: Agreement | None, other: Agreement) -> bool:
    return one is not None and (one.feminine, one.number) == (other.feminine, other.number)
