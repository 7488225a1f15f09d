"""The options of training, as they are written under a method in a project file."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, model_validator

from atanor.options import Options
from atanor.train.objectives.options import ObjectiveChoice
from atanor.train.remedies.options import RemedyOptions


class Precision(StrEnum):
    """The arithmetic of training.

    `auto` takes bfloat16 for the linear layers where the processor multiplies it in hardware and a measurement at the
    start finds it faster; norms, softmax, the loss and the adapter's own weights stay float32. `exact` does everything
    in float32. `float16` scales the loss so that gradients stay in range, and leaves out steps that overflow.
    """

    AUTO = "auto"
    EXACT = "exact"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


class Order(StrEnum):
    """The order of training rows."""

    SHUFFLED = "shuffled"
    BY_PREFIX = "by_prefix"


class OptimizerName(StrEnum):
    """What makes a step of a gradient."""

    ADAMW = "adamw"
    ADAFACTOR = "adafactor"
    """Keeps a row and a column of second moments instead of a matrix (Shazeer and Stern 2018): less memory."""
    SGD = "sgd"
    """With momentum."""
    LION = "lion"
    """Signs of a momentum; wants a third to a tenth of AdamW's rate."""
    MUON = "muon"
    """Orthogonalised momentum on matrices (Jordan et al. 2024), AdamW on the rest."""
    SCHEDULE_FREE = "schedule_free"
    """AdamW whose average of weights takes the place of a schedule (Defazio et al. 2024, arXiv:2405.15682)."""
    ADAMW_8BIT = "adamw_8bit"
    """AdamW with moments of eight bits, scaled in blocks (Dettmers et al. 2022, arXiv:2110.02861)."""


class Schedule(StrEnum):
    """How the learning rate goes on after the warm-up."""

    COSINE = "cosine"
    LINEAR = "linear"
    CONSTANT = "constant"
    INVERSE_SQUARE_ROOT = "inverse_square_root"
    STABLE = "stable"
    """Constant, and in the last fifth down to zero in a line (warm-up, stable, decay)."""


_READ_BY: Mapping[str, tuple[OptimizerName, ...]] = {
    "momentum": (OptimizerName.SGD, OptimizerName.MUON),
    "betas": (OptimizerName.ADAMW, OptimizerName.ADAMW_8BIT, OptimizerName.LION, OptimizerName.SCHEDULE_FREE),
    "epsilon": (OptimizerName.ADAMW, OptimizerName.ADAMW_8BIT, OptimizerName.SCHEDULE_FREE),
}
"""Options that some optimizers alone have."""

_Beta = Annotated[float, Field(ge=0, lt=1)]


class Loop(StrEnum):
    """What owns stepping and devices; rows, losses, validation and checkpoints are the same under all."""

    TRANSFORMERS = "transformers"
    LIGHTNING = "lightning"
    """Needs the extra `lightning`."""


class Sharding(StrEnum):
    """What each of several processes keeps between steps."""

    NONE = "none"
    """Everything."""
    FSDP = "fsdp"
    """Its shard of weights, gradients and optimizer state; for methods that train the base's own weights."""


