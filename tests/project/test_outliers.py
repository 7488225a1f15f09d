"""Rows by the base's own loss: the scores are those of the base, the ends are in order, the z-scores robust."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import atanor
from atanor.errors import ConfigurationError
from atanor.project.outliers import OUTLIER, modified_z_scores
from tests.journeys.projects import write_project

NUMBERS = st.lists(st.integers(-1000, 1000).map(lambda number: number / 8), min_size=1, max_size=30)


def test_z_scores_by_hand() -> None:
    """Median 2.45, median absolute deviation 0.15: 0.6745 (8.2 - 2.45) / 0.15 is 25.9."""
    scores = modified_z_scores([2.1, 2.6, 2.4, 2.5, 2.3, 2.1, 2.3, 2.6, 8.2, 8.3])
    assert [round(score, 1) for score in scores[-2:]] == [25.9, 26.3]
    assert (np.abs(scores[:-2]) < OUTLIER).all() and (np.abs(scores[-2:]) > OUTLIER).all()


@given(NUMBERS, st.integers(-50, 50), st.sampled_from([0.5, 2.0, 8.0]))
def test_z_scores_do_not_hang_on_the_unit(values: list[float], shift: int, factor: float) -> None:
    scores = modified_z_scores(values)
    assert np.median(scores) == 0 and np.isfinite(scores).all()
    assert np.allclose(modified_z_scores([value * factor + shift for value in values]), scores)
    assert np.allclose(modified_z_scores([-value for value in values]), -scores)


def test_one_value_apart_from_equal_ones_is_an_outlier() -> None:
    scores = modified_z_scores([1.0] * 20 + [4.0])
    assert (scores[:20] == 0).all() and scores[20] > OUTLIER
    assert (modified_z_scores([2.0] * 5) == 0).all()


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory, tiny_base_folder: Path) -> atanor.Project:
    folder = tmp_path_factory.mktemp("outliers")
    write_project(folder, tiny_base_folder, role="    augment: {techniques: [typos], filter: {embedder: lexical}}\n")
    return atanor.Project.load(folder)


def test_the_losses_are_those_of_the_base(counted: atanor.Project) -> None:
    """The first row's loss, computed by plain Transformers."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    found = counted.outliers("counter")
    folder = found.base.removeprefix("path:")
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    for row in (found.rows[0], found.rows[-1]):
        turns = [{"role": "user", "content": row.prompt}]
        head = tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
        prompt = tokenizer(head, add_special_tokens=False)["input_ids"]
        answer = tokenizer(f"{row.answer}<|im_end|>", add_special_tokens=False)["input_ids"]
        with torch.no_grad():
            logits = model(torch.tensor([prompt + answer])).logits[0, len(prompt) - 1 : -1].double()
        loss = float(torch.nn.functional.cross_entropy(logits, torch.tensor(answer)))
        assert (row.tokens, round(row.loss, 4)) == (len(answer), round(loss, 4))


def test_rows_are_in_order_with_their_places(counted: atanor.Project) -> None:
    found = counted.outliers()
    losses = [row.loss for row in found.rows]
    assert losses == sorted(losses, reverse=True) and len(found.rows) > 40
    assert {row.technique for row in found.rows} == {None, "typos"}
    assert all(row.source == "rows.jsonl" and row.line > 0 for row in found.rows)
    assert math.isclose(found.median, float(np.median(losses)))
    assert all(row.z > OUTLIER for row in found.surprising) and all(row.z < -OUTLIER for row in found.obvious)
    assert set(found.surprising) | set(found.obvious) == {row for row in found.rows if row.is_outlier}


def test_of_several_roles_one_is_named(tmp_path: Path, tiny_base_folder: Path) -> None:
    path = write_project(tmp_path, tiny_base_folder)
    text = path.read_text(encoding="utf-8")
    path.write_text(f"{text}  other:\n    goal: Answer otherwise.\n    data: rows.jsonl\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="Name one with --role: counter, other"):
        atanor.Project.load(path).outliers()
