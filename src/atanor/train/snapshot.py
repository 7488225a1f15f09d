"""The state of a training in a folder, beside the numbers that train: optimizer, schedule, random numbers, history.

Every loop writes and reads it here, so that all of them resume alike, bit for bit.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from transformers import TrainerState

from atanor.train.history import STATE
from atanor.train.sharding import is_sharded, sharded_state

OPTIMIZER = "optimizer.pt"
SCHEDULE = "scheduler.pt"
RANDOM = "rng_state.pth"


def write_snapshot(folder: Path, optimizer: Mapping[str, Any], schedule: LRScheduler, state: TrainerState) -> None:
    """Write everything that the rest of a training depends on, but the numbers that train.

    Args:
        folder: to write into.
        optimizer: its state, whole.
        schedule: of the learning rate.
        state: the history.
    """
    torch.save(optimizer, folder / OPTIMIZER)
    torch.save(schedule.state_dict(), folder / SCHEDULE)
    torch.save(_random_states(), folder / RANDOM)
    state.save_to_json(str(folder / STATE))


def read_optimizer(folder: Path, optimizer: Optimizer, schedule: LRScheduler) -> None:
    """Put optimizer and schedule where they stood; a process that keeps shards takes its own."""
    states = torch.load(folder / OPTIMIZER, map_location="cpu", weights_only=True)
    if is_sharded(optimizer):
        states = sharded_state(states, optimizer)
    optimizer.load_state_dict(states)
    schedule.load_state_dict(torch.load(folder / SCHEDULE, weights_only=True))


def read_random(folder: Path) -> None:
    """Put the random numbers of Python, NumPy and torch where they stood."""
    states = torch.load(folder / RANDOM, weights_only=True)
    random.setstate(_as_tuples(states["python"]))
    kind, keys, *rest = states["numpy"]
    np.random.set_state((kind, np.array(keys, dtype=np.uint32), *rest))
    torch.random.set_rng_state(states["cpu"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.random.set_rng_state(states["cuda"])


def _random_states() -> dict[str, object]:
    kind, keys, *rest = np.random.get_state(legacy=True)
    states: dict[str, object] = {
        "python": random.getstate(),
        # A plain list, because an array is none of what torch reads back without pickle's code.
        "numpy": (kind, np.asarray(keys).tolist(), *rest),
        "cpu": torch.random.get_rng_state(),
    }
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.random.get_rng_state()
    return states


def _as_tuples(state: tuple[int, tuple[int, ...], float | None]) -> tuple[int, tuple[int, ...], float | None]:
    version, internal, gauss = state
    return (version, tuple(internal), gauss)
