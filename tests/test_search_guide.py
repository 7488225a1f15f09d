"""The guide to the search says what is tried, refused and told."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from atanor.project.options import ProjectFile
from atanor.project.write_back import BACKUP
from atanor.train.search.options import Pruner, SearchOptions
from atanor.train.search.outcome import TrialState
from atanor.train.search.space import NOT_SEARCHED, SIZES

GUIDE = (Path(__file__).parents[1] / "docs" / "search.md").read_text(encoding="utf-8")


def test_its_example_is_accepted_and_names_every_option() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", GUIDE, re.S)
    written = yaml.safe_load(block)
    search = written["roles"]["director"]["search"]
    assert search.keys() == SearchOptions.model_fields.keys()
    loaded = ProjectFile.model_validate({"project": "p", "base": "hf:a/b", **written})
    assert loaded.roles["director"].search.trials == SearchOptions().trials


def test_what_it_names_is_there() -> None:
    assert all(f"`{name}`" in GUIDE for name in SIZES)
    refused = GUIDE.partition("Refused, with the")[2].partition("##")[0]
    assert (named := set(re.findall(r"`(\w+)`", refused))) and named <= NOT_SEARCHED.keys()
    assert all(f"`{pruner}`" in GUIDE or f"pruner: {pruner}" in GUIDE for pruner in Pruner)
    assert f"`{TrialState.DIVERGED}`" in GUIDE and f"`{TrialState.FAILED}`" in GUIDE
    assert f"`atanor.yaml{BACKUP}`" in GUIDE
    options = set(re.findall(r"(--[a-z]+)", GUIDE))
    assert options == {"--trials", "--minutes", "--write", "--storage", "--workers", "--open", "--json"}
