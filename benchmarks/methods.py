"""Every way to tune on the same rows: quality, memory, time, size and what it cost elsewhere, in one table.

    python -m benchmarks.methods [--set NAME ...] [--method NAME ...] [--again] [--rows N --test N]

trains the starter model with every method of `METHODS`, each with the options it has by default, on rows of `e2e_nlg`
(data to text, up to a dozen references an item) and of `nl2bash` (a command for a sentence), found in the folder named
by ATANOR_DATA (default ../shared/data), and compares it with the base on held-out items. Every method is a process of
its own, so that peak memory is its own. What is measured goes into benchmarks/results/methods.json as soon as it is
there, and a method that stands in it with the same options is not measured again; a smaller table (`--rows`, `--test`)
is only printed.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import random
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import atanor
from atanor.cli.screen import quiet_libraries
from atanor.evaluate.report import Report
from atanor.project.assessment import versions
from benchmarks.drawing import DATA, SEED, Row, apart, require, write_project
from benchmarks.machine import machine
from benchmarks.processor_time import ProcessorTime

RESULTS = Path(__file__).parent / "results" / "methods.json"
TRAINING = 320
VALIDATION = 48
TEST = 150
TRAINED = {"epochs": 1, "batch": 8, "validate_every": 20, "patience": 0}

METHODS: dict[str, dict[str, Any]] = {
    "LoRA r16": {"lora": {}},
    "LoRA r16 on attention": {"lora": {"targets": ["q_proj", "k_proj", "v_proj", "o_proj"]}},
    "LoRA r64, rsLoRA": {"lora": {"rank": 64, "rslora": True}},
    "LoRA+ r16": {"lora": {"second_factor": 16, "learning_rate": 1e-4}},
    "DoRA r16": {"lora": {"dora": True}},
    "PiSSA r16": {"lora": {"start": "pissa"}},
    "QLoRA r16": {"qlora": {}},
    "full": {"full": {}},
    "last 4 layers": {"last_layers": {"layers": 4}},
    "IA3": {"ia3": {}},
    "adapter, Pfeiffer": {"adapter": {}},
    "adapter, Houlsby": {"adapter": {"placement": "houlsby"}},
    "prefix tuning": {"prefix_tuning": {}},
    "prompt tuning": {"prompt_tuning": {}},
    "prompt": {"prompt": {}},
    "four examples": {"few_shot": {"shots": 4}},
}
UNTRAINED = ("prompt", "few_shot")


@dataclass(frozen=True)
class Task:
    """A set as it is learnt here.

    Attributes:
        draw: training, validation and test rows, given how many of the first and of the last.
        role: the role's options besides data and methods.
    """

    draw: Callable[[int, int], dict[str, list[Row]]]
    role: dict[str, Any]


def e2e(training: int, test: int) -> dict[str, list[Row]]:
    """Meaning representations with one description to learn from; those of the development set with all of theirs."""
    with gzip.open(DATA / "e2e_nlg" / "trainset_detok.csv.gz", "rt", encoding="utf-8", newline="") as file:
        learnt = _by_meaning(csv.DictReader(file))
    with (DATA / "e2e_nlg" / "devset.csv").open(encoding="utf-8", newline="") as file:
        held_out = _by_meaning(csv.DictReader(file))
    rng = random.Random(SEED)
    meanings = rng.sample(sorted(set(learnt) - set(held_out)), training + VALIDATION)
    rows = [{"prompt": meaning, "references": [rng.choice(learnt[meaning])]} for meaning in meanings]
    asked = rng.sample(sorted(held_out), test)
    return {
        "train": rows[:training],
        "validation": rows[training:],
        "test": [{"prompt": meaning, "references": held_out[meaning]} for meaning in asked],
    }


def nl2bash(training: int, test: int) -> dict[str, list[Row]]:
    """Sentences and commands, fewer of them; of sentences that are nearly the same the first."""
    training, test = training * 3 // 8, test // 2
    with (DATA / "nl2bash" / "train.jsonl").open(encoding="utf-8") as file:
        rows = [{"prompt": row["nl"], "references": [row["cmd"]]} for row in map(json.loads, file)]
    rng = random.Random(SEED)
    rng.shuffle(rows)
    rows = apart(rows, "prompt")
    end = training + VALIDATION
    return {"train": rows[:training], "validation": rows[training:end], "test": rows[end : end + test]}


def _by_meaning(rows: Iterator[dict[str, str]] | csv.DictReader[str]) -> dict[str, list[str]]:
    texts: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows:
        texts[row["mr"]].append(row["ref"])
    return texts


TASKS = {
    "e2e_nlg": Task(
        e2e,
        {
            "goal": "Describe a restaurant in a sentence or two from its features, leaving none out and adding none.",
            "system": "Describe the restaurant.",
            "generate": {"max_new_tokens": 80},
            "metrics": ["bleu", "rouge_l", "perplexity"],
        },
    ),
    "nl2bash": Task(
        nl2bash,
        {
            "goal": "Write the one bash command that does what is asked, and nothing else.",
            "system": "Write the command.",
            "generate": {"max_new_tokens": 64},
            "metrics": ["bleu", "rouge_l", "exact_match", "perplexity"],
        },
    ),
}


def options_of(method: dict[str, Any]) -> dict[str, Any]:
    """A method as the project file has it, with what all share."""
    ((name, options),) = method.items()
    return {name: options if name in UNTRAINED else {**TRAINED, **options}}


def measure(folder: Path) -> dict[str, Any]:
    """Run the project's one method in this process."""
    quiet_libraries()
    project = atanor.Project.load(folder)
    watcher = ProcessorTime()
    (report,) = project.run(watcher=watcher).reports
    page = project.report_page(report.run)
    found = {**summary(report), "file_bytes": sum(file.stat().st_size for file in page.parent.rglob("*.safetensors"))}
    return {**found, "processor_seconds": watcher.seconds["training"]} if report.training is not None else found


