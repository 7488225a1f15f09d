"""The parts of the page that are tables and lists: metrics, gates, data, settings, versions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from atanor.evaluate.html import changes
from atanor.evaluate.html.words import pass_mark, verdict_mark
from atanor.evaluate.items import Comparison, GateResult
from atanor.evaluate.overfitting import overfitting_of
from atanor.evaluate.report import DataSection, TrainingSection
from atanor.page import figures
from atanor.page.layout import facts_list, scrolling
from atanor.page.markup import Markup, join, tag


def metric_table(comparisons: Sequence[Comparison], confidence: float) -> Markup:
    """Every metric: both scores, the change with its interval, the margin, the verdict, on how many items."""
    level = figures.confidence(confidence)
    head = [
        tag("th", "metric", scope="col"),
        *(
            tag("th", name, scope="col", class_="num")
            for name in ("base", "candidate", f"change [{level}]", "margin", "p")
        ),
        tag("th", "verdict", scope="col"),
        tag("th", "items", scope="col", class_="num"),
    ]
    caption = (
        "Base and candidate on the same held-out items. The change is candidate minus base with its "
        f"{level} interval; the margin is the smallest change that matters."
    )
    return scrolling("Metrics", caption, head, [_metric_row(found) for found in comparisons])


def _metric_row(found: Comparison) -> Markup:
    direction = "higher is better" if found.higher_is_better else "lower is better"
    grouped = "" if found.clusters == found.items else f" in {figures.things(found.clusters, 'group')}"
    name = tag("code", found.metric)
    places = figures.decimals(found.margin)
    return tag(
        "tr",
        tag("th", found.label, " ", tag("span", name, f" · {direction}", class_="under"), scope="row"),
        tag("td", figures.score(found.baseline, places), class_="num"),
        tag("td", figures.score(found.candidate, places), class_="num"),
        tag("td", tag("b", figures.signed(found.change, places)), " ", changes.interval(found), class_="num"),
        tag("td", figures.score(found.margin, places), class_="num"),
        tag("td", figures.p_value(found.p_value), class_="num", title=_other_tests(found)),
        tag("td", verdict_mark(found.verdict)),
        tag("td", f"{found.items:,}{grouped}", class_="num"),
    )


def _other_tests(found: Comparison) -> str:
    """The other tests of the same change, for whoever points at its p-value."""
    tests = (
        ("no change, by ranks (Wilcoxon)", found.p_ranks),
        ("a change of the margin either way (two one-sided tests)", found.p_equivalent),
        ("worse by the margin (non-inferiority)", found.p_not_worse),
    )
    told = [f"{name}: p {figures.p_value(value)}" for name, value in tests if value is not None]
    return "\n".join(["no change: p " + figures.p_value(found.p_value), *told])


def gate_table(gates: Sequence[GateResult]) -> Markup:
    """Every gate, whether it is passed, and why."""
    if not gates:
        text = "The project sets no gate: a candidate is released when its verdict is “better”."
        return tag("p", text, class_="absent")
    head = [tag("th", name, scope="col") for name in ("", "gate", "why")]
    rows = [
        tag("tr", tag("td", pass_mark(gate)), tag("th", gate.gate, scope="row"), tag("td", gate.reason))
        for gate in gates
    ]
    passed = sum(gate.passed for gate in gates)
    caption = f"What the project asks of a candidate before it is released: {passed} of {len(gates)} passed."
    return scrolling("Gates", caption, head, rows)


def data_part(data: DataSection) -> Markup:
    """The rows, counted so that the sum can be checked, and what identifies them."""
    share = data.supervised_tokens / data.tokens if data.tokens else 0.0
    cut = "nothing cut" if not data.truncated else f"{figures.things(data.truncated, 'row')} cut to fit"
    facts = [
        ("Files", join([tag("code", source), f" ({licence_of(data, source)}) "] for source in data.sources)),
        ("Split", f"{data.train:,} train · {data.validation:,} validation · {data.test:,} test"),
        ("Tokens", f"{data.tokens:,}, of which {data.supervised_tokens:,} supervised ({figures.percent(share)})"),
        ("Longest row", f"{data.longest:,} of {data.context:,} tokens of context; {cut}"),
        ("Dataset SHA-256", tag("code", data.dataset_sha, class_="hash")),
        ("Split SHA-256", tag("code", data.split_sha, class_="hash")),
    ]
    if data.quarantine:
        facts.insert(1, ("Refused rows", join("kept in ", tag("code", data.quarantine), ", each with its reason")))
    return join(_sum_of_rows(data), tag("div", facts_list(facts), class_="facts"))


def licence_of(data: DataSection, source: str) -> str:
    """Of a file's rows, as the project states it."""
    return data.licences.get(source, "licence not stated")


