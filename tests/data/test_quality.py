"""The quality score: faults cost, and what is no prose is not measured as prose."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atanor.data.checks.quality import PARTS, Quality, quality_scores
from tests.data.real_texts import real_rows

GOOD = (
    "Camels store fat in their humps. When food is scarce, they burn it, which gives them energy and some water. "
    "Their long legs keep the body away from the hot sand, and their noses hold back moisture."
)
QUESTION = "Why can camels survive for long without water?"


def quality_of(answer: str | None, prompt: str | None = QUESTION) -> Quality:
    return quality_scores(pa.array([prompt], pa.string()), pa.array([answer], pa.string()))


def part(name: str, answer: str, prompt: str = QUESTION) -> float:
    return float(getattr(quality_of(answer, prompt), name)[0])


def test_a_good_answer_has_every_part_and_the_best_score() -> None:
    scores = quality_of(GOOD)
    assert {name: float(getattr(scores, name)[0]) for name in PARTS if name != "layout"} == dict.fromkeys(
        [name for name in PARTS if name != "layout"], pytest.approx(1)
    )
    assert scores.overall[0] == pytest.approx(1)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("completeness", GOOD[:-10] + " and the"),
        ("completeness", GOOD + " It is true that,"),
        ("completeness", "```python\nprint(1)\n"),
        ("repetition", "the camel drinks the water and " * 20),
        ("word_length", " ".join(GOOD[:160].replace(" ", ""))),
        ("symbols", "### @@@ ~~~ ^^^ *** %%% +++ 123 456 789 ### a b c d e @@ ##"),
        ("capitals", GOOD.upper()),
        ("entropy", "aaaa aaaaa aaaa aaa aaaa aaaaa aaaa aaaa aaaa aaaa aaaaa aaaa aaaa aaaaa"),
        ("echo", QUESTION),
        ("echo", QUESTION + " Yes."),
        ("links", "see these: one two three four five six seven eight " + "https://example.org/a/b/c/d " * 20),
        ("layout", "and so it goes on ...\nand on and on ...\nand on again ...\nuntil the end ..."),
        ("length", ""),
        ("length", "word " * 100_001),
    ],
)
def test_each_fault_costs_its_part_and_the_whole(name: str, answer: str) -> None:
    assert part(name, answer) <= 0.5
    assert part("overall", answer) <= 0.75


@pytest.mark.parametrize(
    "answer",
    [
        "card_arrival",
        "Paris",
        "YES",
        "42",
        "¡Órdago!",
        "Envido, quiero.",
        '{"intent": "BookFlight", "slots": {"city": "MADRID", "day": "MON"}}',
        "SELECT COUNT(*) FROM HEADPHONES WHERE CLASS = 'MID-FI' AND PRICE > 100 AND YEAR = 2012",
        "find . -type f -name '*.txt' -print0 | xargs -0 grep -l 'foo' | sort | uniq -c | sort -rn | head -n 5",
        "def add(a, b):\n    return a + b\n\n\ndef sub(a, b):\n    return a - b\n",
        "Абсолютному нулю соответствует температура по шкале Цельсия или Фаренгейта, и ниже её нет ничего в природе.",
        "我们可以使用服务拆分和管理，更好地保证系统的可靠性和可维护性。",
    ],
)
def test_labels_code_dialogue_and_other_scripts_are_not_punished(answer: str) -> None:
    assert part("overall", answer) >= 0.85


def test_parts_that_do_not_apply_are_nan() -> None:
    scores = quality_of("card_arrival", prompt="")
    assert all(np.isnan(getattr(scores, name)[0]) for name in PARTS)
    assert scores.overall[0] == 1


def test_an_empty_answer_scores_nothing() -> None:
    assert quality_of(None).overall[0] == quality_of(" \n ").overall[0] == 0
    assert len(quality_scores(pa.array([], pa.string()), pa.array([], pa.string())).overall) == 0


@given(st.lists(st.tuples(st.text(max_size=50), st.text(max_size=120)), min_size=1, max_size=8))
def test_scores_lie_between_0_and_1_and_do_not_depend_on_the_neighbours(rows: list[tuple[str, str]]) -> None:
    pairs = [tuple(text.encode("utf-8", "ignore").decode() for text in row) for row in rows]
    prompts, answers = (pa.array([pair[side] for pair in pairs], pa.string()) for side in (0, 1))
    together = quality_scores(prompts, answers)
    for place, (prompt, answer) in enumerate(pairs):
        alone = quality_of(answer, prompt)
        for name in ("overall", *PARTS):
            score = float(getattr(together, name)[place])
            assert (np.isnan(score) and name != "overall") or 0 <= score <= 1
            assert np.isclose(score, float(getattr(alone, name)[0]), equal_nan=True)


def test_people_write_well_and_a_small_model_cuts_off_and_echoes_more() -> None:
    pairs = real_rows("dolly_vs_flan_t5")
    prompts = pa.array([row["prompt"] for row in pairs])
    people = quality_scores(prompts, pa.array([row["chosen"] for row in pairs])).overall
    model = quality_scores(prompts, pa.array([row["rejected"] for row in pairs])).overall
    assert people.mean() >= 0.98
    assert (model < 0.6).mean() > (people < 0.6).mean()


@pytest.mark.parametrize(("name", "pattern", "column"), [("nl2bash", "*.jsonl", "cmd"), ("gsm8k", "*.gz", "answer")])
def test_commands_and_calculations_are_not_called_bad(name: str, pattern: str, column: str) -> None:
    answers = [row[column] for row in real_rows(name, pattern)][:4000]
    overall = quality_scores(pa.array([""] * len(answers)), pa.array(answers)).overall
    assert (overall < 0.6).mean() <= 0.002
