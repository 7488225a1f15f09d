"""Every value in force, and where it came from."""

from __future__ import annotations

import re
from pathlib import Path

from atanor.project.explain import ExplainedValue, explain
from atanor.project.file import load_project_file
from atanor.project.notation import option_groups
from tests.project.sample import BOOKS, FULL, SHORT, write_project

COMPOSED = {
    *("roles", "data", "probes", "windows", "instructions", "clean", "check", "split", "render", "methods", "generate"),
    *("track", "evaluate", "metrics", "augment", "filter", "local", "techniques", "endpoint", "report", "launch"),
    "search",
    *("against_forgetting", "replay", "self_written", "kl_to_base", "ewc", "average", "write", "judge"),
}
"""Keys whose values are groups of options, told one by one."""


def explained(root: Path, text: str) -> dict[str, ExplainedValue]:
    values = explain(load_project_file(write_project(root, text)))
    assert len({value.path for value in values}) == len(values)
    return {value.path: value for value in values}


def test_every_option_of_every_group_is_told(tmp_path: Path) -> None:
    values = explained(tmp_path, FULL) | explained(tmp_path, BOOKS)
    told = {re.sub(r"\[\d+\]", "", path) for path in values}
    told |= {re.sub(r"methods\.\w+\.objective", "methods.NAME.objective", path) for path in told}
    told |= {re.sub(r"methods\.\w+\.against", "methods.NAME.against", path) for path in told}
    groups = list(option_groups())
    for group in groups:
        place = group.place.replace("roles.NAME", "roles.director").replace("metrics.NAME", "metrics.rouge_l")
        place = place.replace("techniques.NAME", "techniques.paraphrase")
        for key in group.model.model_fields.keys() - COMPOSED:
            # The name of a metric and of a technique is told as the value of its place in the list.
            named = key in ("name", "method") and not place.endswith(".search")
            path = place.rpartition(".")[0] if named else f"{place}.{key}".removeprefix(".")
            assert path in told
    assert len(groups) == 63


def test_a_written_value_names_its_line_and_a_default_says_so(tmp_path: Path) -> None:
    told = explained(tmp_path, FULL)
    assert told["roles.director.split.test"] == ExplainedValue("roles.director.split.test", "48", "line 19")
    rank = "roles.director.methods[2].lora.rank"
    assert told[rank] == ExplainedValue(rank, "8", "line 32")
    tokens = "roles.director.methods[2].lora.tokens_per_pass"
    assert told[tokens] == ExplainedValue(tokens, "1,024 on a processor, 16,384 on a GPU", "default")
    assert told["roles.director.metrics[0].json_schema.argument"].value == "schema/beat.json"
    assert told["roles.director.gates"].value == "json_schema better by 0.2; forgetting within 0.05"


def test_values_that_other_options_decide_are_told_in_words(tmp_path: Path) -> None:
    told = explained(tmp_path, SHORT + "    methods: [prompt, lora]\n")
    assert told["roles.director.base"].value == "the project's"
    assert told["roles.director.methods[0].prompt.system"].value == "the role's goal"
    assert told["roles.director.methods[1].lora.alpha"].value == "2 x rank"
    assert told["roles.director.render.max_tokens"].value == "the base model's context"


def test_where_metrics_and_methods_come_from(tmp_path: Path) -> None:
    told = explained(tmp_path, SHORT)
    assert told["roles.director.methods[0]"] == ExplainedValue("roles.director.methods[0]", "lora", "default")
    metrics = [told[f"roles.director.metrics[{n}]"] for n in range(3)]
    assert [(metric.value, metric.source) for metric in metrics] == [
        ("perplexity", "default of task answer"),
        ("rouge_l", "default of task answer"),
        ("forgetting", "always measured"),
    ]


def test_paths_are_those_of_the_file(tmp_path: Path) -> None:
    listed = SHORT.replace("{path: data/director.jsonl, prompt: note, completion: beat}", "[a.jsonl, {path: b.jsonl}]")
    told = explained(tmp_path, listed)
    assert told["roles.director.data[0].path"].source == "line 6"
    assert told["roles.director.data[1].path"].value == "b.jsonl"
    assert "roles.director.data.path" in explained(tmp_path, SHORT)
