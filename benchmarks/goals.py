"""What the fast core is meant to reach, and whether a result reaches it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from atanor.train import Order

TIMES_FASTER = {
    ("role_chat", Order.SHUFFLED): 10.0,
    ("plain_chat", Order.SHUFFLED): 4.0,
    ("shared_context", Order.SHUFFLED): 4.0,
    ("shared_context", Order.BY_PREFIX): 8.0,
    ("preference_pairs", Order.SHUFFLED): 10.0,
}
"""Logical tokens a second, as a multiple of TRL's fastest setting on the machine."""

MEMORY = 0.35
"""Peak memory, as a share of TRL's."""

GEMM = 0.6
"""Operations a second, as a share of the rate the machine multiplies matrices at."""

LOSS = {"fp32": 0.005, "no-checkpoint": 0.02, "default": 0.02}
"""Largest relative difference of a loss from TRL's, by TRL's mode: rounding grows over the steps."""

GPU_TIMES_FASTER = {"plain": 1.3, "role": 5.0}
"""The same on a GPU, as a multiple of TRL's fastest setting with Liger's kernels."""


@dataclass(frozen=True)
class Judged:
    """One goal and what was measured.

    Attributes:
        subject: what it is about.
        wanted: the bound in words.
        measured: the figure in words.
        met: whether it holds.
    """

    subject: str
    wanted: str
    measured: str
    met: bool


def judge(document: Mapping[str, Any]) -> list[Judged]:
    """All goals that a result of `benchmarks.speed` speaks of."""
    found: list[Judged] = []
    for name, result in document["workloads"].items():
        found += _speed(name, result)
    for name, result in document["workloads"].items():
        found += _memory(name, result)
    for name, result in document["workloads"].items():
        found.append(_losses(name, result, document["peer_mode"]["mode"]))
    for name, result in document["workloads"].items():
        found += _gemm(name, result)
    return found


def judge_curves(document: Mapping[str, Any]) -> list[Judged]:
    """The share of the GEMM rate on rows that have nothing in common, where it is smallest."""
    name = "sequence length"
    points = {point["at"]: point["gemm_share"] for point in document["curves"][name]}
    worst = min(points, key=lambda at: points[at])
    share = points[worst]
    about = f"rows of {min(points)} to {max(points)} tokens, nothing shared: smallest share of the GEMM rate"
    return [Judged(about, f"at least {GEMM:.0%}", f"{share:.0%} at {worst}", share >= GEMM)]


def judge_gpu(document: Mapping[str, Any]) -> list[Judged]:
    """All goals that a result of `benchmarks.gpu` speaks of."""
    return [
        _at_least(f"{name} rows on {document['machine']['gpu']['name']}: times TRL", goal, result["times_faster"])
        for name, goal in GPU_TIMES_FASTER.items()
        if (result := document["workloads"].get(name)) is not None and result["times_faster"] is not None
    ]


def times_faster(result: Mapping[str, Any], order: Order) -> float:
    """Ratio of the medians of logical tokens a second."""
    ours = float(result[f"atanor_{order}"]["logical_tokens_per_second"])
    return ours / float(result["peer"]["logical_tokens_per_second"])


def largest_difference(losses: Mapping[str, Sequence[float]]) -> float:
    """Largest relative difference between two series of first losses."""
    return max(abs(ours - peer) / abs(peer) for ours, peer in zip(losses["atanor"], losses["peer"], strict=True))


def legs(result: Mapping[str, Any]) -> Iterator[tuple[Order, Mapping[str, Any]]]:
    """Atanor's measurements in a workload's result, by the order of rows."""
    for order in Order:
        if (leg := result.get(f"atanor_{order}")) is not None:
            yield order, leg


def subject(name: str, order: Order) -> str:
    return name if order is Order.SHUFFLED else f"{name}, rows of one prefix together"


def judged_lines(judged: Sequence[Judged]) -> list[str]:
    """For a terminal."""
    return [f"{'met    ' if one.met else 'NOT met'}  {one.subject}: {one.measured} ({one.wanted})" for one in judged]


def _speed(name: str, result: Mapping[str, Any]) -> Iterator[Judged]:
    for order, _ in legs(result):
        if (goal := TIMES_FASTER.get((name, order))) is not None:
            yield _at_least(f"{subject(name, order)}: speed, times TRL's", goal, times_faster(result, order))


def _memory(name: str, result: Mapping[str, Any]) -> Iterator[Judged]:
    for order, leg in legs(result):
        share = leg["peak_memory_bytes"] / result["peer"]["peak_memory_bytes"]
        about = f"{subject(name, order)}: peak memory, times TRL's"
        yield Judged(about, f"at most {MEMORY:g}", f"{share:.2f}", share <= MEMORY)


def _losses(name: str, result: Mapping[str, Any], mode: str) -> Judged:
    difference = largest_difference(result["first_losses"])
    count = len(result["first_losses"]["peer"])
    about = f"{name}: first {count} losses, largest difference from TRL's"
    return Judged(about, f"at most {LOSS[mode]:.1%}", f"{difference:.3%}", difference <= LOSS[mode])


def _gemm(name: str, result: Mapping[str, Any]) -> Iterator[Judged]:
    for order, leg in legs(result):
        share = leg["gemm_share"]
        about = f"{subject(name, order)}: share of the GEMM rate"
        yield Judged(about, f"at least {GEMM:.0%}", f"{share:.0%}", share >= GEMM)


def _at_least(about: str, goal: float, measured: float) -> Judged:
    return Judged(about, f"at least {goal:g}", f"{measured:.1f}", measured >= goal)
