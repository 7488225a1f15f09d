"""What may be done against forgetting and overfitting, as it is written under a method in a project file."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, model_validator

from atanor.options import Options

MOST_REPLAYED = 0.9
"""Largest share of a step's rows that are not the role's."""
_OUTSIDE = "Allow a `path` that leads out of the project's folder."


class ReplayOptions(Options):
    """`replay`: general rows stand among the role's in every optimizer step, so that they are not unlearned."""

    share: float = Field(
        0.2,
        gt=0,
        le=MOST_REPLAYED,
        description="Share of each step's rows. They are added to `batch`, so the role's own rows and steps stay as "
        "they are. Of `self_written` rows the same.",
    )
    path: str | None = Field(
        None,
        min_length=1,
        description="File with general rows, in any format that `data` reads. Default: the texts shipped with Atanor.",
    )
    outside: bool = Field(False, description=_OUTSIDE)
    max_tokens: int = Field(256, ge=2, description="Longest general row; longer ones are cut at the end, and counted.")


class SelfWrittenOptions(Options):
    """`self_written`: the base answers general prompts before training, and its answers are replayed."""

    share: float = Field(0.2, gt=0, le=MOST_REPLAYED, description="Share of each step's rows; see `replay`.")
    path: str | None = Field(
        None,
        min_length=1,
        description="File whose rows' prompts are answered, in any format that `data` reads; their own answers are not "
        "read. Default: the prompts shipped with Atanor.",
    )
    outside: bool = Field(False, description=_OUTSIDE)
    max_new_tokens: int = Field(128, ge=1, description="Longest answer in tokens; one that is cut is left out.")
    temperature: float = Field(0.0, ge=0, description="0 is greedy; above 0 the answers are sampled by the seed.")


class KlRows(StrEnum):
    """The rows at which the tuned model is held to the base."""

    ALL = "all"
    GENERAL = "general"
    OWN = "own"


class KlOptions(Options):
    """`kl_to_base`: at supervised places the tuned model's distribution stays near the base's."""

    weight: float = Field(
        0.1, gt=0, description="What is added to the loss: weight x KL(base || tuned), mean over the places, in nats."
    )
    rows: KlRows = Field(
        KlRows.ALL,
        description="At which rows: `all`, `general` (those of `replay` and `self_written`) or `own` (the role's).",
    )


class EwcOptions(Options):
    """`ewc`: weights that general text depends on are held where they began (Kirkpatrick et al. 2017,
    arXiv:1612.00796).

    How much it depends on each is the diagonal of the Fisher information, estimated once before training.
    """

    weight: float = Field(
        1000.0,
        gt=0,
        description="What is added to the loss: weight / 2 x sum of F x (distance from the beginning) squared, F being "
        "the Fisher information a token.",
    )
    rows: int = Field(
        64, ge=1, description="General rows to estimate from at most: those of `replay`, or those shipped with Atanor."
    )


class AverageOptions(Options):
    """`average`: a mean of the weights along training is validated beside them, and published if it is better."""

    decay: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Of an exponential moving average over the steps, as 0.99; validated at every checkpoint.",
    )
    last: int | None = Field(
        None,
        ge=2,
        description="The mean of so many newest checkpoints, validated at the end (uniform soup, Wortsman et al. 2022, "
        "arXiv:2203.05482).",
    )

    @model_validator(mode="after")
    def _says_something(self) -> AverageOptions:
        if self.decay is None and self.last is None:
            raise ValueError("it says nothing; write `decay: 0.99` (moving average), `last: 3` (mean of checkpoints)")
        return self


class RemedyOptions(Options):
    """What is done against forgetting; nothing by default. Everything can be combined."""

    replay: ReplayOptions | None = Field(None, description="General rows in every step; `{}` takes the defaults.")
    self_written: SelfWrittenOptions | None = Field(None, description="Rows that the base wrote itself in every step.")
    kl_to_base: KlOptions | None = Field(None, description="Stay near the base's distribution over the next token.")
    l2_sp: float | None = Field(
        None,
        gt=0,
        description="Added to the loss: this x the squared distance of what trains from where it began (Li et al. "
        "2018, arXiv:1802.01483).",
    )
    ewc: EwcOptions | None = Field(None, description="Hold the weights that general text depends on.")
    average: AverageOptions | None = Field(None, description="Average the weights along training.")

    @model_validator(mode="after")
    def _possible_together(self) -> RemedyOptions:
        general = self.kl_to_base is not None and self.kl_to_base.rows is KlRows.GENERAL
        if general and self.replay is None and self.self_written is None:
            raise ValueError(
                "`kl_to_base` with `rows: general` has no rows; add `replay: {}` or `self_written: {}`, or write "
                "`rows: own`"
            )
        share = sum(one.share for one in (self.replay, self.self_written) if one is not None)
        if share > MOST_REPLAYED:
            raise ValueError(
                f"`replay` and `self_written` have {share:.0%} of every step together, which leaves too little of the "
                f"role; give them at most {MOST_REPLAYED:.0%}"
            )
        return self

    @property
    def in_words(self) -> tuple[str, ...]:
        """Each remedy that is on, in a few words for the plan."""
        told = []
        if self.replay is not None:
            told.append(f"{self.replay.share:.0%} general rows")
        if self.self_written is not None:
            told.append(f"{self.self_written.share:.0%} rows the base wrote")
        if self.kl_to_base is not None:
            told.append(f"KL to the base x {self.kl_to_base.weight:g} ({self.kl_to_base.rows} rows)")
        if self.l2_sp is not None:
            told.append(f"L2-SP x {self.l2_sp:g}")
        if self.ewc is not None:
            told.append(f"EWC x {self.ewc.weight:g}")
        if self.average is not None and self.average.decay is not None:
            told.append(f"moving average {self.average.decay:g}")
        if self.average is not None and self.average.last is not None:
            told.append(f"mean of the last {self.average.last} checkpoints")
        return tuple(told)