def _sum_of_rows(data: DataSection) -> Markup:
    """`read + added = used + refused + left out + duplicates + joined`, and a warning where it does not add up."""
    more = [(data.added - data.augmented, "further examples of them"), (data.augmented, "made by augmentation")]
    came = [(data.read, "rows read"), *(part for part in more if part[0])]
    went = [
        (data.used, "used"),
        (data.refused, "refused"),
        (data.left_out, "left out"),
        (data.duplicates, "duplicates"),
        *([(data.joined, "joined to others")] if data.joined else []),
    ]
    terms = [*_added(came), *_operator("="), *_added(went)]
    missing = sum(number for number, _ in came) - sum(number for number, _ in went)
    warning = f"{abs(missing):,} rows are not accounted for." if missing else None
    return join(tag("p", terms, class_="sum"), tag("p", warning, class_="warning", role="note") if warning else None)


def _added(parts: Sequence[tuple[int, str]]) -> Iterator[Markup | str]:
    for index, (number, name) in enumerate(parts):
        yield from _operator("+") if index else ()
        yield _term(number, name)


def _operator(sign: str) -> tuple[Markup | str, ...]:
    return " ", tag("span", sign, class_="operator"), " "


def _term(number: int, name: str) -> Markup:
    return tag("span", tag("b", f"{number:,}", class_="num"), " ", name, class_="term")


def training_facts(training: TrainingSection) -> Markup:
    """What training cost, measured."""
    rate = training.logical_tokens / training.seconds if training.seconds else 0.0
    trained = training.trainable_parameters / training.total_parameters if training.total_parameters else 0.0
    return facts_list(
        [
            ("Method", training.method),
            (
                "Trained",
                f"{figures.count(training.trainable_parameters)} of {figures.count(training.total_parameters)} "
                f"parameters ({figures.percent(trained)})",
            ),
            ("Steps", f"{training.steps:,}, best at {training.best_step:,}"),
            (
                "Time",
                f"{figures.duration(training.seconds)}, {rate:,.0f} tokens a second"
                + _predicted(training.predicted_seconds, figures.duration),
            ),
            ("Tokens", _tokens(training)),
            (
                "Peak memory",
                figures.gigabytes(training.peak_memory_bytes)
                + _predicted(training.predicted_memory_bytes, figures.gigabytes),
            ),
            ("Precision", training.precision),
            *([] if (fit := overfitting_of(training)) is None else [("Overfitting", fit.in_words)]),
        ]
    )


def _predicted(value: float | None, shown: Callable[[float], str]) -> str:
    return "" if value is None else f" ({shown(value)} predicted)"


def _tokens(training: TrainingSection) -> str:
    shared = training.logical_tokens - training.executed_tokens
    if shared <= 0:
        return f"{training.logical_tokens:,}"
    return f"{training.logical_tokens:,}; {training.executed_tokens:,} computed, the rest shared by rows of a step"


def settings_table(settings: Mapping[str, Any]) -> Markup:
    """Every training option in force."""
    rows = [
        tag("tr", tag("th", tag("code", name), scope="row"), tag("td", tag("code", value)))
        for name, value in _flat(settings)
    ]
    head = [tag("th", name, scope="col") for name in ("option", "value")]
    return scrolling("Settings", "Every training option in force, written or default.", head, rows, narrow=True)


def _flat(settings: Mapping[str, Any], before: str = "") -> list[tuple[str, str]]:
    """Options inside options under dotted names."""
    rows: list[tuple[str, str]] = []
    for name, value in settings.items():
        if isinstance(value, Mapping) and value:
            rows += _flat(value, f"{before}{name}.")
        else:
            rows.append((f"{before}{name}", json.dumps(value, ensure_ascii=False, default=str)))
    return rows


def versions_table(versions: Mapping[str, str]) -> Markup:
    """Versions of everything the result may depend on."""
    rows = [
        tag("tr", tag("th", name, scope="row"), tag("td", tag("code", version))) for name, version in versions.items()
    ]
    head = [tag("th", name, scope="col") for name in ("library", "version")]
    return scrolling("Versions", "Versions of everything the result may depend on.", head, rows, narrow=True)
