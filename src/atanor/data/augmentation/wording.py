"""A text as words that may be changed and gaps between them, with the few edits that keep it well formed.

Protected spans, negations, question words and words with an apostrophe stay where they are; capitals belong to places,
not to words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from atanor.data.augmentation.protect import Protection
from atanor.data.words.places import in_case_of, in_middle, with_article
from atanor.data.words.vocabulary import INTERROGATIVES, NEGATIONS

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_STAYING = NEGATIONS | INTERROGATIVES
_ARTICLES = frozenset(("a", "an"))


@dataclass
class Wording:
    """The words of one text. `gaps[i]` stands before `words[i]`, `gaps[-1]` at the end.

    Attributes:
        words: the words and protected spans, in order.
        gaps: what stands between them; one more than there are words.
        fixed: for each word whether it stays as it is and where it is.
    """

    words: list[str]
    gaps: list[str]
    fixed: list[bool]

    @classmethod
    def of(cls, text: str, protection: Protection) -> Wording:
        """Read a text."""
        words: list[str] = []
        gaps = [""]
        fixed: list[bool] = []
        for piece in protection.split(text):
            if piece.protected:
                words.append(piece.text)
                fixed.append(True)
                gaps.append("")
                continue
            at = 0
            for match in _WORD.finditer(piece.text):
                gaps[-1] += piece.text[at : match.start()]
                words.append(match[0])
                fixed.append(_stays(match[0]))
                gaps.append("")
                at = match.end()
            gaps[-1] += piece.text[at:]
        return cls(words, gaps, fixed)

    @property
    def text(self) -> str:
        """The words and gaps joined."""
        return "".join(gap + word for gap, word in zip(self.gaps, [*self.words, ""], strict=True))

    @property
    def free(self) -> list[int]:
        """Indices of the words that may be changed: free, and with plain space or nothing beside them."""
        return [index for index, fixed in enumerate(self.fixed) if not fixed and not self._glued(index)]

    def replace(self, index: int, word: str) -> None:
        """Write another word in this place, in the case of the old one; `a` and `an` before it follow."""
        self.words[index] = in_case_of(self.words[index], word)
        self._mend_article(index)

    def swap(self, first: int, second: int) -> None:
        """Exchange two words; each takes the case of its new place."""
        one, other = self.words[first], self.words[second]
        self.words[first], self.words[second] = in_case_of(one, other), in_case_of(other, one)
        for index in (first, second, first + 1, second + 1):
            self._mend_article(index)

    def insert(self, index: int, word: str) -> None:
        """Put a word before `words[index]`; `index` may be the number of words."""
        first = index == 0
        last = index == len(self.words)
        if first and self.words and not self.fixed[0]:
            word = in_case_of(self.words[0], word)
            self.words[0] = in_middle(self.words[0])
        self.words.insert(index, word)
        self.fixed.insert(index, False)
        if last:
            self.gaps.insert(index, " ")
        else:
            self.gaps.insert(index + 1, " ")
        self._mend_article(index)
        self._mend_article(index + 1)

    def delete(self, index: int) -> None:
        """Take a word out with the space beside it."""
        word = self.words.pop(index)
        del self.fixed[index]
        before, after = self.gaps[index], self.gaps.pop(index + 1)
        joined = after.lstrip(" ") if index == 0 else before.rstrip(" ") + after
        self.gaps[index] = joined if index == 0 or after or not self.words[index:] else before
        starts = index < len(self.words) and not self.fixed[index] and (index == 0 or before.strip(" ") != "")
        if starts:
            self.words[index] = in_case_of(word, self.words[index])
        self._mend_article(index)

    def _glued(self, index: int) -> bool:
        """Whether the word is part of something longer, as in `top/up` or `(card`."""
        before, after = self.gaps[index], self.gaps[index + 1]
        return (before != "" and not before[-1].isspace()) or (
            after[:1] not in ("", " ", "\n", ".", ",", "?", "!", ";", ":")
        )

    def _mend_article(self, index: int) -> None:
        """Make the `a` or `an` before a word agree with it."""
        if 0 < index < len(self.words) and not self.fixed[index - 1] and self.words[index - 1].lower() in _ARTICLES:
            self.words[index - 1] = with_article(self.words[index - 1], self.words[index])


def _stays(word: str) -> bool:
    return word.lower() in _STAYING or any(mark in word for mark in "'’")
