"""Replaces the forward of the layers of a loaded network by the hand-written ones, for as long as a context is open.

Nothing is patched in a library: each replacement is set on one module object and taken off again. A layer is replaced
only if it is what it looks like: the replacement is compared with the layer's own forward on random rows first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from peft.tuners.lora import Linear as LoraLinear
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn
from transformers import PreTrainedModel

from atanor.compute.gating import Gating
from atanor.compute.last_layer import last_layer
from atanor.compute.lora_layers import Frozen, FrozenLinear, gated_lora, lora_linears, rms_norm
from atanor.compute.quantised_layers import QuantisedLinear
from atanor.models import is_quantised

_SHARED_INPUT = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))
_FEED_FORWARD = ("gate_proj", "up_proj", "down_proj")


class Fusion:
    """The replacements found in a network.

    Args:
        network: the network inside a PEFT model, or a plain one.
        dtype: arithmetic of the linear layers; frozen weights of another type are copied once.
        gating: how the gate of a feed-forward block is computed.

    Attributes:
        prunes: the last layer gives only the places of a stream that predict something.
    """

    def __init__(self, network: PreTrainedModel, dtype: torch.dtype, gating: Gating) -> None:
        self._gating = gating
        self.dtype = dtype
        self._forwards: list[tuple[nn.Module, Callable[..., Any]]] = []
        taken: set[nn.Module] = set()
        for module in network.modules():
            if module not in taken:
                taken |= self._replace(module)
        last = last_layer(network)
        self.prunes = last is not None
        if last is not None:
            self._forwards.append(last)

    @contextmanager
    def active(self) -> Iterator[None]:
        """Within this context the network computes with the replacements."""
        with ExitStack() as stack:
            for module, forward in self._forwards:
                stack.enter_context(computing_with(module, forward))
            yield

    def _replace(self, module: nn.Module) -> set[nn.Module]:
        """Add what can be replaced in this module; returns the modules that are done with it."""
        if type(module).__name__.endswith("RMSNorm") and hasattr(module, "weight"):
            self._try(module, _norm_forward(module))
            return {module}
        feed_forward = [getattr(module, name, None) for name in _FEED_FORWARD]
        if all(_is_plain_lora(layer) for layer in feed_forward) and self._try(
            module, _gated_forward(self._adapted(feed_forward), self._gating)
        ):
            return {module, *module.modules()}
        taken: set[nn.Module] = set()
        for names in _SHARED_INPUT:
            layers = [getattr(module, name, None) for name in names]
            if all(_is_plain_lora(layer) for layer in layers):
                group = _SharedInput(self._adapted(layers))
                for number, layer in enumerate(layers):
                    assert layer is not None
                    if self._try(layer, group.member(number)):
                        taken.add(layer)
        if _is_plain_lora(module):
            self._try(module, _SharedInput(self._adapted([module])).member(0))
            taken.add(module)
        return taken

    def _adapted(self, layers: Sequence[Any]) -> list[_Adapted]:
        return [_Adapted(layer, self.dtype) for layer in layers]

    def _try(self, module: nn.Module, forward: Callable[..., Any]) -> bool:
        same = _agrees(module, forward, self.dtype)
        if same:
            self._forwards.append((module, forward))
        return same


@contextmanager
def computing_with(module: nn.Module, forward: Callable[..., Any]) -> Iterator[None]:
    """Within this context one module object computes with another forward; whatever stood there before comes back."""
    before = module.__dict__.get("forward")
    module.forward = forward
    try:
        yield
    finally:
        if before is None:
            del module.forward
        else:
            module.forward = before


class _Adapted:
    """One PEFT LoRA layer, seen as a frozen layer with two factors."""

    def __init__(self, layer: Any, dtype: torch.dtype) -> None:
        self.layer = layer
        self.frozen = _frozen(layer.get_base_layer(), dtype)

    @property
    def plain(self) -> bool:
        """Another adapter state than one active, unmerged adapter is left to PEFT."""
        return not self.layer.disable_adapters and not self.layer.merged and len(self.layer.active_adapters) == 1

    @property
    def factors(self) -> tuple[Tensor, Tensor]:
        name = self.layer.active_adapters[0]
        return self.layer.lora_A[name].weight, self.layer.lora_B[name].weight

    @property
    def scale(self) -> float:
        return float(self.layer.scaling[self.layer.active_adapters[0]])


def _frozen(layer: Any, dtype: torch.dtype) -> Frozen:
    if is_quantised(layer):
        return QuantisedLinear(layer, dtype)
    return FrozenLinear(layer.weight.detach().to(dtype), None if layer.bias is None else layer.bias.detach().to(dtype))


def _apply(function: Callable[..., Any], x: Tensor, adapted: Sequence[_Adapted]) -> Any:
    factors = [factor for one in adapted for factor in one.factors]
    return function(x, [one.frozen for one in adapted], factors, [one.scale for one in adapted])


class _SharedInput:
    """Layers that are called one after the other on the same tensor: the first call computes all of them."""

    def __init__(self, adapted: list[_Adapted]) -> None:
        self.adapted = adapted
        self._input: Tensor | None = None
        self._outputs: dict[int, Tensor] = {}

    def member(self, number: int) -> Callable[..., Tensor]:
        one = self.adapted[number]

        def forward(x: Tensor) -> Tensor:
            if not all(adapted.plain for adapted in self.adapted):
                return _without_adapter(one, x)
            if self._input is not x or number not in self._outputs:
                self._input = x
                self._outputs = dict(enumerate(_apply(lora_linears, x, self.adapted)))
            output = self._outputs.pop(number)
            if not self._outputs:
                self._input = None
            return output

        return forward


def _without_adapter(one: _Adapted, x: Tensor) -> Tensor:
    if one.layer.disable_adapters and not one.layer.merged:
        return one.frozen(x.to(one.frozen.dtype))
    output: Tensor = type(one.layer).forward(one.layer, x)
    return output


def _gated_forward(adapted: list[_Adapted], gating: Gating) -> Callable[..., Tensor]:
    compute = partial(gated_lora, gating=gating)

    def forward(x: Tensor) -> Tensor:
        if all(one.plain for one in adapted):
            output: Tensor = _apply(compute, x, adapted)
            return output
        gate, up, down = adapted
        hidden = gating.forward(_without_adapter(gate, x), _without_adapter(up, x))
        return _without_adapter(down, hidden)

    return forward


def _norm_forward(module: nn.Module) -> Callable[..., Tensor]:
    epsilon = next((float(getattr(module, name)) for name in ("variance_epsilon", "eps") if hasattr(module, name)), 0.0)

    def forward(x: Tensor) -> Tensor:
        return rms_norm(x, module.weight, epsilon)  # type: ignore[arg-type]

    return forward


def _is_plain_lora(layer: Any) -> bool:
    """Vanilla LoRA on a frozen `nn.Linear` or one in 4 bits: no dropout, no variant, no bias of its own."""
    if not isinstance(layer, LoraLayer):
        return False
    usual = type(layer) is LoraLinear and type(layer.get_base_layer()) is nn.Linear
    if not usual and not is_quantised(layer.get_base_layer()):
        return False
    if layer.get_base_layer().weight.requires_grad or layer.lora_variant or layer.fan_in_fan_out:
        return False
    return all(isinstance(dropout, nn.Identity) for dropout in layer.lora_dropout.values()) and all(
        second.bias is None for second in layer.lora_B.values()
    )


@torch.no_grad()
def _agrees(module: nn.Module, forward: Callable[..., Any], dtype: torch.dtype) -> bool:
    """The replacement gives what the module gives, on a few random rows."""
    parameter = next(module.parameters())
    width = parameter.shape[-1] if not isinstance(module, LoraLayer) else module.in_features
    if hasattr(module, "gate_proj"):
        width = module.gate_proj.in_features  # type: ignore[union-attr]
    own = _arithmetic(module)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3, int(width), generator=generator).to(parameter.device, own)
    ours, theirs = forward(x).to(own), module(x)
    tolerance = 1e-9 if own == dtype == torch.float64 else 1e-4 if dtype == torch.float32 else 3e-2
    return bool((ours - theirs).abs().max() <= tolerance * theirs.abs().max().clamp(min=1e-6))


def _arithmetic(module: nn.Module) -> torch.dtype:
    """What a module computes in by itself."""
    first: Any = next(module.parameters())
    dtype: torch.dtype = first.quant_state.dtype if hasattr(first, "quant_state") else first.dtype
    return dtype
