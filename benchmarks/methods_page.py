"""The page of what every way to tune was measured to do, made from the committed results: docs/methods-measured.md.

python -m benchmarks.methods_page     # also `make docs`
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.page import NOT_YET, ROOT, read, table

PAGE = ROOT / "docs" / "methods-measured.md"
GUARD = "forgetting"

Result = Mapping[str, Any]

_HEAD = """# Methods, measured

This page is made from the results in [benchmarks/results](../benchmarks/results) by `make docs`; `make bench-methods`
measures. The starter model, SmolLM2-135M-Instruct, is trained in float32 on real rows with the options each method has
by default, where the table does not say otherwise, and one seed. Every arm is a process of its own.

Scores are those of the held-out items; behind a score stands its change from the base, or from what the table names,
with the 95 % interval over the items. *Forgetting* is the bits per byte of general text, where less is better.
*Processor* is the processor time of training in minutes, *peak* the most memory the process ever held.
"""


def page() -> str:
    """The whole page."""
    parts = (
        _methods(read("methods")),
        _classification(read("classification")),
        _preferences(read("preferences")),
        _distillation(read("distillation")),
        _forgetting(read("forgetting")),
        _quantisation(read("quantisation")),
    )
    return "\n".join([_HEAD, *(line for part in parts for line in part)]) + "\n"


def _methods(found: Result | None) -> Iterator[str]:
    yield "## Every method on the same rows\n"
    if found is None:
        yield NOT_YET + "\n"
        return
    yield _machine(found)
    for name, kept in found["sets"].items():
        yield f"### {name}\n"
        yield _rows_and_base(kept)
        yield _arms(kept, files=True)


def _classification(found: Result | None) -> Iterator[str]:
    yield "## Classes: a head or the label as text\n"
    if found is None:
        yield NOT_YET + "\n"
        return
    yield (
        "The starter model is the base of every role and chooses among the labels by their likelihood; so does a model "
        "tuned to write the label. A head names a class directly and has no perplexity. " + _machine(found)
    )
    for name, kept in found["sets"].items():
        yield f"### {name}\n"
        yield _rows_and_base(kept)
        yield _arms(kept, files=True)


def _preferences(found: Result | None) -> Iterator[str]:
    yield "## Learning which of two answers is better\n"
    if found is None:
        yield NOT_YET + "\n"
        return
    yield (
        "LoRA under every objective of pairs, beside learning the better answers alone. *Preference* is the share of "
        "held-out pairs whose better answer is the likelier one. " + _machine(found)
    )
    for name, kept in found["sets"].items():
        yield f"### {name}\n"
        yield _rows_and_base(kept)
        yield _arms(kept)


def _distillation(found: Result | None) -> Iterator[str]:
    yield "## A small student, with a teacher and without\n"
    if found is None:
        yield NOT_YET + "\n"
        return
    result, rows = found["result"], found["rows"]
    students = result["students"]
    first, *others = students
    yield (
        f"The student keeps {result['layers']} of the starter model's 30 layers. It learns {rows['train']:,} rows of "
        f"`e2e_nlg` with every weight, each arm with as many steps at the same rate, and is asked {rows['test']:,} "
        f"held-out items. The teacher, the starter model tuned on the same rows, reaches "
        f"{_scores(result['teacher'])}. Changes are from the student without a teacher. " + _machine(found)
    )
    metrics = [name for name in students[first]["metrics"] if name != GUARD]
    lines = [[first, *(_number(students[first]["metrics"][name]["candidate"]) for name in metrics)]]
    for arm in others:
        beside = {one["metric"]: one for one in students[arm]["against_without"]}
        lines.append([arm, *(_changed(beside[name]) for name in metrics)])
    yield table(["student", *map(_label, metrics)], lines)


def _forgetting(found: Result | None) -> Iterator[str]:
    yield "## What each remedy against forgetting gives back\n"
    if found is None:
        yield NOT_YET + "\n"
        return
    settings, base = found["settings"], found["base"]
    sizes = settings["sizes"]
    yield (
        f"Every weight is trained on {sizes['training']:,} commands at ten times the rate that is the default, so "
        f"that it forgets: {settings['options']['learning_rate']:g}, {settings['options']['epochs']} epochs. Measured "
        f"are {sizes['commands']:,} held-out commands, {sizes['passages']:,} paragraphs of WikiText, BLiMP and "
        f"{sizes['last_words']:,} last words of LAMBADA. Changes are from the base. " + _machine(found)
    )
    lines = [["the base", *(_number(score) for score in base.values())]]
    lines += [[arm, *(_changed(one) for one in told["against_base"].values())] for arm, told in found["arms"].items()]
    yield table(["remedy", *base], lines)
    against = [(arm, told["against_no_remedy"]) for arm, told in found["arms"].items() if "against_no_remedy" in told]
    if against:
        yield "The same changes from the tuning without a remedy:\n"
        yield table(
            ["remedy", *base],
            [[arm, *(_changed(one, scored=False) for one in changes.values())] for arm, changes in against],
        )


def _quantisation(found: Result | None) -> Iterator[str]:
    yield "## The base in 4 bits\n"
    if found is None:
        yield NOT_YET + "\n"
        return
    yield (
        f"{found['steps']} optimizer steps of {found['rows']} rows of {found['length']} tokens; the perplexity is that "
        "of the shipped general text before anything is trained. " + _machine(found)
    )
    keys = ("weights", "resident", "peak")
    lines = [
        [
            name,
            *(_megabytes(one[key]) for key in keys),
            f"{one['perplexity']:.2f}",
            f"{one['step_seconds'] / found['methods']['lora']['step_seconds']:.2f}",
        ]
        for name, one in found["methods"].items()
    ]
    yield table(["method", "weights, MB", "resident, MB", "peak, MB", "perplexity", "time of a step, LoRA = 1"], lines)


def _machine(found: Result) -> str:
    machine = found["machine"]
    threads = machine["threads"]
    return f"Measured on {machine['processor']}, {threads} {'thread' if threads == 1 else 'threads'}.\n"


def _rows_and_base(kept: Result) -> str:
    rows = kept["rows"]
    first = next(iter(kept["methods"].values()))
    scores = ", ".join(f"{_label(name)} {_number(one['baseline'])}" for name, one in first["metrics"].items())
    return (
        f"{rows['train']:,} rows to learn, {rows['validation']:,} to validate, {rows['test']:,} held-out items. "
        f"The base: {scores}.\n"
    )


def _arms(kept: Result, *, files: bool = False) -> str:
    """A line for each arm: its scores with their changes, and what it took."""
    arms = kept["methods"]
    metrics = list(dict.fromkeys(name for arm in arms.values() for name in arm["metrics"]))
    head = ["method", *map(_label, metrics), "processor, min", "peak, GB", "trained"]
    lines = []
    for label, arm in arms.items():
        cells = [_changed(arm["metrics"][name]) if name in arm["metrics"] else "–" for name in metrics]
        cells += [
            _or_dash(arm, "processor_seconds", lambda seconds: f"{seconds / 60:.1f}"),
            _or_dash(arm, "peak_bytes", lambda size: f"{size / 1e9:.2f}"),
            _or_dash(arm, "trained_share", _percent),
        ]
        if files:
            cells.append(_or_dash(arm, "file_bytes", lambda size: _megabytes(size) if size else "–"))
        lines.append([label, *cells])
    return table([*head, *(["file, MB"] if files else [])], lines)


def _or_dash(arm: Result, key: str, written: Any) -> str:
    return str(written(arm[key])) if arm.get(key) is not None else "–"


def _percent(share: float) -> str:
    return f"{share:.2%}" if share >= 1e-3 else f"{share:.4%}"


def _megabytes(size: float) -> str:
    return f"{size / 1e6:,.1f}" if size < 1e7 else f"{size / 1e6:,.0f}"


def _scores(found: Result) -> str:
    return ", ".join(f"{_label(name)} {_number(one['candidate'])}" for name, one in found["metrics"].items())


def _changed(one: Result, *, scored: bool = True) -> str:
    """A score with its change and the change's interval."""
    low, high = one["low"], one["high"]
    places = _places(one["change"], low, high)
    change = f"{_signed(one['change'], places)} [{_signed(low, places)}, {_signed(high, places)}]"
    score = one.get("candidate", one.get("score"))
    return f"{_number(score)} ({change})" if scored else change


def _places(*numbers: float) -> int:
    """Decimals that show two digits of the widest end."""
    largest = max((abs(number) for number in numbers if math.isfinite(number)), default=1.0)
    return 3 if largest < 1 else 2 if largest < 10 else 1


def _signed(number: float, places: int) -> str:
    if not math.isfinite(number):
        return "−∞" if number < 0 else "+∞"
    return f"{number:+.{places}f}".replace("-", "−")


def _number(score: float) -> str:
    return f"{score:.3f}" if abs(score) < 1 else f"{score:.2f}" if abs(score) < 100 else f"{score:,.1f}"


def _label(metric: str) -> str:
    return metric.replace("_", " ")


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
