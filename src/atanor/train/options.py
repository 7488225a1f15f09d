"""The options of training, as they are written under a method in a project file."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from atanor.options import Options


class Precision(StrEnum):
    """The arithmetic of training.

    `auto` takes bfloat16 for the linear layers where the processor multiplies it in hardware and a measurement at the
    start finds it faster; norms, softmax, the loss and the adapter's own weights stay float32. `exact` does everything
    in float32.
    """

    AUTO = "auto"
    EXACT = "exact"
    BFLOAT16 = "bfloat16"


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


class Schedule(StrEnum):
    """How the learning rate goes on after the warm-up."""

    COSINE = "cosine"
    LINEAR = "linear"
    CONSTANT = "constant"
    INVERSE_SQUARE_ROOT = "inverse_square_root"
    STABLE = "stable"
    """Constant, and in the last fifth down to zero in a line (warm-up, stable, decay)."""


class TrainOptions(Options):
    """How a model is trained, whatever is trained of it."""

    learning_rate: float = Field(
        5e-4, gt=0, description="Peak of the schedule. LoRA wants about ten times the rate of full tuning."
    )
    schedule: Schedule = Field(
        Schedule.COSINE,
        description="How the rate goes on after the warm-up: `cosine`, `linear`, `constant`, `inverse_square_root` or "
        "`stable` (constant, then down in the last fifth).",
    )
    optimizer: OptimizerName = Field(
        OptimizerName.ADAMW,
        description="`adamw`, `adafactor` (less memory), `sgd`, `lion` (a third to a tenth of the rate) or `muon` "
        "(matrices; the rest by AdamW).",
    )
    momentum: float = Field(0.95, ge=0, lt=1, description="Of `sgd` and `muon`.")
    epochs: float = Field(2.0, gt=0, description="Passes over the training rows.")
    batch: int = Field(8, ge=1, description="Rows an optimizer step. The loss is the mean over all their tokens.")
    order: Order = Field(
        Order.SHUFFLED,
        description="`shuffled`, or `by_prefix`: rows of one prefix stand in the same optimizer step, which computes "
        "more of them together and is another sampling than shuffled rows.",
    )
    share_prefixes: bool = Field(
        True,
        description="Compute what rows of a step have in common once; changes speed, not the result. Only a base with "
        "dropout needs `false`.",
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
    precision: Precision = Field(Precision.AUTO, description="`auto`, `exact` (everything in float32) or `bfloat16`.")
    validate_every: int | None = Field(
        None, ge=1, description="Steps between validations, each with a checkpoint. Default: four times an epoch."
    )
    patience: int = Field(
        4, ge=0, description="Stop after this many validations without improvement; 0 trains to the end."
    )
    keep_checkpoints: int = Field(2, ge=1, description="Newest checkpoints kept beside the best.")
