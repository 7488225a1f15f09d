"""What a training job will take, from its rows and options and its base's configuration."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from transformers import PretrainedConfig

from atanor.compute import Estimate, Rows, Tuning, device_name, estimate_training, predict_memory
from atanor.compute.engine import TOKENS_PER_PASS
from atanor.data.rows import TokenRow
from atanor.models import Quantisation
from atanor.train.budget import budget_of
from atanor.train.optimizers import STATE_SIZES
from atanor.train.options import TrainOptions
from atanor.train.run import rows_to_check, steps_between_validations, train_dtype
from atanor.train.windows import WindowSampler

_SMALLEST_PASS = 64


class Forecast:
    """Predicts one job.

    Args:
        config: of the base.
        training: rows to learn from.
        validation: rows that choose the best checkpoint.
        options: how.
        rank: of a LoRA on every linear layer; None trains all weights.
        seed: of the order of rows.
        process: bytes the process holds without the base (`atanor.compute.process_bytes`).
        quantisation: of the base's linear layers, or None.
    """

    def __init__(
        self,
        config: PretrainedConfig,
        training: Sequence[TokenRow],
        validation: Sequence[TokenRow],
        options: TrainOptions,
        *,
        rank: int | None,
        seed: int,
        process: int,
        quantisation: Quantisation | None = None,
    ) -> None:
        self.budget = budget_of(training, options, seed)
        steps = self.budget.steps
        device = device_name()
        self.process = process
        self.tuning = Tuning(
            config=config,
            rank=rank,
            dtype=train_dtype(options.precision),
            device=device,
            tokens_per_pass=options.tokens_per_pass or TOKENS_PER_PASS[device],
            share=options.shares_prefixes,
            quantisation=quantisation,
            state=STATE_SIZES[options.optimizer],
        )
        sampler = WindowSampler(training, options.batch, seed, options.order)
        self.rows = Rows(
            windows=[[training[number] for number in window] for window in sampler],
            steps=steps,
            validation=validation,
            validations=math.ceil(steps / steps_between_validations(len(training), options)),
            checked=rows_to_check(training, self.tuning.tokens_per_pass),
        )

    def estimate(self) -> Estimate:
        """Memory and time; the machine's speed is measured, which takes a few seconds."""
        whole = estimate_training(self.tuning, self.rows, self.process)
        if self.budget.seconds is None or whole.seconds <= self.budget.seconds:
            return whole
        share = self.budget.seconds / whole.seconds
        return dataclasses.replace(
            whole,
            seconds=self.budget.seconds,
            steps=math.ceil(share * whole.steps),
            logical=round(share * whole.logical),
            executed=round(share * whole.executed),
        )

    def fitting(self, available: int) -> int | None:
        """Most `tokens_per_pass` with which the peak stays below `available` bytes, or None if none helps."""
        tokens = self.tuning.tokens_per_pass
        while tokens >= _SMALLEST_PASS:
            tuning = dataclasses.replace(self.tuning, tokens_per_pass=tokens)
            if predict_memory(tuning, self.rows, self.process).total <= available:
                return tokens
            tokens //= 2
        return None
