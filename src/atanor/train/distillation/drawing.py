"""Tokens drawn from a teacher's distributions before training, and kept: the teacher then leaves the memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from atanor.compute import Teacher
from atanor.data.rows import TokenRow
from atanor.progress import Progress
from atanor.store.files import sha256_file, write_text, writing
from atanor.train.distillation.objective import drawn_for

DRAWN = "drawn.safetensors"
MADE_FROM = "drawn.json"
_TOGETHER = 32
"""Rows whose states are in memory at once."""


def find_drawn(folder: Path, identity: str, rows: Sequence[TokenRow], progress: Progress) -> dict[str, Tensor] | None:
    """What was drawn before for these rows of this teacher, or None; a damaged file is told and not taken."""
    file, note = folder / DRAWN, folder / MADE_FROM
    if not (file.is_file() and note.is_file()):
        return None
    told = json.loads(note.read_text(encoding="utf-8"))
    if told["made_from"] != _made_from(identity, rows):
        return None
    if told["sha256"] != sha256_file(file):
        progress.say(f"teacher   {file} is not as it was written; the tokens are drawn again")
        return None
    return _by_row(rows, load_file(file)["tokens"])


def draw(
    folder: Path, identity: str, rows: Sequence[TokenRow], source: Teacher, *, draws: int, vocabulary: int, seed: int,
    progress: Progress,
) -> dict[str, Tensor]:  # fmt: skip
    """Draw tokens for every supervised token of the rows, and keep them.

    Args:
        folder: where they are kept.
        identity: of the teacher and of all options below.
        rows: training and validation rows, in an order that is the same every time.
        source: the teacher.
        draws: tokens for each place.
        vocabulary: rows of the student's head: no other token may be drawn.
        seed: of the draws.
        progress: shown one unit a row.

    Returns:
        For each row's name (`drawn_for`) its tokens, (supervised tokens, draws).

    Raises:
        StoreError: the folder cannot be written.
    """
    generator = torch.Generator().manual_seed(seed)
    parts = []
    with progress.start("teacher draws", len(rows), "row") as bar:
        for start in range(0, len(rows), _TOGETHER):
            part = rows[start : start + _TOGETHER]
            parts.append(source(part).draw(draws, generator, vocabulary).to("cpu", torch.int32))
            bar.advance(len(part))
    tokens_Sk = torch.cat(parts)
    with writing(folder / DRAWN) as temporary:
        save_file({"tokens": tokens_Sk}, temporary)
    told = {"made_from": _made_from(identity, rows), "sha256": sha256_file(folder / DRAWN)}
    write_text(folder / MADE_FROM, json.dumps(told, indent=1))
    return _by_row(rows, tokens_Sk)


def _made_from(identity: str, rows: Sequence[TokenRow]) -> str:
    return hashlib.sha256(json.dumps([identity, [drawn_for(row) for row in rows]]).encode()).hexdigest()


def _by_row(rows: Sequence[TokenRow], tokens_Sk: Tensor) -> dict[str, Tensor]:
    return {drawn_for(row): tokens_Sk[start:end].long() for row, (start, end) in zip(rows, _ranges(rows), strict=True)}


def _ranges(rows: Sequence[TokenRow]) -> Iterator[tuple[int, int]]:
    ends = [0]
    for row in rows:
        ends.append(ends[-1] + row.supervised)
    return pairwise(ends)
