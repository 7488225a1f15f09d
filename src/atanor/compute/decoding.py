"""One more token for each of many sequences: keys and values in place, attention of a single query a row.

A step of decoding reads every weight once, however many sequences it serves, so it should serve many; and what it does
besides must not grow with what is kept. Keys and values stand in one tensor a layer that is made once and written in
place, sequences are filled from the left and may differ in length, and the query heads that share a key head are
computed as queries of one call, so no key is copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

from atanor.compute.layout import KeyValue

if TYPE_CHECKING:
    from atanor.compute.engine import Engine

NAME = "atanor_decoding"


class KeyValueStore:
    """Keys and values of sequences that are being continued.

    Args:
        engine: computes the prompts' keys and values.
        rows: most sequences at a time.
        columns: most tokens of a sequence, prompt and answer together.
    """

    def __init__(self, engine: Engine, rows: int, columns: int) -> None:
        self._engine = engine
        self._rows, self._columns = rows, columns
        self._layers: dict[int, KeyValue] = {}
        self._lengths: list[int] = []
        self._at: tuple[Tensor, Tensor] | None = None
        self._mask: Tensor | None = None

    def __len__(self) -> int:
        return len(self._lengths)

    def add(self, prompts: Sequence[tuple[int, ...]]) -> None:
        """Take sequences in, behind those there are: keys and values of all their tokens but the last."""
        first, width = len(self), max(map(len, prompts)) - 1
        self._lengths += [len(prompt) - 1 for prompt in prompts]
        if width == 0:
            return
        for layer, pair in self._engine.prefill(prompts).items():
            for kept, filled in zip(self._kept(layer, pair), pair, strict=True):
                for number, prompt in enumerate(prompts):
                    length = len(prompt) - 1
                    kept[first + number, :, :length] = filled[number, :, width - length :]

    @property
    def token_bytes(self) -> int:
        """Bytes of the keys and values of one token, once one was added."""
        cells = self._rows * self._columns
        return sum(kept.nbytes for pair in self._layers.values() for kept in pair) // cells

    def remove(self, row: int) -> None:
        """Drop a sequence; the last one takes its place."""
        last = len(self) - 1
        length = self._lengths[last]
        if row != last:
            for pair in self._layers.values():
                for kept in pair:
                    kept[row, :, :length] = kept[last, :, :length]
            self._lengths[row] = length
        self._lengths.pop()

    def begin_step(self, device: torch.device) -> Tensor:
        """Make room for one token a row; returns its position in each, (B, 1)."""
        place_B = torch.tensor(self._lengths, device=device)
        self._at = torch.arange(len(self), device=device), place_B
        self._mask = None
        self._lengths = [length + 1 for length in self._lengths]
        return place_B[:, None]

    def attend(self, layer: int, query: Tensor, new: KeyValue, scale: float) -> Tensor:
        """Attention of each row's new token to all of its row, itself included.

        Args:
            layer: number of the layer.
            query: (B, heads, 1, d).
            new: key and value of the new tokens, (B, groups, 1, d).
            scale: of the scores.

        Returns:
            (B, 1, heads, d).
        """
        assert self._at is not None
        rows, groups, width = len(query), new[0].shape[1], query.shape[3]
        row_B, place_B = self._at
        for kept, one in zip(self._kept(layer, new), new, strict=True):
            kept[row_B, :, place_B] = one[:, :, 0].to(kept.dtype)
        columns = max(self._lengths)
        key, value = (kept[:rows, :, :columns] for kept in self._layers[layer])
        if self._mask is None:
            unseen_BT = torch.arange(columns, device=key.device) > place_B[:, None]
            self._mask = torch.zeros(unseen_BT.shape, dtype=key.dtype, device=key.device)
            self._mask.masked_fill_(unseen_BT, float("-inf"))
        mask = self._mask[:, None, None]
        query_BGnd = query.view(rows, groups, -1, width).to(key.dtype)
        out = scaled_dot_product_attention(query_BGnd, key, value, attn_mask=mask, scale=scale)
        return out.reshape(rows, 1, -1, out.shape[3]).to(query.dtype)

    def _kept(self, layer: int, like: KeyValue) -> KeyValue:
        """Where a layer's keys and values stand: (rows, groups, columns, d) of the kind of `like`."""
        if layer not in self._layers:
            shape = (self._rows, like[0].shape[1], self._columns)
            key, value = (one.new_zeros(*shape, one.shape[3]) for one in like)
            self._layers[layer] = (key, value)
        return self._layers[layer]


def decoding_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    decoding: KeyValueStore,
    scaling: float | None = None,
    **others: object,
) -> tuple[Tensor, None]:
    """What Transformers calls in every attention layer; see `transformers.AttentionInterface`."""
    assert attention_mask is None
    del others
    layer = int(module.layer_idx)  # type: ignore[arg-type]
    scale = float(query.shape[-1] ** -0.5 if scaling is None else scaling)
    return decoding.attend(layer, query, (key, value), scale), None


AttentionInterface.register(NAME, decoding_attention)
