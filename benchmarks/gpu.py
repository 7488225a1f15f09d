"""Training speed on a GPU beside TRL with Liger's kernels and with the settings Unsloth uses, in turns.

    make peer-gpu        # once: TRL with liger-kernel and bitsandbytes in .venv-peer
    make bench-gpu       # without a GPU it says so and measures nothing

A Llama of the 1 B class (the sizes of Llama 3.2 1B) with random weights, so that no download is needed, in bfloat16
with LoRA of rank 16; windows of 32 rows of random tokens. *Plain* rows have nothing in common. *Role* rows begin with
one of six prompts. Every mode of TRL that runs on the machine takes turns with Atanor, and the smallest ratio counts;
those that do not run are named with their reason. The first two steps compile kernels and are left out of the medians.
`--rehearse` goes through the same motions with a tiny model on a processor and writes nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from atanor.compute import Architecture
from atanor.data import TokenRow
from atanor.models import BaseReference, LocalBase, load_tokenizer, resolve_base
from atanor.progress import Silent
from atanor.train import Order
from benchmarks.gemm import measure_gemm
from benchmarks.goals import judge_gpu, judged_lines
from benchmarks.machine import machine
from benchmarks.turns import Bench, Training, leg, require_peer
from benchmarks.workers import WorkerFailed
from benchmarks.workloads import RANK, random_rows, starter

RESULTS = Path(__file__).parent / "results" / "gpu.json"
MODES = ("liger", "unsloth-style", "padding-free")
"""TRL's settings, as `benchmarks/peers/trl_sft.py` spells them out."""


@dataclass(frozen=True)
class Plan:
    """Sizes of a run.

    Attributes:
        model: of the network.
        modes: of TRL.
        rounds: steps of each side.
        unmeasured: of them, the first that the medians leave out.
        window: rows of a step.
        rows_a_pass: rows of one of TRL's forward passes.
        scale: rows are so many times shorter.
    """

    model: LlamaConfig
    modes: tuple[str, ...]
    rounds: int
    unmeasured: int
    window: int
    rows_a_pass: int
    scale: int


def measured() -> Plan:
    """The sizes of Llama 3.2 1B."""
    config = LlamaConfig(
        vocab_size=128256,
        hidden_size=2048,
        intermediate_size=8192,
        num_hidden_layers=16,
        num_attention_heads=32,
        num_key_value_heads=8,
        head_dim=64,
        max_position_embeddings=8192,
        tie_word_embeddings=True,
    )
    return Plan(config, MODES, rounds=8, unmeasured=2, window=32, rows_a_pass=16, scale=1)


def rehearsed() -> Plan:
    """Small enough for a processor."""
    config = LlamaConfig(
        vocab_size=49152,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
    )
    return Plan(config, ("fp32", "liger"), rounds=2, unmeasured=1, window=8, rows_a_pass=4, scale=8)


def workloads(plan: Plan) -> dict[str, list[TokenRow]]:
    """Rows of each kind, a quarter of each row's own tokens supervised."""
    count, scale = plan.rounds * plan.window, plan.scale
    plain = [
        row
        for number, length in enumerate((128, 256, 512, 1024))
        for row in random_rows(
            count // 4, prefix=0, prompt=3 * length // (4 * scale), answer=length // (4 * scale), seed=number
        )
    ]
    role = random_rows(count, prefix=768 // scale, prefixes=6, prompt=96 // scale, answer=64 // scale)
    numbered = [TokenRow(f"row-{number}", row.tokens, row.weights, 0) for number, row in enumerate(plain)]
    return {"plain": numbered, "role": role}


def random_base(config: LlamaConfig, folder: Path) -> LocalBase:
    """A Transformers folder with random weights in bfloat16 and the starter's tokenizer."""
    tokenizer = load_tokenizer(starter())
    config.pad_token_id, config.eos_token_id = tokenizer.pad_token_id, tokenizer.eos_token_id
    torch.manual_seed(0)
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return resolve_base(BaseReference.parse(f"path:{folder}"), folder, Silent())


def measure(bench: Bench, plan: Plan) -> dict[str, Any]:
    """Take turns with one mode of TRL after the other; the smallest ratio counts."""
    found: dict[str, Any] = {
        "lengths": [bench.logical(1, number) for number in range(min(8, len(bench.training.items)))],
        "rows_a_step": plan.window,
        "unmeasured_steps": plan.unmeasured,
        "modes": {},
        "failed": {},
    }
    for mode in plan.modes:
        try:
            found["modes"][mode] = _beside(bench, plan, mode)
        except WorkerFailed as error:
            found["failed"][mode] = str(error).strip().splitlines()[-1]
            print(f"{bench.training.name}: TRL, {mode} is out: {found['failed'][mode]}", file=sys.stderr)
    ratios = [result["times_faster"] for result in found["modes"].values()]
    return {**found, "times_faster": min(ratios, default=None)}


def _beside(bench: Bench, plan: Plan, mode: str) -> dict[str, Any]:
    with ExitStack() as stack:
        ours = stack.enter_context(bench.ours(Order.SHUFFLED, plan.window)).ready()
        peer = stack.enter_context(bench.peer(mode, plan.window)).ready()
        for number in range(plan.rounds):
            for worker in (peer, ours):
                bench.tell(worker, worker.step())
            peer.steps[-1]["logical"] = bench.logical(plan.window, number)
    legs = {"peer": leg(peer, plan.unmeasured), "atanor": leg(ours, plan.unmeasured)}
    ratio = legs["atanor"]["logical_tokens_per_second"] / legs["peer"]["logical_tokens_per_second"]
    return {**legs, "times_faster": round(ratio, 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rehearse", action="store_true", help="a tiny model on a processor; writes nothing")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    if not torch.cuda.is_available() and not options.rehearse:
        print("bench-gpu: there is no GPU here that PyTorch can use; nothing was measured and no result was written.")
        return
    require_peer()
    plan = rehearsed() if options.rehearse else measured()
    with tempfile.TemporaryDirectory() as name:
        document = run(plan, Path(name))
    if options.rehearse:
        print(json.dumps(document, indent=1))
        return
    options.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print("\n".join(judged_lines(judge_gpu(document))))
    print(f"Commit {options.out} and what `make docs` makes of it.")


def run(plan: Plan, folder: Path) -> dict[str, Any]:
    """All workloads, one after the other."""
    base = random_base(plan.model, folder / "base")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    rate = measure_gemm(Architecture.of(plan.model), torch.bfloat16 if device == "cuda" else torch.float32, device)
    found = {
        name: measure(Bench(Training(name, rows, base, plan.rows_a_pass), folder), plan)
        for name, rows in workloads(plan).items()
    }
    return {
        "what": f"LoRA r{RANK} on all linear layers of a random-weight Llama of {_billions(plan.model)} parameters",
        "machine": machine(),
        "gemm_flops_per_second": round(rate.median),
        "workloads": found,
    }


def _billions(config: LlamaConfig) -> str:
    return f"{Architecture.of(config).parameters / 1e9:.2f} B"


if __name__ == "__main__":
    main()
