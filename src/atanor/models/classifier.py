"""A base made to classify: its body with a linear head on what it makes of a text.

Both kinds are ordinary networks of Transformers, so what is published loads without Atanor:

* a decoder reads the text and the head reads its last token (`AutoModelForSequenceClassification`);
* an encoder reads it in both directions, and the head reads what its family pools from the first token (the same
  class), or the mean over the tokens, as sentence encoders are made (`AutoModelForTokenClassification`: the mean of the
  tokens' logits is the logits of the mean of their hidden states).
"""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import (
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    PretrainedConfig,
    PreTrainedModel,
)
from transformers.utils import logging

from atanor.errors import BaseModelError, Problem
from atanor.models.load import Base, base_of, config_of, is_encoder, load_base
from atanor.models.resolve import LocalBase
from atanor.models.shapes import Pooling

_POOLING_FILE = Path("1_Pooling") / "config.json"
"""Where sentence-transformers keeps how an encoder pools."""


@dataclass(frozen=True)
class Classifying:
    """A base with a head for classes.

    Attributes:
        base: what every technique is put on; its `model` is the network with the head.
        pooling: what the head reads.
        new: names of the modules no checkpoint had, the head among them; whatever else trains, they do.
    """

    base: Base
    pooling: Pooling
    new: tuple[str, ...]

    @property
    def is_encoder(self) -> bool:
        return self.pooling is not Pooling.LAST


def classifying_decoder(base: Base, classes: Sequence[str], *, multi_label: bool, seed: int) -> Classifying:
    """Put a fresh head on the body of a loaded base. The body is shared: nothing is copied, and what is put into it has
    to be taken off again.

    Args:
        base: the loaded base; it goes on to write as before.
        classes: their names.
        multi_label: a text may have several.
        seed: of the head's random start.

    Raises:
        BaseModelError: Transformers has no network for the classification of sequences for this family.
    """
    config = _config(base.model.config, base, classes, multi_label)
    try:
        with torch.device("meta"):
            network: PreTrainedModel = AutoModelForSequenceClassification.from_config(config)
    except ValueError as error:
        raise _no_head(base.local, str(error)) from error
    head = getattr(network, "score", None)
    if not isinstance(head, nn.Linear):
        raise _no_head(base.local, f"{type(network).__name__} has no head named `score`")
    setattr(network, network.base_model_prefix, base.model.base_model)
    torch.manual_seed(seed)
    network.score = nn.Linear(head.in_features, len(classes), bias=head.bias is not None, dtype=_wide(base.model.dtype))
    nn.init.normal_(network.score.weight, std=_spread(config))
    network.eval().requires_grad_(False).to(base.model.device)
    return Classifying(dataclasses.replace(base, model=network), Pooling.LAST, ("score",))


def load_classifying(
    local: LocalBase,
    classes: Sequence[str],
    *,
    multi_label: bool,
    pooling: Pooling | None = None,
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
    device: str = "cpu",
) -> Classifying:
    """Load a base of its own with a fresh head.

    Args:
        local: where the base is.
        classes: their names.
        multi_label: a text may have several.
        pooling: what the head of an encoder reads; None takes what the encoder was made with.
        seed: of the head's random start.
        dtype: of a decoder's weights; an encoder is small and kept in float32.
        device: where to.

    Raises:
        BaseModelError: the folder cannot be read, its family cannot classify, or a decoder is asked to pool.
    """
    if not is_encoder(config_of(local)):
        if pooling not in (None, Pooling.LAST):
            raise _cannot_pool(local, pooling)
        return classifying_decoder(load_base(local, dtype, device), classes, multi_label=multi_label, seed=seed)
    pooling = pooling or made_with(local)
    family: Any = AutoModelForTokenClassification if pooling is Pooling.MEAN else AutoModelForSequenceClassification
    names = dict(enumerate(classes))
    torch.manual_seed(seed)
    with _unwarned():
        try:
            network, loading = family.from_pretrained(
                local.folder,
                dtype=torch.float32,
                output_loading_info=True,
                id2label=names,
                label2id={name: number for number, name in names.items()},
                problem_type=_problem_type(multi_label),
            )
        except (OSError, ValueError, KeyError) as error:
            raise _no_head(local, str(error)) from error
    network.eval().requires_grad_(False).to(device)
    return Classifying(base_of(local, network), pooling, _modules(network, loading["missing_keys"]))


