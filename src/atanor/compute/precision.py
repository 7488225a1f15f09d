"""Which arithmetic a machine should train in, and the context that applies it.

bfloat16 pays only where the processor multiplies it in hardware (AVX512-BF16, AMX, a GPU of compute capability 8);
elsewhere it is emulated and slower than float32 (pytorch#118499), so `auto` then means float32.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager

import torch


def has_fast_bfloat16() -> bool:
    """This machine multiplies bfloat16 matrices in hardware."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def device_name() -> str:
    """The device Atanor computes on: `cuda` where there is one, else `cpu`."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def autocast_for(dtype: torch.dtype) -> Callable[[], AbstractContextManager[object]]:
    """A context in which linear layers run in `dtype`, while float32 adapters, norms and the loss keep their own."""
    if dtype != torch.bfloat16:
        return contextlib.nullcontext
    return lambda: torch.autocast(device_name(), dtype=torch.bfloat16)
