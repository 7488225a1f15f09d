"""The four forms of a Spanish noun or adjective by the rules of spelling: masculine and feminine, one and several."""

from __future__ import annotations

from dataclasses import dataclass

_UNACCENTED = str.maketrans("áéíóú", "aeiou")
_SHORTENED = {"buen": "bueno", "mal": "malo", "primer": "primero", "tercer": "tercero", "algún": "alguno", "un": "uno"}
"""Masculine forms that lose their ending before a noun, and the full ones."""
_ACCENTED = {"joven": "jóvenes", "régimen": "regímenes", "virgen": "vírgenes", "origen": "orígenes"}
_CONSONANT_PAIRS = ("or", "és", "ón", "ín", "án")


@dataclass(frozen=True)
class Forms:
    """A word that agrees.

    Attributes:
        masculine: `alto`.
        feminine: `alta`.
        masculines: `altos`.
        feminines: `altas`.
    """

    masculine: str
    feminine: str
    masculines: str
    feminines: str

    @property
    def all(self) -> tuple[str, str, str, str]:
        """The four forms."""
        return self.masculine, self.feminine, self.masculines, self.feminines


def plural_of(word: str) -> str:
    """The plural of a noun or adjective that is written as one word."""
    if word in _ACCENTED:
        return _ACCENTED[word]
    if word.endswith("z"):
        return f"{word[:-1]}ces"
    if word.endswith(("í", "ú")):
        return f"{word}es"
    if word[-1] in "aeiouáéó":
        return f"{word}s"
    if word[-1] in "sx" and word[-2:-1] not in ("é", "á", "í", "ó", "ú"):
        return word
    # An accent on the last syllable is not written once there is another one after it.
    return f"{word[:-2]}{word[-2:].translate(_UNACCENTED)}es"


def feminine_of(word: str) -> str | None:
    """The feminine of a masculine adjective or noun of the regular kinds, or None where it has none of its own."""
    word = _SHORTENED.get(word, word)
    if word.endswith("o"):
        return f"{word[:-1]}a"
    if word in ("español", "andaluz"):
        return f"{word}a"
    if word.endswith(_CONSONANT_PAIRS) and word not in ("mayor", "menor", "mejor", "peor", "superior", "inferior"):
        return f"{word[:-2]}{word[-2:].translate(_UNACCENTED)}a"
    return None


def agreeing_forms(word: str) -> Forms | None:
    """The four forms of an adjective given in the masculine, or None where it has no feminine of its own."""
    feminine = feminine_of(word)
    if feminine is None:
        return None
    full = _SHORTENED.get(word, word)
    return Forms(word, feminine, plural_of(full), plural_of(feminine))
