"""What a hidden state predicts: a model's vocabulary head and what its family does to the logits afterwards."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutputWithPast

from atanor.compute.fusion import computing_with
from atanor.compute.head_loss import Predictions, prediction_nll, weighted_nll

_TRANSFORMED_LOGITS = ("final_logit_softcapping", "logit_scale", "logits_scaling", "lm_head_multiplier")


class Head:
    """Negative log-likelihoods from hidden states.

    Args:
        network: the causal language model.
        dtype: arithmetic of the head's matrix product; a frozen weight of another type is copied once.
    """

    def __init__(self, network: PreTrainedModel, dtype: torch.dtype) -> None:
        self._network = network
        self._own = transforms_logits(network)
        self._layer: Any = network.get_output_embeddings()
        self._copy: Tensor | None = None
        if self._layer.weight.dtype != dtype and not self._layer.weight.requires_grad:
            self._copy = self._layer.weight.detach().to(dtype)

    def weighted(self, hidden_Ud: Tensor, predictions: Predictions, weights_E: Tensor) -> Tensor:
        """sum(weight * nll) in nats, differentiable in the hidden states."""
        if self._own:
            return (weights_E * self._own_nll(hidden_Ud, predictions)).sum()
        return weighted_nll(hidden_Ud, self._weight, predictions, weights_E, self._layer.bias)

    def nll(self, hidden_Ud: Tensor, predictions: Predictions) -> Tensor:
        """nll of each prediction in nats, (E,), without a gradient."""
        if self._own:
            with torch.no_grad():
                return self._own_nll(hidden_Ud, predictions)
        return prediction_nll(hidden_Ud, self._weight, predictions, self._layer.bias)

    @property
    def _weight(self) -> Tensor:
        weight: Tensor = self._layer.weight if self._copy is None else self._copy
        return weight

    def _own_nll(self, hidden_Ud: Tensor, predictions: Predictions) -> Tensor:
        """Through the model's own forward, its body replaced by these hidden states."""
        unread = torch.zeros(1, 1, dtype=torch.long, device=hidden_Ud.device)
        with _body_gives(self._network, hidden_Ud):
            logits_UV: Tensor = self._network(input_ids=unread, use_cache=False).logits[0]
        wide = logits_UV if logits_UV.dtype == torch.float64 else logits_UV.float()
        return wide.logsumexp(1)[predictions.index_E] - wide[predictions.index_E, predictions.targets_E]


def transforms_logits(network: PreTrainedModel) -> bool:
    """The family changes its logits after the head (softcap, scale), so the head's weight alone is not the model."""
    config = network.config.get_text_config()
    return any(getattr(config, name, None) not in (None, 1, 1.0) for name in _TRANSFORMED_LOGITS)


def _body_gives(network: PreTrainedModel, hidden_Ud: Tensor) -> AbstractContextManager[None]:
    def given(*_inputs: object, **_options: object) -> BaseModelOutputWithPast:
        return BaseModelOutputWithPast(last_hidden_state=hidden_Ud[None])

    return computing_with(network.get_decoder(), given)
