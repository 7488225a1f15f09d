"""Attention over a forest on a GPU: the layout's blocks as one FlexAttention block mask.

In the stream of a pass every node stands before all that is below it, so with `last_N[j]` the end of everything below
the node of place j, place i sees place j exactly if

    j <= i < last_N[j]

which is FlashMask's column form of a mask (arXiv:2410.01359): two comparisons a pair and no mask in memory. Keys of
trunks stand in front and are seen by all. Blocks of 128 x 128 without a visible pair are skipped by the kernel.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention

from atanor.compute.layout import KeyValue, Layout, QueryKeyValue


def attend_flex(
    layout: Layout,
    scale: float,
    heads: QueryKeyValue,
    trunks: list[KeyValue],
    *,
    window: int | None = None,
    softcap: float | None = None,
) -> Tensor:
    """As `atanor.compute.attention.attend`, with sliding windows and soft-capped scores.

    Returns:
        (N, heads, d).
    """
    query, key, value = heads
    keys = torch.cat([*(k for k, _ in trunks), key], 2)
    values = torch.cat([*(v for _, v in trunks), value], 2)
    mask = block_mask(layout, keys.shape[2] - key.shape[2], window)

    def capped(score: Tensor, _batch: Tensor, _head: Tensor, _query: Tensor, _key: Tensor) -> Tensor:
        assert softcap is not None
        return softcap * torch.tanh(score / softcap)

    out: Tensor = _kernel(query.device.type)(
        query,
        keys.to(query.dtype),
        values.to(query.dtype),
        score_mod=None if softcap is None else capped,
        block_mask=mask,
        scale=scale,
        enable_gqa=query.shape[1] != keys.shape[1],
    )
    return out[0].transpose(0, 1)


def block_mask(layout: Layout, trunk_tokens: int, window: int | None) -> BlockMask:
    """The mask of a pass, made once and kept with its layout for all layers of one kind."""
    if window not in layout.masks:
        last_N, positions_N = _last(layout), layout.positions_N
        key_positions_K = torch.cat([torch.arange(trunk_tokens, device=last_N.device), positions_N])

        def visible(_batch: Tensor, _head: Tensor, query: Tensor, key: Tensor) -> Tensor:
            own = (key - trunk_tokens).clamp(min=0)
            seen = (key < trunk_tokens) | ((own <= query) & (query < last_N[own]))
            return seen if window is None else seen & (positions_N[query] - key_positions_K[key] < window)

        tokens = len(last_N)
        on_gpu = last_N.device.type == "cuda"
        layout.masks[window] = create_block_mask(
            visible, None, None, tokens, tokens + trunk_tokens, device=last_N.device.type, _compile=on_gpu
        )
    mask: BlockMask = layout.masks[window]
    return mask


def _last(layout: Layout) -> Tensor:
    """For each place the end of everything below its node, (N,)."""
    ends = [0] * len(layout.tokens_N)
    for segment in layout.segments:
        ends[segment.start : segment.end] = [segment.end] * (segment.end - segment.start)
    for block in layout.rectangles:
        ends[block.key_start : block.key_end] = [block.query_end] * (block.key_end - block.key_start)
    return torch.tensor(ends, device=layout.tokens_N.device)


@cache
def _kernel(device: str) -> Any:
    """Compiled once for all shapes on a GPU; elsewhere the reference implementation, which has no gradient."""
    return torch.compile(flex_attention, dynamic=True) if device == "cuda" else flex_attention
