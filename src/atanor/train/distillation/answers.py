"""What a teacher wrote, kept batch by batch: a killed run asks little twice, and a finished one nothing at all."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from atanor.progress import Progress
from atanor.store.files import sha256_file, storage_error, write_text

ANSWERS = "answers.jsonl"
COUNTS = "answers.json"
BATCH = 32
"""Prompts asked together, and then kept."""
"""Prompts asked together, and then kept."""


@dataclass(frozen=True)
class Asked:
    """A prompt of an example, and the text or the tokens that are its content."""

    example_id: str
    content: str


@dataclass(frozen=True)
class Written:
    """What came of it: the answer, or why there is none that can be learned."""

    example_id: str
    answer: str | None
    reason: str | None = None


Ask = Callable[[Sequence[int]], Sequence[Written]]
"""From numbers of prompts to what came of each."""


def teacher_answers(
    folder: Path, identity: str, asked: Sequence[Asked], ask: Ask, progress: Progress
) -> dict[str, Written]:
    """Every prompt's answer, from the folder where it stands there and from the teacher else.

    Args:
        folder: where answers are kept.
        identity: of the teacher and of how it writes; what another one wrote is not taken.
        asked: the prompts.
        ask: the teacher.
        progress: shown one unit a prompt.

    Returns:
        By example id. Every prompt has an entry.

    Raises:
        StoreError: the folder cannot be written.
    """
    made_from = _made_from(identity, asked)
    kept = _kept(folder, made_from, progress)
    missing = [number for number, one in enumerate(asked) if one.example_id not in kept]
    if missing:
        _begin(folder, made_from, kept)
        with progress.start("teacher writes", len(asked), "answer", done=len(asked) - len(missing)) as bar:
            for start in range(0, len(missing), BATCH):
                part = missing[start : start + BATCH]
                came = ask(part)
                _append(folder / ANSWERS, [_line(one) for one in came])
                kept.update({one.example_id: one for one in came})
                bar.advance(len(part))
    written = sum(1 for one in kept.values() if one.answer is not None)
    counts = {"asked": len(asked), "written": written, "sha256": sha256_file(folder / ANSWERS)}
    write_text(folder / COUNTS, json.dumps(counts, indent=1))
    return {one.example_id: kept[one.example_id] for one in asked}


def _made_from(identity: str, asked: Sequence[Asked]) -> str:
    content = [identity, [[one.example_id, one.content] for one in asked]]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _kept(folder: Path, made_from: str, progress: Progress) -> dict[str, Written]:
    """What stands in the folder and belongs to these prompts; a line that was cut by a kill is left out."""
    file, counts = folder / ANSWERS, folder / COUNTS
    if not file.is_file():
        return {}
    if counts.is_file() and json.loads(counts.read_text(encoding="utf-8"))["sha256"] != sha256_file(file):
        progress.say(f"teacher   {file} is not as it was written; the teacher is asked again")
        counts.unlink()
        return {}
    first, *lines = file.read_text(encoding="utf-8", errors="replace").split("\n")
    if first != json.dumps({"made_from": made_from}):
        return {}
    whole = lines[:-1]  # the last one is empty, or was cut
    if not counts.is_file():
        # A batch is asked again from its first prompt: what is drawn in it depends on its place in the batch.
        whole = whole[: len(whole) // BATCH * BATCH]
    kept = {}
    for line in whole:
        entry = json.loads(line)
        kept[entry["id"]] = Written(entry["id"], entry["answer"], entry["reason"])
    return kept


def _begin(folder: Path, made_from: str, kept: dict[str, Written]) -> None:
    """The file up to here, without a line that was cut."""
    lines = [json.dumps({"made_from": made_from}), *map(_line, kept.values())]
    (folder / COUNTS).unlink(missing_ok=True)
    write_text(folder / ANSWERS, "".join(f"{line}\n" for line in lines))


def _line(one: Written) -> str:
    return json.dumps({"id": one.example_id, "answer": one.answer, "reason": one.reason}, ensure_ascii=False)


def _append(file: Path, lines: Sequence[str]) -> None:
    try:
        with file.open("a", encoding="utf-8") as stream:
            stream.writelines(f"{line}\n" for line in lines)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise storage_error(error, file) from error
