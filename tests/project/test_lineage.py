"""Training that begins from an earlier candidate: the same answers at its first step, and its parent is remembered."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
import torch

import atanor
from atanor.data.rows import TokenRow
from atanor.errors import AtanorError, ConfigurationError, NotFoundError
from atanor.methods import METHOD_OPTIONS, METHODS, Bench
from atanor.methods.training import Trained
from atanor.models import Base, Tuned, begin_from
from atanor.progress import Silent
from atanor.store import Store
from atanor.train import Supervision, TrainingJob, train
from tests.journeys.projects import write_project
from tests.train.jobs import rows, tiny_base

TOKENS = torch.tensor([[5, 6, 7, 8, 9, 10]])


@torch.no_grad()
def logits(model: Any) -> torch.Tensor:
    found: torch.Tensor = model.eval()(input_ids=TOKENS, use_cache=False).logits[:, -TOKENS.shape[1] :]
    return found


def attached(base: Base, folder: Path, method: str, **options: Any) -> tuple[Tuned, Any]:
    written = METHOD_OPTIONS[method](epochs=1, batch=4, patience=0, learning_rate=1e-2, **options)
    made = METHODS[method]
    assert isinstance(made, Trained)
    every: list[TokenRow] = rows(base, 10)
    bench = Bench(base, "Answer.", Supervision(rows=tuple(every)), Supervision(()), 3, folder, {"atanor": "test"})
    return made.attach(written, bench), written


def trained(base_folder: Path, folder: Path, method: str, **options: Any) -> tuple[Path, torch.Tensor]:
    """What a technique published, and its answers."""
    base = tiny_base(base_folder)
    tuned, written = attached(base, folder, method, **options)
    every = rows(base, 10)
    job = TrainingJob(tuned, every[2:], every[:2], written, 2, 17, folder, {"atanor": "test"})
    result = train(job, Silent())
    return result.folder, logits(tuned.model)


TECHNIQUES = [
    ("lora", {}),
    ("lora", {"dora": True}),
    ("lora", {"ranks": {"down_proj": 3}, "rslora": True}),
    ("full", {}),
    ("last_layers", {"layers": 1}),
    ("ia3", {}),
    ("adapter", {"width": 8}),
    ("prefix_tuning", {"tokens": 4}),
    ("prompt_tuning", {"tokens": 4}),
]


@pytest.mark.parametrize(("method", "options"), TECHNIQUES)
def test_it_begins_with_the_answers_of_its_parent_and_switched_off_is_the_base(
    tiny_base_folder: Path, tmp_path: Path, method: str, options: dict[str, Any]
) -> None:
    folder, answers = trained(tiny_base_folder, tmp_path, method, **options)
    base = tiny_base(tiny_base_folder)
    untouched = logits(base.model)
    tuned, _ = attached(base, tmp_path, method, **options)
    begin_from(tuned, base, folder)
    assert torch.allclose(logits(tuned.model), answers, atol=1e-6)
    assert not torch.allclose(answers, untouched, atol=1e-4)
    with tuned.untouched():
        assert torch.equal(logits(tuned.model), untouched)
    tuned.detach()
    assert torch.equal(logits(base.model), untouched)


def test_a_lower_rank_begins_a_higher_one_exactly(tiny_base_folder: Path, tmp_path: Path) -> None:
    folder, answers = trained(tiny_base_folder, tmp_path, "lora", rank=4)
    base = tiny_base(tiny_base_folder)
    tuned, _ = attached(base, tmp_path, "lora", rank=8)
    begin_from(tuned, base, folder)
    assert torch.allclose(logits(tuned.model), answers, atol=1e-6)


@pytest.mark.parametrize(
    ("method", "options", "said"),
    [
        ("lora", {"rank": 2}, "its rank is 4 in .* and this method's is 2: cutting it would change its answers"),
        ("lora", {"rank": 4, "alpha": 5}, "it scales .* by 2, and this method by 1.25"),
        ("lora", {"rank": 4, "targets": ["q_proj"]}, "it covers other layers"),
        ("lora", {"rank": 4, "start": "pissa"}, "`start: pissa` says how the factors begin"),
        ("ia3", {}, "it holds LORA, and this method trains IA3"),
        ("full", {}, "it holds another technique"),
        ("adapter", {}, "it holds another technique"),
    ],
)
def test_another_technique_or_shape_is_refused_with_the_reason(
    tiny_base_folder: Path, tmp_path: Path, method: str, options: dict[str, Any], said: str
) -> None:
    folder, _ = trained(tiny_base_folder, tmp_path, "lora", rank=4)
    base = tiny_base(tiny_base_folder)
    tuned, _ = attached(base, tmp_path, method, **options)
    with pytest.raises(ConfigurationError, match=said):
        begin_from(tuned, base, folder)


def test_last_layers_do_not_lose_what_full_tuning_changed(tiny_base_folder: Path, tmp_path: Path) -> None:
    folder, _ = trained(tiny_base_folder, tmp_path, "full")
    base = tiny_base(tiny_base_folder)
    tuned, _ = attached(base, tmp_path, "last_layers", layers=1)
    with pytest.raises(ConfigurationError, match="this method would lose it"):
        begin_from(tuned, base, folder)


def test_two_beginnings_are_refused_when_the_file_is_read() -> None:
    with pytest.raises(ValueError, match="`start` and `start_from` both say how the numbers begin"):
        METHOD_OPTIONS["lora"](start="pissa", start_from="counter@1")


def test_a_run_from_a_candidate_remembers_it(tmp_path: Path, tiny_base_folder: Path) -> None:
    path = write_project(tmp_path, tiny_base_folder)
    (first,) = atanor.Project.load(tmp_path).run().reports
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("lora: {", f"lora: {{start_from: {first.candidate}, "), encoding="utf-8")
    (second,) = atanor.Project.load(tmp_path).run().reports
    assert second.run != first.run and second.parent == first.candidate and first.parent is None
    assert f"Training began from {first.candidate}, not afresh." in second.notes
    assert first.training is not None and second.training is not None
    assert second.training.train_loss[0][1] < first.training.train_loss[0][1], "it begins where the first one ended"
    newest, oldest = Store(tmp_path).candidates()
    assert {newest.id: newest.parent, oldest.id: oldest.parent} == {
        second.candidate: first.candidate,
        first.candidate: None,
    }
    conversation = atanor.Project.load(tmp_path).chat(second.candidate)
    assert conversation.description.parent == first.candidate
    path.write_text(text.replace("lora: {", "lora: {start_from: nobody, "), encoding="utf-8")
    with pytest.raises(NotFoundError, match="there is no candidate `nobody`"):
        atanor.Project.load(tmp_path).run()
    path.write_text(
        text.replace("- lora", "- x").replace("methods: [lora: {", "methods: [prompt, lora: {"), encoding="utf-8"
    )
    (told, _) = atanor.Project.load(tmp_path).run().reports
    path.write_text(text.replace("lora: {", f"lora: {{start_from: {told.candidate}, "), encoding="utf-8")
    with pytest.raises(AtanorError, match="it trained nothing"):
        atanor.Project.load(tmp_path).run()


def test_a_database_of_before_there_were_parents_is_read_and_written(tmp_path: Path) -> None:
    (tmp_path / ".atanor").mkdir()
    with sqlite3.connect(tmp_path / ".atanor" / "atanor.db") as old:
        old.execute(
            "CREATE TABLE candidates (id TEXT PRIMARY KEY, run TEXT, role TEXT, method TEXT, base TEXT, folder TEXT, "
            "artefact TEXT, created TEXT)"
        )
        old.execute("INSERT INTO candidates VALUES ('a', 'b', 'c', 'lora', 'pkg:x', 'runs/b', 'f', '2026')")
    old.close()
    assert [one.parent for one in Store(tmp_path).candidates()] == [None]
