"""The model card of a candidate: what it is, what it learned from, what it came to, and what it is not for.

Markdown behind the YAML that model hubs read; the field names are those of Hugging Face's model cards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from atanor.evaluate.items import Comparison
from atanor.evaluate.report import DataSection, Report, TrainingSection
from atanor.page import figures

CARD = "README.md"
"""The file in an artefact's folder that model hubs read as its card."""
_HUB = "hf:"


def model_card(report: Report) -> str:
    """The card of the candidate a report is about; sections that have nothing to say are left out."""
    parts = [
        f"# {report.role} of {report.project}\n",
        f"{report.goal}\n",
        f"Beside its base: **{report.verdict}**. {report.headline}\n",
        *_data(report),
        *_method(report),
        *_results(report),
        *_limits(report),
    ]
    return f"---\n{_front(report)}---\n\n" + "\n".join(parts)


def _front(report: Report) -> str:
    """What hubs read: licence, base, tags."""
    front: dict[str, Any] = {"library_name": "peft" if _is_adapter(report) else "transformers"}
    if report.base_licence:
        front["license"] = report.base_licence.lower()
    if report.base.startswith(_HUB):
        front["base_model"] = report.base.removeprefix(_HUB).partition("@")[0]
    tags = ["atanor", *([report.training.method] if report.training else [])]
    return yaml.safe_dump({**front, "tags": tags}, sort_keys=False, allow_unicode=True)


def _is_adapter(report: Report) -> bool:
    training = report.training
    return training is not None and training.trainable_parameters < training.total_parameters


def _data(report: Report) -> Iterator[str]:
    data = report.data
    yield "## Data\n"
    rows = [("file", "licence"), *((source, _licence(data, source)) for source in data.sources)]
    yield _table(rows)
    yield (
        f"{data.read:,} rows were read and {data.used:,} used: {data.train:,} to train, {data.validation:,} to choose "
        f"the checkpoint, {data.test:,} held out for the verdict. {data.refused:,} were refused, {data.duplicates:,} "
        f"were duplicates, {data.augmented:,} were made by augmentation. Dataset `{data.dataset_sha[:12]}`, split "
        f"`{data.split_sha[:12]}`.\n"
    )


def _licence(data: DataSection, source: str) -> str:
    return data.licences.get(source, "not stated")


def _method(report: Report) -> Iterator[str]:
    yield "## Method\n"
    base = f"`{report.base}` (licence: {report.base_licence or 'not stated'}, weights `{report.base_sha[:12]}`)"
    training = report.training
    if training is None:
        yield f"Nothing was trained: {base} answered with another prompt.\n"
        return
    yield f"{base} was tuned by `{training.method}`.\n"
    yield _table([("setting", "value"), *_facts(training)])


def _facts(training: TrainingSection) -> Iterator[tuple[str, str]]:
    share = training.trainable_parameters / training.total_parameters
    yield "numbers trained", f"{training.trainable_parameters:,} of {training.total_parameters:,} ({share:.2%})"
    yield "precision", training.precision
    yield "optimizer steps", f"{training.steps:,}, of which step {training.best_step:,} is published"
    yield "tokens", f"{training.logical_tokens:,}"
    for key in ("optimizer", "learning_rate", "schedule", "batch", "epochs", "objective"):
        if training.settings.get(key) is not None:
            yield key.replace("_", " "), _shown(training.settings[key])


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return str(value.get("name", value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _results(report: Report) -> Iterator[str]:
    yield "## Results\n"
    items = next((one.items for one in report.comparisons), 0)
    level = figures.confidence(report.confidence)
    yield f"Candidate and base on the same held-out items ({items:,}); intervals hold the change with {level}.\n"
    yield _table([("metric", "base", "candidate", "change", "verdict"), *map(_compared, report.comparisons)])
    for section in report.sections:
        yield f"### {section.title}\n"
        yield _table([("metric", "base", "candidate", "change", "verdict"), *map(_compared, section.comparisons)])
    if report.gates:
        rows = [(gate.gate, _answer(gate.passed, gate.undecided), gate.reason) for gate in report.gates]
        yield _table([("gate", "reached", "because"), *rows])


def _answer(passed: bool, undecided: bool) -> str:
    return "yes" if passed else "cannot tell" if undecided else "no"


def _compared(one: Comparison) -> tuple[str, ...]:
    places = figures.decimals(one.margin)
    change, low, high = (figures.signed(value, places) for value in (one.change, one.low, one.high))
    scores = (figures.score(value, places) for value in (one.baseline, one.candidate))
    better = "higher is better" if one.higher_is_better else "lower is better"
    return (f"{one.label} ({better})", *scores, f"{change} [{low}, {high}]", str(one.verdict))


def _limits(report: Report) -> Iterator[str]:
    yield "## Limits\n"
    limits = [
        f"It was tuned for one goal and judged on {report.data.test:,} items like those it learned from; nothing is "
        "known of other uses.",
        *(f"The test could show: {sentence}" for sentence in report.test_shows),
        *(f"{one.label}: {one.verdict}." for one in report.comparisons if one.verdict in ("worse", "cannot tell")),
        *report.notes,
    ]
    if report.contamination is None:
        limits.append("It was not looked whether test items stand in the training rows.")
    elif report.contamination.learned:
        learned, items = len(report.contamination.learned), report.contamination.items
        counted = "do not count" if report.contamination.policy == "exclude" else "count"
        limits.append(f"{learned} of {items} test items stand in the training rows and {counted}.")
    if report.looks > 1:
        limits.append(f"The test items were looked at {report.looks} times, which makes a lucky verdict likelier.")
    yield "\n".join(f"- {limit}" for limit in limits) + "\n"


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    head, *lines = ([cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows)
    rule = "|" + "---|" * len(head)
    return "\n".join([f"| {' | '.join(head)} |", rule, *(f"| {' | '.join(line)} |" for line in lines)]) + "\n"
