"""Memory of training in bytes, term by term, from sizes and token counts.

What is counted as saved for backward, for every executed token and block, with a the bytes of the arithmetic, m those
of attention (float32 on a processor), d the width, q and k the widths of queries and keys, i the inner width, h the
heads:

    input and 1 / rms of each norm of the block                      norms * (a d + 4)
    the norm's output, which query, key and value share              a d
    queries, keys, values, output and log-sum-exp of attention       m (2 q + 2 k) + 4 h
    the feed-forward block's input                                   a d
    its pre-activations gate and up                                  a 2 i
    with LoRA, x A^T of each adapted layer                           a r each
    without, silu(gate) and the product with up as well              a 2 i

Three corrections: the embeddings of a LoRA model need no gradient, so neither does the first norm; behind the last
block's attention only places that predict something go on (`last_layer`); the rotation's cosines and sines are kept
once. `tests/compute/test_footprint.py` compares with what autograd keeps.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from atanor.compute.architecture import Architecture
from atanor.compute.counting import PassCount
from atanor.compute.head_loss import rows_a_chunk
from atanor.compute.precision import HALVES
from atanor.models import Quantisation

_SINGLE = 4


@dataclass(frozen=True)
class StateSize:
    """What an optimizer takes.

    Attributes:
        kept: bytes it keeps for each trained number.
        working: bytes for each number of the largest parameter, while it makes a step of it.
    """

    kept: float = 2.0 * _SINGLE
    working: float = 2.0 * _SINGLE


@dataclass(frozen=True)
class Footprint:
    """Bytes of one way to tune one model.

    Args:
        model: its sizes.
        rank: of a LoRA on every linear layer of the body, or None for full tuning.
        dtype: arithmetic of the linear layers.
        device: `cpu` or `cuda`; attention computes in float32 on the first.
        quantisation: of the frozen linear layers of the blocks, or None.
        state: of the optimizer; by default AdamW's two moments, and the two tensors it makes of a parameter's size.
    """

    model: Architecture
    rank: int | None
    dtype: torch.dtype
    device: str = "cpu"
    quantisation: Quantisation | None = None
    state: StateSize = field(default_factory=StateSize)

    @property
    def weights(self) -> int:
        """The network's own weights as they are computed with: in 4 bits, as they came, or in float32 to be trained."""
        if self.quantisation is None:
            return self.loaded
        return round(self.model.in_linears * self.quantisation.bits / 8) + self._a * (
            self.model.parameters - self.model.in_linears
        )

    @property
    def loaded(self) -> int:
        """The network's own weights as they come: in the arithmetic's type where frozen, else in float32."""
        return self.model.parameters * (self._a if self.rank is not None else _SINGLE)

    @property
    def trained(self) -> int:
        """How many numbers train."""
        return self.model.parameters if self.rank is None else self.model.adapter(self.rank)

    @property
    def adapter(self) -> int:
        """The adapter's weights; none in full tuning, where they are the network's."""
        return 0 if self.rank is None else _SINGLE * self.trained

    @property
    def gradients(self) -> int:
        return _SINGLE * self.trained

    @property
    def optimizer(self) -> int:
        """What the optimizer keeps."""
        return round(self.state.kept * self.trained)

    def saved(self, tokens: int, places: int) -> int:
        """Kept for the backward of a pass by all blocks, the last norm and the head."""
        blocks = self.model.layers * (self._attention_side + self._inner_side) - self._first_norm
        if not self.model.prunes:
            return tokens * (blocks + self._norm + self._rotation) + places * self._hidden
        return tokens * (blocks - self._inner_side + self._rotation) + places * (
            self._inner_side + self._norm + self._hidden
        )

    def kept(self, part: PassCount) -> int:
        """Saved by a pass and by the trunks it hangs from; keys, values and their gradients of the trunks included."""
        trunks = part.recomputed_tokens + part.collecting_tokens
        return self.saved(part.tokens + part.kept_tokens, part.places + part.kept_places) + trunks * (
            2 * self._m * self.model.key_width * self.model.layers
        )

    def activations(self, part: PassCount, *, one_pass: bool) -> tuple[int, int]:
        """(saved, largest transient) where the two together are most: at the head, or in the backward of a block.

        Args:
            part: the pass.
            one_pass: the window has no other, so gradients appear only as saved tensors go.
        """
        saved = self.kept(part)
        last = part.places if self.model.prunes else part.tokens
        in_feed_forward = saved - last * self._norm - part.places * self._hidden
        in_attention = in_feed_forward - last * self._inner_side
        in_block_before = in_attention - part.tokens * self._attention_side
        moments = [
            (saved, self._head(part.places)),
            (in_feed_forward, self._inner_backward(last)),
            (in_attention, self._attention_backward(part)),
            (in_block_before, self._inner_backward(part.tokens)),
        ]
        if self.rank is None:
            held = 0 if one_pass else self.gradients
            head = _SINGLE * self.model.vocabulary * self.model.width if part.places else 0
            moments = [(kept, transient + held + head) for kept, transient in moments]
            # At the end of a backward all gradients are there, and those of embedding and head wait to be added.
            moments.append((0, self.gradients + 2 * head))
        saved, transient = max(moments, key=sum)
        return saved, transient + self._made_anew

    def update(self) -> int:
        """Largest transient of an optimizer step."""
        largest = (
            self.model.largest
            if self.rank is None
            else self.rank * max(max(linear.inputs, linear.outputs) for linear in self.model.block)
        )
        return round(self.state.working * largest)

    def check(self, tokens: int, supervised: int) -> tuple[int, int]:
        """(saved, largest transient) of the self-check's plain pass: nothing is pruned or fused, all logits exist.

        Args:
            tokens: of the padded batch.
            supervised: tokens with a loss.
        """
        model, a = self.model, self._a
        plain = self._attention_side + a * (model.width + 4 * model.inner) + self._norm * (model.norms - 1)
        saved = tokens * (model.layers * plain + self._norm)
        logits = (a * tokens + 2 * _SINGLE * supervised) * model.vocabulary
        return saved, logits + self.gradients

    @property
    def _made_anew(self) -> int:
        """The weight of a layer in 4 bits, while it is multiplied with."""
        if self.quantisation is None:
            return 0
        return self._a * max(linear.inputs * linear.outputs for linear in self.model.block)

    @property
    def _a(self) -> int:
        return 2 if self.dtype in HALVES else _SINGLE

    @property
    def _m(self) -> int:
        return _SINGLE if self.device == "cpu" else self._a

    @property
    def _norm(self) -> int:
        return self._a * self.model.width + _SINGLE

    @property
    def _hidden(self) -> int:
        """The head's gradient of a place."""
        return self._a * self.model.width

    @property
    def _first_norm(self) -> int:
        return self._norm if self.rank is not None else 0

    @property
    def _rotation(self) -> int:
        return 2 * self._a * self.model.query_width // self.model.heads

    @property
    def _attention_side(self) -> int:
        """Of a block, up to the projection behind attention."""
        model = self.model
        heads = model.query_width + model.key_width if model.head_norms else 0
        inner = self._low_rank(("q", "k", "v", "o"))
        merged = self._a * model.query_width if self._a != self._m else 0
        attention = self._m * 2 * (model.query_width + model.key_width) + _SINGLE * model.heads
        return self._norm + self._a * (model.width + heads) + attention + merged + inner

    @property
    def _inner_side(self) -> int:
        """Of a block, behind attention."""
        model = self.model
        products = 2 if model.gated and self.rank is not None else 4
        norms = self._norm * (model.norms - 1)
        return norms + self._a * (model.width + products * model.inner) + self._low_rank(("gate", "up", "down"))

    def _low_rank(self, layers: tuple[str, ...]) -> int:
        return self._a * (self.rank or 0) * len(layers)

    def _head(self, places: int) -> int:
        """A chunk of logits; in another arithmetic than float32 also the products and the gradient in that."""
        copies = _SINGLE + (0 if self._a == _SINGLE else 2 * self._a)
        return min(places, rows_a_chunk(self.model.vocabulary)) * self.model.vocabulary * copies

    def _attention_backward(self, part: PassCount) -> int:
        """Gradients of queries, keys and values, of the pass and of a block; keys and values for every query head."""
        q, k = self.model.query_width, self.model.key_width
        own = self._m * (9 * q + 2 * k) + self._a * self.model.width
        return part.tokens * own + part.trunk_tokens * self._m * 6 * q

    def _inner_backward(self, tokens: int) -> int:
        """The product, what it is restored from, and the gradients of both pre-activations; of the stream twice."""
        return tokens * self._a * (4 * self.model.inner + 2 * self.model.width)
