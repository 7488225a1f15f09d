"""What every trainer built on Transformers needs to be measured: turns, and the adapter to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from peft import set_peft_model_state_dict
from safetensors.torch import load_file
from steps import Steps
from transformers import PrinterCallback, Trainer, TrainerCallback

PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "liger-kernel", "triton")


class TurnCallback(TrainerCallback):
    """Times optimizer steps: the clock runs from the first forward pass of a window to the end of its update."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        self.steps.wait()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.steps.stop_clock()

    def on_log(self, _args: Any, _state: Any, _control: Any, logs: dict[str, float], **__: Any) -> None:
        if "loss" in logs:
            figures = {"gpu_memory_bytes": torch.cuda.max_memory_allocated()} if torch.cuda.is_available() else {}
            self.steps.done(float(logs["loss"]), **figures)


def train(trainer: Trainer, steps: Steps, adapter: Path | None) -> None:
    """Start from the given adapter's values, if any, and train."""
    if adapter is not None:
        missing = set_peft_model_state_dict(trainer.model, load_file(str(adapter / "adapter_model.safetensors")))
        if missing.unexpected_keys:
            raise SystemExit(f"the adapter to start from does not fit: {missing.unexpected_keys[:3]}")
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(TurnCallback(steps))
    steps.ready(
        threads=torch.get_num_threads(),
        trained_parameters=sum(p.numel() for p in trainer.model.parameters() if p.requires_grad),
    )
    trainer.train()
    steps.finish()
