"""The options of each method, as they are written under `methods:` in a project file."""

from __future__ import annotations

import re
from abc import ABC
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from atanor.methods.classification.options import ClassifierOptions
from atanor.methods.tuning import TuningOptions
from atanor.models.shapes import Activation, Levels, Placement, Quantisation
from atanor.options import Options


class VirtualTokensOptions(TuningOptions, ABC):
    """A method that puts trained tokens before every prompt."""

    @model_validator(mode="after")
    def _shares_nothing(self) -> VirtualTokensOptions:
        if self.share_prefixes:
            raise ValueError(
                "virtual tokens stand before every row, so rows share no prefix; remove `share_prefixes` or write "
                "`false`"
            )
        return self


class LoraMethodOptions(TuningOptions):
    """`lora`: train low-rank factors beside linear layers, which stay as they are (Hu et al., arXiv:2106.09685)."""

    rank: int = Field(16, ge=1, description="Rank of the two factors.")
    alpha: float | None = Field(
        None, gt=0, description="Scale; the update is multiplied by alpha / rank. Default: 2 x rank."
    )
    targets: tuple[str, ...] = Field(
        (),
        description="Names of the linear layers that get factors, as `[q_proj, v_proj]`; without any, all of the body.",
    )
    ranks: dict[str, Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict,
        description="Other ranks for some layers, by the end of their names or a regular expression of it: "
        "`{down_proj: 32, 'layers\\.0\\..*': 4}`. The scale stays as it is with `rank`.",
    )
    rslora: bool = Field(
        False,
        description="Scale by alpha / sqrt(rank), which stays the same size at high ranks (Kalajdzievski 2023, "
        "arXiv:2312.03732).",
    )
    dora: bool = Field(
        False,
        description="Train a weight's size apart from its direction (DoRA, Liu et al. 2024, arXiv:2402.09353); slower.",
    )
    start: Literal["zero", "pissa"] = Field(
        "zero",
        description="How the factors begin: `zero` adds nothing; `pissa` takes the largest singular values out of the "
        "weights (Meng et al. 2024, arXiv:2404.02948).",
    )
    second_factor: float = Field(
        1.0,
        gt=0,
        description="Learning rate of the second factor as a multiple of the first's: LoRA+ (Hayou et al. 2024, "
        "arXiv:2402.12354) takes 16.",
    )

    @model_validator(mode="after")
    def _possible_together(self) -> LoraMethodOptions:
        if self.dora and self.start == "pissa":
            raise ValueError("`dora` and `start: pissa` both take the weights apart, each otherwise; write one of them")
        for name in self.ranks:
            try:
                re.compile(name)
            except re.error as error:
                raise ValueError(
                    f"`ranks` names layers by a regular expression, and `{name}` is none: {error}"
                ) from error
        return self

    @property
    def gates_by_hand(self) -> bool:
        """See `TuningOptions.gates_by_hand`."""
        return not self.dora and (not self.targets or {"gate_proj", "up_proj", "down_proj"} <= set(self.targets))

    @property
    def scale(self) -> float:
        """`alpha`, or what it is by default."""
        return self.alpha if self.alpha is not None else 2.0 * self.rank

    @property
    def in_words(self) -> str:
        """See `TuningOptions.in_words`."""
        kind = "DoRA" if self.dora else "PiSSA" if self.start == "pissa" else "LoRA"
        return f"{kind} r{self.rank} on {', '.join(self.targets) or 'all linear layers'}"


class QloraOptions(LoraMethodOptions):
    """`qlora`: `lora` beside linear layers kept in 4 bits (Dettmers et al. 2023, arXiv:2305.14314)."""

    levels: Levels = Field(
        Levels.NF4,
        description="The 16 values a weight can have: `nf4` (each as frequent, for normally distributed weights) or "
        "`fp4`.",
    )
    double: bool = Field(
        True, description="Keep the scales of blocks in 8 bits too (double quantisation): 0.4 bits a weight less."
    )

    @model_validator(mode="after")
    def _starts_at_zero(self) -> QloraOptions:
        if self.start == "pissa":
            raise ValueError(
                "`start: pissa` takes singular values out of the weights, and those of `qlora` are kept in 4 bits; "
                "write `start: zero`, or use `lora`"
            )
        return self

    @property
    def quantisation(self) -> Quantisation:
        """How the base is kept."""
        return Quantisation(levels=self.levels, double=self.double)

    @property
    def judged_as(self) -> str:
        """See `TuningOptions.judged_as`."""
        return (
            f"The candidate was judged as it is served: the base in {self.quantisation.in_words} with the adapter. The "
            "baseline is the untouched base, so what quantisation costs is in the comparison."
        )

    @property
    def in_words(self) -> str:
        """See `TuningOptions.in_words`."""
        return f"{super().in_words}, the base in {self.quantisation.in_words}"


