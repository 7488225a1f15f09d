"""The page of measured speed is what the committed results say, and goals are judged as they are written."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.goals import GEMM, MEMORY, TIMES_FASTER, judge, judge_curves, judge_gpu
from benchmarks.page import PAGE, PLOT, page, plot, read


def leg(rate: float, memory: float, **more: Any) -> dict[str, Any]:
    return {
        "logical_tokens_per_second": rate,
        "peak_memory_bytes": memory,
        "processor_share": 0.97,
        "versions": {"python": "3.11", "torch": "2", "triton": "not installed"},
        "steps": [{}, {}, {}],
        **more,
    }


def workload(times: float, **more: Any) -> dict[str, Any]:
    ours = leg(60 * times, 3e9, executed_tokens_per_second=200, flops_per_second=60e9, gemm_share=0.6)
    return {
        "rows_a_step": {"atanor": 32, "peer": 8},
        "peer": leg(60, 10e9),
        "atanor_shuffled": ours,
        "first_losses": {"rows_a_step": 8, "atanor": [2.0, 1.0], "peer": [2.0, 1.001]},
        **more,
    }


MACHINE = {"processor": "A processor", "threads": 2, "bfloat16_in_hardware": False}
SPEED = {
    "machine": MACHINE,
    "peer_mode": {"mode": "fp32", "because": "bfloat16 is emulated here"},
    "bfloat16_probe": {
        "mode": "no-checkpoint",
        "workload": "plain_chat",
        "rows": 2,
        "limit_seconds": 45.0,
        "logical_tokens_per_second": None,
        "reason": "it was not done",
    },
    "gemm": {"dtype": "float32", "flops_per_second": 100e9},
    "minutes": 14.2,
    "workloads": {
        "role_chat": workload(11),
        "plain_chat": workload(3),
        "shared_context": workload(5, atanor_by_prefix=workload(9)["atanor_shuffled"]),
        "preference_pairs": workload(10),
    },
}
SETTINGS = {
    "what": "TRL SFT on the same 32 rows of plain_chat with each setting",
    "machine": MACHINE,
    "settings": [
        {
            "mode": "fp32",
            "rows_a_pass": 8,
            "rows_a_step": 8,
            "logical_tokens_per_second": 61.2,
            "peak_memory_bytes": 9e9,
        },
        {
            "mode": "default",
            "rows_a_pass": 8,
            "rows_a_step": 8,
            "logical_tokens_per_second": None,
            "reason": "0 steps done",
        },
    ],
}
POINT = {
    "logical": 1024,
    "executed": 512,
    "seconds": 2.0,
    "milliseconds_a_logical_token": 1.95,
    "milliseconds_an_executed_token": 3.9,
    "flops_per_second": 70e9,
    "gemm_share": 0.7,
}
CURVES = {
    "what": "random tokens",
    "machine": MACHINE,
    "dtype": "float32",
    "curves": {"sequence length": [{"at": 64, **POINT}, {"at": 128, **POINT}]},
}
ESTIMATES = {
    "machine": MACHINE,
    "settings": [
        {
            "setting": {"rank": 16, "rows": 8, "length": 256, "shared": 128},
            "parameters": 139e6,
            "predicted": {"total": 2.4e9},
            "measured_bytes": 2.5e9,
            "predicted_seconds": 5.0,
            "measured_seconds": 4.0,
            "machine_speed": 1.25,
        }
    ],
}
GPU = {
    "what": "LoRA on a random Llama",
    "machine": {"gpu": {"name": "A GPU"}},
    "workloads": {
        "plain": {
            "times_faster": 1.4,
            "modes": {
                "liger": {
                    "peer": {"logical_tokens_per_second": 10000, "peak_gpu_memory_bytes": 9e9},
                    "atanor": {"logical_tokens_per_second": 14000, "peak_gpu_memory_bytes": 5e9},
                    "times_faster": 1.4,
                }
            },
            "failed": {"padding-free": "there is no flash-attn"},
        },
        "role": {"times_faster": None, "modes": {}, "failed": {}},
    },
}


def test_the_page_is_made_from_the_committed_results() -> None:
    curves = read("curves")
    written = page(read("speed"), read("peer_settings"), curves, read("estimates"), read("gpu"))
    assert PAGE.read_text(encoding="utf-8") == written, "`make docs` writes it anew"
    if curves is not None:
        assert PLOT.read_text(encoding="utf-8") == plot(curves), "`make docs` draws it anew"


def test_every_goal_is_judged() -> None:
    judged = {one.subject: one for one in judge(SPEED)}

    assert len(judged) == len(TIMES_FASTER) + 5 + 4 + 5  # speed, memory, first losses, GEMM rate
    assert judged["role_chat: speed, times TRL's"].met
    assert not judged["plain_chat: speed, times TRL's"].met
    assert judged["shared_context, rows of one prefix together: speed, times TRL's"].measured == "9.0"
    assert judged["preference_pairs: speed, times TRL's"].met
    assert judged["role_chat: peak memory, times TRL's"].wanted == f"at most {MEMORY}"
    assert judged["role_chat: peak memory, times TRL's"].met
    assert judged["role_chat: first 2 losses, largest difference from TRL's"].measured == "0.100%"
    assert judged["role_chat: share of the GEMM rate"].wanted == f"at least {GEMM:.0%}"
    assert judged["role_chat: share of the GEMM rate"].met


def test_curves_are_judged_where_they_are_lowest() -> None:
    slow = {
        **CURVES,
        "curves": {"sequence length": [{"at": 64, **POINT}, {"at": 128, **POINT, "gemm_share": 0.5}]},
    }
    (one,) = judge_curves(slow)
    assert (one.measured, one.met) == ("50% at 128", False)


def test_a_gpu_is_judged_by_what_ran() -> None:
    (plain,) = judge_gpu(GPU)
    assert plain.met
    assert "A GPU" in plain.subject


def test_the_page_says_what_is_met_and_what_not() -> None:
    text = page(SPEED, SETTINGS, CURVES, ESTIMATES, GPU)

    assert "19 of 20 goals are met on A processor (2 threads, without bfloat16 in hardware)." in text
    assert "| plain_chat: speed, times TRL's | at least 4 | 3.0 | **no** |" in text
    assert "| role_chat | 60 | 660 | 11.0 | 200 | 60% | 10.0 | 3.0 | 0.30 |" in text
    assert "another sampling than shuffled rows" in text
    assert "TRL in bfloat16 on 2 rows of plain_chat: not done after 45 s." in text
    assert "| `default` | 8 | 8 | 0 steps done | – |" in text
    assert "| 64 | 1,024 | 512 | 2.00 | 1.95 | 3.90 | 70% |" in text
    assert "| plain | `liger` | 10,000 | 14,000 | 1.40 | 9.0 | 5.0 |" in text
    assert "`padding-free` did not run: there is no flash-attn." in text
    assert "| 139 M | LoRA 16 | 8 x 256, 128 shared | 2.4 | 2.5 | -4% | 5.0 | 4.0 | +25% | +0% |" in text
    assert "triton" not in text
    assert "with at least 97% of the processor's time. TRL's mode" in text


def test_a_busy_machine_is_told() -> None:
    disturbed = {**SPEED, "workloads": {"role_chat": workload(11, peer=leg(60, 10e9, processor_share=0.5))}}
    assert "busy with something else" in page(disturbed, None, None, None, None)


def test_what_was_never_measured_is_said() -> None:
    text = page(None, None, None, None, None)
    assert text.count("Not measured yet") == 5


def test_the_plot_has_a_panel_for_each_curve() -> None:
    drawn = plot(CURVES)
    assert drawn.startswith("<svg") and drawn.rstrip().endswith("</svg>")
    assert drawn.count("<polyline") == 2
    assert "Cost against sequence length" in drawn


@pytest.mark.parametrize("value", [0.03, 0.9, 1.0, 3.4, 17.0, 120.0])
def test_a_plot_has_room_for_its_highest_value(value: float) -> None:
    from benchmarks.plot import Line, Panel, svg

    drawn = svg([Panel("t", "x", "y", ("a",), (Line("l", (value,)),))])
    assert 'cy="-' not in drawn
