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


class TrainOptions(Options):
    """How a model is trained, whatever is trained of it."""

    learning_rate: float = Field(
        5e-4, gt=0, description="Peak of the cosine schedule. LoRA wants about ten times the rate of full tuning."
    )
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
    weight_decay: float = Field(0.0, ge=0, description="AdamW weight decay on matrices.")
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


class LoraOptions(Options):
    """Low-rank adapters (Hu et al. 2021, arXiv:2106.09685) on every linear layer of the transformer's body."""

    rank: int = Field(16, ge=1, description="Rank of the two factors.")
    alpha: float | None = Field(
        None, gt=0, description="Scale; the update is multiplied by alpha / rank. Default: 2 x rank."
    )
