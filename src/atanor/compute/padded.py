"""Rows on lines of their own, padded on the right: the layout for families that cannot compute a forest.

Padding stands where a causal model never looks at it, so no attention mask exists. Rows of similar length go together.
This is also the plain computation that the engine's self-check compares with.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import torch
from peft import PeftModel
from torch import Tensor
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutputWithPast

from atanor.compute.forest import WeightedTokens
from atanor.compute.fusion import computing_with
from atanor.compute.head import class_head
from atanor.compute.head_loss import Predictions
from atanor.compute.loss_scale import LossScale
from atanor.compute.noise import EmbeddingNoise
from atanor.compute.supervision import HiddenLoss, Numbering, Supervision

GroupLoss = Callable[[Sequence[int], list[Tensor]], Tensor]
"""(numbers of some groups, for each the nll of its rows) -> their summed loss, differentiable in the nll."""


@dataclass(frozen=True)
class Batch:
    """One forward pass.

    Attributes:
        rows: which rows of the window, in the order of the tensor's rows.
        tokens_BT: token ids, padded on the right.
        places_S: flat index b * T + t of every position whose hidden state predicts a supervised token.
        targets_S: that token.
        weights_S: its weight.
        counts_B: how many of the S positions belong to each row, in order.
        lengths_B: tokens of each row, without its padding.
    """

    rows: tuple[int, ...]
    tokens_BT: Tensor
    places_S: Tensor
    targets_S: Tensor
    weights_S: Tensor
    counts_B: tuple[int, ...]
    lengths_B: tuple[int, ...]


@dataclass(frozen=True)
class Lines:
    """How rows are put on lines.

    Attributes:
        pad: token id that fills up a line.
        tokens_per_pass: most padded tokens a forward pass.
        noise: on the embeddings of lines whose gradient is taken.
    """

    pad: int
    tokens_per_pass: int
    noise: EmbeddingNoise | None = None


class Padded:
    """Computes through the model's own forward and all its logits.

    Args:
        network: the causal language model; with virtual tokens before its input it gives logits for them too.
        lines: how rows are put on lines.
        autocast: opens the context in which the network runs in lower precision.
        scale: of the loss whose gradient is taken.
    """

    def __init__(
        self,
        network: PreTrainedModel | PeftModel,
        lines: Lines,
        autocast: Callable[[], AbstractContextManager[object]],
        scale: LossScale,
    ) -> None:
        self.network = network
        self.lines = lines
        self.autocast = autocast
        self.scale = scale
        self._inside: PreTrainedModel = network.get_base_model() if isinstance(network, PeftModel) else network
        self._classes = class_head(self._inside)

    def backward(self, rows: Sequence[WeightedTokens], whole: float, smoothing: float = 0.0) -> float:
        """Adds the gradient of sum(weight * nll) / whole to the parameters' and returns that loss.

        With smoothing the nll is that of a target which has this share of its mass spread over the vocabulary.
        """
        total = 0.0
        for batch in self._batches(rows):
            loss = (batch.weights_S * self._nll(batch, smoothing)).sum() / whole
            if loss.requires_grad:
                self.scale.backward(loss)
            total += float(loss.detach())
        return total

    def backward_groups(self, groups: Sequence[Sequence[WeightedTokens]], loss: GroupLoss) -> float:
        """As `Engine.backward_groups`, a group a pass."""
        total = 0.0
        for number, group in enumerate(groups):
            batch = self._lay_out(group, range(len(group)))
            parts = torch.split(self._nll(batch), list(batch.counts_B))
            value = loss([number], [torch.stack([part.sum() for part in parts])])
            self.scale.backward(value)
            total += float(value.detach())
        return total

    @torch.no_grad()
    def loss(self, rows: Sequence[WeightedTokens]) -> float:
        """sum(weight * nll)."""
        return sum(float((batch.weights_S * self._nll(batch)).double().sum()) for batch in self._batches(rows))

    @torch.no_grad()
    def likelihoods(self, rows: Sequence[WeightedTokens]) -> Iterator[tuple[int, float]]:
        """(row number, nll of its supervised tokens); measured without dropout, in the midst of training too."""
        for batch in self._batches(rows):
            with _evaluating(self.network):
                parts = torch.split(self._nll(batch).double(), list(batch.counts_B))
            yield from ((number, float(part.sum())) for number, part in zip(batch.rows, parts, strict=True))

    def over(self, rows: Sequence[WeightedTokens], numbering: Numbering, loss: HiddenLoss, *, gradient: bool) -> float:
        """Sum of a loss of hidden states over the passes, adding its gradient to the parameters' where asked."""
        total = 0.0
        for batch in self._batches(rows):
            with torch.set_grad_enabled(gradient):
                value = loss(_supervision(batch, numbering), self._hidden(batch))
            if gradient and value.requires_grad:
                self.scale.backward(value)
            total += float(value.detach())
        return total

    @property
    def _device(self) -> torch.device:
        device: torch.device = next(self.network.parameters()).device
        return device

    def _batches(self, rows: Sequence[WeightedTokens]) -> Iterator[Batch]:
        for numbers in plan_passes([len(row.tokens) for row in rows], self.lines.tokens_per_pass):
            yield self._lay_out(rows, numbers)

    def _lay_out(self, rows: Sequence[WeightedTokens], numbers: Sequence[int]) -> Batch:
        return lay_out(rows, numbers, self.lines.pad, self._device)

    def _hidden(self, batch: Batch) -> Tensor:
        """What the body of the network gives to the head at the places that predict something, (S, d)."""
        if self._classes is not None:
            with self.autocast(), self._noisy(batch):
                states_BTd: Tensor = self._inside.get_decoder()(batch.tokens_BT, use_cache=False).last_hidden_state
            return states_BTd.flatten(0, 1).index_select(0, batch.places_S)
        taken: list[Tensor] = []

        def take(_module: object, _inputs: object, output: BaseModelOutputWithPast) -> None:
            assert output.last_hidden_state is not None
            taken.append(output.last_hidden_state)

        hook = self._inside.get_decoder().register_forward_hook(take)
        # No logits are made here: the head's loss makes them a chunk at a time.
        head = computing_with(self._inside.get_output_embeddings(), lambda hidden: hidden[..., :1])
        with hook, head, self.autocast(), self._noisy(batch):
            self.network(input_ids=batch.tokens_BT, use_cache=False)
        (hidden_BTd,) = taken
        return hidden_BTd[:, -batch.tokens_BT.shape[1] :].flatten(0, 1).index_select(0, batch.places_S)

    def _nll(self, batch: Batch, smoothing: float = 0.0) -> Tensor:
        if self._classes is None:
            with self.autocast(), self._noisy(batch):
                logits_BTV = self._logits(batch)[:, -batch.tokens_BT.shape[1] :]
            logits_SV = logits_BTV.flatten(0, 1).index_select(0, batch.places_S)
        else:  # the network's own forward gives the logits of one place only
            logits_SV = self._classes(self._hidden(batch).to(next(self._classes.parameters()).dtype))
        wide = logits_SV if logits_SV.dtype == torch.float64 else logits_SV.float()
        return torch.nn.functional.cross_entropy(wide, batch.targets_S, reduction="none", label_smoothing=smoothing)

    def noisy(self, rows: Sequence[Sequence[int]]) -> AbstractContextManager[None]:
        """Noise on the embeddings of these rows' lines, where a gradient is taken and there is to be any."""
        noise = self.lines.noise
        if noise is None or not torch.is_grad_enabled():
            return contextlib.nullcontext()
        return noise.on(self.network.get_input_embeddings(), rows)

    def _noisy(self, batch: Batch) -> AbstractContextManager[None]:
        return self.noisy(
            [line[:length].tolist() for line, length in zip(batch.tokens_BT, batch.lengths_B, strict=True)]
        )

    def _logits(self, batch: Batch) -> Tensor:
        logits_BTV: Tensor = self.network(input_ids=batch.tokens_BT, use_cache=False).logits
        return logits_BTV


