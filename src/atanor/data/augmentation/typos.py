"""Typing errors: a neighbouring key, a letter left out, doubled, or two exchanged (Belinkov and Bisk 2018).

https://arxiv.org/abs/1711.02173. For data whose users type in a hurry; not meant for answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from atanor.data.augmentation.protect import Protection
from atanor.data.augmentation.wording import Wording

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_SHORTEST = 4
"""Shorter words are left alone: one wrong letter makes them another word."""


def _neighbours() -> dict[str, str]:
    """The keys beside each key of a QWERTY keyboard, in its row and in the rows above and below."""
    places = {key: (row, column) for row, keys in enumerate(_ROWS) for column, key in enumerate(keys)}
    return {
        key: "".join(
            other
            for other, (above, along) in places.items()
            if other != key and abs(above - row) <= 1 and abs(along - column) <= 1
        )
        for key, (row, column) in places.items()
    }


_NEIGHBOURS = _neighbours()


@dataclass(frozen=True)
class Typos:
    """A `Rewriter`: one slip in each drawn word, never in its first letter.

    Attributes:
        alpha: share of the words that get a slip; at least one.
        protection: what stays.
    """

    alpha: float
    protection: Protection

    def rewrite(self, text: str, rng: Random) -> str | None:
        """One candidate, or None where no free word is long enough."""
        wording = Wording.of(text, self.protection)
        places = [index for index in wording.free if len(wording.words[index]) >= _SHORTEST]
        if not places:
            return None
        count = max(1, int(self.alpha * len(wording.words)))
        for index in rng.sample(places, min(count, len(places))):
            wording.words[index] = _slip(wording.words[index], rng)
        return wording.text


def _slip(word: str, rng: Random) -> str:
    at = rng.randrange(1, len(word) - 1)
    match rng.randrange(4):
        case 0 if near := _NEIGHBOURS.get(word[at]):
            return word[:at] + rng.choice(near) + word[at + 1 :]
        case 1:
            return word[:at] + word[at + 1 :]
        case 2 if word[at] != word[at + 1]:
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        case _:
            return word[:at] + word[at] + word[at:]