class FullOptions(TuningOptions):
    """`full`: train every weight of the base; the result is a whole network."""

    learning_rate: float = Field(
        5e-5, gt=0, description="Peak of the schedule; a tenth of LoRA's, because every weight moves."
    )

    @property
    def in_words(self) -> str:
        """See `TuningOptions.in_words`."""
        return "every weight"


class LastLayersOptions(TuningOptions):
    """`last_layers`: train the last layers and the norm behind them; the result is a whole network."""

    learning_rate: float = Field(
        1e-4, gt=0, description="Peak of the schedule; between full tuning's and LoRA's, because few weights move."
    )
    layers: int = Field(2, ge=1, description="How many, counted from the head.")
    head: bool = Field(False, description="Train the vocabulary head too; a head tied to the embedding changes both.")

    @property
    def in_words(self) -> str:
        """See `TuningOptions.in_words`."""
        return f"the last {self.layers} layers" + (" and the head" if self.head else "")


class Ia3Options(TuningOptions):
    """`ia3`: train a factor for each channel of keys, values and inner states (Liu et al. 2022, arXiv:2205.05638)."""

    learning_rate: float = Field(
        5e-3, gt=0, description="Peak of the schedule; ten times LoRA's, because there are so few numbers."
    )

    @property
    def in_words(self) -> str:
        """See `TuningOptions.in_words`."""
        return "a factor a channel (IA3)"


class BottleneckOptions(TuningOptions):
    """`adapter`: train small feed-forward blocks behind sublayers (Houlsby et al. 2019; Pfeiffer et al. 2021)."""

    learning_rate: float = Field(
        1e-3, gt=0, description="Peak of the schedule; higher than LoRA's, because the blocks begin at zero."
    )
    width: int = Field(64, ge=1, description="Inner width of a block.")
    placement: Placement = Field(
        Placement.PFEIFFER,
        description="`pfeiffer`: behind the feed-forward block; `houlsby`: behind the attention as well.",
    )
    activation: Activation = Field(Activation.RELU, description="Between the two matrices: `relu`, `gelu` or `silu`.")

    @property
    def in_words(self) -> str:
        """See `TuningOptions.in_words`."""
        return f"bottleneck blocks of width {self.width} ({self.placement})"


class PrefixTuningOptions(VirtualTokensOptions):
    """`prefix_tuning`: train keys and values that stand before every prompt in every layer (Li and Liang 2021)."""

    begins_as_base: ClassVar[bool] = False

    learning_rate: float = Field(
        1e-2,
        gt=0,
        description="Peak of the schedule; far above LoRA's, because it is read and not multiplied.",
    )
    tokens: int = Field(16, ge=1, le=512, description="How many virtual tokens.")
    start: Literal["goal", "random"] = Field(
        "goal",
        description="How they begin: as the base reads the words of the role's `goal`, repeated or cut, or as random "
        "numbers, which tell the base nothing at first. A base of an encoder and a decoder always has random ones.",
    )

    @property
    def in_words(self) -> str:
        """See `TuningOptions.in_words`."""
        return f"keys and values of {self.tokens} virtual tokens"


class PromptTuningOptions(VirtualTokensOptions):
    """`prompt_tuning`: train embeddings that stand before every prompt (Lester et al. 2021, arXiv:2104.08691)."""

    begins_as_base: ClassVar[bool] = False

    learning_rate: float = Field(
        3e-2, gt=0, description="Peak of the schedule; far above LoRA's, because only a few embeddings move."
    )
    tokens: int = Field(16, ge=1, le=512, description="How many virtual tokens.")
    start: Literal["goal", "random"] = Field(
        "goal", description="How they begin: as the words of the role's `goal`, repeated or cut, or as random tokens."
    )

    @property
    def in_words(self) -> str:
        """See `TuningOptions.in_words`."""
        return f"embeddings of {self.tokens} virtual tokens"


class PromptOptions(Options):
    """`prompt`: no training; the untouched base is told what to do."""

    system: str | None = Field(None, min_length=1, description="The instruction given. Default: the role's goal.")


class FewShotOptions(Options):
    """`few_shot`: no training; the untouched base is shown solved examples from the training rows."""

    shots: int = Field(4, ge=1, description="Examples shown before every question, the same for all.")


METHOD_OPTIONS: dict[str, type[Options]] = {
    "lora": LoraMethodOptions,
    "qlora": QloraOptions,
    "full": FullOptions,
    "last_layers": LastLayersOptions,
    "ia3": Ia3Options,
    "adapter": BottleneckOptions,
    "prefix_tuning": PrefixTuningOptions,
    "prompt_tuning": PromptTuningOptions,
    "classifier": ClassifierOptions,
    "prompt": PromptOptions,
    "few_shot": FewShotOptions,
}
"""Every method a project file may name, with the options it takes."""
