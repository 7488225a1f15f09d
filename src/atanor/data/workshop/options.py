"""What the checks of a role's data do, as written in its project file."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import Field

from atanor.data.checks.personal_options import DEFAULT_KINDS, PersonalDataKind
from atanor.data.checks.severity import Severity
from atanor.data.findings import Action
from atanor.data.options import NEAR_DUPLICATE
from atanor.options import Options


class Copies(StrEnum):
    """What happens to a row that is there already, or nearly."""

    OFF = "off"
    REPORT = "report"
    KEEP_TOGETHER = "keep_together"
    """Copies stay, all on one side of the split, so that none is learned on one side and tested on the other."""
    LEAVE_OUT = "leave_out"
    """Only the first copy stays."""


class CheckOptions(Options):
    """What is looked for in the rows, and what is done where it is found: `off`, `report`, `mask` or `refuse`."""

    languages: tuple[str, ...] = Field(
        (), description="Languages the rows may be in, as ISO 639-1 codes; without any the languages are only told."
    )
    language: Action = Field(
        Action.REFUSE, description="What happens to a row in another language than `languages` names."
    )
    personal_data: Action = Field(
        Action.REPORT, description="What happens to e-mail addresses, phone, card and national numbers."
    )
    personal_data_kinds: tuple[PersonalDataKind, ...] = Field(
        DEFAULT_KINDS,
        description="Kinds of personal data that are looked for. Off unless named: `street_address` and `person_name`, "
        "which are mostly public.",
    )
    secrets: Action = Field(Action.REFUSE, description="What happens to keys, tokens and passwords.")
    toxicity: Action = Field(Action.REPORT, description="What happens to slurs, obscenity and threats.")
    toxicity_level: Severity = Field(
        Severity.OBSCENE, description="The mildest that counts: `mild`, `obscene`, `slur` or `threat`."
    )
    canned_refusals: Action = Field(
        Action.REPORT, description="What happens to answers that refuse as a chat model does (`As an AI …`)."
    )
    leaks: Action = Field(Action.REPORT, description="What happens to a row whose answer stands in its prompt.")
    leak_share: float = Field(
        0.8,
        gt=0,
        le=1,
        description="Share of an answer's words that must stand in the prompt, in one piece, to be told.",
    )
    lowest_quality: float = Field(
        0.0, ge=0, le=1, description="Rows with a lower quality score, from 0 to 1, are refused."
    )
    near_duplicates: Copies = Field(
        Copies.KEEP_TOGETHER,
        description="What happens to rows that are nearly the same: `off`, `report`, `keep_together` on one side of "
        "the split, or `leave_out` all but the first.",
    )
    similarity: float = Field(
        NEAR_DUPLICATE,
        gt=0,
        le=1,
        description="Jaccard similarity of character 5-grams from which two rows are nearly the same.",
    )
    contradictions: Action = Field(
        Action.REPORT, description="What happens to rows with an equal prompt and different labels."
    )

    @classmethod
    def nothing(cls) -> Self:
        """Options that look for nothing, for commands that do one thing only."""
        return cls(
            language=Action.OFF,
            personal_data=Action.OFF,
            secrets=Action.OFF,
            toxicity=Action.OFF,
            canned_refusals=Action.OFF,
            leaks=Action.OFF,
            near_duplicates=Copies.OFF,
            contradictions=Action.OFF,
        )
