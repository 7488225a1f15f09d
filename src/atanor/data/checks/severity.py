"""How bad a word is: apart from what finds it, so that options can be read without Arrow."""

from __future__ import annotations

from enum import StrEnum


class Severity(StrEnum):
    """How bad a word is, from the least to the worst."""

    MILD = "mild"
    """Profanity that many papers print (`damn`)."""
    OBSCENE = "obscene"
    """Obscenity and coarse insults."""
    SLUR = "slur"
    """Words that insult a group of people."""
    THREAT = "threat"
    """Violence that is announced or wished to somebody."""