def _supervision(batch: Batch, numbering: Numbering) -> Supervision:
    """Every place predicts one token of one row."""
    device = batch.targets_S.device
    counts_B = torch.tensor(batch.counts_B, device=device)
    lines_S = torch.arange(len(batch.rows), device=device).repeat_interleave(counts_B)
    positions_S = batch.places_S - lines_S * batch.tokens_BT.shape[1] + 1
    numbers_S = numbering(torch.tensor(batch.rows, device=device)[lines_S], positions_S)
    index_S = torch.arange(len(batch.targets_S), device=device)
    return Supervision(Predictions(index_S, batch.targets_S), numbering.weights_S[numbers_S], index_S, numbers_S)


@contextmanager
def _evaluating(network: PreTrainedModel | PeftModel) -> Iterator[None]:
    training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(training)


def plan_passes(lengths: Sequence[int], tokens_per_pass: int) -> list[list[int]]:
    """Group row numbers into passes, longest first so that a lack of memory shows in the first pass.

    Args:
        lengths: tokens of each row.
        tokens_per_pass: most padded tokens a pass; a longer row has a pass of its own.
    """
    order = sorted(range(len(lengths)), key=lambda row: (-lengths[row], row))
    groups: list[list[int]] = []
    for row in order:
        if groups:
            group = groups[-1]
            limit = max(1, tokens_per_pass // max(1, lengths[group[0]]))
            if len(group) < limit:
                group.append(row)
                continue
        groups.append([row])
    return groups


def lay_out(rows: Sequence[WeightedTokens], numbers: Sequence[int], pad: int, device: torch.device) -> Batch:
    """The tensors of one pass over `rows[number] for number in numbers`."""
    chosen = [rows[number] for number in numbers]
    width = max(len(row.tokens) for row in chosen)
    tokens_BT = torch.full((len(chosen), width), pad, dtype=torch.long)
    places: list[int] = []
    targets: list[int] = []
    weights: list[float] = []
    counts: list[int] = []
    for line, row in enumerate(chosen):
        tokens_BT[line, : len(row.tokens)] = torch.tensor(row.tokens)
        supervised = [place for place in range(1, len(row.tokens)) if row.weights[place] > 0]
        places.extend(line * width + place - 1 for place in supervised)
        targets.extend(row.tokens[place] for place in supervised)
        weights.extend(row.weights[place] for place in supervised)
        counts.append(len(supervised))
    return Batch(
        rows=tuple(numbers),
        tokens_BT=tokens_BT.to(device),
        places_S=torch.tensor(places, dtype=torch.long, device=device),
        targets_S=torch.tensor(targets, dtype=torch.long, device=device),
        weights_S=torch.tensor(weights, dtype=torch.float32, device=device),
        counts_B=tuple(counts),
        lengths_B=tuple(len(row.tokens) for row in chosen),
    )
