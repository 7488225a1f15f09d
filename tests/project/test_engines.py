"""The base as an engine of augmentation, and the languages of a project's rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from atanor import inference
from atanor.data import Side
from atanor.data.augmentation.options import LocalOptions
from atanor.inference import Answer, Decoding
from atanor.models import BaseReference, resolve_base
from atanor.progress import Silent
from atanor.project import engines
from atanor.project.engines import BaseEngine, language_identifier, languages_of
from atanor.project.file import load_project_file
from atanor.project.sources import make_dataset

PROMPTS = ["Say a word.", "Say another word, please.", "And one more."]


def engine(base: Path, **options: object) -> BaseEngine:
    local = resolve_base(BaseReference.parse(f"path:{base}"), base, Silent())
    return BaseEngine(local, LocalOptions.model_validate({"max_new_tokens": 12, **options}), 3, Silent())


def test_each_call_draws_anew_and_answers_as_the_options_say(
    tiny_base_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decodings: list[Decoding] = []

    def generate(base: object, model: object, prompts: list[tuple[int, ...]], **more: Any) -> list[Answer]:
        decodings.append(more["decoding"])
        return [Answer(f" {number} ", finished=number != 1) for number in range(len(prompts))]

    monkeypatch.setattr(inference, "generate_answers", generate)
    asked = engine(tiny_base_folder, temperature=0.5)
    assert [asked.generate(PROMPTS), asked.generate(PROMPTS)] == [["0", None, "2"]] * 2
    assert decodings == [Decoding(12, 0.5, seed=3), Decoding(12, 0.5, seed=4)]


def test_the_base_samples_by_its_seed(tiny_base_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tiny base of random weights never ends its answers, so that they are taken as they are written."""
    written: list[list[Answer]] = []
    real = inference.generate_answers
    monkeypatch.setattr(
        inference, "generate_answers", lambda *given, **more: written.append(real(*given, **more)) or written[-1]
    )
    for asked in (engine(tiny_base_folder, temperature=1), engine(tiny_base_folder, temperature=1)):
        asked.generate(PROMPTS)
        asked.generate(PROMPTS)
    assert written[0] != written[1] and written[:2] == written[2:]


def test_an_answer_that_was_cut_and_a_prompt_that_is_too_long_give_nothing(tiny_base_folder: Path) -> None:
    assert engine(tiny_base_folder, temperature=0).generate([PROMPTS[0], "word " * 400]) == [None, None]
    assert engine(tiny_base_folder).generate([]) == []


def project(folder: Path, base: Path, augment: str) -> Path:
    keys = ["grande", "vieja", "rota", "nueva"]
    lines = [
        {"text": f"dime por favor dónde está la llave {keys[index % 4]} de la casa {'x' * index}", "label": "llave"}
        for index in range(40)
    ]
    (folder / "rows.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    path = folder / "atanor.yaml"
    path.write_text(
        f"project: keys\nbase: path:{base}\nroles:\n  keeper:\n    goal: Find it.\n    task: label\n"
        "    data: rows.jsonl\n"
        f"    split: {{test: 10, validation: 4}}\n    check: {{near_duplicates: report}}\n    augment: {augment}\n",
        encoding="utf-8",
    )
    return path


def test_the_base_is_loaded_only_where_a_technique_asks_it(
    tmp_path: Path, tiny_base_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(
        engines.BaseEngine, "generate", lambda self, prompts: asked.append(len(prompts)) or [None] * len(prompts)
    )
    text = "{techniques: [typos], filter: {embedder: lexical}}"
    loaded = load_project_file(project(tmp_path, tiny_base_folder, text))
    made = make_dataset(loaded.file, "keeper", tmp_path, Silent())
    assert not asked and made.version.augmentation is not None
    text = "{techniques: [paraphrase], filter: {embedder: lexical}}"
    loaded = load_project_file(project(tmp_path, tiny_base_folder, text))
    silent = make_dataset(loaded.file, "keeper", tmp_path, Silent())
    assert sum(asked) == len(silent.examples(Side.TRAIN)), "nothing usable was answered"
    asked.clear()
    assert make_dataset(loaded.file, "keeper", tmp_path, Silent()).name == silent.name and not asked, "found again"


def test_short_texts_are_in_the_language_of_the_rows(tmp_path: Path, tiny_base_folder: Path) -> None:
    loaded = load_project_file(project(tmp_path, tiny_base_folder, "[]"))
    made = make_dataset(loaded.file, "keeper", tmp_path, Silent())
    assert languages_of(made) == ("es",)
    identify = language_identifier(lambda: languages_of(made))
    assert identify("no se ve nada en la casa") == "es" and identify("where is the key that I gave you") == "en"
    assert identify("42") is None
