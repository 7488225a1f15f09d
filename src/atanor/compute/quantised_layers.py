"""Frozen linear layers in 4 bits: their weight is made anew for every product, one layer's at a time."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from atanor.models import dequantised


class QuantisedLinear:
    """A `Frozen` over a layer of bitsandbytes: forward and backward each make its weight and let it go.

    Args:
        layer: keeps the 4 bits.
        dtype: arithmetic of the product.
    """

    def __init__(self, layer: Any, dtype: torch.dtype) -> None:
        self._layer = layer
        self.bias: Tensor | None = None if layer.bias is None else layer.bias.detach().to(dtype)
        self.dtype = dtype

    @property
    def weight(self) -> Tensor:
        return dequantised(self._layer).to(self.dtype)

    def __call__(self, x_Ni: Tensor) -> Tensor:
        return functional.linear(x_Ni, self.weight, self.bias)
