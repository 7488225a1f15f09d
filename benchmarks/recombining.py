"""Any number of rows out of some thousand real ones: sentences recombined, numbers and names varied, some rows copied.

The sets are open questions, shell commands, sums in words, text messages, orders at a counter and letters to a bank. A
row takes the sentences of its prompt and of its answer from any rows of one set, so it reads like the set and has its
lengths and signs, but says nothing that is true. The first rows of a longer file are those of a shorter one.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

SEED = 17
EXACT, NEAR, FRESH = "exact", "near", "fresh"
SHARES = {EXACT: 0.05, NEAR: 0.05}
"""Shares of rows that are an earlier one again, and that are one with a word added."""

_EARLIER = 4096
"""Rows that a copy is taken from: some of all that were made before, so that most copies stand far from their first."""
_LONGEST = 160
"""Characters of a sentence: were one most of a row, two rows that share it would nearly be the same."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_NUMBER = re.compile(r"(?<![\w.])[1-9]\d{0,3}(?![\w.])")
_NAMES = ("James", "Mary", "Robert", "Linda", "Tom", "Anna", "Mark", "Julia", "Carlos", "Elena", "John", "Sarah")
_NAME = re.compile(rf"\b(?:{'|'.join(_NAMES)})\b")
_ADDED = ("really", "perhaps", "today", "simply", "also", "again")

Row = Mapping[str, Any]


@dataclass(frozen=True)
class _Source:
    """A set: where it lies, the columns of a row, how many sentences make a prompt and an answer, and its share."""

    files: str
    prompt: Callable[[Row], str]
    answer: Callable[[Row], str]
    prompts: int
    answers: int
    share: float


_SOURCES = {
    "dolly_open_qa": _Source("train.jsonl", lambda row: row["instruction"], lambda row: row["response"], 2, 4, 0.4),
    "gsm8k": _Source("train.jsonl.gz", lambda row: row["question"], lambda row: row["answer"], 4, 3, 0.2),
    "nl2bash": _Source("train.jsonl", lambda row: row["nl"], lambda row: row["cmd"], 3, 3, 0.1),
    "sms_spam": _Source("train.jsonl", lambda row: row["text"], lambda row: row["label"], 4, 1, 0.1),
    "banking77": _Source("train.csv", lambda row: row["text"], lambda row: row["category"], 3, 1, 0.1),
    "taskmaster4": _Source(
        "data_*.jsonl", lambda row: _said(row, "user"), lambda row: _said(row, "assistant"), 5, 4, 0.1
    ),
}


@dataclass(frozen=True)
class _Pool:
    """The sentences of a set."""

    name: str
    prompts: tuple[str, ...]
    answers: tuple[str, ...]
    source: _Source

    def row(self, random: Random) -> dict[str, str]:
        prompt = " ".join(random.choices(self.prompts, k=self.source.prompts))
        answer = " ".join(random.choices(self.answers, k=self.source.answers))
        return {
            "instruction": varied(prompt, random),
            "context": "",
            "response": varied(answer, random),
            "category": self.name,
        }


def generate(data: Path, count: int, seed: int = SEED) -> Iterator[tuple[str, dict[str, str]]]:
    """The rows, each with what it is: `fresh`, `exact` (an earlier row again) or `near` (one with a word added).

    Args:
        data: folder of the real sets.
        count: rows.
        seed: of every draw.
    """
    pools = [_pool(name, source, data) for name, source in _SOURCES.items()]
    weights = [pool.source.share for pool in pools]
    random = Random(seed)
    earlier: list[dict[str, str]] = []
    for _ in range(count):
        drawn = random.random()
        if earlier and drawn < SHARES[EXACT]:
            yield EXACT, random.choice(earlier)
        elif earlier and drawn < SHARES[EXACT] + SHARES[NEAR]:
            yield NEAR, with_a_word_more(random.choice(earlier), random)
        else:
            row = random.choices(pools, weights)[0].row(random)
            if len(earlier) < _EARLIER:
                earlier.append(row)
            elif random.random() < 0.1:
                earlier[random.randrange(_EARLIER)] = row
            yield FRESH, row


def write_rows(data: Path, count: int, path: Path, seed: int = SEED) -> Counter[str]:
    """Write the rows as JSON Lines; how many of each kind there are."""
    made: Counter[str] = Counter()
    with path.open("w", encoding="utf-8") as file:
        for kind, row in generate(data, count, seed):
            made[kind] += 1
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return made


def varied(text: str, random: Random) -> str:
    """The text with other numbers of as many digits and other first names."""
    text = _NUMBER.sub(lambda number: str(random.randrange(10 ** (len(number[0]) - 1), 10 ** len(number[0]))), text)
    return _NAME.sub(lambda _: random.choice(_NAMES), text)


def with_a_word_more(row: Mapping[str, str], random: Random) -> dict[str, str]:
    """The row with one word more in its prompt."""
    words = row["instruction"].split(" ")
    words.insert(random.randrange(len(words) + 1), random.choice(_ADDED))
    return {**row, "instruction": " ".join(words)}


def _pool(name: str, source: _Source, data: Path) -> _Pool:
    rows = [row for path in sorted((data / name).glob(source.files)) for row in _rows(path)]
    if not rows:
        raise SystemExit(f"{data / name / source.files} is not there; ATANOR_DATA names the folder of the sets")
    return _Pool(name, _sentences(map(source.prompt, rows)), _sentences(map(source.answer, rows)), source)


def _rows(path: Path) -> Iterator[Row]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        yield from csv.DictReader(file) if path.suffix == ".csv" else map(json.loads, file)


def _said(row: Row, speaker: str) -> str:
    return "\n".join(turn["text"] for turn in row["utterances"] if turn["speaker"] == speaker)


def _sentences(texts: Iterable[str]) -> tuple[str, ...]:
    """Every sentence once, in the order of the texts."""
    parts: Sequence[str] = [part for text in texts for part in _SENTENCE.split(text)]
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip() and len(part) <= _LONGEST))
