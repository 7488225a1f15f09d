"""The inflection of English words: which form a word stands in, and the same form of another word.

Irregular forms come from WordNet's exception lists, regular ones from the spelling rules of English.
"""

from __future__ import annotations

from enum import StrEnum

from atanor.data.augmentation.wordnet import PartOfSpeech, WordNet

_VOWELS = "aeiou"
_SIBILANTS = ("s", "x", "z", "ch", "sh")
_UNCHANGED = frozenset(
    (
        "set",
        "put",
        "cut",
        "let",
        "hit",
        "shut",
        "cost",
        "hurt",
        "quit",
        "read",
        "spread",
        "split",
        "bet",
        "burst",
        "cast",
    )
)
"""Verbs whose past is spelled like their base form; WordNet's exception lists leave them out."""


class Form(StrEnum):
    """The form a word stands in."""

    BASE = "base"
    PLURAL = "plural"
    THIRD_PERSON = "third person"
    GERUND = "gerund"
    PAST = "past"
    """The past tense or the past participle, which regular verbs spell alike."""
    IRREGULAR_PAST = "irregular past"
    """A form that is only one of the two, as `took` or `taken`."""
    COMPARATIVE = "comparative"
    SUPERLATIVE = "superlative"


def form_of(word: str, lemma: str, part: PartOfSpeech) -> Form | None:
    """The form `word` is of `lemma`, both in lower case, or None where no rule tells."""
    if word == lemma:
        return Form.BASE
    match part:
        case PartOfSpeech.NOUN:
            return Form.PLURAL
        case PartOfSpeech.VERB:
            return _verb_form(word, lemma)
        case PartOfSpeech.ADJECTIVE:
            return {"er": Form.COMPARATIVE, "st": Form.SUPERLATIVE}.get(word[-2:])
        case PartOfSpeech.ADVERB:
            return None


def inflect(lemma: str, form: Form, part: PartOfSpeech, wordnet: WordNet) -> str | None:
    """The form of a base form, or None where it is not certain. Of a noun of several words the last is inflected."""
    if form is Form.BASE:
        return lemma
    if " " in lemma:
        if part is not PartOfSpeech.NOUN:
            return None
        first, _, last = lemma.rpartition(" ")
        inner = inflect(last, form, part, wordnet)
        return None if inner is None else f"{first} {inner}"
    return _inflected(lemma, form, wordnet.irregular_forms(lemma, part))


def _inflected(lemma: str, form: Form, irregular: tuple[str, ...]) -> str | None:
    match form:
        case Form.PLURAL:
            return irregular[0] if irregular else _with_s(lemma)
        case Form.THIRD_PERSON:
            return {"be": "is", "have": "has"}.get(lemma) or _with_s(lemma)
        case Form.GERUND:
            return next((name for name in irregular if name.endswith("ing")), None) or _gerund(lemma)
        case Form.COMPARATIVE | Form.SUPERLATIVE:
            return _compared(lemma, "er" if form is Form.COMPARATIVE else "est", irregular)
        case _:
            return _past(lemma, irregular)


def _verb_form(word: str, lemma: str) -> Form:
    if word.endswith("ing"):
        return Form.GERUND
    if word.endswith("s") and not lemma.endswith("s"):
        return Form.THIRD_PERSON
    return Form.PAST if word.endswith("ed") else Form.IRREGULAR_PAST


def _past(lemma: str, irregular: tuple[str, ...]) -> str | None:
    if lemma in _UNCHANGED:
        return lemma
    forms = [name for name in irregular if not name.endswith(("ing", "s"))]
    if len(forms) > 1:
        return None  # `took` or `taken`: the text does not say which
    return forms[0] if forms else _with_ed(lemma)


def _with_s(lemma: str) -> str:
    if lemma.endswith(_SIBILANTS) or (lemma.endswith("o") and lemma[-2:-1] not in _VOWELS):
        return f"{lemma}es"
    return f"{lemma[:-1]}ies" if _ends_in_y(lemma) else f"{lemma}s"


def _with_ed(lemma: str) -> str:
    if lemma.endswith("e"):
        return f"{lemma}d"
    return f"{lemma[:-1]}ied" if _ends_in_y(lemma) else f"{_doubled(lemma)}ed"


def _gerund(lemma: str) -> str:
    if lemma.endswith("ie"):
        return f"{lemma[:-2]}ying"
    if lemma.endswith("e") and not lemma.endswith(("ee", "ye", "oe")):
        return f"{lemma[:-1]}ing"
    return f"{_doubled(lemma)}ing"


def _compared(lemma: str, ending: str, irregular: tuple[str, ...]) -> str | None:
    known = next((name for name in irregular if name.endswith(ending)), None)
    if known:
        return known
    if _syllables(lemma) > 1 and not _ends_in_y(lemma):
        return None  # `more beautiful` would need another word in the sentence
    if lemma.endswith("e"):
        return lemma + ending[1:]
    return f"{lemma[:-1]}i{ending}" if _ends_in_y(lemma) else _doubled(lemma) + ending


def _doubled(lemma: str) -> str:
    """The last consonant doubled after one short stressed vowel: only in words of one syllable is that certain."""
    closed = len(lemma) > 2 and lemma[-1] not in "aeiouwxy" and lemma[-2] in _VOWELS and lemma[-3] not in _VOWELS
    return lemma + lemma[-1] if closed and _syllables(lemma) == 1 else lemma


def _ends_in_y(lemma: str) -> bool:
    return lemma.endswith("y") and lemma[-2:-1] not in _VOWELS


def _syllables(lemma: str) -> int:
    groups = sum(
        letter in "aeiouy" and (place == 0 or lemma[place - 1] not in "aeiouy") for place, letter in enumerate(lemma)
    )
    return max(1, groups - (lemma.endswith("e") and groups > 1))
