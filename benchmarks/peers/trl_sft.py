"""TRL's SFTTrainer with PEFT, as its documentation uses it, on rows of tokens.

    make peer
    .venv-peer/bin/python benchmarks/peers/trl_sft.py --model FOLDER --rows rows.jsonl --mode fp32

`rows.jsonl` has {"tokens": [...], "weights": [...]} a line and is trained on from top to bottom; tokens of weight 0
carry no loss. LoRA of rank 16 on every linear layer of the body. Prints one line of JSON: seconds and loss of every
step.

modes  default        what a user gets: bfloat16 autocast and activation checkpointing
       no-checkpoint  bfloat16 autocast without checkpointing: the fastest where bfloat16 is in hardware
       fp32           everything in float32 without checkpointing: the fastest on processors without it
       liger          for a GPU: a bfloat16 base, Liger's kernels, no checkpointing
       unsloth-style  the same with checkpointing and an optimizer of 8 bits, as Unsloth's notebooks set them
       padding-free   Liger's kernels on rows laid end to end, which needs FlashAttention
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from steps import Steps
from trainer_steps import PACKAGES, train
from trl import SFTConfig, SFTTrainer

_BFLOAT16_BASE = {"dtype": torch.bfloat16}
MODES: dict[str, dict[str, Any]] = {
    "default": {},
    "no-checkpoint": {"gradient_checkpointing": False},
    "fp32": {"gradient_checkpointing": False, "bf16": False, "model_init_kwargs": {"dtype": torch.float32}},
    "liger": {"gradient_checkpointing": False, "use_liger_kernel": True, "model_init_kwargs": _BFLOAT16_BASE},
    "unsloth-style": {"use_liger_kernel": True, "optim": "adamw_8bit", "model_init_kwargs": _BFLOAT16_BASE},
    "padding-free": {
        "gradient_checkpointing": False,
        "use_liger_kernel": True,
        "padding_free": True,
        "model_init_kwargs": {**_BFLOAT16_BASE, "attn_implementation": "flash_attention_2"},
    },
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="Transformers folder of the base")
    parser.add_argument("--rows", required=True, type=Path)
    parser.add_argument("--mode", choices=MODES, default="default")
    parser.add_argument("--batch", type=int, default=8, help="rows a forward pass")
    parser.add_argument("--accumulate", type=int, default=4, help="forward passes an optimizer step")
    parser.add_argument("--learning-rate", type=float, default=2e-4)
    parser.add_argument("--adapter", type=Path, help="PEFT folder with the adapter's values to start from")
    parser.add_argument("--stepwise", action="store_true", help="wait for a line before every step")
    return parser.parse_args()


def read(path: Path) -> Dataset:
    """The rows as TRL takes tokenized ones."""
    with path.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return Dataset.from_list(
        [
            {
                "input_ids": row["tokens"],
                "labels": [
                    token if weight > 0 else -100 for token, weight in zip(row["tokens"], row["weights"], strict=True)
                ],
            }
            for row in rows
        ]
    )


def main() -> None:
    options = arguments()
    about = {"trainer": "TRL SFTTrainer", "mode": options.mode, "rows_a_pass": options.batch}
    steps = Steps(options.stepwise, {**about, "rows_a_step": options.batch * options.accumulate}, PACKAGES)
    with tempfile.TemporaryDirectory() as folder:
        config = SFTConfig(
            output_dir=folder,
            use_cpu=not torch.cuda.is_available(),
            per_device_train_batch_size=options.batch,
            gradient_accumulation_steps=options.accumulate,
            num_train_epochs=1,
            learning_rate=options.learning_rate,
            lr_scheduler_type="cosine",
            warmup_steps=0,
            train_sampling_strategy="sequential",
            max_length=None,
            report_to="none",
            save_strategy="no",
            logging_steps=1,
            disable_tqdm=True,
            seed=0,
            **MODES[options.mode],
        )
        trainer = SFTTrainer(
            model=options.model,
            args=config,
            train_dataset=read(options.rows),
            peft_config=LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"),
        )
        train(trainer, steps, options.adapter)


if __name__ == "__main__":
    main()
