"""Attention over a forest on a processor, without a mask.

A query sees the keys of its own node up to itself and all keys of the nodes above. Softmax over a union of key sets
splits exactly: with partial outputs o_i and log-sum-exps l_i over disjoint sets,

    l = logsumexp_i l_i        o = sum_i exp(l_i - l) o_i

(Milakov & Gimelshein, arXiv:1805.02867; for shared prefixes Hydragen, arXiv:2402.05099). So every block of the layout
is one call of PyTorch's flash kernel on slices, merged afterwards. The backward of a block needs only the *merged*
output and log-sum-exp of its queries: with p = exp(q k - l) and d = sum(do * o), ds = p * (do v - d) holds block by
block, which is what the kernel computes.

The kernel handles plain softmax attention. `attend_whole` concatenates the keys of each node's path instead and
handles what remains: sliding windows shorter than a path, soft-capped scores and attention sinks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers import AttentionInterface

from atanor.compute.attention_cuda import attend_flex
from atanor.compute.layout import KeyValue, Layout, QueryKeyValue, Rectangle

NAME = "atanor_forest"

_flash = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
_flash_backward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward


class _Block(NamedTuple):
    """Queries and keys of one kernel call, each (batch, heads, length, d) views."""

    query: Tensor
    key: Tensor
    value: Tensor
    causal: bool
    place: slice
    nodes: int
    source: int  # index of the trunk, or -1 for the pass itself
    keys_at: slice


class _ForestAttention(torch.autograd.Function):
    @staticmethod
    def forward(  # noqa: PLR0917  # autograd passes tensors by position
        ctx: Any, layout: Layout, scale: float, query: Tensor, key: Tensor, value: Tensor, *trunks: Tensor
    ) -> Tensor:
        heads, tokens, width = query.shape[1:]
        out_NHd = query.new_empty(tokens, heads, width)
        lse_NH = query.new_empty(tokens, heads)
        for block in _blocks(layout, query, key, value, trunks):
            out, lse = _flash(block.query, block.key, block.value, 0.0, block.causal, scale=scale)
            part_NHd = out.transpose(1, 2).reshape(-1, heads, width)
            part_NH = lse.transpose(1, 2).reshape(-1, heads)
            if block.causal:
                out_NHd[block.place] = part_NHd
                lse_NH[block.place] = part_NH
            else:
                _merge(out_NHd[block.place], lse_NH[block.place], part_NHd, part_NH)
        ctx.layout, ctx.scale = layout, scale
        ctx.save_for_backward(query, key, value, out_NHd, lse_NH, *trunks)
        return out_NHd

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, out_NHd, lse_NH, *trunks = ctx.saved_tensors
        gradient_NHd = outputs[0]
        heads = query.shape[1]
        dquery_NHd = torch.zeros_like(out_NHd)
        dkeys = [torch.zeros_like(out_NHd), *(_expanded_zeros(k, heads) for k in trunks[::2])]
        dvalues = [torch.zeros_like(out_NHd), *(_expanded_zeros(v, heads) for v in trunks[1::2])]
        for block in _blocks(ctx.layout, query, key, value, tuple(trunks)):
            dq, dk, dv = _flash_backward(
                _heads_first(gradient_NHd[block.place], block.nodes),
                block.query,
                block.key,
                block.value,
                _heads_first(out_NHd[block.place], block.nodes),
                lse_NH[block.place].view(block.nodes, -1, heads).transpose(1, 2),
                0.0,
                block.causal,
                scale=ctx.scale,
            )
            dquery_NHd[block.place] += dq.transpose(1, 2).reshape(-1, heads, dq.shape[-1])
            dkeys[block.source + 1][block.keys_at] += dk.transpose(1, 2).reshape(-1, heads, dk.shape[-1])
            dvalues[block.source + 1][block.keys_at] += dv.transpose(1, 2).reshape(-1, heads, dv.shape[-1])
        groups = key.shape[1]
        dtrunks = [
            _sum_groups(gradient, groups) for pair in zip(dkeys[1:], dvalues[1:], strict=True) for gradient in pair
        ]
        dquery = dquery_NHd.transpose(0, 1)[None]
        return None, None, dquery, _sum_groups(dkeys[0], groups), _sum_groups(dvalues[0], groups), *dtrunks


def _blocks(layout: Layout, query: Tensor, key: Tensor, value: Tensor, trunks: tuple[Tensor, ...]) -> Iterator[_Block]:
    """The kernel calls of a layout; the causal ones, which together cover every query once, come first."""
    heads = query.shape[1]
    key_NHd, value_NHd = _stream(key, heads), _stream(value, heads)
    query_NHd = query[0].transpose(0, 1)
    for run in layout.runs:
        place = slice(run.start, run.end)
        query_MHLd, key_MHLd, value_MHLd = (
            _heads_first(tensor[place], run.count) for tensor in (query_NHd, key_NHd, value_NHd)
        )
        yield _Block(query_MHLd, key_MHLd, value_MHLd, True, place, run.count, -1, place)
    for block in layout.rectangles:
        yield _rectangle(query_NHd, key_NHd, value_NHd, block, -1)
    for number in range(len(trunks) // 2):
        trunk_key, trunk_value = _stream(trunks[2 * number], heads), _stream(trunks[2 * number + 1], heads)
        whole = Rectangle(0, len(query_NHd), 0, len(trunk_key))
        yield _rectangle(query_NHd, trunk_key, trunk_value, whole, number)


def _rectangle(query_NHd: Tensor, key_NHd: Tensor, value_NHd: Tensor, block: Rectangle, source: int) -> _Block:
    place, keys_at = slice(block.query_start, block.query_end), slice(block.key_start, block.key_end)
    query = _heads_first(query_NHd[place], 1)
    return _Block(
        query, _heads_first(key_NHd[keys_at], 1), _heads_first(value_NHd[keys_at], 1), False, place, 1, source, keys_at
    )


def _stream(tensor: Tensor, heads: int) -> Tensor:
    """(1, groups, N, d) as (N, heads, d), each key head repeated for the query heads that share it."""
    groups = tensor.shape[1]
    stream = tensor[0].transpose(0, 1)
    return stream if groups == heads else stream.repeat_interleave(heads // groups, dim=1)


def _heads_first(tensor_NHd: Tensor, count: int) -> Tensor:
    """(count * length, heads, d) as (count, heads, length, d), a view."""
    return tensor_NHd.view(count, -1, *tensor_NHd.shape[1:]).transpose(1, 2)


def _expanded_zeros(tensor: Tensor, heads: int) -> Tensor:
    return tensor.new_zeros(tensor.shape[2], heads, tensor.shape[3])


def _sum_groups(gradient_NHd: Tensor, groups: int) -> Tensor:
    """(N, heads, d) as (1, groups, N, d), summed over the query heads of each key head."""
    tokens, _, width = gradient_NHd.shape
    return gradient_NHd.view(tokens, groups, -1, width).sum(2).transpose(0, 1)[None]


def _merge(out_NHd: Tensor, lse_NH: Tensor, part_NHd: Tensor, part_NH: Tensor) -> None:
    """Merge a partial result into `out_NHd`, `lse_NH` in place."""
    share_NH = torch.sigmoid(part_NH - lse_NH)  # exp(part) / (exp(part) + exp(lse))
    out_NHd.lerp_(part_NHd, share_NH[..., None].expand_as(out_NHd))
    torch.logaddexp(lse_NH, part_NH, out=lse_NH)


def attend(layout: Layout, scale: float, heads: QueryKeyValue, trunks: list[KeyValue]) -> Tensor:
    """Attention of a pass with the flash kernel.

    Args:
        layout: who sees whom.
        scale: of the scores.
        heads: queries, keys and values of the pass.
        trunks: keys and values of the trunks above, each (1, groups, T, d).

    Returns:
        (N, heads, d).
    """
    flat = [tensor for pair in trunks for tensor in pair]
    out: Tensor = _ForestAttention.apply(layout, scale, *heads, *flat)  # type: ignore[no-untyped-call]
    return out


def attend_whole(
    layout: Layout,
    scale: float,
    heads: QueryKeyValue,
    trunks: list[KeyValue],
    *,
    window: int | None = None,
    softcap: float | None = None,
    sinks: Tensor | None = None,
) -> Tensor:
    """The same, node by node against all keys of its path at once, for scores the flash kernel cannot make.

    Args:
        window: a query sees the last `window` positions, its own included.
        softcap: scores become softcap * tanh(score / softcap).
        sinks: one learned score a head that takes part in the softmax and has no value; (heads,).
    """
    query, key, value = heads
    repeat = query.shape[1] // key.shape[1]
    outputs = []
    for segment in layout.segments:
        own = slice(segment.start, segment.end)
        ranges = [slice(*span) for span in segment.ancestors] + [own]
        keys = torch.cat([k for k, _ in trunks] + [key[:, :, span] for span in ranges], 2)
        values = torch.cat([v for _, v in trunks] + [value[:, :, span] for span in ranges], 2)
        scores = query[:, :, own] @ keys.repeat_interleave(repeat, 1).transpose(2, 3) * scale
        if softcap is not None:
            scores = softcap * torch.tanh(scores / softcap)
        at_Q = torch.arange(keys.shape[2] - scores.shape[2], keys.shape[2], device=query.device)[:, None]
        at_K = torch.arange(keys.shape[2], device=query.device)[None]
        unseen = at_K > at_Q if window is None else (at_K > at_Q) | (at_Q - at_K >= window)
        scores = scores.masked_fill(unseen, float("-inf"))
        if sinks is not None:
            sink = sinks.view(1, -1, 1, 1).expand(1, -1, scores.shape[2], 1).to(scores.dtype)
            scores = torch.cat([scores, sink], 3)
        wide = torch.float64 if scores.dtype == torch.float64 else torch.float32
        shares = scores.softmax(3, dtype=wide).to(value.dtype)[..., : keys.shape[2]]
        outputs.append(shares @ values.repeat_interleave(repeat, 1))
    return torch.cat(outputs, 2)[0].transpose(0, 1)


def forest_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    forest: Layout,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    s_aux: Tensor | None = None,
    **others: object,
) -> tuple[Tensor, None]:
    """What Transformers calls in every attention layer; see `transformers.AttentionInterface`."""
    assert attention_mask is None
    del others
    layer = int(module.layer_idx)  # type: ignore[arg-type]
    scale = float(query.shape[-1] ** -0.5 if scaling is None else scaling)
    dtype = query.dtype
    if query.device.type == "cpu" and dtype != torch.float64:
        # In bfloat16 the kernel is slower than in float32 on the short runs of a forest.
        query, key, value = query.float(), key.float(), value.float()
    if forest.captured is not None:
        forest.captured[layer] = (key, value)
    trunks = forest.trunks.get(layer, [])
    heads = QueryKeyValue(query, key, value)
    window = None if sliding_window is None or forest.depth <= sliding_window else sliding_window
    if query.device.type == "cuda" and s_aux is None:
        out_NHd = attend_flex(forest, scale, heads, trunks, window=window, softcap=softcap)
    elif window is None and softcap is None and s_aux is None:
        out_NHd = attend(forest, scale, heads, trunks)
    else:
        out_NHd = attend_whole(forest, scale, heads, trunks, window=window, softcap=softcap, sinks=s_aux)
    return out_NHd[None].to(dtype), None


AttentionInterface.register(NAME, forest_attention)
