"""Files of probes as items."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from atanor.errors import DataError, Problem
from atanor.evaluate.ability.options import AbilityFile, ProbeKind
from atanor.evaluate.items import Item

_SHORTEST_PARAGRAPH = 200
"""Characters; what is shorter is a heading or a list."""


def read_probe(options: AbilityFile, root: Path, most: int | None) -> list[Item]:
    """Items of a file; where there are more than `most`, those at even distances.

    Raises:
        DataError: a line is not what the kind of the file asks for; names file, line and field.
    """
    path = root / options.path
    if options.kind is ProbeKind.WIKITEXT and path.suffix != ".jsonl":
        lines = enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        paragraphs = [(number, line.strip()) for number, line in lines]
        items = [
            Item(f"{options.called}:{number}", str(number), "", text)
            for number, text in paragraphs
            if len(text) >= _SHORTEST_PARAGRAPH and not text.startswith("=")
        ]
    else:
        items = [_item(options, row, f"{options.called}:{number}", number) for number, row in _rows(path)]
    if not items:
        raise _refused(options.path, None, "it has no items", None, "Name a file with at least one")
    return evenly(items, most)


def shipped(name: str, most: int | None) -> list[Item]:
    """Items that come with Atanor: `generic` or `formats`."""
    text = (files("atanor.evaluate.ability") / f"{name}.jsonl").read_text("utf-8")
    rows = [json.loads(line) for line in text.splitlines()]
    return evenly([Item(row["id"], row["id"], row["prompt"], "", row) for row in rows], most)


def evenly(items: Sequence[Item], most: int | None) -> list[Item]:
    """At most so many, at even distances, so that every part of a sorted file is there."""
    if most is None or len(items) <= most:
        return list(items)
    return [items[number * len(items) // most] for number in range(most)]


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise _refused(str(path), number, f"no JSON ({error.msg})", None, "One JSON object a line") from error
            if not isinstance(row, dict):
                raise _refused(str(path), number, "no JSON object", None, "One JSON object a line")
            yield number, row


def _item(options: AbilityFile, row: dict[str, Any], name: str, line: int) -> Item:
    def text(field: str) -> str:
        if not isinstance(row.get(field), str) or not row[field].strip():
            raise _refused(options.path, line, f"a row of `{options.kind}` needs a text here", field, "Add it")
        return str(row[field])

    if options.kind is ProbeKind.BLIMP:
        return Item(name, str(row.get("UID", name)), "", text("sentence_good"), {"worse": text("sentence_bad")})
    if options.kind is ProbeKind.LAMBADA:
        before, _, word = text("text").strip().rpartition(" ")
        if not before:
            raise _refused(options.path, line, "a last word needs text before it", "text", "Write a longer text")
        return Item(name, name, before, word)
    if options.kind is ProbeKind.WIKITEXT:
        return Item(name, name, "", text("text"))
    return _choices(options, row, name, line, text("question"))


def _choices(options: AbilityFile, row: dict[str, Any], name: str, line: int, question: str) -> Item:
    choices, answer = row.get("choices"), row.get("answer")
    if not isinstance(choices, list) or len(choices) < 2 or not all(isinstance(one, str) and one for one in choices):
        raise _refused(options.path, line, "two or more texts are needed", "choices", "Write a list of texts")
    if not isinstance(answer, int) or isinstance(answer, bool) or not 0 <= answer < len(choices):
        reason = "the number of the right choice is needed, from 0"
        raise _refused(options.path, line, reason, "answer", f"Write 0 to {len(choices) - 1}")
    if options.prompt == "continuation":
        prompt, offered = question, choices
    elif options.prompt == "question":
        prompt, offered = f"Question: {question}\nAnswer:", choices
    else:
        letters = [chr(ord("A") + number) for number in range(len(choices))]
        listed = "\n".join(f"{letter}. {choice}" for letter, choice in zip(letters, choices, strict=True))
        prompt, offered = f"{question.strip()}\n{listed}\nAnswer:", letters
    return Item(name, name, prompt, offered[answer], {"choices": tuple(offered), "answer": answer})


def _refused(path: str, line: int | None, reason: str, field: str | None, fix: str) -> DataError:
    return DataError("a probe cannot be read", [Problem(reason, file=path, line=line, field=field, fix=fix)])
