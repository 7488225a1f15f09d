"""TRL's DPOTrainer with PEFT, as its documentation uses it, on pairs of token rows.

    make peer
    .venv-peer/bin/python benchmarks/peers/trl_dpo.py --model FOLDER --rows pairs.jsonl --mode fp32

`pairs.jsonl` has {"prompt": [ids], "chosen": [ids], "rejected": [ids]} a line and is trained on from top to bottom. The
reference is the base without its adapter, as TRL does it with PEFT. Prints one line of JSON: seconds and loss of every
step. The modes are those of trl_sft.py.
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
from transformers import AutoTokenizer
from trl import DPOConfig, DPOTrainer

MODES: dict[str, dict[str, Any]] = {
    "default": {},
    "no-checkpoint": {"gradient_checkpointing": False},
    "fp32": {"gradient_checkpointing": False, "bf16": False, "model_init_kwargs": {"dtype": torch.float32}},
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="Transformers folder of the base")
    parser.add_argument("--rows", required=True, type=Path)
    parser.add_argument("--mode", choices=MODES, default="default")
    parser.add_argument("--batch", type=int, default=4, help="pairs a forward pass")
    parser.add_argument("--accumulate", type=int, default=8, help="forward passes an optimizer step")
    parser.add_argument("--learning-rate", type=float, default=5e-5)
    parser.add_argument("--beta", type=float, default=0.1)
    parser.add_argument("--adapter", type=Path, help="PEFT folder with the adapter's values to start from")
    parser.add_argument("--stepwise", action="store_true", help="wait for a line before every step")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    about = {"trainer": "TRL DPOTrainer", "mode": options.mode, "rows_a_pass": options.batch}
    steps = Steps(options.stepwise, {**about, "rows_a_step": options.batch * options.accumulate}, PACKAGES)
    with options.rows.open(encoding="utf-8") as file:
        pairs = [json.loads(line) for line in file]
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    texts = [{side: tokenizer.decode(pair[side]) for side in ("prompt", "chosen", "rejected")} for pair in pairs]
    with tempfile.TemporaryDirectory() as folder:
        config = DPOConfig(
            output_dir=folder,
            use_cpu=not torch.cuda.is_available(),
            per_device_train_batch_size=options.batch,
            gradient_accumulation_steps=options.accumulate,
            num_train_epochs=1,
            learning_rate=options.learning_rate,
            lr_scheduler_type="cosine",
            warmup_steps=0,
            train_sampling_strategy="sequential",
            beta=options.beta,
            max_length=None,
            report_to="none",
            save_strategy="no",
            logging_steps=1,
            disable_tqdm=True,
            seed=0,
            **MODES[options.mode],
        )
        trainer = DPOTrainer(
            model=options.model,
            args=config,
            train_dataset=Dataset.from_list(texts),
            peft_config=LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"),
        )
        # TRL tokenizes texts itself and would end answers otherwise; its collator takes these columns.
        columns = ("prompt_ids", "chosen_ids", "rejected_ids")
        trainer.train_dataset = Dataset.from_list(
            [dict(zip(columns, (pair["prompt"], pair["chosen"], pair["rejected"]), strict=True)) for pair in pairs]
        )
        train(trainer, steps, options.adapter)


if __name__ == "__main__":
    main()
