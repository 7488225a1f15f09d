"""How many characters of an answer would have to be changed."""

from __future__ import annotations

import unicodedata

import numpy as np
from numpy.typing import NDArray

from atanor.evaluate.items import Item
from atanor.evaluate.metrics.base import MARGIN_OF_A_SHARE, MeanOverItems


class EditDistance(MeanOverItems):
    """Levenshtein's distance (1966) of characters over the length of the longer text; mean over items.

    0 is the reference itself, 1 has nothing of it. Characters are code points in NFC, white space around both texts
    aside. Two empty texts are alike. Of several references the nearest counts.
    """

    name = "edit_distance"
    label = "edit distance"
    unit = "share"
    higher_is_better = False
    bounds = (0.0, 1.0)

    def value(self, item: Item, answer: str) -> float:
        given = _characters(answer)
        return min(_share_changed(given, _characters(reference)) for reference in item.references)

    def default_margin(self, baseline: float) -> float:
        """0.05: one character in twenty."""
        del baseline
        return MARGIN_OF_A_SHARE


def levenshtein(one: NDArray[np.int32], other: NDArray[np.int32]) -> int:
    """Fewest insertions, deletions and substitutions from one text to the other, code points each.

    The table's rows are computed whole: an insertion carries a cell's value on at one a step, so that the least of what
    comes from the left is a running minimum of values less their places.
    """
    places = np.arange(len(other) + 1)
    row = places.copy()
    for number, character in enumerate(one, 1):
        without_insertion = np.minimum(row[1:] + 1, row[:-1] + (other != character))
        row = np.minimum.accumulate(np.concatenate(([number], without_insertion)) - places) + places
    return int(row[-1])


def _characters(text: str) -> NDArray[np.int32]:
    return np.array([ord(character) for character in unicodedata.normalize("NFC", text.strip())], dtype=np.int32)


def _share_changed(given: NDArray[np.int32], wanted: NDArray[np.int32]) -> float:
    longest = max(len(given), len(wanted))
    return levenshtein(given, wanted) / longest if longest else 0.0
