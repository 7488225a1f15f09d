"""Which probes of general ability are asked, and how much of each."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePath
from typing import Literal

from pydantic import Field, model_validator

from atanor.options import Options

KL, FORMATS = "kl_to_base", "formats"
"""The probes that need no file."""


class Ability(StrEnum):
    """How much is asked."""

    SMALL = "small"
    MEDIUM = "medium"
    FULL = "full"

    @property
    def items(self) -> int | None:
        """Most items of a file; None for all."""
        return {Ability.SMALL: 100, Ability.MEDIUM: 500}.get(self)

    @property
    def prompts(self) -> int | None:
        """Most prompts of the probes that need no file; None for all."""
        return 20 if self is Ability.SMALL else None


class ProbeKind(StrEnum):
    """What a file holds."""

    BLIMP = "blimp"
    LAMBADA = "lambada"
    WIKITEXT = "wikitext"
    MULTIPLE_CHOICE = "multiple_choice"


class AbilityFile(Options):
    """One file of items."""

    kind: ProbeKind = Field(
        description="`blimp` (`sentence_good` and `sentence_bad`), `lambada` (`text` whose last word is asked for), "
        "`wikitext` (running text) or `multiple_choice` (`question`, `choices`, `answer` from 0)."
    )
    path: str = Field(min_length=1, description="The file, relative to the project: JSON lines, or text of `wikitext`.")
    label: str | None = Field(
        None,
        pattern=r"^[A-Za-z_]\w*$",
        description="What it is called in the report and in gates; the default is its kind, or its file's name.",
    )
    prompt: Literal["question", "continuation", "letters"] = Field(
        "question",
        description="Of `multiple_choice`: `question` puts `Question:` and `Answer:` around it, `continuation` takes "
        "it as it is, `letters` lists the choices and asks for a letter.",
    )
    margin: float | None = Field(
        None, gt=0, description="Smallest change of interest: of a share, or of word perplexity for `wikitext`."
    )

    @model_validator(mode="after")
    def _prompt_is_read(self) -> AbilityFile:
        if self.kind is not ProbeKind.MULTIPLE_CHOICE and self.prompt != "question":
            raise ValueError("`prompt` is about `multiple_choice` only: remove it")
        return self

    @property
    def called(self) -> str:
        """Its name in the report and in gates."""
        if self.label is not None:
            return self.label
        stem = "".join(one if one.isalnum() else "_" for one in PurePath(self.path).stem)
        return stem if self.kind is ProbeKind.MULTIPLE_CHOICE else self.kind.value

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of what is measured, as gates ask for it."""
        more = {ProbeKind.MULTIPLE_CHOICE: "_norm", ProbeKind.WIKITEXT: "_bits"}.get(self.kind)
        return (self.called,) if more is None else (self.called, self.called + more)
