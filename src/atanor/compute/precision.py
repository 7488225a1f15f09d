"""Which arithmetic a machine should train in, and the context that applies it.

bfloat16 pays only where the processor multiplies it in hardware (AVX512-BF16, AMX, a GPU of compute capability 8);
elsewhere it is emulated and slower than float32 (pytorch#118499). Where the hardware says it can, a measurement of
about 50 ms decides, because virtual machines and libraries do not always keep the hardware's promise.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache

import torch

HALVES = (torch.bfloat16, torch.float16)
"""Arithmetic of two bytes, which linear layers may run in while the rest keeps float32."""

_ROWS, _IN, _OUT = 512, 576, 1536
_WORTH = 1.2
"""bfloat16 rounds more; it has to be at least this much faster."""


@cache
def has_fast_bfloat16() -> bool:
    """bfloat16 matrix products are faster on this machine than float32 ones."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if not (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()):
        return False
    return gemm_rate(torch.bfloat16) > _WORTH * gemm_rate(torch.float32)


def gemm_rate(dtype: torch.dtype, seconds: float = 0.025, rows: int = _ROWS) -> float:
    """Measured rate of a (rows, 576) x (576, 1536) matrix product in floating-point operations a second.

    Args:
        dtype: of both matrices.
        seconds: how long to measure; the median product counts.
        rows: of the first matrix.
    """
    left, right = torch.ones(rows, _IN, dtype=dtype), torch.ones(_OUT, _IN, dtype=dtype)
    left @ right.T  # the first product loads kernels
    times: list[float] = []
    until = time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < until:
        start = time.perf_counter()
        left @ right.T
        times.append(time.perf_counter() - start)
    return 2 * rows * _IN * _OUT / sorted(times)[len(times) // 2]


def device_name() -> str:
    """The device Atanor computes on: `cuda` where there is one, else `cpu`."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def autocast_for(dtype: torch.dtype) -> Callable[[], AbstractContextManager[object]]:
    """A context in which linear layers run in `dtype`, while float32 adapters, norms and the loss keep their own."""
    if dtype not in HALVES:
        return contextlib.nullcontext
    return lambda: torch.autocast(device_name(), dtype=dtype)
