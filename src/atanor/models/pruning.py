"""Smaller students of a base, as ordinary Transformers folders: some of its layers, or random weights in its shape."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModelForCausalLM, PretrainedConfig, PreTrainedModel

from atanor.errors import BaseModelError, ConfigurationError, Problem
from atanor.models.load import Base, config_of, load_tokenizer
from atanor.models.resolve import LocalBase
from atanor.store.files import writing_folder


def evenly(layers: int, kept: int) -> tuple[int, ...]:
    """Numbers of `kept` of `layers` layers, as far apart as they can be; the first and the last are among them.

    One alone is the first: it reads embeddings, which the others never saw.
    """
    if kept == 1:
        return (0,)
    return tuple(round(number * (layers - 1) / (kept - 1)) for number in range(kept))


def keep_layers(base: Base, kept: Sequence[int]) -> None:
    """Take all other layers out of a base's network, in place. Embedding, norms and head stay.

    Args:
        base: the loaded base.
        kept: numbers of the layers that stay, from 0, rising.

    Raises:
        BaseModelError: its layers cannot be told.
        ConfigurationError: there is no such layer, or one is named twice.
    """
    decoder: Any = base.model.get_decoder()
    name = next((name for name in ("layers", "h") if isinstance(getattr(decoder, name, None), nn.ModuleList)), None)
    if name is None:
        problem = Problem("its decoder has no list of layers", field="base", fix="Take a base of another family")
        raise BaseModelError(f"the layers of {base.local.reference} cannot be told", [problem])
    layers: nn.ModuleList = getattr(decoder, name)
    require_layers(kept, len(layers))
    setattr(decoder, name, nn.ModuleList([layers[number] for number in kept]))
    for number, layer in enumerate(getattr(decoder, name)):
        for module in layer.modules():
            if hasattr(module, "layer_idx"):
                module.layer_idx = number
    _shorten(base.model.config.get_text_config(), len(layers), kept)


def require_layers(kept: Sequence[int], there: int) -> None:
    """Raises:
    ConfigurationError: the numbers are not some of the layers, rising.
    """
    if kept and list(kept) == sorted(set(kept)) and kept[0] >= 0 and kept[-1] < there:
        return
    problem = Problem(
        f"the base has the layers 0 to {there - 1}, and each can stay once, in its order",
        field="--layers",
        value=",".join(map(str, kept)),
        fix=f"Write how many of the {there} stay, or their numbers as 0,2,5",
    )
    raise ConfigurationError("these layers cannot be kept", [problem])


def random_network(config: PretrainedConfig, *, layers: int, width: int | None, seed: int) -> PreTrainedModel:
    """A network of a base's family, tokenizer and vocabulary with random weights.

    Args:
        config: of the base.
        layers: how many.
        width: of the residual stream; heads keep their width and the feed-forward block its proportion. None: the
            base's.
        seed: of the weights.

    Raises:
        ConfigurationError: the width is no multiple of what a group of heads takes, or there are more layers than the
            base has.
    """
    made = copy.deepcopy(config)
    text: Any = made.get_text_config()
    require_layers(evenly(text.num_hidden_layers, layers), text.num_hidden_layers)
    if width is not None:
        _widen(text, width)
    _shorten(text, text.num_hidden_layers, range(layers))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network: PreTrainedModel = AutoModelForCausalLM.from_config(made)
    return network.eval()


def random_student(local: LocalBase, *, layers: int, width: int | None, seed: int) -> PreTrainedModel:
    """See `random_network`; the base's weights are not loaded."""
    return random_network(config_of(local), layers=layers, width=width, seed=seed)


def save_student(local: LocalBase, network: PreTrainedModel, folder: Path) -> None:
    """Write a network with the tokenizer of its base, whole or not at all; `path:` names it as a base.

    Raises:
        StoreError: the folder cannot be written.
    """
    if network.generation_config is not None and (local.folder / "generation_config.json").is_file():
        network.generation_config = type(network.generation_config).from_pretrained(local.folder)
    with writing_folder(folder) as at:
        network.save_pretrained(at)
        load_tokenizer(local).save_pretrained(at)


def _shorten(config: Any, before: int, kept: Sequence[int]) -> None:
    """What a configuration says of each layer, and of how many there are."""
    for name, value in vars(config).items():
        if isinstance(value, list) and len(value) == before and name.endswith(("_types", "_layers", "_layer")):
            setattr(config, name, [value[number] for number in kept])
    config.num_hidden_layers = len(kept)
    if getattr(config, "max_window_layers", None) is not None:
        config.max_window_layers = min(config.max_window_layers, len(kept))


def _widen(config: Any, width: int) -> None:
    heads, before = config.num_attention_heads, config.hidden_size
    head = getattr(config, "head_dim", None) or before // heads
    groups = getattr(config, "num_key_value_heads", None) or heads
    # Heads share their keys in the same proportion as in the base.
    shared = heads // groups
    if width <= 0 or width % (head * shared):
        nearest = max(1, round(width / (head * shared))) * head * shared
        problem = Problem(
            f"a head is {head} wide and {shared} of them share their keys",
            field="--width",
            value=str(width),
            fix=f"Write a multiple of {head * shared}, as {nearest}",
        )
        raise ConfigurationError("the width does not fit the heads of this base", [problem])
    config.num_attention_heads = width // head
    config.num_key_value_heads = width // head // shared
    config.hidden_size = width
    config.intermediate_size = max(8, round(config.intermediate_size * width / before / 8) * 8)
