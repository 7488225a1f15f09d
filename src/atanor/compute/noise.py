"""Noise on the embeddings of rows in training: NEFTune (Jain et al. 2023, arXiv:2310.05914).

Uniform noise between -1 and 1, times alpha / sqrt(L d) for a row of L tokens and embeddings of width d, is added to
what the embedding gives. It is drawn from a seed, the number of the step and the row's own tokens: whatever a row is
computed together with, and however often a run was interrupted, it meets the same noise. Rows with the very same tokens
in one step share theirs.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn


class EmbeddingNoise:
    """Adds noise to an embedding's output where it is asked to.

    Args:
        alpha: of the paper, which tries 5, 10 and 15.
        seed: of everything drawn.

    Attributes:
        step: number of the optimizer step; another step draws other noise.
    """

    def __init__(self, alpha: float, seed: int) -> None:
        self.alpha = alpha
        self.seed = seed
        self.step = 0

    @contextmanager
    def on(self, embedding: nn.Module, rows: Sequence[Sequence[int]]) -> Iterator[None]:
        """Within this context the embedding of each line of a batch is that of its row with noise.

        Args:
            embedding: the network's input embedding.
            rows: tokens of every line, without its padding, in the order of the lines.
        """

        def added(_module: nn.Module, _inputs: object, output_BTd: Tensor) -> Tensor:
            noise_BTd = torch.zeros(output_BTd.shape, dtype=torch.float32)
            for line, row in enumerate(rows):
                noise_BTd[line, : len(row)] = self._drawn(row, output_BTd.shape[-1])
            return output_BTd + noise_BTd.to(output_BTd)

        handle = embedding.register_forward_hook(added)
        try:
            yield
        finally:
            handle.remove()

    def _drawn(self, row: Sequence[int], width: int) -> Tensor:
        """Noise of a row, (L, d)."""
        drawn_from = np.array([self.seed, self.step, *row], dtype=np.int64).tobytes()
        seed = int.from_bytes(hashlib.blake2b(drawn_from, digest_size=7).digest())
        generator = torch.Generator().manual_seed(seed)
        uniform_Ld = torch.rand(len(row), width, generator=generator) * 2 - 1
        return uniform_Ld * (self.alpha / math.sqrt(len(row) * width))
