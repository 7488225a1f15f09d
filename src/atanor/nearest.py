"""The known name nearest to a mistyped one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], cutoff: float = 0.5) -> str | None:
    """The known name most like `word`, whatever its case, or None when none is alike.

    Args:
        word: as it was written.
        known: names that would have been right.
        cutoff: likeness asked for, from 0 to 1 (`difflib.SequenceMatcher.ratio`).
    """
    by_lower = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=cutoff)
    return by_lower[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str], otherwise: str) -> str:
    """The question that names the nearest known name, followed by `otherwise`."""
    names = list(known)
    found = nearest(word, names)
    return f"Did you mean `{found}`? {otherwise}" if found else otherwise
