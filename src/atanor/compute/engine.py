"""Loss and likelihood of weighted token rows under a model: the one door to the network for training and scoring.

The engine runs the transformer's body, picks the hidden states that predict a supervised token, and gives only those to
the vocabulary head. What is above (objectives, metrics) does not know how rows are laid out; what is below can be made
faster without it noticing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager

import torch
from peft import PeftModel
from torch import Tensor
from transformers import PreTrainedModel

from atanor.compute.head_loss import row_nll, weighted_nll
from atanor.compute.passes import Pass, WeightedTokens, lay_out, plan_passes, total_weight

TOLERANCE = 1e-3
"""Largest relative difference from the model's own forward that the self-check accepts."""

TOKENS_PER_PASS = {"cpu": 512, "cuda": 8192}
"""On two cores 512 tokens already run at the rate of large matrices; more only takes memory."""

_TRANSFORMED_LOGITS = ("final_logit_softcapping", "logit_scale", "logits_scaling", "lm_head_multiplier")


class Engine:
    """Computes on one model, whichever of its adapters is active.

    Args:
        model: a causal language model, with or without PEFT adapters.
        pad: token id that fills up a pass; its value never matters.
        rows_per_pass: rows a forward pass; None groups by `tokens_per_pass`.
        tokens_per_pass: most padded tokens a forward pass; None takes what fills the device's arithmetic units.
        autocast: opens the context in which the body runs in lower precision.
    """

    def __init__(
        self,
        model: PreTrainedModel | PeftModel,
        *,
        pad: int,
        rows_per_pass: int | None = None,
        tokens_per_pass: int | None = None,
        autocast: Callable[[], AbstractContextManager[object]] | None = None,
    ) -> None:
        self.network: PreTrainedModel = model.get_base_model() if isinstance(model, PeftModel) else model
        self.pad = pad
        self.rows_per_pass = rows_per_pass
        self.tokens_per_pass = tokens_per_pass or TOKENS_PER_PASS[self._device.type]
        self.autocast = autocast or contextlib.nullcontext
        self.supervised_rows_only = not transforms_logits(self.network)

    def losses(self, window: Sequence[WeightedTokens]) -> Iterator[Tensor]:
        """The window's mean loss in parts, one a forward pass, to be summed; call `backward` on each as it comes.

        The parts add up to sum(weight * nll) / sum(weight) over all supervised tokens of the window, so that neither
        the order nor the size of the passes changes the gradient.
        """
        whole = total_weight(window)
        for batch in self._passes(window):
            yield self._weighted_sum(batch) / whole

    @torch.no_grad()
    def likelihoods(self, rows: Sequence[WeightedTokens]) -> Iterator[tuple[int, float]]:
        """(row number, unweighted nll in nats summed over its supervised tokens), in the order of the passes."""
        for batch in self._passes(rows):
            parts = torch.split(self._token_nll(batch).double(), list(batch.counts_B))
            for number, part in zip(batch.rows, parts, strict=True):
                yield number, float(part.sum())

    def mean_loss(self, rows: Sequence[WeightedTokens]) -> float:
        """sum(weight * nll) / sum(weight) over all rows, without a gradient."""
        with torch.no_grad():
            parts = [float((batch.weights_S * self._token_nll(batch)).double().sum()) for batch in self._passes(rows)]
        return sum(parts) / total_weight(rows)

    @torch.no_grad()
    def self_check(self, row: WeightedTokens) -> float:
        """Relative difference between this engine and the model's own forward on one row; falls back if too large.

        Returns:
            The difference found. Above `TOLERANCE` the engine uses the model's own logits from here on.
        """
        batch = lay_out([row], [0], self.pad, self._device)
        fast = float(self._token_nll(batch).double().sum())
        plain = float(self._plain_nll(batch).double().sum())
        difference = abs(fast - plain) / max(abs(plain), 1e-12)
        if difference > TOLERANCE:
            self.supervised_rows_only = False
        return difference

    @property
    def _device(self) -> torch.device:
        device: torch.device = next(self.network.parameters()).device
        return device

    def _passes(self, rows: Sequence[WeightedTokens]) -> Iterable[Pass]:
        plan = plan_passes([len(row.tokens) for row in rows], self.rows_per_pass, self.tokens_per_pass)
        return (lay_out(rows, numbers, self.pad, self._device) for numbers in plan)

    def _weighted_sum(self, batch: Pass) -> Tensor:
        head = self.network.get_output_embeddings()
        if self.supervised_rows_only and not head.weight.requires_grad and head.bias is None:
            return weighted_nll(self._hidden(batch), head.weight, batch.targets_S, batch.weights_S)
        return (batch.weights_S * self._plain_nll(batch)).sum()

    def _token_nll(self, batch: Pass) -> Tensor:
        head = self.network.get_output_embeddings()
        if self.supervised_rows_only and head.bias is None:
            return row_nll(self._hidden(batch), head.weight, batch.targets_S)
        return self._plain_nll(batch)

    def _hidden(self, batch: Pass) -> Tensor:
        """Hidden states of the positions that predict a supervised token, (S, d)."""
        with self.autocast():
            output = self.network.get_decoder()(input_ids=batch.tokens_BT, use_cache=False)
        hidden_BTd: Tensor = output.last_hidden_state
        head = self.network.get_output_embeddings()
        return hidden_BTd.flatten(0, 1).index_select(0, batch.places_S).to(head.weight.dtype)

    def _plain_nll(self, batch: Pass) -> Tensor:
        """The same through the model's own forward and all logits: slower, and true for every family."""
        with self.autocast():
            logits_BTV: Tensor = self.network(input_ids=batch.tokens_BT, use_cache=False).logits
        logits_SV = logits_BTV.flatten(0, 1).index_select(0, batch.places_S)
        wide = logits_SV if logits_SV.dtype == torch.float64 else logits_SV.float()
        return torch.nn.functional.cross_entropy(wide, batch.targets_S, reduction="none")


def transforms_logits(network: PreTrainedModel) -> bool:
    """The family changes its logits after the head (softcap, scale), so the head's weight alone is not the model."""
    config = network.config.get_text_config()
    return any(getattr(config, name, None) not in (None, 1, 1.0) for name in _TRANSFORMED_LOGITS)
