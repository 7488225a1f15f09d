"""What comes of swapping the groups of a row: the new texts, or the reason why there are none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Why(StrEnum):
    """Why the texts of a row are not swapped."""

    NO_GROUP = "it names no group that is exchanged"
    REAL_PERSON = "it may be about a real person or place"
    FACT = "a phrase in it would become false or odd"
    AGREEMENT = "how a word agrees cannot be told for certain"
    CODE = "it has code, markup or data"
    LANGUAGE = "there are no rules for its language"
    PROTECTED = "it has a protected word"
    CALLS = "it calls tools"
    NOT_DRAWN = "it was not drawn"
    BALANCED = "its groups are not named more often than others"
    REPEATED = "it is equal to another row"


FIXES: Mapping[Why, str] = {
    Why.PROTECTED: "Nothing to do, or take the word out of `protect`",
    Why.LANGUAGE: "Nothing to do, or name its language in `languages`",
    Why.NOT_DRAWN: "Nothing to do, or raise `share`",
    Why.BALANCED: "Nothing to do, or set `balancing: false`",
}


@dataclass(frozen=True, slots=True)
class Swapped:
    """Texts with other groups.

    Attributes:
        texts: the new texts, in order.
        pairs: what was exchanged for what, each pair once, in lower case but for names.
    """

    texts: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class NotSwapped:
    """Texts that stay.

    Attributes:
        why: the reason.
        detail: the word or phrase it lies in; empty where the reason says all.
    """

    why: Why
    detail: str = ""


class Refused(Exception):
    """Ends the swap of a row from inside a rule."""

    def __init__(self, why: Why, detail: str = "") -> None:
        self.outcome = NotSwapped(why, detail)
        super().__init__(why, detail)
