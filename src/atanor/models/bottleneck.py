"""Bottleneck adapters: a small feed-forward block behind sublayers, h + U f(D h), whose second matrix begins at zero.

Houlsby et al. 2019 (arXiv:1902.00751) put one behind the attention and one behind the feed-forward block of every
layer; Pfeiffer et al. 2021 (arXiv:2005.00247) only the latter. Both stand before the residual is added. They work on
each token alone, so what rows have in common is still computed once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

from atanor.errors import BaseModelError, Problem
from atanor.models.adapter import cannot_merge, no_adapter
from atanor.models.load import Base
from atanor.models.shapes import Activation, Placement

WEIGHTS_FILE, CONFIG_FILE = "bottleneck.safetensors", "bottleneck.json"
CHILD = "bottleneck"
"""Name of the block as a child of the sublayer it stands behind."""


_SUBLAYERS = {Placement.PFEIFFER: ("mlp",), Placement.HOULSBY: ("self_attn", "mlp")}


class BottleneckShape(BaseModel):
    """What the blocks are like; `bottleneck.json` beside their weights."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    width: int
    placement: Placement
    activation: Activation


class Block(nn.Module):
    """h + U f(D h + b) + c for h (..., d), with D (w, d) and U (d, w)."""

    def __init__(self, size: int, shape: BottleneckShape) -> None:
        super().__init__()
        self.down = nn.Linear(size, shape.width)
        self.up = nn.Linear(shape.width, size)
        nn.init.normal_(self.down.weight, std=0.02)
        for zero in (self.down.bias, self.up.weight, self.up.bias):
            nn.init.zeros_(zero)
        self.activation = getattr(functional, shape.activation)
        self.off = False

    def forward(self, hidden: Tensor) -> Tensor:
        """What stands in the place of the sublayer's output."""
        if self.off:
            return hidden
        inner = self.activation(self.down(hidden.to(self.down.weight.dtype)))
        added: Tensor = self.up(inner)
        return hidden + added.to(hidden.dtype)


class Bottleneck:
    """A `Tuned` of such blocks on a base's network.

    Args:
        base: the loaded base.
        shape: of the blocks.

    Raises:
        BaseModelError: the layers of this family have no such sublayers.
    """

    folder_name = "adapter"

    def __init__(self, base: Base, shape: BottleneckShape) -> None:
        self.model: PreTrainedModel = base.model
        self.shape = shape
        self._places = _sublayers(base, shape.placement)
        size = int(base.model.get_input_embeddings().weight.shape[1])
        self._hooks = []
        for module in self._places.values():
            block = Block(size, shape).to(base.model.device)
            module.add_module(CHILD, block)
            self._hooks.append(module.register_forward_hook(_behind(block)))

    def save(self, folder: Path) -> None:
        """See `Tuned.save`."""
        numbers = {f"{name}.{key}": one for name, block in self.blocks() for key, one in block.state_dict().items()}
        save_file({name: one.contiguous() for name, one in numbers.items()}, folder / WEIGHTS_FILE)
        (folder / CONFIG_FILE).write_text(json.dumps(self.shape.model_dump(mode="json"), indent=1), encoding="utf-8")

    def restore(self, folder: Path) -> None:
        """See `Tuned.restore`."""
        numbers = load_file(folder / WEIGHTS_FILE, device=str(self.model.device))
        for name, block in self.blocks():
            block.load_state_dict({key: numbers[f"{name}.{key}"] for key in block.state_dict()})

    def publish(self, folder: Path) -> None:
        """See `Tuned.publish`; PEFT has no such layers, so Atanor alone loads them."""
        self.save(folder)

    @contextmanager
    def untouched(self) -> Iterator[None]:
        """See `Tuned.untouched`."""
        for _, block in self.blocks():
            block.off = True
        try:
            yield
        finally:
            for _, block in self.blocks():
                block.off = False

    def merge(self) -> PreTrainedModel:
        """See `Tuned.merge`."""
        raise cannot_merge("a nonlinear block is no part of a linear layer", "Serve it as an adapter")

    def detach(self) -> None:
        """See `Tuned.detach`."""
        for hook in self._hooks:
            hook.remove()
        for module in self._places.values():
            delattr(module, CHILD)

    def blocks(self) -> Iterator[tuple[str, Block]]:
        """The blocks, by the names of the sublayers they stand behind."""
        for name, module in self._places.items():
            block = module.get_submodule(CHILD)
            assert isinstance(block, Block)
            yield name, block


def attach_bottleneck(base: Base, shape: BottleneckShape, seed: int) -> Bottleneck:
    """Put fresh blocks on a base; with them it still answers as without.

    Raises:
        BaseModelError: see `Bottleneck`.
    """
    torch.manual_seed(seed)
    return Bottleneck(base, shape)


def load_bottleneck(base: Base, folder: Path) -> Bottleneck:
    """Put saved blocks on a base.

    Raises:
        BaseModelError: the folder holds none, or those of another base.
    """
    try:
        shape = BottleneckShape.model_validate_json((folder / CONFIG_FILE).read_text(encoding="utf-8"))
        tuned = Bottleneck(base, shape)
    except (OSError, ValidationError) as error:
        raise no_adapter(folder, f"{CONFIG_FILE} cannot be read: {error}") from error
    try:
        tuned.restore(folder)
    except (OSError, KeyError, RuntimeError) as error:
        tuned.detach()
        raise no_adapter(folder, f"it does not fit {base.local.reference}: {error}") from error
    base.model.requires_grad_(False)
    return tuned


def _behind(block: Block) -> Any:
    """A forward hook; attention gives its output first of several things."""

    def hook(module: nn.Module, given: Any, output: Any) -> Any:
        del module, given
        return (block(output[0]), *output[1:]) if isinstance(output, tuple) else block(output)

    return hook


def _sublayers(base: Base, placement: Placement) -> dict[str, nn.Module]:
    """The sublayers that get a block, by their names in the network."""
    if base.encoder_decoder:
        problem = Problem(
            "blocks would have to stand in its encoder and in its decoder, whose sublayers families build and name "
            "each in another way",
            field="methods.adapter",
            fix="Use `lora` with this base",
        )
        raise BaseModelError(f"{base.local.reference} cannot have bottleneck adapters", [problem])
    layers = getattr(base.model.get_decoder(), "layers", None) or ()
    places: dict[str, nn.Module] = {}
    for number, layer in enumerate(layers):
        for name in _SUBLAYERS[placement]:
            if not isinstance(getattr(layer, name, None), nn.Module):
                problem = Problem(f"its layers have no `{name}`", field="base", fix="Use `lora` with this base")
                raise BaseModelError(f"{base.local.reference} cannot have bottleneck adapters", [problem])
            places[f"layers.{number}.{name}"] = getattr(layer, name)
    if not places:
        problem = Problem("its decoder has no list of layers", field="base", fix="Use `lora` with this base")
        raise BaseModelError(f"{base.local.reference} cannot have bottleneck adapters", [problem])
    return places
