"""Small projects on the tiny base, written into a folder for a journey."""

from __future__ import annotations

import json
from pathlib import Path

FIGURES = ["one", "two", "three", "four", "five", "six"]


def write_project(
    folder: Path, base: Path, *, rows: int = 40, role: str = "", extra_lines: tuple[str, ...] = ()
) -> Path:
    """A role that answers a question with a word; returns the project file.

    Args:
        folder: to write into.
        base: Transformers folder of the base.
        rows: good rows of data.
        role: more lines of the role, indented by four spaces.
        extra_lines: raw lines put before the good rows.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = list(extra_lines)
    for number in range(rows):
        prompt = f"count {number} from {FIGURES[number % 6]}"
        lines.append(json.dumps({"prompt": prompt, "completion": f"answer {FIGURES[number * 5 % 6]} {number % 3}"}))
    (folder / "rows.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    default = role or (
        "    methods: [lora: {rank: 4, epochs: 4, batch: 4, learning_rate: 0.01, validate_every: 6}]\n"
        "    metrics: [exact_match, perplexity]\n"
    )
    path = folder / "atanor.yaml"
    path.write_text(
        f"project: counting\nbase: path:{base}\nroles:\n  counter:\n    goal: Answer with a word.\n"
        "    data: rows.jsonl\n    split: {test: 10, validation: 4}\n    generate: {max_new_tokens: 8}\n" + default,
        encoding="utf-8",
    )
    return path
