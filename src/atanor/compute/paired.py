"""Rows of an encoder and a decoder: the prompt padded on the right under a mask, the answer padded behind its end.

A row is one sequence, prompt first (`atanor.models.sequence_to_sequence`): its first token with a loss weight begins
the answer. The decoder is given the network's start token and the answer but its last token, and never looks to the
right, so its padding needs no mask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from atanor.compute.forest import WeightedTokens
from atanor.compute.padded import Batch, Padded
from atanor.compute.supervision import HiddenLoss, Numbering
from atanor.errors import ConfigurationError, Problem


@dataclass(frozen=True)
class PairedBatch(Batch):
    """One forward pass; `tokens_BT` and the places are the decoder's.

    Attributes:
        source_BU: token ids the encoder reads, padded on the right.
        mask_BU: 1 where they are, 0 where they are padding.
    """

    source_BU: Tensor
    mask_BU: Tensor


class Paired(Padded):
    """See `Padded`; for networks of an encoder and a decoder."""

    def over(self, rows: Sequence[WeightedTokens], numbering: Numbering, loss: HiddenLoss, *, gradient: bool) -> float:
        """Refused: families scale or shift what is between the decoder's body and its logits.

        Raises:
            ConfigurationError: always.
        """
        del rows, numbering, loss, gradient
        reason = "a loss of hidden states and head is computed for decoders alone"
        problem = Problem(reason, field="base", fix="Use a base without an encoder")
        raise ConfigurationError("distributions of a base of an encoder and a decoder cannot be compared", [problem])

    def _lay_out(self, rows: Sequence[WeightedTokens], numbers: Sequence[int]) -> PairedBatch:
        chosen = [rows[number] for number in numbers]
        cuts = [answer_start(row) for row in chosen]
        sources = [row.tokens[:cut] for row, cut in zip(chosen, cuts, strict=True)]
        answers = [row.tokens[cut:] for row, cut in zip(chosen, cuts, strict=True)]
        weights = [row.weights[cut:] for row, cut in zip(chosen, cuts, strict=True)]
        start = int(self.network.config.decoder_start_token_id)
        source_BU = self._filled(sources)
        tokens_BT = self._filled([(start, *answer[:-1]) for answer in answers])
        width = tokens_BT.shape[1]
        supervised = [[place for place, weight in enumerate(row) if weight > 0] for row in weights]
        return PairedBatch(
            rows=tuple(numbers),
            tokens_BT=tokens_BT,
            places_S=self._tensor([line * width + place for line, row in enumerate(supervised) for place in row]),
            targets_S=self._tensor([answers[line][place] for line, row in enumerate(supervised) for place in row]),
            weights_S=torch.tensor(
                [weights[line][place] for line, row in enumerate(supervised) for place in row],
                dtype=torch.float32,
                device=self._device,
            ),
            counts_B=tuple(map(len, supervised)),
            lengths_B=tuple(map(len, answers)),
            source_BU=source_BU,
            mask_BU=self._filled([(1,) * len(source) for source in sources], filler=0),
        )

    def _logits(self, batch: Batch) -> Tensor:
        assert isinstance(batch, PairedBatch)
        logits_BTV: Tensor = self.network(
            input_ids=batch.source_BU,
            attention_mask=batch.mask_BU,
            decoder_input_ids=batch.tokens_BT,
            use_cache=False,
        ).logits
        return logits_BTV

    def _filled(self, lines: Sequence[Sequence[int]], filler: int | None = None) -> Tensor:
        """Lines of one width, filled up on the right."""
        width = max(map(len, lines))
        fill = self.lines.pad if filler is None else filler
        return self._tensor([[*line, *(fill,) * (width - len(line))] for line in lines])

    def _tensor(self, values: Sequence[int] | Sequence[Sequence[int]]) -> Tensor:
        return torch.tensor(values, dtype=torch.long, device=self._device)


def answer_start(row: WeightedTokens) -> int:
    """How many tokens of a row the encoder reads: those before the first with a loss weight."""
    return next((place for place, weight in enumerate(row.weights) if weight > 0), len(row.tokens) - 1)
