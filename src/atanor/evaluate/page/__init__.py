"""The report as one HTML file that needs nothing else: no network, no fonts, no library; it can be mailed and kept.

In: a `Report`. Out: the page's text. Everything that came from a model or a file is escaped.
"""

from __future__ import annotations

from atanor.evaluate.page.items import browser, extremes
from atanor.evaluate.page.markup import change, facts, number, table, text, verdict
from atanor.evaluate.page.plots import curves, differences, forest, lengths
from atanor.evaluate.page.style import SCRIPT, STYLE
from atanor.evaluate.report import Report, TrainingSection

__all__ = ["render_html"]


def render_html(report: Report) -> str:
    """The whole page."""
    sections = [
        ("Comparison", _comparison(report)),
        ("Gates", _gates(report)),
        ("Item by item", _item_plots(report)),
        ("Best and worst", extremes(report)),
        ("Training", _training(report.training)),
        ("Data", _data(report)),
        ("All test items", browser(report)),
        ("How to make this again", _again(report)),
    ]
    body = "".join(f"<section><h2>{text(name)}</h2>{content}</section>" for name, content in sections if content)
    title = f"{report.role}: {report.verdict}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{text(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body>'
        f"{_head(report)}<main>{body}</main><footer class=soft>Atanor {text(report.versions.get('atanor', ''))} · "
        f"{text(report.created)}</footer><script>{SCRIPT}</script></body></html>"
    )


def _head(report: Report) -> str:
    released = f"Released as <strong>{text(report.released)}</strong>." if report.released else "Not released."
    licence = report.base_licence or "licence not stated"
    return (
        f"<header><p class=soft>{text(report.project)} · {text(report.role)} · run {text(report.run)}</p>"
        f"<h1>{verdict(report.verdict)}</h1><p>{text(report.headline)} {released}</p>"
        f"<p class=soft>Goal: {text(report.goal)}<br>Base: {text(report.base)} ({text(licence)})</p></header>"
    )


def _comparison(report: Report) -> str:
    rows = [
        (
            text(found.label),
            number(found.baseline),
            number(found.candidate),
            text(change(found)),
            number(found.margin),
            f"{found.p_value:.3g}",
            str(found.items) if found.clusters == found.items else f"{found.items} in {found.clusters} clusters",
            verdict(found.verdict),
        )
        for found in report.comparisons
    ]
    head = ("metric", "base", "candidate", "change [interval]", "margin", "p", "items", "verdict")
    caption = (
        "Base and candidate on the same held-out items. The margin is the smallest change of interest; clusters are "
        "resampled together."
    )
    figure = (
        f"<figure>{forest(report.comparisons)}<figcaption>Each metric on its own scale; the band is the margin. "
        "The line is the interval.</figcaption></figure>"
    )
    return table(caption, head, rows, frozenset(range(1, 7))) + figure


def _gates(report: Report) -> str:
    if not report.gates:
        return "<p>The project has no gates: a candidate whose verdict is better is released.</p>"
    rows = [
        ("pass" if gate.passed else "<strong>FAIL</strong>", text(gate.gate), text(gate.reason))
        for gate in report.gates
    ]
    return table("What the project asks of a candidate", ("", "gate", "why"), rows, frozenset())


def _item_plots(report: Report) -> str:
    plots = [differences(found) for found in report.comparisons]
    answers = [(item.baseline_answer, item.candidate_answer) for item in report.items]
    plots.append(
        lengths(
            [len(before) for before, _ in answers if before is not None],
            [len(after) for _, after in answers if after is not None],
        )
    )
    return '<div class="plots">' + "".join(f"<figure>{plot}</figure>" for plot in plots if plot) + "</div>"


def _training(training: TrainingSection | None) -> str:
    if training is None:
        return "<p>Nothing was trained: the untouched base answered with another prompt.</p>"
    rate = training.logical_tokens / training.seconds if training.seconds else 0.0
    measured = facts(
        [
            ("method", training.method),
            ("trained", f"{training.trainable_parameters:,} of {training.total_parameters:,} parameters"),
            ("precision", training.precision),
            ("steps", f"{training.steps}, kept {training.best_step}"),
            ("time", f"{training.seconds:,.0f} s · {rate:,.0f} tokens/s"),
            ("tokens", f"{training.logical_tokens:,}"),
            ("peak memory", f"{training.peak_memory_bytes / 1e9:.1f} GB"),
        ]
    )
    settings = facts((name, value) for name, value in training.settings.items())
    plot = curves(training.train_loss, training.validation_loss, training.best_step)
    figure = f"<figure>{plot}<figcaption>Loss in nats a supervised token.</figcaption></figure>" if plot else ""
    return f"{figure}{measured}<h3>Settings</h3>{settings}"


def _data(report: Report) -> str:
    data = report.data
    share = data.supervised_tokens / data.tokens if data.tokens else 0.0
    counts = (
        f"{data.read:,} read = {data.used:,} used + {data.refused:,} refused + {data.left_out:,} left out + "
        f"{data.duplicates:,} duplicates"
    )
    return facts(
        [
            ("sources", ", ".join(data.sources)),
            ("rows", counts),
            ("split", f"{data.train:,} train · {data.validation:,} validation · {data.test:,} test"),
            ("tokens", f"{data.tokens:,}, {share:.0%} supervised"),
            ("longest", f"{data.longest:,} of {data.context:,} tokens · {data.truncated:,} rows cut"),
            ("dataset", data.dataset_sha),
            ("split hash", data.split_sha),
            ("refused rows", data.quarantine or "none"),
        ]
    )


def _again(report: Report) -> str:
    notes = "".join(f"<li>{text(note)}</li>" for note in report.notes)
    return (
        (f"<ul>{notes}</ul>" if notes else "")
        + "<p>With the same data, this project file and these versions, <code>atanor run --again</code> makes the same "
        f"weights on a processor.</p><h3>Project file</h3><pre>{text(report.project_file)}</pre><h3>Versions</h3>"
        + facts(report.versions.items())
        + facts([("base weights", report.base_sha), ("candidate", report.candidate)])
    )
