"""A CI job asks whether candidates pass, and an artefact says what it is wherever it is copied to."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

from typer.testing import CliRunner

import atanor
from atanor.cli.app import app
from tests.journeys.projects import write_project

ROLE = "    methods: [prompt, {lora: {max_steps: 2}}]\n    metrics: [perplexity]\n    gates: [items at least 5]\n"


def asked(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["gate", *words])
    return done.exit_code, done.stdout


def test_gates_become_an_exit_code_and_a_file_and_the_artefact_has_its_card(
    tmp_path: Path, tiny_base_folder: Path
) -> None:
    path = write_project(tmp_path, tiny_base_folder, role=ROLE)
    path.write_text(
        path.read_text(encoding="utf-8").replace("data: rows.jsonl", "data: {path: rows.jsonl, licence: CC0-1.0}"),
        "utf-8",
    )
    project = atanor.Project.load(path)
    prompt, lora = (report.run for report in project.run().reports)

    code, screen = asked(prompt, lora, "-p", str(path), "--junit", str(tmp_path / "gates.xml"))
    assert code == 0 and screen.count("items at least 5") == 2 and screen.count("independent test items") == 2
    suites = ET.parse(tmp_path / "gates.xml").getroot()
    assert [suite.get("failures") for suite in suites] == ["0", "0"]

    card = (project.report_page(lora).parent / "adapter" / "README.md").read_text(encoding="utf-8")
    assert "tuned by `lora`" in card and "CC0-1.0" in card

    path.write_text(path.read_text(encoding="utf-8").replace("at least 5", "at least 5000"), "utf-8")
    missed = atanor.Project.load(path).run(method="prompt").reports[0].run
    code, printed = asked(prompt, missed, "-p", str(path), "--json")
    assert code == 3
    assert [one["decision"] for one in json.loads(printed)["candidates"]] == ["pass", "fail"]
