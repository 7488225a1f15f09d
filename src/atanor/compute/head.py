"""What a hidden state predicts: tokens, by a vocabulary head and what its family does to the logits afterwards, or
classes, by the linear head of a network made to classify."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutputWithPast

from atanor.compute.fusion import computing_with
from atanor.compute.head_loss import Predictions, SmoothedWeights, prediction_nll, weighted_nll

_TRANSFORMED_LOGITS = ("final_logit_softcapping", "logit_scale", "logits_scaling", "lm_head_multiplier")


class Head:
    """Negative log-likelihoods from hidden states.

    Args:
        network: the causal language model.
        dtype: arithmetic of the head's matrix product; a frozen weight of another type is copied once.
        own: logits are made by the model's own forward, whether its family is known to transform them or not.
    """

    def __init__(self, network: PreTrainedModel, dtype: torch.dtype, *, own: bool = False) -> None:
        self._network = network
        self._classes = class_head(network)
        self._own = self._classes is None and (own or transforms_logits(network))
        self._layer: Any = network.get_output_embeddings()  # None where the network classifies
        self._copy: Tensor | None = None
        if self._layer is not None and self._layer.weight.dtype != dtype and not self._layer.weight.requires_grad:
            self._copy = self._layer.weight.detach().to(dtype)

    def weighted(
        self, hidden_Ud: Tensor, predictions: Predictions, weights_E: Tensor, smoothing: float = 0.0
    ) -> Tensor:
        """sum(weight * nll) in nats, differentiable in the hidden states; of smoothed targets where asked."""
        if self._own or self._classes is not None:
            return (weights_E * self._nll_of_logits(hidden_Ud, predictions, smoothing)).sum()
        smooth = SmoothedWeights(weights_E, smoothing)
        return weighted_nll(hidden_Ud, self._weight, predictions, smooth, self._layer.bias)

    def nll(self, hidden_Ud: Tensor, predictions: Predictions) -> Tensor:
        """nll of each prediction in nats, (E,), without a gradient."""
        if self._own or self._classes is not None:
            with torch.no_grad():
                return self._nll_of_logits(hidden_Ud, predictions)
        return prediction_nll(hidden_Ud, self._weight, predictions, self._layer.bias)

    @property
    def vocabulary(self) -> int:
        """Rows of the head."""
        return int(self._layer.weight.shape[0])

    @property
    def trained(self) -> list[Tensor]:
        """Parameters that require a gradient."""
        return [parameter for parameter in self._layer.parameters() if parameter.requires_grad]

    def logits(self, hidden_Ud: Tensor) -> Tensor:
        """(U, V) in float32 or wider, differentiable in the hidden states and in the head's parameters."""
        if self._own:
            return _logits_of(self._network, hidden_Ud)
        if self._classes is not None:
            return _wide(self._classes(hidden_Ud.to(next(self._classes.parameters()).dtype)))
        if self._layer is None:  # an encoder's own head has made them
            return _wide(hidden_Ud)
        return _wide(linear(hidden_Ud.to(self._weight.dtype), self._weight, self._layer.bias))

    def kept(self) -> KeptHead:
        """The head as it is now, which training does not change: a weight that trains is copied."""
        weight_Vd = self._layer.weight.detach() if self._own else self._weight.detach()
        bias_V = None if self._layer.bias is None else self._layer.bias.detach()
        if self.trained:
            weight_Vd, bias_V = weight_Vd.clone(), None if bias_V is None else bias_V.clone()
        return KeptHead(self._layer, weight_Vd, bias_V, self._network if self._own else None)

    @property
    def _weight(self) -> Tensor:
        weight: Tensor = self._layer.weight if self._copy is None else self._copy
        return weight

    def _nll_of_logits(self, hidden_Ud: Tensor, predictions: Predictions, smoothing: float = 0.0) -> Tensor:
        wide = self.logits(hidden_Ud)
        chosen_E = wide[predictions.index_E, predictions.targets_E]
        if smoothing:
            chosen_E = (1 - smoothing) * chosen_E + smoothing * wide.mean(1)[predictions.index_E]
        return wide.logsumexp(1)[predictions.index_E] - chosen_E


@dataclass(frozen=True)
class KeptHead:
    """A head that stays as it was, whatever training does to the network's own.

    Attributes:
        layer: the network's.
        weight_Vd, bias_V: as they were.
        network: whose own forward makes the logits, None where the weight alone makes them.
    """

    layer: nn.Module
    weight_Vd: Tensor
    bias_V: Tensor | None
    network: PreTrainedModel | None

    @property
    def vocabulary(self) -> int:
        """Rows of the head."""
        return len(self.weight_Vd)

    @torch.no_grad()
    def logits(self, hidden_Ud: Tensor) -> Tensor:
        """(U, V) in float32 or wider."""
        if self.network is None:
            return _wide(self._product(hidden_Ud))
        with computing_with(self.layer, self._product):
            return _logits_of(self.network, hidden_Ud)

    def _product(self, hidden_Ud: Tensor) -> Tensor:
        return linear(hidden_Ud.to(self.weight_Vd.dtype), self.weight_Vd, self.bias_V)


def class_head(network: PreTrainedModel) -> nn.Module | None:
    """The linear layer that makes classes of a decoder's last hidden state, None for a network that writes."""
    head = getattr(network, "score", None)
    return head if isinstance(head, nn.Module) else None


def transforms_logits(network: PreTrainedModel) -> bool:
    """The family changes its logits after the head (softcap, scale), so the head's weight alone is not the model."""
    config = network.config.get_text_config()
    return any(getattr(config, name, None) not in (None, 1, 1.0) for name in _TRANSFORMED_LOGITS)


def _logits_of(network: PreTrainedModel, hidden_Ud: Tensor) -> Tensor:
    """Through the model's own forward, its body replaced by these hidden states."""
    unread = torch.zeros(1, 1, dtype=torch.long, device=hidden_Ud.device)
    with _body_gives(network, hidden_Ud):
        logits_UV: Tensor = network(input_ids=unread, use_cache=False).logits[0]
    return _wide(logits_UV)


def _body_gives(network: PreTrainedModel, hidden_Ud: Tensor) -> AbstractContextManager[None]:
    def given(*_inputs: object, **_options: object) -> BaseModelOutputWithPast:
        return BaseModelOutputWithPast(last_hidden_state=hidden_Ud[None])

    return computing_with(network.get_decoder(), given)


def _wide(logits: Tensor) -> Tensor:
    return logits if logits.dtype == torch.float64 else logits.float()
