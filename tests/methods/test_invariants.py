"""What has to hold of every technique, under every objective that makes sense with it: one row of a table each.

A new technique joins by one entry of `TECHNIQUES`.
"""

from __future__ import annotations

import itertools
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from torch import Tensor
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, BitsAndBytesConfig

from atanor.compute import Engine, Route
from atanor.data import PreferencePair, TokenRow
from atanor.errors import ConfigurationError
from atanor.methods import METHOD_OPTIONS, METHODS, Bench
from atanor.methods.training import Trained
from atanor.models import Base, Tuned, load_tuned
from atanor.progress import Silent
from atanor.train import OBJECTIVES, Supervision, TrainingJob, train
from tests.train.jobs import rows, tiny_base
from tests.train.teachers import KnownTeachers

TOKENS = torch.tensor([[5, 6, 7, 8, 9, 10]])


@dataclass(frozen=True)
class Row:
    """A technique as a project writes it, and what is known of it.

    Attributes:
        method: its name.
        options: what differs from the defaults.
        route: how the engine computes with it.
        merges: whether it can be folded into the base's weights.
        plain: whether PEFT or Transformers alone load what is published.
        quantised: the base beneath it is kept in 4 bits, which is another base.
        base: which tiny base; `t5` and `bart` have an encoder and a decoder.
    """

    method: str
    options: dict[str, Any] = field(default_factory=dict)
    route: Route = Route.FOREST
    merges: bool = True
    plain: bool = True
    quantised: bool = False
    base: str = "llama"

    def __str__(self) -> str:
        written = (f"{key}={value}" for key, value in self.options.items())
        return "-".join([self.method, *(() if self.base == "llama" else (self.base,)), *written])


PREFIX = Row("prefix_tuning", {"tokens": 4}, Route.SEPARATE, merges=False)
TECHNIQUES = [
    Row("lora"),
    Row("lora", {"rslora": True, "ranks": {"down_proj": 3}, "targets": ["q_proj", "v_proj", "down_proj"]}),
    Row("lora", {"second_factor": 16}),
    Row("lora", {"dora": True}),
    Row("lora", {"start": "pissa", "rank": 4}),
    Row("qlora", quantised=True),
    Row("qlora", {"levels": "fp4", "double": False, "dora": True, "targets": ["q_proj", "down_proj"]}, quantised=True),
    Row("full"),
    Row("last_layers", {"layers": 1}),
    Row("last_layers", {"layers": 2, "head": True}),
    Row("ia3"),
    Row("adapter", {"width": 8}, merges=False, plain=False),
    Row("adapter", {"width": 8, "placement": "houlsby", "activation": "gelu"}, merges=False, plain=False),
    # Two optimizers as one: their state has to come back too.
    Row("adapter", {"width": 8, "optimizer": "muon"}, merges=False, plain=False),
    # Its weights of training are not those to use.
    Row("lora", {"optimizer": "schedule_free"}),
    Row("lora", {"optimizer": "adamw_8bit", "rank": 64}),
    PREFIX,
    Row("prompt_tuning", {"tokens": 4}, Route.SEPARATE, merges=False),
    # A base of an encoder and a decoder.
    Row("lora", {}, Route.SEPARATE, base="t5"),
    Row("qlora", {}, Route.SEPARATE, quantised=True, base="t5"),
    Row("full", {}, Route.SEPARATE, base="t5"),
    Row("last_layers", {"layers": 1}, Route.SEPARATE, base="t5"),
    Row("ia3", {}, Route.SEPARATE, base="t5"),
    Row("prefix_tuning", {"tokens": 4}, Route.SEPARATE, merges=False, base="t5"),
    Row("prompt_tuning", {"tokens": 4}, Route.SEPARATE, merges=False, base="t5"),
    Row("lora", {"dora": True}, Route.SEPARATE, base="bart"),
    Row("ia3", {}, Route.SEPARATE, base="bart"),
    Row("prefix_tuning", {"tokens": 4}, Route.SEPARATE, merges=False, base="bart"),
]
OF_EVERY_TECHNIQUE = ("completion", "dpo")
WITH_EVERY_OBJECTIVE = (Row("lora"), Row("full"), PREFIX)
DISTILLATION: dict[str, dict[str, Any]] = {
    "distillation, the student writes": {
        "teacher": "other",
        "source": "student",
        "every": 2,
        "divergence": "jensen_shannon",
        "write": {"max_new_tokens": 8},
    },
    "distillation, from the base as it was": {
        "teacher": "itself",
        "divergence": "reverse",
        "temperature": 2,
        "share": 0.3,
    },
    "distillation, of drawn tokens": {"teacher": "other", "cache": "sampled", "draws": 4, "share": 0.9},
}
"""What a project writes, by what is special about it; each with one technique of another kind."""
TABLE = [
    *itertools.product(TECHNIQUES, OF_EVERY_TECHNIQUE),
    *itertools.product(
        WITH_EVERY_OBJECTIVE, [name for name in OBJECTIVES if name not in (*OF_EVERY_TECHNIQUE, "distillation")]
    ),
    *zip(WITH_EVERY_OBJECTIVE, DISTILLATION, strict=True),
]


