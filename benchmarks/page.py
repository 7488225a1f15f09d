"""The page of measured speed, made from the committed results: docs/performance.md and its plot.

    python -m benchmarks.page     # also `make docs`

Nothing on the page is written by hand but its sentences: a test compares it with what this makes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from atanor.train import Order
from benchmarks.estimates import errors
from benchmarks.goals import Judged, judge, judge_curves, judge_gpu, largest_difference, legs, subject, times_faster
from benchmarks.plot import Line, Panel, svg

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
PAGE = ROOT / "docs" / "performance.md"
PLOT = ROOT / "docs" / "performance-curves.svg"
NOT_YET = "Not measured yet."
QUIET = 0.9
"""Share of the processor's time below which something else ran beside the measurement."""

Result = Mapping[str, Any]

_HEAD = """# Performance

This page is made from the results in [benchmarks/results](../benchmarks/results) by `make docs`; the scripts beside
them measure. `make peer` sets up TRL in an environment of its own, `make bench` measures everything for a processor in
about 20 minutes, `make bench-gpu` what needs a GPU.
"""

_HOW = """## How it is measured

Both sides train one base (SmolLM2-135M-Instruct) with LoRA of rank 16 on every linear layer, from the same adapter, on
the very same tokens in the same order, with AdamW and the same schedule. They take turns, a step of one and a step of
the other, so that only one of them ever computes. A step is a whole optimizer step. Atanor runs through `atanor.train`
as `atanor run` does, with everything its loop does between steps; TRL is timed from its first forward pass to the end
of the update. A figure is the median over the steps, a ratio is one of medians, memory is the most a process ever held.
The first step of each side has the longest row of the workload, to whose length TRL pads the other rows of its pass:
where there is only one step, the ratio flatters Atanor, most on rows of very different lengths.

*Logical* tokens are those of the rows as they are written. *Executed* tokens are those Atanor computes when it computes
once what the rows of a window share. Operations are counted by [flops.py](../src/atanor/compute/flops.py): only what
LoRA cannot do without, nothing that is computed twice. They are compared with the rate at which the same process, right
before and right after each step, multiplies float32 (or bfloat16) matrices of the model's own shapes, 1,024 tokens at a
time.
"""