def summary(report: Report) -> dict[str, Any]:
    """What is published of a verdict."""
    training = report.training
    keys = ("baseline", "candidate", "change", "low", "high", "margin", "verdict")
    found: dict[str, Any] = {
        "verdict": report.verdict,
        "items": report.comparisons[0].items,
        "metrics": {one.metric: {key: getattr(one, key) for key in keys} for one in report.comparisons},
    }
    if training is not None:
        found |= {
            "settings": training.settings,
            "trained": training.trainable_parameters,
            "trained_share": training.trainable_parameters / training.total_parameters,
            "steps": training.steps,
            "seconds": training.seconds,
            "peak_bytes": training.peak_memory_bytes,
            "executed_tokens": training.executed_tokens,
            "logical_tokens": training.logical_tokens,
            "validation_loss": training.validation_loss,
        }
    return found


def measure_apart(name: str, task: Task, method: dict[str, Any], sides: dict[str, list[Row]], folder: Path) -> Any:
    """The same in a process of its own; what the base makes of the items is kept in the folder for the next."""
    write_project(folder, name, sides, {**task.role, "methods": [options_of(method)]})
    command = [sys.executable, "-m", "benchmarks.methods", "--measure", str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


@dataclass(frozen=True)
class Table:
    """Methods by the sets they are measured on.

    Attributes:
        results: where the whole table is kept.
        tasks: sets by name.
        methods: what is measured, by its label.
        training: rows to learn from.
        test: held-out items.
    """

    results: Path
    tasks: Mapping[str, Task]
    methods: Mapping[str, dict[str, Any]]
    training: int
    test: int

    def asked(self, description: str) -> argparse.Namespace:
        """What was typed."""
        parser = argparse.ArgumentParser(description=description.partition("\n")[0])
        parser.add_argument("--set", nargs="+", choices=self.tasks, default=list(self.tasks))
        parser.add_argument("--method", nargs="+", choices=self.methods, default=list(self.methods))
        parser.add_argument("--rows", type=int, default=self.training)
        parser.add_argument("--test", type=int, default=self.test)
        parser.add_argument("--again", action="store_true", help="measure anew what is measured")
        parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
        return parser.parse_args()

    def fill(self, asked: argparse.Namespace) -> None:
        """Measure what is not measured yet; a smaller table is only printed."""
        require(*asked.set)
        whole = (asked.rows, asked.test) == (self.training, self.test)
        known = whole and self.results.is_file()
        document = json.loads(self.results.read_text(encoding="utf-8")) if known else {"sets": {}}
        document |= {"machine": machine(), "versions": versions(), "seed": SEED}
        for name in asked.set:
            task = self.tasks[name]
            sides = task.draw(asked.rows, asked.test)
            kept = document["sets"].setdefault(name, {"methods": {}})
            kept |= {"rows": {side: len(rows) for side, rows in sides.items()}, "goal": task.role["goal"]}
            with tempfile.TemporaryDirectory() as folder:
                for label in asked.method:
                    method = options_of(self.methods[label])
                    if not asked.again and kept["methods"].get(label, {}).get("written") == method:
                        continue
                    print(f"{name}: {label}", file=sys.stderr)
                    found = measure_apart(name, task, self.methods[label], sides, Path(folder))
                    kept["methods"][label] = {"written": method, **found}
                    if whole:
                        self.results.write_text(
                            json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
                        )
        if not whole:
            print(json.dumps(document, indent=1, ensure_ascii=False))


def main() -> None:
    table = Table(RESULTS, TASKS, METHODS, TRAINING, TEST)
    asked = table.asked(__doc__ or "")
    if asked.measure:
        print(json.dumps(measure(asked.measure)))
        return
    table.fill(asked)


if __name__ == "__main__":
    main()
