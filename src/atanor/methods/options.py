"""The options of each method, as they are written under `methods:` in a project file."""

from __future__ import annotations

from pydantic import Field

from atanor.options import Options
from atanor.train.options import LoraOptions, TrainOptions


class LoraMethodOptions(LoraOptions, TrainOptions):
    """`lora`: train low-rank adapters on every linear layer; the base stays as it is."""


class PromptOptions(Options):
    """`prompt`: no training; the untouched base is told what to do."""

    system: str | None = Field(None, min_length=1, description="The instruction given. Default: the role's goal.")


class FewShotOptions(Options):
    """`few_shot`: no training; the untouched base is shown solved examples from the training rows."""

    shots: int = Field(4, ge=1, description="Examples shown before every question, the same for all.")


METHOD_OPTIONS: dict[str, type[Options]] = {
    "lora": LoraMethodOptions,
    "prompt": PromptOptions,
    "few_shot": FewShotOptions,
}
"""Every method a project file may name, with the options it takes."""
