"""The workshop as a whole: no row is unaccounted for, all that is done is told, equal input gives equal data."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atanor.data import Example, Message, Side, SourceOptions, Speaker, SplitOptions, read_examples
from atanor.data.blocks import blocks_of
from atanor.data.corpora import InstructionOptions, WindowOptions
from atanor.data.findings import Action
from atanor.data.options import RowFormat
from atanor.data.sources import locate
from atanor.data.workshop import build, history
from atanor.data.workshop.build import build_dataset
from atanor.data.workshop.cleaning import clean_rows
from atanor.data.workshop.dataset import Dataset, every_dataset, find_dataset
from atanor.data.workshop.log import Fate
from atanor.data.workshop.options import CheckOptions, Copies
from atanor.data.workshop.recipe import Recipe
from atanor.data.workshop.table import examples_of, table_of
from atanor.data.workshop.texts import TextsOfRows, answers_of, prompts_of
from atanor.errors import DataError, NotFoundError

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
TURNS = st.builds(
    Message,
    st.sampled_from(Speaker),
    TEXTS,
    st.sampled_from([None, True, False]),
    st.none() | st.just('[{"id": "1"}]'),
    st.none() | TEXTS,
)
EXAMPLES = st.builds(
    Example,
    st.lists(TURNS, max_size=4).map(tuple),
    st.none() | TEXTS,
    st.sampled_from(["a.jsonl", "b.jsonl"]),
    st.integers(1, 10**6),
    st.none() | TEXTS,
    st.dictionaries(st.sampled_from("xyz"), st.none() | st.integers() | TEXTS),
    st.lists(TEXTS, max_size=2).map(tuple),
    st.none() | TEXTS,
    st.sampled_from([None, True, False]),
    st.none() | TEXTS,
    st.none() | TEXTS,
    st.none() | TEXTS,
    st.none() | TEXTS,
)


def rows(number: int, start: int = 0) -> list[dict[str, Any]]:
    """Rows that nobody objects to and that are not alike."""
    words = ["river", "stone", "lantern", "harbour", "meadow", "copper", "violin", "winter", "orchard", "signal"]
    made = []
    for index in range(start, start + number):
        first, second, third = (words[(index // 10**power) % 10] for power in range(3))
        prompt = f"Case {index * 7919}: what links the {first}, the {second} and the {third}?"
        answer = f"In case {index * 104729} the {third} was carried past the {first} before the {second} was found."
        made.append({"prompt": prompt, "completion": answer})
    return made


def write(folder: Path, name: str, lines: list[Any]) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = (line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines)
    path.write_text("".join(f"{line}\n" for line in text), encoding="utf-8")
    return path


def made(folder: Path, name: str = "rows.jsonl", /, **recipe: Any) -> Dataset:
    source = recipe.pop("source", {})
    whole = Recipe(sources=(SourceOptions(path=name, **source),), **recipe)
    return build_dataset(whole, folder, folder / "datasets", processes=1)


@given(st.lists(EXAMPLES, max_size=6))
def test_a_table_gives_back_its_examples(examples: list[Example]) -> None:
    table = table_of(examples)
    back = examples_of(table)
    assert back == examples
    assert [one.fields for one in back] == [one.fields for one in examples]
    assert [one.id for one in back] == table.column("id").to_pylist()


@given(st.lists(EXAMPLES, min_size=1, max_size=6), st.integers(0, 3))
def test_texts_go_back_to_their_places(examples: list[Example], start: int) -> None:
    table = table_of(examples).slice(start)
    texts = TextsOfRows(table)
    assert texts.replaced(texts.values).equals(table)
    loud = texts.replaced(pa.array([text.upper() for text in texts.values.to_pylist()], pa.string()))
    for before, after in zip(examples[start:], examples_of(loud), strict=True):
        assert [turn.content for turn in after.messages] == [turn.content.upper() for turn in before.messages]
        assert after.references == tuple(text.upper() for text in before.references)
        assert (after.text, after.rejected, after.label) == tuple(
            text and text.upper() for text in (before.text, before.rejected, before.label)
        )
        assert after.fields == before.fields
    for index in range(len(texts.values)):
        place, one = texts.field(index), examples[start + int(texts.row[index])]
        if place.startswith("messages"):
            assert one.messages[int(place.split("[")[1].split("]")[0])].content == texts.values[index].as_py()


@given(st.lists(EXAMPLES, max_size=6))
def test_prompts_and_answers_are_those_of_the_examples(examples: list[Example]) -> None:
    table = table_of(examples)
    assert prompts_of(table).to_pylist() == [
        "\n\n".join(turn.content for turn in one.prompt if turn.speaker is not Speaker.SYSTEM) for one in examples
    ]
    assert answers_of(table).to_pylist() == [one.reference for one in examples]
    texts = TextsOfRows(table)
    told = [one.reference for one in examples if one.messages or one.text is not None]
    known = [index for index, one in enumerate(examples) if one.messages or one.text is not None]
    alone = [index for index in known if not (examples[index].messages and examples[index].text is not None)]
    assert [texts.values[int(texts.answer[index])].as_py() for index in alone] == [
        text for index, text in zip(known, told, strict=True) if index in alone
    ]


LINES = st.one_of(
    st.sampled_from(rows(30)).map(json.dumps),
    st.builds(lambda prompt, answer: json.dumps({"prompt": prompt, "completion": answer}), TEXTS, TEXTS),
    st.sampled_from(
        ["oops", "{}", '{"prompt": "a"}', '{"prompt": "mail me at ana@mail.es", "completion": "yes"}', "[]"]
    ),
    st.just(json.dumps({"prompt": "what?", "completion": "<|im_start|>system"})),
)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(LINES, min_size=1, max_size=40),
    st.sampled_from(Action),
    st.sampled_from(Copies),
    st.none() | st.integers(1, 20),
)
def test_every_row_has_a_fate_at_every_stage(
    lines: list[str], action: Action, copies: Copies, limit: int | None
) -> None:
    check = CheckOptions(
        personal_data=action, secrets=action, languages=("en",), language=action, near_duplicates=copies
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = [json.dumps(rows(1)[0]), *lines]  # a file none of whose rows has the columns is an error, not refusals
        write(folder, "rows.jsonl", lines)
        source = {"format": RowFormat.PROMPT_COMPLETION, "prompt": "prompt", "completion": "completion", "limit": limit}
        data = made(folder, check=check, source=source)
        stages = data.version.stages
        assert stages[0].read == sum(1 for line in lines if line.strip())
        for stage in stages:
            assert stage.read == stage.kept + stage.changed + stage.refused + stage.left_out
        for stage, after in itertools.pairwise(stages):
            assert after.read == stage.out
        left = data.rows(Side.TRAIN)
        assert stages[-1].out == len(left) == sum(data.version.sides.values())
        log = data.log()
        for stage in stages:
            gone = Counter(entry.fate for entry in log if entry.stage == stage.stage)
            assert gone[Fate.REFUSED] == stage.refused
            assert gone[Fate.LEFT_OUT] == stage.left_out
            changed = {(one.line, one.row) for one in log if one.stage == stage.stage and one.fate == Fate.CHANGED}
            assert len(changed) == stage.changed
        # What went no further is in the log, whole where it was refused for a fault.
        assert all(entry.raw for entry in log if entry.fate == Fate.REFUSED and entry.raw != "")
        read = read_examples([SourceOptions(path="rows.jsonl", **(source | {"limit": None}))], folder)
        by_line = dict(enumerate(lines, 1))
        for refusal in data.refusals:
            assert json.loads(refusal.raw) == json.loads(by_line[refusal.line]) if refusal.raw.startswith("{") else True
        assert len(read.examples) == stages[1].read


def test_cleaning_and_masking_change_the_row_and_tell(tmp_path: Path) -> None:
    lines = [
        *rows(20),
        {
            "prompt": "Where is the house that she told them about?\u200b Write to ana@correo.es",
            "completion": "CanÂ´t  say, madam",
        },
    ]
    write(tmp_path, "rows.jsonl", lines)
    data = made(tmp_path, check=CheckOptions(personal_data=Action.MASK))
    row = data.examples(Side.TRAIN)[-1]
    assert row.prompt[0].content == "Where is the house that she told them about? Write to [email]"
    assert row.reference == "Can´t say, madam"
    assert row.fields == lines[-1], "the row as it stood in its file is kept"
    traced = history.trace_row(data, "rows.jsonl:21")
    assert traced.example == row and traced.side is Side.TRAIN
    assert {(entry.stage, entry.rule) for entry in traced.entries} == {
        ("clean", "clean.encoding"),
        ("clean", "clean.invisible"),
        ("clean", "clean.whitespace"),
        ("check", "personal_data.email"),
    }
    assert data.version.changed == 2, "once by cleaning and once by checking"
    assert history.trace_row(data, row.id[:8]).example == row


def test_places_of_several_rules_are_masked_in_one_text(tmp_path: Path) -> None:
    said = "Ana, ana@correo.es, has the key AKIAZQ3DRSTUVWXY2345 and the number +34 612 345 678."
    write(tmp_path, "rows.jsonl", [*rows(5), {"prompt": "what did she leave?", "completion": said}])
    data = made(tmp_path, check=CheckOptions(personal_data=Action.MASK, secrets=Action.MASK))
    assert data.examples(Side.TRAIN)[-1].reference == "Ana, [email], has the key [secret] and the number [phone]."


def test_a_refused_row_is_kept_whole_with_its_reason(tmp_path: Path) -> None:
    secret = {"prompt": "my key?", "completion": "It is AKIAZQ3DRSTUVWXY2345, keep it"}
    write(tmp_path, "rows.jsonl", [*rows(5), secret, "oops"])
    data = made(tmp_path)
    assert [
        (refusal.line, json.loads(refusal.raw) if refusal.line == 6 else refusal.raw) for refusal in data.refusals
    ] == [
        (7, "oops"),
        (6, secret),
    ]
    assert [len(data.examples(Side.TRAIN)), data.version.read] == [5, 7]
    traced = history.trace_row(data, "rows.jsonl:6")
    assert traced.example is None and traced.entries[-1].rule.startswith("secrets.")
    with pytest.raises(NotFoundError, match=r"there is no row `rows\.jsonl:99`"):
        history.trace_row(data, "rows.jsonl:99")


def test_copies_are_left_out_or_kept_together(tmp_path: Path) -> None:
    base = rows(200)
    copy = {"prompt": base[3]["prompt"], "completion": base[3]["completion"]}
    near = {
        "prompt": base[4]["prompt"].replace("what", "What"),
        "completion": base[4]["completion"].replace("was", "wos", 1),
    }
    write(tmp_path, "rows.jsonl", [*base, copy, near])
    split = SplitOptions(test=0.4, validation=0.3)
    together = made(tmp_path, split=split, check=CheckOptions(similarity=0.9))
    assert together.version.stage("duplicates").left_out == 1  # type: ignore[union-attr]
    (entry,) = together.log(Fate.LEFT_OUT)
    assert (entry.line, entry.reason) == (201, "equal to rows.jsonl:4")
    side_of = {row.line: side for side in Side for row in together.examples(side)}
    assert side_of[5] is side_of[202] and 201 not in side_of
    alone = made(tmp_path, split=split, check=CheckOptions(near_duplicates=Copies.LEAVE_OUT, similarity=0.9))
    (one,) = alone.log(Fate.LEFT_OUT, stage="near_duplicates")
    assert one.line == 202 and "like rows.jsonl:5" in one.reason


def test_contradicting_labels_are_told_or_refused(tmp_path: Path) -> None:
    lines = [{"text": row["prompt"], "label": "link"} for row in rows(20)]
    lines.append({"text": lines[2]["text"].upper() + "!", "label": "other"})
    write(tmp_path, "rows.jsonl", lines)
    told = made(tmp_path)
    assert [entry.line for entry in told.log(Fate.REPORTED, stage="contradictions")] == [3, 21]
    assert told.log(stage="contradictions")[0].reason == "the same prompt has the labels link, other"
    refused = made(tmp_path, check=CheckOptions(contradictions=Action.REFUSE))
    assert [entry.line for entry in refused.log(Fate.REFUSED)] == [3, 21]
    assert len(refused.examples(Side.TRAIN)) == 19


def test_the_same_recipe_over_the_same_bytes_is_one_dataset(tmp_path: Path) -> None:
    write(tmp_path, "rows.jsonl", rows(40))
    first = made(tmp_path, split=SplitOptions())
    again = made(tmp_path, split=SplitOptions())
    assert (first.name, first.version.created) == (again.name, again.version.created)
    (tmp_path / "elsewhere").mkdir()
    elsewhere = build_dataset(
        Recipe(sources=(SourceOptions(path="rows.jsonl"),), split=SplitOptions()), tmp_path, tmp_path / "elsewhere"
    )
    assert elsewhere.name == first.name, "named by content"
    write(tmp_path, "rows.jsonl", rows(41))
    assert made(tmp_path, split=SplitOptions()).name != first.name
    assert len(every_dataset(tmp_path / "datasets")) == 2
    assert find_dataset(tmp_path / "datasets", first.name[:6]).name == first.name
    with pytest.raises(NotFoundError, match="there is no dataset `zzz`"):
        find_dataset(tmp_path / "datasets", "zzz")
    assert not (tmp_path / "datasets" / ".work").exists() or not list((tmp_path / "datasets" / ".work").iterdir())


def test_a_frozen_split_that_changed_makes_the_dataset_anew(tmp_path: Path) -> None:
    write(tmp_path, "rows.jsonl", rows(40))
    frozen = tmp_path / "split.json"
    recipe = Recipe(sources=(SourceOptions(path="rows.jsonl"),), split=SplitOptions())
    first = build_dataset(recipe, tmp_path, tmp_path / "datasets", frozen=frozen)
    assert (
        build_dataset(recipe, tmp_path, tmp_path / "datasets", frozen=frozen).version.created == first.version.created
    )
    write(tmp_path, "rows.jsonl", rows(44))
    grown = build_dataset(recipe, tmp_path, tmp_path / "datasets", frozen=frozen)
    assert grown.version.notes == ("since the split was frozen: 4 new rows joined training",)
    assert {row.id for row in first.examples(Side.TEST)} == {row.id for row in grown.examples(Side.TEST)}


def test_what_two_datasets_differ_in(tmp_path: Path) -> None:
    base = rows(30)
    write(tmp_path, "rows.jsonl", base)
    older = made(tmp_path)
    changed = {**base[7], "completion": base[7]["completion"] + " Twice, in fact, and by the same people."}
    write(tmp_path, "rows.jsonl", [*base[:7], changed, *base[8:29], *rows(1, 90), *rows(2, 95)])
    newer = made(tmp_path, check=CheckOptions(similarity=0.9))
    found = history.difference(older, newer)
    assert (found.added, found.removed, found.rewritten, found.same) == (2, 0, 2, 28)
    assert found.recipe == {"check.similarity": (0.7, 0.9)}
    assert {pair.before.line for pair in found.rewritten_rows} == {8, 30}
    assert [row.line for row in found.added_rows] == [31, 32]
    assert history.difference(older, older).same == 30


def test_blocks_in_two_processes_give_what_one_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "rows.jsonl", [*rows(300), "oops", *rows(300, 400)])
    whole = made(tmp_path, split=SplitOptions())
    monkeypatch.setattr(build, "BLOCK_BYTES", 16 << 10)
    recipe = Recipe(sources=(SourceOptions(path="rows.jsonl"),), split=SplitOptions())
    parts = build_dataset(recipe, tmp_path, tmp_path / "parts", processes=2)
    assert parts.version.sha == whole.version.sha
    assert parts.version.stages == whole.version.stages
    assert parts.version.tallies == whole.version.tallies
    assert [entry.line for entry in parts.log()] == [entry.line for entry in whole.log()]


def test_a_build_that_was_killed_goes_on_with_what_is_not_done(tmp_path: Path) -> None:
    """SIGKILL while blocks are read; the next build reads only the blocks that are missing and gives the same data."""
    path = write(tmp_path, "rows.jsonl", rows(4000))
    (source,) = locate([SourceOptions(path="rows.jsonl")], tmp_path)
    blocks = len(blocks_of(source, 32 << 10))
    assert blocks > path.stat().st_size // (64 << 10)
    script = f"""
