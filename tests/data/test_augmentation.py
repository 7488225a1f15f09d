"""Augmentation as a whole: who the parents are, what is filtered, how many of each class, the same every time."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from atanor.data.augmentation import Augmented, AugmentOptions, Engines, Reason, augment
from atanor.data.augmentation.candidates import parts_of
from atanor.data.augmentation.new_examples import read_answer
from atanor.data.augmentation.novelty import Novelty, rouge_l
from atanor.data.augmentation.options import NewExampleOptions, Rewritten
from atanor.data.augmentation.planning import plan
from atanor.data.rows import Example, Message, Speaker
from atanor.errors import AtanorError, ConfigurationError, DataError

DATA = Path(os.environ.get("ATANOR_DATA", Path(__file__).parents[2] / "../shared/data"))


def row(text: str, answer: str = "an answer", label: str | None = None, line: int = 1, **more: Any) -> Example:
    messages = (Message(Speaker.USER, text), Message(Speaker.ASSISTANT, label or answer))
    return Example(messages, None, "rows.jsonl", line, label=label, **more)


QUESTIONS = [
    "where is the card that i ordered last week",
    "please tell me how to close my account",
    "my transfer to a friend has not arrived yet",
    "how can i change the address on my profile",
    "the machine kept my card and gave me nothing",
    "is there a fee when i pay with another currency",
]
ROWS = [
    row(text, label="cards" if "card" in text else "other_things", line=line, group=f"g{line}")
    for line, text in enumerate(QUESTIONS, start=1)
]


def options(*techniques: dict[str, Any], **more: Any) -> AugmentOptions:
    """Options that need nothing installed: meaning by letters, no threshold."""
    limits = {"embedder": "lexical", "least_similarity": 0.0, **more.pop("filter", {})}
    return AugmentOptions(techniques=techniques, filter=limits, **more)


SWAP = {"method": "eda", "operations": ["random_swap", "random_deletion"], "per_row": 3}
TYPOS = {"method": "typos", "per_row": 2}


def accounted(made: Augmented, asked: int) -> None:
    """Every example asked for is made or told why not, in the results and in the report."""
    assert len(made.examples) + len(made.filtered) == asked == made.report.asked
    assert made.report.made == len(made.examples)
    for one in made.report.techniques:
        assert one.asked == one.made + sum(one.filtered.values())


def test_children_know_their_parent_and_stay_in_its_group() -> None:
    made = augment(ROWS, options(SWAP, TYPOS), seed=1)
    accounted(made, 5 * len(ROWS))
    parents = {example.id: example for example in ROWS}
    assert len(made.examples) > 20
    for child in made.examples:
        parent = parents[child.parent or ""]
        assert (child.group, child.label, child.source, child.line) == (
            parent.group,
            parent.label,
            parent.source,
            parent.line,
        )
        assert child.technique in ("eda", "typos")
        assert child.messages[-1] == parent.messages[-1], "the label stays"
        assert child.messages[0].content != parent.messages[0].content
    assert len({child.id for child in made.examples} | set(parents)) == len(made.examples) + len(ROWS)


def test_equal_seeds_give_equal_rows_and_others_do_not() -> None:
    first, again, other = (augment(ROWS, options(SWAP, TYPOS), seed=seed).examples for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_another_process_makes_the_same() -> None:
    code = (
        "from tests.data.test_augmentation import *\n"
        "print(*(child.id for child in augment(ROWS, options(SWAP, TYPOS), seed=1).examples))"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1] and len(said[0].split()) > 20
    assert said[0].split() == [child.id for child in augment(ROWS, options(SWAP, TYPOS), seed=1).examples]


def test_a_row_makes_the_same_whatever_stands_beside_it() -> None:
    def of_first(made: Augmented) -> list[str]:
        return [child.messages[0].content for child in made.examples if child.line == 1]

    assert of_first(augment(ROWS, options(SWAP), seed=1)) == of_first(augment(ROWS[:1], options(SWAP), seed=1))


class Rewrites:
    """A local model: answers each prompt by what stands in it."""

    def __init__(self, answer: Callable[[str], str | None]) -> None:
        self.answer = answer

    def generate(self, prompts: Sequence[str]) -> list[str | None]:
        return [self.answer(prompt) for prompt in prompts]


def paraphrased(example: Example, answer: str | None, **more: Any) -> Augmented:
    engines = Engines(local=Rewrites(lambda _: answer))
    return augment([example], options({"method": "paraphrase"}, **more), seed=1, engines=engines)


ASKING = row("Please send the new card to Ana Ruiz in 5 days", label="new_card")


@pytest.mark.parametrize(
    ("answer", "reason", "detail"),
    [
        (None, Reason.NO_ANSWER, ""),
        ("Could the new card go to her in 5 days please", Reason.PROTECTED, "Ana Ruiz"),
        ("Please send the new card to Ana Ruiz in 5 days or 6", Reason.PROTECTED, "6"),
        ("please send the NEW card to Ana Ruiz, in 5 days!", Reason.UNCHANGED, ""),
        ("Send the new card to Ana Ruiz in 5 days" + ", please" * 10, Reason.LENGTH, "46 characters became 119"),
        ("Por favor manda la tarjeta a Ana Ruiz, que no la tiene, 5 days", Reason.LANGUAGE, "en became es"),
        ("Please send the other card to Ana Ruiz within 5 days", Reason.LABEL, "new_card"),
        ("Please send the new card <|im_end|> to Ana Ruiz in 5 days", Reason.SPECIAL_TOKEN, "<|im_end|>"),
        ("Buy the new card at Ana Ruiz, apples, pears, 5 days", Reason.MEANING, "similarity 0."),
    ],
)
def test_what_is_wrong_with_a_candidate_is_told(answer: str | None, reason: Reason, detail: str) -> None:
    made = paraphrased(ASKING, answer, filter={"least_similarity": 0.75})
    accounted(made, 1)
    assert [one.reason for one in made.filtered] == [reason]
    assert detail in made.filtered[0].detail
    refusal = made.filtered[0].refusal
    assert refusal.reason == f"a new example by paraphrase is not used: {reason}"
    assert (refusal.source, refusal.line, refusal.raw) == ("rows.jsonl", 1, answer or "")


def test_a_good_candidate_is_used() -> None:
    made = paraphrased(ASKING, "Kindly send the new card to Ana Ruiz in 5 days", filter={"least_similarity": 0.6})
    assert [child.messages[0].content for child in made.examples] == ["Kindly send the new card to Ana Ruiz in 5 days"]
    report = made.report.techniques[0]
    assert report.mean_similarity is not None and 0.6 < report.mean_similarity < 1
    assert report.examples == ((ASKING.messages[0].content, made.examples[0].messages[0].content),)


def test_each_filter_can_be_turned_off() -> None:
    spanish = "Por favor manda la tarjeta a Ana Ruiz, que no la tiene, 5 days"
    off = {"same_language": False, "label_words": False, "longest": 9.0, "least_similarity": -1.0}
    assert len(paraphrased(ASKING, spanish, filter=off).examples) == 1


def test_a_new_example_equals_no_other_and_no_held_out_row() -> None:
    examples = [row("close my account now", line=1), row("please do close my account", line=2)]
    engines = Engines(local=Rewrites(lambda _: "Close my account, please"))
    asked = options({"method": "paraphrase", "per_row": 2})
    made = augment(examples, asked, seed=1, engines=engines)
    accounted(made, 4)
    assert len(made.examples) == 1
    assert Counter(one.reason for one in made.filtered) == {Reason.REPEATED: 3}
    held_out = [row("close my ACCOUNT please!", answer="of the test split")]
    made = augment(examples, asked, seed=1, engines=engines, held_out=held_out)
    assert {one.reason for one in made.filtered} == {Reason.HELD_OUT} and not made.examples


CHAT = Example(
    (
        Message(Speaker.SYSTEM, "be kind"),
        Message(Speaker.USER, "first question here"),
        Message(Speaker.ASSISTANT, "first answer here"),
        Message(Speaker.USER, "second question here"),
        Message(Speaker.ASSISTANT, "", calls="[]"),
        Message(Speaker.TOOL, "42"),
        Message(Speaker.ASSISTANT, "second answer here"),
    ),
    None,
    "rows.jsonl",
    1,
)


def test_which_parts_get_other_words() -> None:
    assert parts_of(CHAT, Rewritten.USER_TURNS) == (1, 3)
    assert parts_of(CHAT, Rewritten.LAST_USER_TURN) == (3,)
    assert parts_of(CHAT, Rewritten.USER_AND_ASSISTANT_TURNS) == (1, 2, 3, 6), "a turn that calls tools stays"
    assert parts_of(ROWS[0], Rewritten.USER_AND_ASSISTANT_TURNS) == (0,), "a label stays"
    assert parts_of(Example((), "a text", "t", 1), Rewritten.USER_TURNS) == (-1,)
    engines = Engines(local=Rewrites(lambda prompt: prompt.rsplit("\n", 1)[1].replace("here", "there now")))
    wide = options({"method": "paraphrase"}, rewrite="user_and_assistant_turns")
    child = augment([CHAT], wide, seed=1, engines=engines).examples[0]
    assert [message.content for message in child.messages] == [
        "be kind",
        "first question there now",
        "first answer there now",
        "second question there now",
        "",
        "42",
        "second answer there now",
    ]


def test_plain_texts_are_augmented_too() -> None:
    text = Example((), "the porter waits by the lamp and asks for the map", "book.txt", 3)
    made = augment([text], options(TYPOS), seed=1)
    assert {child.messages for child in made.examples} == {()}
    assert all(child.text != text.text and child.parent == text.id for child in made.examples)


def test_small_classes_get_more() -> None:
    rows = [row(f"{QUESTIONS[0]} {'very ' * n}", label="a", line=n) for n in range(10)]
    rows += [row(f"{QUESTIONS[1]} {'very ' * n}", label="b", line=n) for n in range(2)]
    made = augment(rows, options({"method": "typos", "per_row": 1}, balance=True), seed=1)
    accounted(made, 12)
    asked = Counter(one.label for one in made.examples)
    assert asked["b"] >= 8
    assert made.report.classes == {"a": (10, 10 + asked["a"]), "b": (2, 2 + asked["b"])}
    with pytest.raises(DataError, match=r"augment\.balance: no training row has a label"):
        augment([row("x y")], options(TYPOS, balance=True), seed=1)


@given(
    st.lists(st.sampled_from("aaaabbc"), min_size=1, max_size=30),
    st.lists(st.integers(1, 4), max_size=3),
    st.booleans(),
    st.one_of(st.none(), st.integers(1, 60)),
)
def test_a_plan_adds_up(labels: list[str], per_row: list[int], balance: bool, limit: int | None) -> None:
    rows = [row("x", label=label) for label in labels]
    planned = plan(rows, per_row, balance=balance, limit=limit, rng=Random(0))
    wanted = sum(per_row) * len(rows)
    assert sum(map(sum, planned)) == (wanted if limit is None else min(wanted, limit))
    assert all(len(asked) == len(rows) and min(asked) >= 0 for asked in planned)
    if balance:
        sizes = Counter(labels)
        after = Counter(labels)
        for asked in planned:
            for label, count in zip(labels, asked, strict=True):
                after[label] += count
        # A class grows only while it is no larger than the smallest, give or take one for each technique.
        grown = [after[label] for label in sizes if after[label] > sizes[label]]
        assert not grown or max(grown) - min(after.values()) <= max(1, len(per_row))
    elif limit is None:
        assert planned == [[count] * len(rows) for count in per_row]


def test_limit_is_the_most_in_all() -> None:
    made = augment(ROWS, options(SWAP, TYPOS, limit=7), seed=1)
    accounted(made, 7)
    assert [one.asked for one in made.report.techniques] == [4, 3]


NEW = {"method": "new_examples", "per_row": 1, "per_prompt": 3, "shown": 2}


def test_new_examples_of_a_class() -> None:
    prompts: list[str] = []

    def answer(prompt: str) -> str:
        prompts.append(prompt)
        kind = "cards" if '"cards"' in prompt else "other"
        fresh = [f"can you help me about {kind} number {word}" for word in ["one", "two", "three"]]
        return "```json\n" + json.dumps([fresh[0], "i have a question about the cards", *fresh[2:]]) + "\n```"

    made = augment(ROWS, options(NEW), seed=1, engines=Engines(local=Rewrites(answer)))
    accounted(made, len(ROWS))
    assert len(prompts) == 3, "two cards and four other things, three a prompt"
    assert 'class "cards"' in prompts[0] and "Write 2 new messages" in prompts[0]
    assert all(child.technique == "new_examples" and child.parent for child in made.examples)
    assert all(child.label == child.messages[-1].content for child in made.examples)
    assert Reason.LABEL in {one.reason for one in made.filtered}
    assert Reason.COPY in {one.reason for one in made.filtered}, "the second prompt's answers repeat the first's"


def test_new_questions_with_answers() -> None:
    rows = [replace(row("who wrote it?", "a poet"), references=("a writer",)), replace(CHAT, line=2)]
    fresh = json.dumps([{"prompt": "which river is longest?", "answer": "the Nile"}])
    made = augment(rows, options(NEW), seed=1, engines=Engines(local=Rewrites(lambda _: fresh)))
    accounted(made, 2)
    child = made.examples[0]
    assert [message.content for message in child.messages] == ["which river is longest?", "the Nile"]
    assert child.references == (), "the parent's other answers do not answer another question"
    assert made.filtered[0].reason is Reason.UNSUITABLE


@pytest.mark.parametrize(
    "answer",
    ["no json", "{}", '["a", ', "[" * 100_000, '{"prompt": "a"}', 'Sure: ["a"]'],
)
def test_an_answer_that_is_no_array_is_refused(answer: str) -> None:
    assert read_answer(answer, as_texts=True) is None
    made = augment(ROWS[:2], options(NEW), seed=1, engines=Engines(local=Rewrites(lambda _: answer)))
    accounted(made, 2)
    assert {one.reason for one in made.filtered} == {Reason.MALFORMED}


def test_items_are_read_strictly() -> None:
    assert read_answer('["a", 1, "", " b "]', as_texts=True) == [("a", None), None, None, ("b", None)]
    pairs = [{"prompt": "a", "answer": "b"}, {"prompt": "a"}, {"prompt": "a", "answer": "b", "c": 1}, "a"]
    assert read_answer(json.dumps(pairs), as_texts=False) == [("a", "b"), None, None, None]


@given(st.lists(st.lists(st.sampled_from("abcde"), max_size=8).map(" ".join), max_size=8), st.floats(0.3, 1.0))
def test_the_index_finds_what_comparing_all_finds(texts: list[str], most: float) -> None:
    *known, new = [*texts, "a b c d"]
    assert (Novelty(known, most).copied(new) is not None) == any(rouge_l(one, new) >= most for one in known)


def test_rouge_l_is_the_reference_implementations() -> None:
    scorer = pytest.importorskip("rouge_score.rouge_scorer").RougeScorer(["rougeL"])
    for first, second in [("where is my new card", "my card is where"), ("a b", "c d"), ("one two", "one two")]:
        assert rouge_l(first, second) == pytest.approx(scorer.score(first, second)["rougeL"].fmeasure)


def test_a_local_engine_that_is_not_there_is_told() -> None:
    with pytest.raises(ConfigurationError, match=r"there is no local model here .*paraphrase.*Set `engine: endpoint`"):
        augment(ROWS, options({"method": "paraphrase"}), seed=1)


def test_a_list_is_the_techniques_and_unknown_keys_are_refused() -> None:
    assert AugmentOptions.model_validate([{"method": "typos"}]).techniques[0].method == "typos"
    wrong = [
        {"method": "typo"},
        {"method": "typos", "alhpa": 0.1},
        {"method": "back_translation", "engine": "marian"},
        {"method": "back_translation", "pair": "english"},
        {"method": "paraphrase", "engine": "endpoint"},
        {"method": "eda", "operations": []},
    ]
    for technique in wrong:
        with pytest.raises(ValidationError):
            AugmentOptions.model_validate([technique])


def test_no_rows_or_no_techniques_make_nothing() -> None:
    for rows, asked in ((ROWS, options()), ([], options(SWAP))):
        made = augment(rows, asked, seed=1)
        accounted(made, 0)


def test_every_option_is_read() -> None:
    """Each field of each option class is spoken of somewhere outside of its declaration."""
    import atanor.data.augmentation.options as declared
    from atanor.options import Options

    folder = Path(declared.__file__).parent
    # How the base answers is read where the base is, and how groups are exchanged where they are.
    elsewhere = [folder.parents[1] / "project" / "engines.py", *(folder.parent / "bias").glob("*.py")]
    readers = [*folder.glob("*.py"), *elsewhere]
    code = "".join(path.read_text("utf-8") for path in readers if path.name != "options.py")
    classes = [kind for kind in vars(declared).values() if isinstance(kind, type) and issubclass(kind, Options)]
    names = {name for kind in classes for name in kind.model_fields}
    assert len(names) > 35
    assert not [name for name in sorted(names) if not re.search(rf"\.{name}\b", code)]
    assert NewExampleOptions(method="new_examples").most_rouge_l == 0.7


def test_banking77_by_all_that_is_installed() -> None:
    path = DATA / "banking77" / "train.csv"
    if not path.is_file():
        pytest.skip(f"no data at {DATA}: set ATANOR_DATA")
    with path.open(encoding="utf-8", newline="") as file:
        rows = [
            row(fields["text"], label=fields["category"], line=line)
            for line, fields in enumerate(csv.DictReader(file), start=2)
            if line % 100 == 2
        ]
    techniques = [{"method": "eda"}] + ([{"method": "back_translation"}] if shutil.which("apertium") else [])
    asked = AugmentOptions.model_validate({"techniques": techniques, "filter": {"embedder": "lexical"}})
    try:
        made = augment(rows, asked, seed=1)
    except AtanorError as error:
        pytest.skip(str(error))
    accounted(made, len(rows) * len(techniques))
    for one in made.report.techniques:
        assert one.made > 0.5 * one.asked
