"""`lora`: train low-rank adapters on every linear layer of the base's body."""

from __future__ import annotations

from atanor.methods.candidate import Bench, Made
from atanor.methods.framing import Framing
from atanor.methods.options import LoraMethodOptions
from atanor.models import attach_lora
from atanor.progress import Progress
from atanor.train import TrainingJob, TrainOptions, train

BEST = "best"
"""The name the finished adapter has in memory, beside the one that was trained."""


class Lora:
    """See `LoraMethodOptions`."""

    def make(self, options: LoraMethodOptions, bench: Bench, progress: Progress) -> Made:
        alpha = options.alpha if options.alpha is not None else 2.0 * options.rank
        model = attach_lora(bench.base, rank=options.rank, alpha=alpha, seed=bench.seed)
        trainable = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
        result = train(
            TrainingJob(
                model=model,
                training=bench.training_rows,
                validation=bench.validation_rows,
                options=TrainOptions(**options.model_dump(include=set(TrainOptions.model_fields))),
                pad=bench.base.tokenizer.pad_token_id or 0,
                seed=bench.seed,
                folder=bench.folder,
                versions=bench.versions,
            ),
            progress,
        )
        # The network holds the last step's weights; the candidate is the best step's, as it was written.
        model.load_adapter(str(result.adapter), adapter_name=BEST)
        model.set_adapter(BEST)
        model.eval().requires_grad_(False)
        return Made(
            framing=Framing(),
            model=model,
            adapter=result.adapter,
            training=result,
            settings={**options.model_dump(mode="json"), "alpha": alpha},
            trainable_parameters=trainable,
        )
