"""The guide to the data workshop speaks of commands, options and files that are there."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from atanor.cli.app import data_app
from atanor.data.workshop.decisions import CONTRADICTIONS, DUPLICATES, NEAR_DUPLICATES, SELECT, SPLIT
from atanor.project.notation import option_groups
from atanor.project.options import ProjectFile

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")


def test_its_commands_are_there() -> None:
    known = {command.name for command in data_app.registered_commands}
    named = set(re.findall(r"atanor data (\w+)", GUIDE))
    assert named <= known and len(named) >= 9


def test_its_project_is_one() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", GUIDE, re.S)
    project = ProjectFile.model_validate(yaml.safe_load(text))
    assert project.roles["agent"].check.languages == ("en", "es")


def test_its_options_and_stages_are_there() -> None:
    groups = {group.place.removeprefix("roles.NAME."): set(group.model.model_fields) for group in option_groups()}
    cells = re.findall(r"^\| [\w-]+ \|[^|]+\| (.*?) \|$", GUIDE, re.M)
    for option in re.findall(r"`([\w.]+)`", " ".join(cells)):
        group, _, key = option.rpartition(".")
        assert option in groups or key in groups[group], option
    stages = {SELECT, DUPLICATES, CONTRADICTIONS, NEAR_DUPLICATES.replace("_", "-"), SPLIT, "read", "clean", "check"}
    assert all(f"\n| {stage} |" in GUIDE for stage in stages)


def test_its_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", GUIDE):
        assert (ROOT / "docs" / link).exists(), link
