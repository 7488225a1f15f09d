"""Answers that stand in their prompt: measured word for word, labels and short answers let be."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from atanor.data.checks.leaks import find_leaks, leak_shares
from tests.data.real_texts import real_rows

ANSWER = "Camels store fat in their humps, and they burn it when food and water are scarce."
"""16 words."""


def shares(prompt: str | None, answer: str | None, **options: float) -> float:
    found = leak_shares(pa.array([prompt], pa.string()), pa.array([answer], pa.string()), **options)  # type: ignore[arg-type]
    return float(found[0])


def test_an_answer_in_its_prompt_is_told_by_how_much() -> None:
    prompts = pa.array(["Why?", f"Why do camels live long? {ANSWER} Answer now."])
    (found,) = find_leaks(prompts, pa.array([ANSWER, "So: " + ANSWER]))
    assert (found.text, found.rule, found.shown) == (1, "leaks.answer_in_prompt", repr(ANSWER[:-1])[:59] + "…")
    assert found.reason == "94% of the answer, 16 words in a row, stand in its prompt"
    assert found.fix == "Take the answer out of the prompt, or set `leaks: off` where the task is to quote"
    assert ("So: " + ANSWER)[found.start : found.end] == ANSWER[:-1]


def test_case_punctuation_and_line_breaks_do_not_hide_a_leak() -> None:
    assert shares("HINT — " + ANSWER.upper().replace(" ", "\n").replace(",", " ;"), ANSWER) == 1


def test_a_part_counts_from_the_least_share_on() -> None:
    words = ANSWER.split()
    assert shares(" ".join(words[:13]), ANSWER) == pytest.approx(13 / 16)
    assert shares(" ".join(words[:12]), ANSWER) == 0
    assert shares(" ".join(words[:12]), ANSWER, least_share=0.75) == pytest.approx(12 / 16)
    assert shares(" ".join([*words[:8], "not", *words[8:]]), ANSWER) == 0


def test_labels_and_short_answers_are_no_leaks() -> None:
    assert shares("Is it card_arrival or card_linking? Choose.", "card_arrival") == 0
    assert shares("The tower was built by Gustave Eiffel in 1889.", "Gustave Eiffel") == 0
    assert shares(None, None) == 0
    assert shares("", ANSWER) == 0


@given(
    st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), min_size=4, max_size=14),
    st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), max_size=24),
    st.sampled_from([0.25, 0.5, 0.75, 1.0]),
)
def test_the_run_is_the_longest_there_is(answer: list[str], prompt: list[str], least: float) -> None:
    def stands(start: int, stop: int) -> bool:
        return any(prompt[at : at + stop - start] == answer[start:stop] for at in range(len(prompt)))

    spans = [(start, stop) for start in range(len(answer)) for stop in range(start + 1, len(answer) + 1)]
    longest = max((stop - start for start, stop in spans if stands(start, stop)), default=0)
    expected = longest / len(answer) if longest >= least * len(answer) else 0
    assert shares(" ".join(prompt), " ".join(answer), least_share=least, fewest_words=1) == pytest.approx(expected)


@given(st.text(max_size=40), st.text(max_size=40))
def test_an_answer_with_words_leaks_wholly_from_a_prompt_that_repeats_it(before: str, after: str) -> None:
    clean = [text.encode("utf-8", "ignore").decode() for text in (before, after)]
    assume("\x00" not in "".join(clean))
    assert shares(f"{clean[0]} {ANSWER} {clean[1]}", ANSWER) == 1


def test_mathematics_and_short_extracts_do_not_leak_and_planted_answers_do() -> None:
    sums = real_rows("gsm8k", "*.gz")
    assert find_leaks(pa.array([row["question"] for row in sums]), pa.array([row["answer"] for row in sums])) == []
    reading = real_rows("xquad", "xquad_en*.jsonl")
    answers = [row["answers"][0] for row in reading]
    answers = [answer if isinstance(answer, str) else answer["text"] for answer in answers]
    found = find_leaks(pa.array([row["context"] for row in reading]), pa.array(answers))
    assert len(found) <= len(answers) / 10
    rows = [row for row in real_rows("dolly_open_qa") if len(row["response"].split()) >= 10]
    planted = pa.array([f"{row['instruction']}\n{row['response']}" for row in rows])
    told = pa.array([row["response"] for row in rows])
    assert len(find_leaks(planted, told)) >= 0.99 * len(rows)
    assert len(find_leaks(pa.array([row["instruction"] for row in rows]), told)) <= len(rows) / 100
