"""What a word takes from the place it is put in: capitals, and the article before it."""

from __future__ import annotations


def in_case_of(model: str, word: str) -> str:
    """The word with the capitals of the one whose place it takes. `I` keeps its own and gives none."""
    if word in ("I", "A") and model != model.lower():
        return word
    if word == "I":
        return word
    if len(model) > 1 and model.isupper():
        return word.upper()
    if model[0].isupper() and model != "I":
        return word[0].upper() + word[1:]
    return in_middle(word)


def in_middle(word: str) -> str:
    """The word as it stands in the middle of a sentence: without a capital, but for `I` and words of capitals."""
    return word if word == "I" or (len(word) > 1 and word.isupper()) else word[0].lower() + word[1:]


def with_article(before: str, word: str) -> str:
    """`a` or `an`, whichever goes with the word that follows it, in the case of `before`."""
    low = word.lower()
    sounds = low.startswith(("hour", "honest", "honor", "honour", "heir"))
    silent = low.startswith(("uni", "use", "usu", "eu", "one", "once", "uti"))
    right = "an" if (low[:1] in "aeiou" and not silent) or sounds else "a"
    return right.capitalize() if before[0].isupper() else right
