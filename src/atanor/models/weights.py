"""The base's own weights, trained: all of them, or those of the last layers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import PreTrainedModel

from atanor.errors import BaseModelError, ConfigurationError, Problem
from atanor.models.load import Base

WEIGHTS_FILE = "trained.safetensors"
"""Of a checkpoint: the weights that train, by their names in the network."""


class Weights:
    """A `Tuned` whose numbers are weights of the base's network itself; how they were is kept in memory.

    Weights below float32 are widened while they train: a step of 1e-5 would be lost in bfloat16's rounding.

    Args:
        base: the loaded base.
        trained: names of the parameters that train.
    """

    folder_name = "model"
    before: dict[str, Tensor]
    """How the weights that train were in the base."""

    def __init__(self, base: Base, trained: list[str]) -> None:
        self._base = base
        self._dtype = base.model.dtype
        parameters = dict(base.model.named_parameters())
        self.before = {name: parameters[name].detach().clone() for name in trained}
        if self._dtype.itemsize < torch.float32.itemsize:
            base.model.float()
        for name in trained:
            parameters[name].requires_grad_(True)

    @property
    def model(self) -> PreTrainedModel:
        """The base's own network."""
        return self._base.model

    def save(self, folder: Path) -> None:
        """See `Tuned.save`."""
        save_file({name: one.detach().contiguous() for name, one in self.trained().items()}, folder / WEIGHTS_FILE)

    def restore(self, folder: Path) -> None:
        """See `Tuned.restore`."""
        self._put(load_file(folder / WEIGHTS_FILE, device=str(self.model.device)))

    def publish(self, folder: Path) -> None:
        """See `Tuned.publish`."""
        self.model.save_pretrained(folder)
        self._base.tokenizer.save_pretrained(folder)

    @contextmanager
    def untouched(self) -> Iterator[None]:
        """See `Tuned.untouched`."""
        after = {name: one.detach().clone() for name, one in self.trained().items()}
        self._put(self.before)
        try:
            yield
        finally:
            self._put(after)

    def merge(self) -> PreTrainedModel:
        """See `Tuned.merge`: they are the base's weights already."""
        return self.model

    def detach(self) -> None:
        """See `Tuned.detach`."""
        self._put(self.before)
        self.model.requires_grad_(False).to(self._dtype)

    def trained(self) -> dict[str, nn.Parameter]:
        """The parameters that train, by name."""
        parameters = dict(self.model.named_parameters())
        return {name: parameters[name] for name in self.before}

    @torch.no_grad()
    def _put(self, values: dict[str, Tensor]) -> None:
        for name, parameter in self.trained().items():
            parameter.copy_(values[name])


def attach_all(base: Base) -> Weights:
    """Train every weight of the base; one that is tied to another is one."""
    return Weights(base, [name for name, _ in base.model.named_parameters()])


_BLOCKS = ("layers", "h", "block")
_LAST_NORMS = ("norm", "final_layernorm", "ln_f", "final_layer_norm", "layer_norm")
"""What families call the blocks of their decoder, and the norm behind the last of them."""


def attach_last(base: Base, layers: int, *, head: bool) -> Weights:
    """Train the last layers of the base's body (of its decoder, where it has an encoder) and the norm behind them.

    Args:
        base: the loaded base.
        layers: how many, counted from the head.
        head: train the vocabulary head too; where it is the embedding as well, that changes what is read.

    Raises:
        ConfigurationError: the base has fewer layers.
        BaseModelError: its layers cannot be told.
    """
    decoder = base.model.get_decoder()
    blocks = next((found for name in _BLOCKS if (found := getattr(decoder, name, None)) is not None), None)
    if not isinstance(blocks, nn.ModuleList):
        problem = Problem("its decoder has no list of layers", field="base", fix="Use `full` or `lora` with this base")
        raise BaseModelError(f"the layers of {base.local.reference} cannot be told", [problem])
    if layers > len(blocks):
        problem = Problem(
            f"the base has {len(blocks)} layers",
            field="methods.last_layers.layers",
            value=str(layers),
            fix=f"Write at most {len(blocks)}",
        )
        raise ConfigurationError("there are fewer layers than are to be trained", [problem])
    behind = [module for name, module in decoder.named_children() if name in _LAST_NORMS]
    chosen = [*blocks[len(blocks) - layers :], *behind]
    output = base.model.get_output_embeddings()
    if head and output is not None:
        chosen.append(output)
    wanted = {id(parameter) for module in chosen for parameter in module.parameters()}
    return Weights(base, [name for name, one in base.model.named_parameters() if id(one) in wanted])


def load_weights(base: Base, folder: Path) -> Weights:
    """Put the weights of a published folder into the base's network.

    Raises:
        BaseModelError: the folder holds another network.
    """
    try:
        network = type(base.model).from_pretrained(folder, dtype=base.model.dtype)
    except (OSError, ValueError, RuntimeError) as error:
        problem = Problem(str(error), file=str(folder), fix="Give a folder that a run of `full` or `last_layers` wrote")
        raise BaseModelError(f"{folder} cannot be used in place of the base", [problem]) from error
    loaded = dict(network.named_parameters())
    tuned = Weights(base, [name for name, one in base.model.named_parameters() if not torch.equal(one, loaded[name])])
    with torch.no_grad():
        for name, parameter in base.model.named_parameters():
            parameter.copy_(loaded[name])
    base.model.requires_grad_(False)
    return tuned