class TrainOptions(Options):
    """How a model is trained, whatever is trained of it."""

    objective: ObjectiveChoice = Field(
        default_factory=lambda: ObjectiveChoice.of("completion"),
        description="What is minimised: `completion`; where rows have a better and a worse answer `dpo`, `ipo`, `orpo` "
        "or `simpo`; where answers were judged `kto`. Its options stand below its name, as `dpo: {beta: 0.2}`. "
        "`dpo`, `ipo`, `simpo` and `kto` take a tenth of the method's learning rate unless another is written.",
    )
    learning_rate: float = Field(
        5e-4, gt=0, description="Peak of the schedule; ten times that of full tuning, because few numbers move."
    )
    schedule: Schedule | None = Field(
        None,
        description="How the rate goes on after the warm-up: `cosine`, `linear`, `constant`, `inverse_square_root` or "
        "`stable` (constant, then down in the last fifth). Default: cosine, and constant with `schedule_free`.",
    )
    optimizer: OptimizerName = Field(
        OptimizerName.ADAMW,
        description="`adamw`, `adafactor` (less memory), `sgd`, `lion` (a third to a tenth of the rate), `muon` "
        "(matrices; the rest by AdamW), `schedule_free` (an average of weights in place of a schedule) or "
        "`adamw_8bit` (a quarter of AdamW's state).",
    )
    momentum: float | None = Field(None, ge=0, lt=1, description="Of `sgd` and `muon`. Default: 0.95.")
    betas: tuple[_Beta, _Beta] | None = Field(
        None,
        description="How slowly the two averages of gradients forget, of `adamw`, `adamw_8bit`, `schedule_free` and "
        "`lion`. Default: [0.9, 0.999], and [0.9, 0.99] for `lion`.",
    )
    epsilon: float | None = Field(
        None,
        gt=0,
        description="Added to the root of the second moment, of `adamw`, `adamw_8bit` and `schedule_free`. "
        "Default: 1e-8.",
    )
    epochs: float = Field(2.0, gt=0, description="Passes over the training rows.")
    max_steps: int | None = Field(
        None, ge=1, description="Most optimizer steps, where the epochs would take more; the schedule ends with them."
    )
    max_tokens: int | None = Field(
        None, ge=1, description="Most tokens of the role's own rows, over all epochs; the schedule ends with them."
    )
    max_minutes: float | None = Field(
        None,
        gt=0,
        description="Most minutes of training, interruptions left out; it stops at the first step after them, and the "
        "schedule reaches its end by then.",
    )
    max_cost: float | None = Field(None, gt=0, description="Most money for the time of training, at `price_per_hour`.")
    price_per_hour: float | None = Field(None, gt=0, description="Of this machine, in the currency of `max_cost`.")
    batch: int = Field(8, ge=1, description="Rows an optimizer step. The loss is the mean over all their tokens.")
    order: Order = Field(
        Order.SHUFFLED,
        description="`shuffled`, or `by_prefix`: rows of one prefix stand in the same optimizer step, which computes "
        "more of them together and is another sampling than shuffled rows.",
    )
    share_prefixes: bool | None = Field(
        None,
        description="Compute what rows of a step have in common once; changes speed, not the result. Only a base with "
        "dropout needs `false`. Default: true, and false with `neftune`.",
    )
    tokens_per_pass: int | None = Field(
        None,
        ge=16,
        description="Most tokens a forward pass; changes memory and speed, not the result. "
        "Default: 1,024 on a processor, 16,384 on a GPU.",
    )
    warmup: float = Field(0.1, ge=0, lt=1, description="Share of the steps over which the learning rate rises.")
    weight_decay: float = Field(0.0, ge=0, description="Decay of matrices, as the optimizer defines it.")
    clip: float = Field(1.0, ge=0, description="Largest gradient norm; 0 does not clip.")
    compile: bool = Field(
        False,
        description="Compile the elementwise part of the feed-forward blocks: a few percent faster after about a "
        "minute, which is spent once and kept in the cache. Needs a C++ compiler.",
    )
    neftune: float | None = Field(
        None,
        gt=0,
        description="Noise on embeddings in training (Jain et al. 2023, arXiv:2310.05914, try 5, 10 and 15). Every row "
        "has its own, so rows share no prefixes and are computed one by one.",
    )
    precision: Precision = Field(
        Precision.AUTO,
        description="`auto`, `exact` (everything in float32), `bfloat16`, or `float16` with dynamic loss scaling.",
    )
    validate_every: int | None = Field(
        None, ge=1, description="Steps between validations, each with a checkpoint. Default: four times an epoch."
    )
    patience: int = Field(
        4, ge=0, description="Stop after this many validations without improvement; 0 trains to the end."
    )
    keep_checkpoints: int = Field(2, ge=1, description="Newest checkpoints kept beside the best.")
    against_forgetting: RemedyOptions = Field(
        default_factory=RemedyOptions, description="What is done so that general knowledge is kept; nothing by default."
    )
    loop: Loop = Field(
        Loop.TRANSFORMERS,
        description="What steps: `transformers` (its Trainer) or `lightning` (its Trainer; `atanor[lightning]`). "
        "Losses, weights and checkpoints are the same.",
    )

    @model_validator(mode="after")
    def _rate_of_the_objective(self) -> TrainOptions:
        """A loss that compares answers wants smaller steps than one that learns them."""
        if "learning_rate" not in self.model_fields_set and self.objective.rate != 1:
            object.__setattr__(self, "learning_rate", float(f"{self.learning_rate * self.objective.rate:.6g}"))
        return self

    @model_validator(mode="after")
    def _optimizer_reads_what_is_written(self) -> TrainOptions:
        for name, readers in _READ_BY.items():
            if getattr(self, name) is not None and self.optimizer not in readers:
                raise ValueError(f"`{self.optimizer}` has no `{name}`; it is an option of {_listed(readers)}")
        if self.optimizer is OptimizerName.SCHEDULE_FREE and self.schedule not in (None, Schedule.CONSTANT):
            raise ValueError(
                "`schedule_free` averages weights in place of a schedule; remove `schedule` or write `constant`"
            )
        return self

    @model_validator(mode="after")
    def _remedies_possible(self) -> TrainOptions:
        remedies = self.against_forgetting
        average = remedies.average
        replays = remedies.replay is not None or remedies.self_written is not None
        if replays and self.objective.name != "completion":
            raise ValueError(
                f"general rows are learned by completion, and `{self.objective.name}` learns otherwise; write "
                "`kl_to_base` with `rows: own` in place of `replay` and `self_written`"
            )
        if average is not None and average.decay is not None and self.optimizer is OptimizerName.SCHEDULE_FREE:
            raise ValueError("`schedule_free` is a moving average of weights already; remove `average: {decay}`")
        return self

    @model_validator(mode="after")
    def _cost_has_a_price(self) -> TrainOptions:
        if self.max_cost is not None and self.price_per_hour is None:
            raise ValueError("`max_cost` needs `price_per_hour`, the price of an hour of this machine")
        if self.price_per_hour is not None and self.max_cost is None:
            raise ValueError("`price_per_hour` is read with `max_cost` only; write both or neither")
        return self

    @model_validator(mode="after")
    def _noise_is_not_shared(self) -> TrainOptions:
        if self.neftune is not None and self.share_prefixes:
            raise ValueError(
                "`neftune` draws noise for every row, and rows that share a prefix have one embedding of it; "
                "remove `share_prefixes` or write `false`"
            )
        if self.neftune is not None and self.compile:
            raise ValueError(
                "`compile` speeds up rows that are computed together, and with `neftune` each is computed on its own; "
                "remove one of them"
            )
        return self

    @property
    def shares_prefixes(self) -> bool:
        """What rows of a step have in common is computed once."""
        return self.neftune is None if self.share_prefixes is None else self.share_prefixes

    @property
    def schedule_in_force(self) -> Schedule:
        """The schedule written, or that of the optimizer."""
        own = Schedule.CONSTANT if self.optimizer is OptimizerName.SCHEDULE_FREE else Schedule.COSINE
        return self.schedule or own

    @property
    def momentum_in_force(self) -> float:
        """The momentum written, or what it is by default."""
        return 0.95 if self.momentum is None else self.momentum

    @property
    def epsilon_in_force(self) -> float:
        """The epsilon written, or what it is by default."""
        return self.epsilon or 1e-8

    @property
    def betas_in_force(self) -> tuple[float, float]:
        """The betas written, or those of the optimizer."""
        return self.betas or ((0.9, 0.99) if self.optimizer is OptimizerName.LION else (0.9, 0.999))

    def in_force(self) -> dict[str, Any]:
        """What the defaults came to that depend on other options, for the report."""
        came_to = {
            "momentum": self.momentum_in_force,
            "epsilon": self.epsilon_in_force,
            "betas": list(self.betas_in_force),
        }
        read = {name: value for name, value in came_to.items() if self.optimizer in _READ_BY[name]}
        return {"schedule": self.schedule_in_force.value, "share_prefixes": self.shares_prefixes, **read}


def _listed(names: tuple[OptimizerName, ...]) -> str:
    *others, last = [f"`{name}`" for name in names]
    return f"{', '.join(others)} and {last}"
