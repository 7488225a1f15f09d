"""What `atanor estimate` predicts beside what training takes: peak memory and time over twelve settings.

    python -m benchmarks.estimates     # a few minutes; writes results/estimates.json

Every setting is a process of its own, as a run is: it predicts from a configuration, then builds that model with random
weights and trains some optimizer steps on random rows. Memory is the most the process ever held, time the median step.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel

from atanor.compute import Engine, Rows, Tuning, estimate_training, gemm_rate, process_bytes
from atanor.data import TokenRow
from benchmarks.machine import machine

RESULTS = Path(__file__).parent / "results" / "estimates.json"
STEPS = 3
_GEMM_SECONDS = 0.2


@dataclass(frozen=True)
class Setting:
    """A model by its sizes and rows by their lengths.

    Attributes:
        layers, width, vocabulary: of the model.
        rank: of the LoRA; 0 trains all weights.
        rows: of an optimizer step.
        length: tokens of a row.
        shared: of them, those that all rows begin with.
        tokens_per_pass: most tokens of a pass.
    """

    layers: int
    width: int
    vocabulary: int
    rank: int
    rows: int
    length: int
    shared: int
    tokens_per_pass: int = 1024

    def config(self) -> LlamaConfig:
        return LlamaConfig(
            vocab_size=self.vocabulary,
            hidden_size=self.width,
            intermediate_size=self.width * 8 // 3,
            num_hidden_layers=self.layers,
            num_attention_heads=self.width // 64,
            num_key_value_heads=self.width // (192 if self.width % 192 == 0 else 256),
            tie_word_embeddings=True,
        )

    def window(self) -> list[TokenRow]:
        generator = torch.Generator().manual_seed(0)
        sizes = [self.shared] + [self.length - self.shared] * self.rows
        stem, *tails = (torch.randint(3, self.vocabulary, (size,), generator=generator).tolist() for size in sizes)
        half = self.length // 2
        weights = (0.0,) * half + (1.0,) * (self.length - half)
        return [TokenRow(str(number), (*stem, *tail), weights, 1) for number, tail in enumerate(tails)]


SETTINGS = [
    Setting(8, 384, 16_000, rank=8, rows=16, length=128, shared=64),
    Setting(8, 384, 16_000, rank=0, rows=16, length=128, shared=64),
    Setting(30, 576, 49_152, rank=16, rows=8, length=256, shared=128),
    Setting(30, 576, 49_152, rank=4, rows=4, length=512, shared=0),
    Setting(30, 576, 49_152, rank=64, rows=8, length=128, shared=0),
    Setting(30, 576, 49_152, rank=16, rows=2, length=1024, shared=512, tokens_per_pass=512),
    Setting(30, 576, 49_152, rank=16, rows=8, length=384, shared=256, tokens_per_pass=2048),
    Setting(12, 768, 32_000, rank=16, rows=1, length=2048, shared=0, tokens_per_pass=2048),
    Setting(12, 768, 32_000, rank=0, rows=4, length=256, shared=0),
    Setting(16, 1024, 32_000, rank=32, rows=4, length=256, shared=128),
    Setting(16, 1024, 32_000, rank=0, rows=2, length=256, shared=0, tokens_per_pass=512),
    Setting(24, 1280, 32_000, rank=8, rows=4, length=256, shared=128),
]


def measure(setting: Setting) -> dict[str, Any]:
    """Predict, then train. Runs in a process of its own."""
    window = setting.window()
    tuning = Tuning(setting.config(), setting.rank or None, torch.float32, "cpu", setting.tokens_per_pass)
    before = gemm_rate(torch.float32, _GEMM_SECONDS)
    predicted = estimate_training(tuning, Rows([window], STEPS), process_bytes("cpu"))
    before = (before + gemm_rate(torch.float32, _GEMM_SECONDS)) / 2
    model: PreTrainedModel | PeftModel = LlamaForCausalLM(tuning.config).eval()
    if setting.rank:
        lora = LoraConfig(r=setting.rank, target_modules="all-linear", task_type="CAUSAL_LM")
        model = get_peft_model(model, lora)
    engine = Engine(model, pad=0, tokens_per_pass=setting.tokens_per_pass)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained)
    times, rates = [], [gemm_rate(torch.float32, _GEMM_SECONDS)]
    for _ in range(STEPS):
        started = time.perf_counter()
        engine.backward(window)
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        times.append(time.perf_counter() - started)
        rates.append(gemm_rate(torch.float32, _GEMM_SECONDS))
    return {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "predicted": {**asdict(predicted.memory), "total": predicted.memory.total},
        "measured_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "predicted_seconds": predicted.seconds / STEPS,
        "measured_seconds": statistics.median(times[1:]),
        "machine_speed": statistics.mean(rates[1:]) / before,
    }


def errors(found: Mapping[str, Any]) -> tuple[float, float, float]:
    """Relative errors of predicted memory, of time, and of time had the machine kept the speed of the prediction.

    A shared machine's processor may be faster in one minute than in the next; its rate of matrix products tells.
    """
    memory = found["predicted"]["total"] / found["measured_bytes"] - 1
    time_taken = found["predicted_seconds"] / found["measured_seconds"] - 1
    return memory, time_taken, (time_taken + 1) / found["machine_speed"] - 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--one", help="measure this setting (JSON) in this process")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(Setting(**json.loads(options.one)))))
        return
    found = []
    for setting in SETTINGS:
        command = [sys.executable, "-m", "benchmarks.estimates", "--one", json.dumps(asdict(setting))]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        found.append({"setting": asdict(setting), **json.loads(done.stdout.splitlines()[-1])})
        memory, seconds, steady = errors(found[-1])
        print(
            f"{found[-1]['parameters'] / 1e6:4.0f} M, rank {setting.rank:2}, {setting.rows:2} x {setting.length:4}: "
            f"memory {found[-1]['measured_bytes'] / 1e9:.2f} GB ({memory:+.1%})  "
            f"step {found[-1]['measured_seconds']:.2f} s ({seconds:+.1%}; at a steady speed {steady:+.1%})",
            file=sys.stderr,
        )
    document = {"machine": machine(), "steps": STEPS, "settings": found}
    options.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