def read(name: str) -> Result | None:
    """A committed result, or None where it was never measured."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def page(
    speed: Result | None,
    settings: Result | None,
    curves: Result | None,
    estimates: Result | None,
    gpu: Result | None,
) -> str:
    """The whole page."""
    sections = [
        _HEAD,
        *_speed(speed, curves),
        *_settings(settings, speed),
        *_curves(curves),
        *_estimates(estimates),
        *_gpu(gpu),
        _HOW,
    ]
    return "\n".join(section for section in sections if section)


def plot(curves: Result) -> str:
    """The cost curves as SVG."""
    return svg([_panel(name, points) for name, points in curves["curves"].items()])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def goals_table(judged: Sequence[Judged]) -> str:
    rows = [[one.subject, one.wanted, one.measured, "yes" if one.met else "**no**"] for one in judged]
    return table(("goal", "wanted", "measured", "met"), rows)


def speed_table(speed: Result) -> str:
    """Atanor beside TRL, a line for each workload and order of rows."""
    rows = []
    for name, result in speed["workloads"].items():
        peer = result["peer"]
        for order, leg in legs(result):
            rows.append(
                [
                    subject(name, order),
                    f"{peer['logical_tokens_per_second']:.0f}",
                    f"{leg['logical_tokens_per_second']:.0f}",
                    f"{times_faster(result, order):.1f}",
                    f"{leg['executed_tokens_per_second']:.0f}",
                    f"{leg['gemm_share']:.0%}",
                    _gigabytes(peer["peak_memory_bytes"]),
                    _gigabytes(leg["peak_memory_bytes"]),
                    f"{leg['peak_memory_bytes'] / peer['peak_memory_bytes']:.2f}",
                ]
            )
    head = ("rows", "TRL tokens/s", "Atanor tokens/s", "times", "executed/s", "of GEMM", "TRL GB", "Atanor GB", "share")
    return table(head, rows)


def _speed(speed: Result | None, curves: Result | None) -> Iterator[str]:
    yield "## Goals\n"
    if speed is None:
        yield NOT_YET + "\n"
        return
    judged = judge(speed) + ([] if curves is None else judge_curves(curves))
    met = sum(one.met for one in judged)
    yield f"{met} of {len(judged)} goals are met on {_machine(speed['machine'])}.\n"
    yield goals_table(judged)
    yield "## Beside TRL\n"
    yield speed_table(speed)
    yield "Tokens are logical unless it says executed. " + _steps(speed) + "\n"
    yield _by_prefix(speed)
    yield "First losses on the same rows, the same start and the same windows:\n"
    yield _losses(speed)
    yield _versions(speed)


def _steps(speed: Result) -> str:
    counts = [len(result["peer"]["steps"]) for result in speed["workloads"].values()]
    windows = {name: result["rows_a_step"] for name, result in speed["workloads"].items()}
    said = "; ".join(f"{name} {rows['atanor']} and {rows['peer']}" for name, rows in windows.items())
    few = " Fewer than three steps are too few to lean on." if min(counts) < 3 else ""
    mode = speed["peer_mode"]
    got = min(
        leg["processor_share"]
        for result in speed["workloads"].values()
        for leg in (result["peer"], *(ours for _, ours in legs(result)))
    )
    busy = " The machine was busy with something else: measure again." if got < QUIET else ""
    return (
        f"Rows (or pairs) a step of Atanor and of TRL: {said}. Each side did {min(counts)} to {max(counts)} steps a "
        f"workload, with at least {got:.0%} of the processor's time.{busy}{few} TRL's mode is `{mode['mode']}`, "
        f"its fastest here: {mode['because']}. "
        f"The machine's GEMM rate before, between and after the workloads has the median "
        f"{speed['gemm']['flops_per_second'] / 1e9:.0f} GFLOP/s in {speed['gemm']['dtype']}."
    )


def _by_prefix(speed: Result) -> str:
    orders = {order for result in speed["workloads"].values() for order, _ in legs(result)}
    if Order.BY_PREFIX not in orders:
        return ""
    return (
        "*Rows of one prefix together* is the option `order: by_prefix`: another sampling than shuffled rows, and "
        "compared with TRL on shuffled rows, whose speed does not depend on the order.\n"
    )


def _losses(speed: Result) -> str:
    rows = []
    for name, result in speed["workloads"].items():
        losses = result["first_losses"]
        series = [", ".join(f"{loss:.4f}" for loss in losses[side]) for side in ("peer", "atanor")]
        rows.append([name, str(losses["rows_a_step"]), *series, f"{largest_difference(losses):.3%}"])
    return table(("rows", "a step", "TRL", "Atanor", "largest difference"), rows)


def _versions(speed: Result) -> str:
    result = next(iter(speed["workloads"].values()))
    sides = []
    for title, leg in (("Atanor", result["atanor_shuffled"]), ("TRL", result["peer"])):
        found = (f"{name} {version}" for name, version in leg["versions"].items() if version != "not installed")
        sides.append(f"{title}'s side: {', '.join(found)}")
    return f"{'. '.join(sides)}. The run took {speed['minutes']:.0f} minutes.\n"


def _settings(settings: Result | None, speed: Result | None) -> Iterator[str]:
    yield "## TRL's settings\n"
    if settings is None:
        yield NOT_YET + "\n"
    else:
        yield f"{settings['what']}, on {_machine(settings['machine'])}. `fp32` and `no-checkpoint` do without "
        yield "activation checkpointing; `no-checkpoint` and `default` compute in bfloat16.\n"
        yield table(("mode", "rows a pass", "rows a step", "tokens/s", "GB"), [*map(_setting, settings["settings"])])
    if speed is not None and (probe := speed.get("bfloat16_probe")) is not None:
        rate = probe["logical_tokens_per_second"]
        said = f"not done after {probe['limit_seconds']:.0f} s" if rate is None else f"{rate:.1f} tokens/s"
        yield f"In the run above TRL in bfloat16 on {probe['rows']} rows of {probe['workload']}: {said}.\n"


def _setting(one: Result) -> list[str]:
    rate = one["logical_tokens_per_second"]
    measured = [one["reason"], "–"] if rate is None else [f"{rate:.0f}", _gigabytes(one["peak_memory_bytes"])]
    return [f"`{one['mode']}`", str(one["rows_a_pass"]), str(one["rows_a_step"]), *measured]


def _curves(curves: Result | None) -> Iterator[str]:
    yield "## What a token costs\n"
    if curves is None:
        yield NOT_YET + "\n"
        return
    yield f"{curves['what']}; {curves['dtype']}, on {_machine(curves['machine'])}.\n"
    yield f"![Milliseconds a token against length, batch, shared fraction and rows]({PLOT.name})\n"
    for name, points in curves["curves"].items():
        rows = [
            [
                f"{point['at']:g}",
                f"{point['logical']:,}",
                f"{point['executed']:,}",
                f"{point['seconds']:.2f}",
                f"{point['milliseconds_a_logical_token']:.2f}",
                f"{point['milliseconds_an_executed_token']:.2f}",
                f"{point['gemm_share']:.0%}",
            ]
            for point in points
        ]
        head = (name, "logical", "executed", "seconds", "ms a logical token", "ms an executed token", "of GEMM")
        yield table(head, rows)


def _estimates(estimates: Result | None) -> Iterator[str]:
    yield "## What `atanor estimate` predicts\n"
    if estimates is None:
        yield NOT_YET + "\n"
        return
    found = estimates["settings"]
    worst = [max(abs(errors(one)[number]) for one in found) for number in range(3)]
    yield (
        f"Predicted beside measured on {_machine(estimates['machine'])}, each setting a process of its own. The "
        f"largest error of memory is {worst[0]:.0%}, of time {worst[1]:.0%}, and {worst[2]:.0%} of the time it would "
        "have taken had the machine kept the speed it had during the prediction, by its rate of matrix products.\n"
    )
    rows = []
    for one in found:
        setting, (memory, seconds, steady) = one["setting"], errors(one)
        rows.append(
            [
                f"{one['parameters'] / 1e6:.0f} M",
                f"LoRA {setting['rank']}" if setting["rank"] else "full",
                f"{setting['rows']} x {setting['length']}, {setting['shared']} shared",
                _gigabytes(one["predicted"]["total"]),
                _gigabytes(one["measured_bytes"]),
                f"{memory:+.0%}",
                f"{one['predicted_seconds']:.1f}",
                f"{one['measured_seconds']:.1f}",
                f"{seconds:+.0%}",
                f"{steady:+.0%}",
            ]
        )
    memory_head, time_head = ("GB predicted", "GB", "error"), ("s a step predicted", "s", "error", "at a steady speed")
    head = ("model", "tuning", "rows of a step", *memory_head, *time_head)
    yield table(head, rows)


def _panel(name: str, points: Sequence[Result]) -> Panel:
    series = (
        ("logical token", "milliseconds_a_logical_token"),
        ("executed token", "milliseconds_an_executed_token"),
    )
    return Panel(
        title=f"Cost against {name}",
        below=name,
        beside="milliseconds",
        labels=tuple(f"{point['at']:g}" for point in points),
        lines=tuple(Line(title, tuple(point[key] for point in points)) for title, key in series),
    )


def _gpu(gpu: Result | None) -> Iterator[str]:
    yield "## On a GPU\n"
    if gpu is None:
        yield "Not measured yet: no GPU was at hand. `make bench-gpu` measures there and writes the result.\n"
        return
    yield goals_table(judge_gpu(gpu))
    rows = []
    for name, result in gpu["workloads"].items():
        for mode, pair in result["modes"].items():
            speeds = (f"{pair[side]['logical_tokens_per_second']:,.0f}" for side in ("peer", "atanor"))
            memory = (_gigabytes(pair[side]["peak_gpu_memory_bytes"]) for side in ("peer", "atanor"))
            rows.append([name, f"`{mode}`", *speeds, f"{pair['times_faster']:.2f}", *memory])
    yield f"{gpu['what']}, windows of 32 rows; the smallest ratio counts.\n"
    yield table(("rows", "TRL's mode", "TRL tokens/s", "Atanor tokens/s", "times", "TRL GB", "Atanor GB"), rows)
    failed = {mode: reason for result in gpu["workloads"].values() for mode, reason in result["failed"].items()}
    yield "".join(f"`{mode}` did not run: {reason}.\n" for mode, reason in failed.items())


def _machine(machine: Result) -> str:
    bfloat16 = "with" if machine["bfloat16_in_hardware"] else "without"
    return f"{machine['processor']} ({machine['threads']} threads, {bfloat16} bfloat16 in hardware)"


def _gigabytes(size: float) -> str:
    return f"{size / 1e9:.1f}"


def main() -> None:
    curves = read("curves")
    text = page(read("speed"), read("peer_settings"), curves, read("estimates"), read("gpu"))
    PAGE.write_text(text, encoding="utf-8")
    if curves is not None:
        PLOT.write_text(plot(curves), encoding="utf-8")


if __name__ == "__main__":
    main()
