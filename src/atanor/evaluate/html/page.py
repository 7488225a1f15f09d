"""The page: head, sections in reading order, and the policy that keeps it to itself."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from atanor.evaluate.html import tables
from atanor.evaluate.html.calibration import calibration
from atanor.evaluate.html.contamination import contamination_part
from atanor.evaluate.html.forest import forest
from atanor.evaluate.html.items import Reading, best_and_worst, browser
from atanor.evaluate.html.lengths import answer_lengths
from atanor.evaluate.html.losses import loss_curves
from atanor.evaluate.html.scores import item_scores
from atanor.evaluate.html.tradeoff import gain_against_forgetting
from atanor.evaluate.html.words import SIGNS, STYLES
from atanor.evaluate.report import ProbeSection, Report
from atanor.page import framed
from atanor.page.figures import things
from atanor.page.layout import Section, contents, date, facts_list, laid_out
from atanor.page.markup import Markup, join, tag


def render_html(report: Report) -> str:
    """One self-contained HTML file: nothing is loaded from anywhere, and it reads well without scripts.

    Args:
        report: of one candidate against the baseline. Its texts are shown, never interpreted.
    """
    sections = _sections(report)
    body = [
        tag("a", "Skip to the metrics", href="#metrics", class_="skip"),
        " ",
        _header(report),
        contents(sections),
        tag("main", [laid_out(section) for section in sections], id="main"),
        _footer(report),
    ]
    return framed(
        f"{report.verdict}: {report.role} · {report.project}",
        body,
        generator=f"atanor {report.versions.get('atanor', '')}".strip(),
        script=_browser_script(),
    )


@cache
def _browser_script() -> str:
    return files("atanor.evaluate.html").joinpath("browser.js").read_text(encoding="utf-8")


def _header(report: Report) -> Markup:
    licence = report.base_licence or "licence not stated"
    facts = [
        ("Candidate", tag("code", report.candidate)),
        ("Released", tag("code", report.released) if report.released else "no"),
        ("Base", join(tag("code", report.base), f" · {licence}")),
        ("Run", join(tag("code", report.run), f" · {date(report.created)}")),
    ]
    return tag(
        "header",
        tag("p", report.project, tag("span", " / ", aria_hidden="true"), report.role, class_="overline"),
        tag(
            "h1",
            tag("span", SIGNS[report.verdict], class_="sign", aria_hidden="true"),
            " ",
            report.verdict.capitalize(),
            class_=STYLES[report.verdict],
        ),
        tag("p", report.headline, class_="headline"),
        tag("p", "Goal: ", report.goal, class_="goal"),
        facts_list(facts),
    )


def _sections(report: Report) -> list[Section]:
    reading = Reading.of(report)
    believed = calibration(report.items)
    first = f" on {reading.metrics[0].label}" if reading.metrics else ""
    comparisons = report.comparisons
    return [
        Section("metrics", "Metrics", _metrics(report)),
        Section("gates", "Gates", tables.gate_table(report.gates)),
        Section("contamination", "Test items in the training rows", contamination_part(report.contamination)),
        *(
            Section(f"probes-{number}", section.title, _probes(section, report.confidence))
            for number, section in enumerate(report.sections, 1)
        ),
        Section("training", "Training", _training(report)),
        Section("scores", "Scores of single items", tag("div", item_scores(comparisons), class_="plots")),
        *([] if believed is None else [Section("calibration", "Calibration", tag("div", believed, class_="plots"))]),
        Section("lengths", "Length of the answers", tag("div", answer_lengths(report.items), class_="plots")),
        Section("extremes", "Largest gains and losses", best_and_worst(reading), first),
        Section("browser", f"All {things(len(report.items), 'item')}", browser(reading)),
        Section("data", "Data", tables.data_part(report.data)),
        Section("reproduce", "How to reproduce", _reproduce(report)),
        Section("notes", "Notes", _notes(report.notes)),
    ]


def _metrics(report: Report) -> Markup:
    if not report.comparisons:
        return tag("p", "Nothing was measured.", class_="absent")
    shows = "; ".join(report.test_shows)
    return join(
        tables.metric_table(report.comparisons, report.confidence),
        tag("p", f"What the test could show, told before training: {shows}.") if shows else None,
        forest(report.comparisons, report.confidence),
        tag("div", gain_against_forgetting(report.comparisons), class_="plots"),
    )


def _probes(section: ProbeSection, confidence: float) -> Markup:
    return join(
        tag("ul", [tag("li", sentence) for sentence in section.about]),
        tables.metric_table(section.comparisons, confidence),
        forest(section.comparisons, confidence),
    )


def _training(report: Report) -> Markup:
    training = report.training
    if training is None:
        return tag("p", "Nothing was trained: the base answered with another prompt.", class_="absent")
    facts = tag("div", tables.training_facts(training), class_="facts")
    return join(
        tag("div", loss_curves(training), facts, class_="columns"),
        tag("details", tag("summary", "All settings"), tables.settings_table(training.settings), open=True),
    )


def _reproduce(report: Report) -> Markup:
    version = report.versions.get("atanor")
    install = f"python -m pip install atanor=={version}" if version else "python -m pip install atanor"
    run = f"atanor run --role {shlex.quote(report.role)}"
    if report.training is not None:
        run += f" --method {shlex.quote(report.training.method)}"
    steps = [
        join("Install the same version: ", tag("code", install)),
        join("Save the project file below as ", tag("code", "atanor.yaml"), ", with its data beside it."),
        join("In that folder: ", tag("code", run)),
        join("Compare the hashes of data and split with those above, and the base's: ", _base_hash(report)),
    ]
    return join(
        tag("ol", [tag("li", step) for step in steps], class_="steps"),
        tag("h3", "The project file, as it was run"),
        tag("pre", report.project_file, class_="file scroll", tabindex="0", aria_label="Project file", role="region"),
        tables.versions_table(report.versions),
    )


def _base_hash(report: Report) -> Markup:
    return tag("code", report.base_sha, class_="hash")


def _notes(notes: Sequence[str]) -> Markup:
    if not notes:
        return tag("p", "Nothing out of the ordinary happened.", class_="absent")
    return tag("ul", [tag("li", note) for note in notes])


def _footer(report: Report) -> Markup:
    version = report.versions.get("atanor", "")
    return tag("footer", tag("p", f"Made by Atanor {version}. This file is complete: it loads nothing from anywhere."))