def test_the_table_has_every_method_that_trains() -> None:
    assert {row.method for row in TECHNIQUES} == {name for name, made in METHODS.items() if isinstance(made, Trained)}
    assert {objective.partition(",")[0] for _, objective in TABLE} == OBJECTIVES.keys()
    assert len(TABLE) == 2 * 28 + 3 * 4 + 3


@dataclass(frozen=True)
class Maker:
    """Trains one row of the table on the tiny base, anew for each folder."""

    row: Row
    objective: str
    base_folder: Path

    def job(self, folder: Path, **options: Any) -> tuple[Base, TrainingJob]:
        base = tiny_base(self.base_folder)
        every = rows(base, 10)
        taught = Supervision(every, pairs(every))
        known = KnownTeachers(base)
        versions = {"atanor": "test"}
        bench = Bench(base, "Answer the question.", taught, Supervision([]), 3, folder, versions, teachers=known)
        special = DISTILLATION.get(self.objective)
        chosen = {
            "objective": self.objective if special is None else {"distillation": special},
            "learning_rate": METHOD_OPTIONS[self.row.method].model_fields["learning_rate"].default,
            "epochs": 2,
            "batch": 4,
            "validate_every": 1,
            "patience": 0,
            "keep_checkpoints": 9,
            **options,
        }
        written = METHOD_OPTIONS[self.row.method](**{**self.row.options, **chosen})
        made = METHODS[self.row.method]
        assert isinstance(made, Trained)
        choice = written.objective
        kind = OBJECTIVES[choice.name]
        material = kind.prepare(choice.options, bench.material, Silent())
        tuned = made.attach(written, bench)
        items = kind.items(choice.options, material.training).items[:10]
        job = TrainingJob(
            tuned=tuned,
            training=items[2:],
            validation=items[:2],
            options=written,
            pad=2,
            seed=17,
            folder=folder,
            versions={"atanor": "test"},
            objective=kind.build(choice.options, tuned, material),
        )
        return base, job

    def trained(self, folder: Path, **options: Any) -> Tuned:
        _, job = self.job(folder, **options)
        train(job, Silent())
        return job.tuned


def pairs(every: list[TokenRow]) -> list[PreferencePair]:
    """Each row against the next one."""
    return [
        PreferencePair(f"pair{number}", chosen, rejected)
        for number, (chosen, rejected) in enumerate(itertools.pairwise(every))
    ]


