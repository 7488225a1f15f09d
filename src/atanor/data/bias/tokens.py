"""A text as words and what stands between them, so that words can be exchanged and all else stays as it is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from atanor.data.words.places import in_case_of

WORD = re.compile(r"(?i:ma['’]am)|[^\W\d_]+")
"""A word: letters only, so that a possessive's or a verb's ending after an apostrophe stays."""
_ENDS_SENTENCE = re.compile(r"[.!?:;…\n¿¡\"“”«»()—–-]")


def word_set(text: str) -> frozenset[str]:
    """The words of a text between spaces, as a set."""
    return frozenset(text.split())


@dataclass
class Tokens:
    """The words of one text.

    Attributes:
        words: the words as they stand now.
        lower: the words as they stood, in lower case.
        gaps: what stands before each word, and last what stands after all of them.
        changed: indices of words that were exchanged, or that were looked at and stay.
    """

    words: list[str]
    lower: list[str]
    gaps: list[str]
    changed: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, text: str) -> Tokens:
        """Cut a text."""
        words, gaps, at = [], [], 0
        for match in WORD.finditer(text):
            words.append(match[0])
            gaps.append(text[at : match.start()])
            at = match.end()
        return cls(words, [word.lower().replace("’", "'") for word in words], [*gaps, text[at:]])

    def __len__(self) -> int:
        return len(self.words)

    @property
    def text(self) -> str:
        """Words and gaps joined."""
        return "".join(gap + word for gap, word in zip(self.gaps, [*self.words, ""], strict=True))

    def at(self, index: int) -> str:
        """The word at an index in lower case; nothing before the first and after the last."""
        return self.lower[index] if 0 <= index < len(self.lower) else ""

    def joined(self, index: int) -> bool:
        """Whether plain space stands between a word and the one before it."""
        return 0 < index < len(self.words) and self.gaps[index] != "" and self.gaps[index].isspace()

    def after(self, index: int) -> str:
        """The next word, where plain space stands between; else nothing."""
        return self.at(index + 1) if self.joined(index + 1) else ""

    def before(self, index: int) -> str:
        """The word before, where plain space stands between; else nothing."""
        return self.at(index - 1) if self.joined(index) else ""

    def is_capital(self, index: int) -> bool:
        """Whether the word begins with a capital."""
        return 0 <= index < len(self.words) and self.words[index][0].isupper()

    def starts_sentence(self, index: int) -> bool:
        """Whether nothing, or the end of a sentence, stands before the word."""
        if index == 0 or _ENDS_SENTENCE.search(self.gaps[index]) is None:
            return index == 0
        # The point of `Mr.` or of an initial ends no sentence.
        return not (
            self.gaps[index].startswith(".") and (len(self.words[index - 1]) == 1 or self.at(index - 1) in _SHORT)
        )

    def replace(self, index: int, word: str) -> None:
        """Write another word in this place, in the case of the old one; a capital of its own is kept."""
        old = self.words[index]
        shouted = len(old) > 1 and old.isupper()
        self.words[index] = in_case_of(old, word) if word.islower() or shouted else word
        self.changed.add(index)


_SHORT = frozenset(("mr", "mrs", "ms", "dr", "st", "jr", "sr", "sra", "srta", "dra", "vs"))
