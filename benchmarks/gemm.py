"""The rate this machine multiplies matrices at: what any training on it can at most reach.

Measured on the shapes that training of the given model spends its time in, 1,024 tokens at a time, with the weight as
the forward pass multiplies by it and as the gradient of the input does. The median over the shapes is the machine's
rate; each shape's own rate is kept beside it.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

import torch

from atanor.compute import Architecture

TOKENS = 1024


@dataclass(frozen=True)
class GemmRate:
    """Operations a second.

    Attributes:
        median: over the shapes.
        shapes: by "tokens x in x out", `T` behind it for the product with the transposed weight.
    """

    median: float
    shapes: dict[str, float]


def measure_gemm(model: Architecture, dtype: torch.dtype, device: str = "cpu", seconds: float = 0.15) -> GemmRate:
    """Measure every shape of the model for `seconds`."""
    rates: dict[str, float] = {}
    for inputs, outputs in sorted({linear[1:] for linear in model.block}):
        weight = torch.randn(outputs, inputs).to(device, dtype)
        forward = torch.randn(TOKENS, inputs).to(device, dtype)
        backward = torch.randn(TOKENS, outputs).to(device, dtype)
        flops = 2 * TOKENS * inputs * outputs
        rates[f"{TOKENS} x {inputs} x {outputs}"] = flops / _median_seconds(forward, weight.T, seconds)
        rates[f"{TOKENS} x {outputs} x {inputs} T"] = flops / _median_seconds(backward, weight, seconds)
    return GemmRate(statistics.median(rates.values()), rates)


def _median_seconds(left: torch.Tensor, right: torch.Tensor, seconds: float) -> float:
    _product(left, right)  # the first one loads kernels
    times: list[float] = []
    until = time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < until:
        times.append(_product(left, right))
    return statistics.median(times)


def _product(left: torch.Tensor, right: torch.Tensor) -> float:
    started = time.perf_counter()
    torch.mm(left, right)
    if left.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - started