from pathlib import Path
from atanor.data import SourceOptions, SplitOptions
from atanor.data.workshop import build
from atanor.data.workshop.recipe import Recipe
build.BLOCK_BYTES = 32 << 10
root = Path({str(tmp_path)!r})
recipe = Recipe(sources=(SourceOptions(path="rows.jsonl"),), split=SplitOptions())
done = build.build_dataset(recipe, root, root / "killed", processes=1)
print(done.version.sha)
"""
    running = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and len(list(tmp_path.glob("killed/.work/*/0*/report.json"))) < 3:
        time.sleep(0.005)
    os.kill(running.pid, signal.SIGKILL)
    running.communicate()
    finished = len(list(tmp_path.glob("killed/.work/*/0*/report.json")))
    assert finished >= 3, "some blocks were done"
    counting = script.replace(
        "done =",
        "work, calls = build._do, []\nbuild._do = lambda task: (calls.append(task), work(task))[1]\ndone =",
    )
    ran = subprocess.run(
        [sys.executable, "-c", counting + "print(len(calls))"], capture_output=True, text=True, check=True
    )
    sha, again = ran.stdout.split()
    assert sha == made(tmp_path, split=SplitOptions()).version.sha
    assert int(again) == blocks - finished, "nothing was read twice"


def test_a_file_that_cannot_be_read_leaves_no_dataset(tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text('[{"prompt": "a"', encoding="utf-8")
    with pytest.raises(DataError, match=r"rows\.json"):
        made(tmp_path, "rows.json")
    assert every_dataset(tmp_path / "datasets") == []


def test_the_stage_of_cleaning_alone() -> None:
    row = Example((Message(Speaker.USER, "a  b"), Message(Speaker.ASSISTANT, "yes")), None, "x", 1)
    result = clean_rows(table_of([row, row]), Recipe(sources=()).clean)
    assert (result.report.read, result.report.kept, result.report.changed) == (2, 0, 2)
    assert np.all(np.array(result.rows.column("id").to_pylist()) != row.id)
    assert examples_of(result.rows)[0].id == result.rows.column("id")[0].as_py()


CHAPTERS = ("I", "II", "III", "IV")
BOOK = "\n\n".join(
    f"CHAPTER {name}\n\n" + "\n\n".join(row["completion"] for row in rows(9, 111 * number))
    for number, name in enumerate(CHAPTERS)
)


def test_a_book_becomes_windows_of_its_chapters(tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text(BOOK, encoding="utf-8")
    source = {"windows": WindowOptions(tokens=80)}
    data = made(
        tmp_path, "book.txt", source=source, task_text=True, split=SplitOptions(), check=CheckOptions(similarity=1.0)
    )
    stage = data.version.stage("books")
    assert stage is not None and (stage.read, stage.changed, stage.out) == (1, 1, 1 + stage.added)
    found = [row for side in Side for row in data.examples(side)]
    assert len(found) == stage.out > 4
    assert sum(row.text.count("In case") for row in found if row.text) == 36, "every sentence is in one window"
    sides = {row.group: {side for side in Side if row in data.examples(side)} for row in found}
    assert len(sides) == 4 and all(len(one) == 1 for one in sides.values()), "a chapter is on one side"
    lines = BOOK.split("\n")
    assert all((row.text or "").split("\n")[0] == lines[row.line - 1] for row in found)


def test_a_book_becomes_instruction_rows_in_its_own_words(tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text(BOOK, encoding="utf-8")
    source = {"instructions": InstructionOptions(tokens=120, shortest=40)}
    data = made(tmp_path, "book.txt", source=source)
    found = data.examples(Side.TRAIN)
    assert found and all(row.reference.split("\n")[0] in BOOK for row in found)
    huge = {"instructions": InstructionOptions(shortest=100_000)}
    nothing = made(tmp_path, "book.txt", source=huge)
    (entry,) = nothing.log(Fate.LEFT_OUT)
    assert entry.reason == "no passage of the text suits what is asked for"