@torch.no_grad()
def logits(model: Any) -> Tensor:
    """Of the last places: virtual tokens before them have logits too."""
    reading = {"decoder_input_ids": TOKENS} if model.config.is_encoder_decoder else {}
    found: Tensor = model.eval()(input_ids=TOKENS, use_cache=False, **reading).logits[:, -TOKENS.shape[1] :]
    return found


@pytest.fixture(params=TABLE, ids=lambda pair: f"{pair[0]}-{pair[1]}")
def maker(request: pytest.FixtureRequest, tiny_bases: dict[str, Path]) -> Maker:
    row, objective = request.param
    return Maker(row, objective, tiny_bases[row.base])


def test_what_holds_of_every_technique(maker: Maker, tmp_path: Path) -> None:
    row = maker.row
    untouched = logits(tiny_base(maker.base_folder).model)
    base, job = maker.job(tmp_path / "run")
    tuned = job.tuned
    begun = logits(tuned.model)
    if row.quantised:
        assert not torch.allclose(begun, untouched, atol=1e-4), "quantisation changes the base"
    elif row.method not in ("prefix_tuning", "prompt_tuning"):
        assert torch.allclose(begun, untouched, atol=1e-5), "it begins as the base"
    assert Engine(tuned.model, pad=2).route is row.route
    result = train(job, Silent())
    changed = logits(tuned.model)
    assert not torch.allclose(changed, untouched, atol=1e-4), "something was learned"
    with tuned.untouched():
        assert torch.equal(logits(tuned.model), begun if row.quantised else untouched), "switched off it is the base"
    assert torch.equal(logits(tuned.model), changed)
    trained = numbers(tuned, tmp_path)
    tuned.detach()
    assert torch.equal(logits(base.model), untouched), "taken off it is the base"
    again = load_tuned(base, result.folder)
    assert torch.allclose(logits(again.model), changed, atol=1e-6), "saved and loaded it is the same"
    if row.plain:
        assert torch.allclose(logits(elsewhere(result.folder, maker.base_folder)), changed, atol=1e-5)
    if row.merges:
        assert torch.allclose(logits(again.merge()), changed, atol=1e-4)
    else:
        with pytest.raises(ConfigurationError, match="cannot be merged"):
            again.merge()
    for step in (1, 2):  # the best may be before the one that is resumed from
        shutil.copytree(tmp_path / "run" / f"checkpoint-{step}", tmp_path / "resumed" / f"checkpoint-{step}")
    resumed = numbers(maker.trained(tmp_path / "resumed"), tmp_path)
    assert trained.keys() == resumed.keys()
    assert [name for name in trained if not torch.equal(trained[name], resumed[name])] == [], "resumed, bit for bit"
    cut = numbers(maker.trained(tmp_path / "cut", tokens_per_pass=16), tmp_path)
    largest = max(float(one.abs().max()) for one in trained.values())
    differences = [float((trained[name] - cut[name]).abs().max()) for name in trained]
    assert max(differences) <= 1e-4 * largest, "however a window is cut into passes"


def numbers(tuned: Tuned, folder: Path) -> dict[str, Tensor]:
    """Everything that trains, as a checkpoint has it."""
    scratch = folder / "numbers"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    tuned.save(scratch)
    (file,) = scratch.glob("*.safetensors")
    return load_file(file)


def elsewhere(folder: Path, base: Path) -> Any:
    """What PEFT or Transformers load, without Atanor."""
    pair = AutoConfig.from_pretrained(base).is_encoder_decoder
    family = AutoModelForSeq2SeqLM if pair else AutoModelForCausalLM
    if (folder / "adapter_config.json").is_file():
        quantised = folder / "quantisation.json"
        settings = json.loads(quantised.read_text("utf-8")) if quantised.is_file() else None
        network = family.from_pretrained(
            base, dtype=torch.float32, quantization_config=settings and BitsAndBytesConfig(**settings)
        )
        return PeftModel.from_pretrained(network, str(folder))
    return family.from_pretrained(folder, dtype=torch.float32)