def made_with(local: LocalBase) -> Pooling:
    """How an encoder pools: as sentence-transformers wrote beside it, else as its family does."""
    file = local.folder / _POOLING_FILE
    told = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    return Pooling.MEAN if told.get("pooling_mode_mean_tokens") else Pooling.CLS


def names_of_last(classifying: Classifying, layers: int) -> list[str]:
    """Parameters of the last layers of a body, of what stands behind them, and of the head.

    Raises:
        BaseModelError: the layers of this family cannot be told, or are fewer.
    """
    network = classifying.base.model
    blocks = _blocks(network)
    if blocks is None or layers > len(blocks[1]):
        reason = "its layers cannot be told" if blocks is None else f"it has {len(blocks[1])} layers"
        problem = Problem(reason, field="methods.classifier.layers", value=str(layers), fix="Use `train: lora`")
        raise BaseModelError(f"the last layers of {classifying.base.local.reference} cannot be trained", [problem])
    path, listed = blocks
    before = {f"{path}.{number}" for number in range(len(listed) - layers)}
    return [
        name
        for name, _ in network.named_parameters()
        if "embed" not in name and not any(name.startswith(f"{block}.") for block in before)
    ]


def names_of_head(classifying: Classifying) -> list[str]:
    """Parameters of what no checkpoint had."""
    parameters = [name for name, _ in classifying.base.model.named_parameters()]
    return [name for name in parameters if name.startswith(tuple(f"{module}." for module in classifying.new))]


@contextmanager
def _unwarned() -> Iterator[None]:
    """Transformers warns of a head without a checkpoint: that there is none is the point."""
    level = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)


def _modules(network: PreTrainedModel, missing: Iterable[str]) -> tuple[str, ...]:
    """The modules that parameters without a value in the checkpoint belong to: `classifier`, or `bert.pooler`."""
    body = network.base_model_prefix
    parts = (name.split(".") for name in missing)
    return tuple(sorted({".".join(path[:2]) if path[0] == body else path[0] for path in parts}))


def _blocks(network: PreTrainedModel) -> tuple[str, nn.ModuleList] | None:
    count = int(network.config.get_text_config().num_hidden_layers)
    for name, module in network.named_modules():
        if isinstance(module, nn.ModuleList) and len(module) == count:
            return name, module
    return None


def _config(own: PretrainedConfig, base: Base, classes: Sequence[str], multi_label: bool) -> PretrainedConfig:
    config = copy.deepcopy(own)
    config.id2label = dict(enumerate(classes))
    config.label2id = {name: number for number, name in enumerate(classes)}
    config.problem_type = _problem_type(multi_label)
    if config.get_text_config().pad_token_id is None:  # without one Transformers refuses batches
        pad = base.tokenizer.pad_token_id
        config.get_text_config().pad_token_id = base.tokenizer.eos_token_id if pad is None else pad
    return config


def _problem_type(multi_label: bool) -> str:
    return "multi_label_classification" if multi_label else "single_label_classification"


def _spread(config: PretrainedConfig) -> float:
    return float(getattr(config.get_text_config(), "initializer_range", 0.02))


def _wide(dtype: torch.dtype) -> torch.dtype:
    """A head that trains is kept in float32 or wider: a small step would be lost in bfloat16's rounding."""
    return torch.float64 if dtype == torch.float64 else torch.float32


def _no_head(local: LocalBase, reason: str) -> BaseModelError:
    fix = "Use a base that Transformers has a network for the classification of sequences for"
    problem = Problem(reason, field="methods.classifier.base", value=str(local.reference), fix=fix)
    return BaseModelError(f"{local.reference} cannot be made a classifier", [problem])


def _cannot_pool(local: LocalBase, pooling: Pooling | None) -> BaseModelError:
    reason = "it reads in one direction, so only its last token has seen the whole text"
    problem = Problem(
        reason, field="methods.classifier.pooling", value=str(pooling), fix="Remove it, or give an encoder as `base`"
    )
    return BaseModelError(f"{local.reference} cannot pool over its tokens", [problem])
