"""A trained change at other sizes: none of it, half of it, one and a half times.

At 0 the model is the base, at 1 what was trained. Between them a little of the task is given up and more of the base
is kept (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models", arXiv:2109.01903, for weights; for adapters it
is the scale of what they add).

    LoRA             the second factor is multiplied: the update itself is scaled
    DoRA             as LoRA, and the sizes go from the base's towards the trained ones
    IA3              factors go from 1 towards the trained ones
    bottleneck       the last matrix and bias of each block are multiplied: what it adds is scaled
    weights          go from the base's towards the trained ones
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from peft.tuners.ia3 import IA3Layer
from peft.tuners.lora import LoraLayer
from torch import Tensor

from atanor.errors import ConfigurationError, Problem
from atanor.models.adapter import Adapter
from atanor.models.bottleneck import Bottleneck
from atanor.models.pissa import Pissa
from atanor.models.tuned import Tuned
from atanor.models.weights import Weights


class Scaling:
    """The change in a `Tuned`, at any scale.

    Args:
        tuned: as it was trained, from `load_tuned`.

    Raises:
        ConfigurationError: the technique has no change that could be scaled; says why.
    """

    def __init__(self, tuned: Tuned) -> None:
        self._parts = _parts_of(tuned)

    @torch.no_grad()
    def at(self, scale: float) -> None:
        """Make the change `scale` times as large as it was trained; 1 gives it back bit for bit.

        Args:
            scale: 0 is the base.
        """
        for part in self._parts:
            part.put(scale)


class _Part:
    """One parameter that goes from its value in the base (`start`) through the trained one as the scale grows."""

    def __init__(self, parameter: Tensor, start: Tensor | float) -> None:
        self.parameter = parameter
        self.trained = parameter.detach().clone()
        self.start = torch.as_tensor(start, dtype=self.trained.dtype, device=self.trained.device)

    def put(self, scale: float) -> None:
        # At 1 no rounding may creep in: what was trained is what was judged.
        now = self.trained if scale == 1 else self.start + scale * (self.trained - self.start)
        self.parameter.copy_(now)


def _parts_of(tuned: Tuned) -> list[_Part]:
    if isinstance(tuned, Pissa):
        raise _cannot_scale("its factors begin inside the base's weights", "Scale what it published, which is LoRA")
    if isinstance(tuned, Adapter):
        return _of_adapter(tuned)
    if isinstance(tuned, Bottleneck):
        last = [parameter for _, block in tuned.blocks() for parameter in (block.up.weight, block.up.bias)]
        return [_Part(parameter, 0.0) for parameter in last]
    if isinstance(tuned, Weights):
        return [_Part(parameter, tuned.before[name]) for name, parameter in tuned.trained().items()]
    raise _cannot_scale("a head that is new has no size that it began with", "Take the candidate as it is")


def _of_adapter(tuned: Adapter) -> list[_Part]:
    if tuned.config.is_prompt_learning:
        raise _cannot_scale("virtual tokens are read, and are no change of a size", "Train `lora` or `ia3` instead")
    if getattr(tuned.config, "modules_to_save", None):
        raise _cannot_scale("a head that is new has no size that it began with", "Take the candidate as it is")
    name = str(tuned.model.active_adapter)
    parts: list[_Part] = []
    for module in tuned.model.modules():
        for kind, of in _LAYERS:
            if isinstance(module, kind):
                parts += of(module, name)
    return parts


def _of_lora(layer: LoraLayer, name: str) -> list[_Part]:
    parts = [_Part(layer.lora_B[name].weight, 0.0)] if name in layer.lora_B else []
    if name in layer.lora_embedding_B:
        parts.append(_Part(layer.lora_embedding_B[name], 0.0))
    if name in layer.lora_magnitude_vector:
        size = layer.lora_magnitude_vector[name].weight
        parts.append(_Part(size, torch.linalg.norm(layer.get_base_layer().weight, dim=1).to(size.dtype)))
    return parts


def _of_ia3(layer: IA3Layer, name: str) -> list[_Part]:
    return [_Part(layer.ia3_l[name], 1.0)] if name in layer.ia3_l else []


_LAYERS: tuple[tuple[type, Callable[..., list[_Part]]], ...] = ((LoraLayer, _of_lora), (IA3Layer, _of_ia3))


def _cannot_scale(reason: str, fix: str) -> ConfigurationError:
    return ConfigurationError("this candidate has no other scales", [Problem(reason, fix=fix)])
