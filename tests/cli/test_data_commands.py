"""The data commands as a user types them, on small real files: what they write, show, print as JSON and refuse."""

from __future__ import annotations

import csv
import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from atanor.cli import main

PROJECT = """\
project: library
base: path:{base}
max_refused: 0.5
roles:
  guide:
    goal: Answer.
    data: talk.jsonl
    split: {{test: 3, validation: 3}}
"""
WORDS = (
    "moon volcano river map bread clock whale glass paper snow lamp bridge tower garden letter market mirror harbour "
    "violin island copper orchard thunder needle carpet lantern window pepper anchor feather candle marble saddle"
)


class Screen:
    """Types commands and reads what they print."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch
        self.errors = ""

    def __call__(self, *words: str, code: int = 0) -> str:
        """What `atanor data …` prints, its folds undone; asserts the exit code."""
        self._monkeypatch.setattr(sys, "argv", ["atanor", "data", *words])
        with pytest.raises(SystemExit) as left:
            main()
        out, err = self._capsys.readouterr()
        assert (left.value.code or 0) == code, out + err
        self.errors = " ".join(err.split())
        return out if "--json" in words else " ".join(out.split())

    def json(self, *words: str, code: int = 0) -> Any:
        return json.loads(self(*words, "--json", code=code))


@pytest.fixture
def atanor(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Screen]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    yield Screen(capsys, monkeypatch)


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write(path: Path, rows: list[dict[str, Any]], *raw: str) -> None:
    lines = [json.dumps(row, ensure_ascii=False) for row in rows] + list(raw)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def talk(count: int = 20) -> list[dict[str, Any]]:
    """Rows that differ in every word that counts, with a column nobody reads."""
    drawn = [Random(number).sample(WORDS.split(), 15) for number in range(count)]
    return [
        {
            "prompt": f"Tell me about {' and '.join(words[:4])}",
            "completion": f"{' '.join(words[4:]).capitalize()}, so it is said.",
            "origin": f"page {number}",
        }
        for number, words in enumerate(drawn)
    ]


@pytest.fixture
def project(tmp_path: Path, tiny_base_folder: Path) -> Path:
    write(tmp_path / "talk.jsonl", talk(), '{"prompt": "broken"', '{"prompt": "empty", "completion": ""}')
    (tmp_path / "atanor.yaml").write_text(PROJECT.format(base=tiny_base_folder), encoding="utf-8")
    return tmp_path


def test_check_shows_shape_stages_and_what_is_wrong_of_several_files(atanor: Screen, tmp_path: Path) -> None:
    write(tmp_path / "talk.jsonl", talk(), '{"prompt": "broken"')
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "labels.csv").write_text("text,label\nhow are you,greeting\nbye now,farewell\n", "utf-8")
    said = atanor("check", "talk.jsonl", "more", code=2)
    assert (
        "talk.jsonl jsonl, prompt_completion · 21 rows prompt: prompt, completion: completion · not read: origin"
        in said
    )
    assert "more/labels.csv csv, classification · 2 rows" in said
    assert "talk.jsonl:21 not JSON" in said and "Mend the JSON of this row." in said
    assert "read 23 rows: 22 as they were · 1 refused" in said
    assert "label farewell 1 50.0 %" in said
    assert "23 rows read · 22 can be used" in said
    assert "the refused rows and why: talk.quarantine.jsonl" in said
    assert rows_of(tmp_path / "talk.quarantine.jsonl")[0]["line"] == 21
    found = atanor.json("check", "talk.jsonl", "more", code=2)
    assert (found["read"], found["kept"], len(found["refused"])) == (23, 22, 1)
    assert found["files"][0]["columns"] == {"prompt": "prompt", "completion": "completion"}


def test_check_asks_for_languages_and_leaves_with_0_when_all_is_well(atanor: Screen, tmp_path: Path) -> None:
    english = {
        "prompt": "Where does the sun go in the evening?",
        "completion": "It sets in the west, beyond the hills.",
    }
    spanish = {
        "prompt": "¿Dónde está la biblioteca de la ciudad?",
        "completion": "Está junto al río, cerca del puente.",
    }
    write(tmp_path / "talk.jsonl", [english, spanish])
    atanor("check", "talk.jsonl", "--languages", "en,es")
    said = atanor("check", "talk.jsonl", "--languages", "en", code=2)
    assert "talk.jsonl:2" in said and "expected en" in said


def test_files_that_are_not_there_are_told_with_their_neighbours(atanor: Screen, tmp_path: Path) -> None:
    write(tmp_path / "talk.jsonl", talk(3))
    atanor("check", "tlak.jsonl", code=2)
    assert "tlak.jsonl the file does not exist. Nearby: talk.jsonl." in atanor.errors
    assert "data.path" not in atanor.errors, "nobody wrote a project"
    atanor("clean", "talk.jsonl", "out.jsonl", "--map", "table=x", code=2)
    assert "--map table `table` is about databases" in atanor.errors


def test_a_mapping_is_checked_before_anything_is_read(atanor: Screen, tmp_path: Path) -> None:
    write(tmp_path / "talk.jsonl", talk(3))
    atanor("clean", "talk.jsonl", "out.jsonl", "-m", "promt=a", code=2)
    assert "--map unknown option (got promt). Did you mean `prompt`?" in atanor.errors
    atanor("clean", "talk.jsonl", "out.jsonl", "-m", "prompt", code=2)
    assert "Write it as `--map label=category`." in atanor.errors
    atanor("clean", "talk.jsonl", "out.jsonl", "-m", "limit=many", code=2)
    assert "limit it cannot be this (got 'many'). Write a whole number of at least 1." in atanor.errors
    failed = atanor.json("clean", "talk.jsonl", "out.jsonl", "-m", "where={lang", code=2)
    assert failed["error"] == "ConfigurationError" and failed["problems"][0]["reason"] == "the value is not JSON"
    assert not (tmp_path / "out.jsonl").exists()


def test_clean_mends_texts_and_nothing_else(atanor: Screen, tmp_path: Path) -> None:
    rows = talk(5)
    rows[1]["completion"] = "Itâ€™s a <b>cafÃ©</b> &amp; more of it, as people say."
    rows[2]["origin"] = "<b>not a text that is read</b>"
    rows[4] = rows[0]
    write(tmp_path / "talk.jsonl", rows)
    said = atanor("clean", "talk.jsonl", "clean.jsonl")
    assert (
        "1 changed" in said and "wrote clean.jsonl · 5 rows" in said and "next: atanor data check clean.jsonl" in said
    )
    after = rows_of(tmp_path / "clean.jsonl")
    assert after[1]["completion"] == "It’s a café & more of it, as people say."
    assert [row for number, row in enumerate(after) if number != 1] == [
        row for number, row in enumerate(rows) if number != 1
    ], "copies and unread columns stay"
    log = rows_of(tmp_path / "clean.log.jsonl")
    assert {entry["rule"] for entry in log} >= {"clean.encoding"} and {entry["line"] for entry in log} == {2}


def test_clean_takes_the_keys_of_a_project_from_a_file(atanor: Screen, tmp_path: Path) -> None:
    write(tmp_path / "talk.jsonl", [{**talk(1)[0], "completion": "a <b>bold</b> word, as people say here"}])
    (tmp_path / "clean.yaml").write_text("html: off\n", "utf-8")
    atanor("clean", "talk.jsonl", "clean.jsonl", "--options", "clean.yaml")
    assert "<b>" in rows_of(tmp_path / "clean.jsonl")[0]["completion"]
    (tmp_path / "clean.yaml").write_text("\nhtlm: off\n", "utf-8")
    atanor("clean", "talk.jsonl", "clean.jsonl", "--options", "clean.yaml", code=2)
    assert (
        "clean.yaml cannot be used; nothing was started line 2 htlm unknown option. Did you mean `html`?"
        in atanor.errors
    )


def test_the_file_that_is_read_is_never_written_over(atanor: Screen, tmp_path: Path) -> None:
    write(tmp_path / "talk.jsonl", talk(3))
    before = (tmp_path / "talk.jsonl").read_bytes()
    for words in (["clean"], ["mask"], ["dedupe"], ["convert", "--to", "messages"], ["augment", "--method", "typos"]):
        atanor(words[0], "talk.jsonl", "./talk.jsonl", *words[1:], code=2)
        assert "the rows would be written over the file they are from. Name a new file." in atanor.errors
    assert (tmp_path / "talk.jsonl").read_bytes() == before


def test_mask_writes_over_personal_data_and_secrets(atanor: Screen, tmp_path: Path) -> None:
    rows = talk(4)
    rows[1]["completion"] = "Write to anna.smith@example.org about it."
    rows[2]["completion"] = "The key is AKIAIOSFODNN7EXAMQQQ, keep it."
    write(tmp_path / "talk.jsonl", rows)
    said = atanor("mask", "talk.jsonl", "masked.jsonl")
    after = rows_of(tmp_path / "masked.jsonl")
    assert after[1]["completion"] == "Write to [email] about it."
    assert "AKIA" not in after[2]["completion"]
    assert after[0] == rows[0] and "2 changed" in said
    atanor("mask", "talk.jsonl", "masked.jsonl", "--kinds", "phone", "--no-secrets")
    assert rows_of(tmp_path / "masked.jsonl") == rows
    atanor("mask", "talk.jsonl", "masked.jsonl", "--kinds", "emial", code=2)
    assert "--kinds no such choice (got emial). Did you mean `email`?" in atanor.errors


def test_dedupe_leaves_out_copies_and_keeps_columns_and_container(atanor: Screen, tmp_path: Path) -> None:
    text = "please tell me where the nearest station of the underground railway is"
    rows = [(text, "travel"), (text, "travel"), (f"{text} now", "travel"), ("what is for dinner tonight", "food")]
    with (tmp_path / "ask.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("id", "text", "label"), *((str(n), *row) for n, row in enumerate(rows))])
    said = atanor("dedupe", "ask.csv", "one.csv")
    assert "duplicates 4 rows: 3 as they were · 1 left out copy 1" in said
    assert re.search(r"ask.csv:4 left out near-duplicate \d+% like ask.csv:2", said)
    with (tmp_path / "one.csv").open(encoding="utf-8", newline="") as file:
        kept = list(csv.DictReader(file))
    assert [row["id"] for row in kept] == ["0", "3"] and list(kept[0]) == ["id", "text", "label"]
    done = atanor.json("dedupe", "ask.csv", "one.csv", "--near", "keep")
    assert done["written"] == {"one.csv": 3}
    atanor("dedupe", "ask.csv", "one.csv", "--near", "leave", code=2)
    assert "--near no such choice (got leave). Did you mean `leave_out`?" in atanor.errors


def test_split_divides_every_row_once_and_keeps_groups_together(atanor: Screen, tmp_path: Path) -> None:
    rows = [{**row, "scene": f"scene {number // 3}"} for number, row in enumerate(talk(30))]
    write(tmp_path / "talk.jsonl", rows)
    done = atanor.json("split", "talk.jsonl", "parts", "--test", "6", "--validation", "3", "--group-by", "scene")
    sides = {name: rows_of(tmp_path / "parts" / f"{name}.jsonl") for name in ("train", "validation", "test")}
    assert sum(done["written"].values()) == 30
    assert sorted(row["origin"] for side in sides.values() for row in side) == sorted(row["origin"] for row in rows)
    scenes = [{row["scene"] for row in side} for side in sides.values()]
    assert sum(map(len, scenes)) == 10, "no scene is on two sides"
    assert len(sides["test"]) == 6
    again = tmp_path / "again"
    atanor("split", "talk.jsonl", "again", "--test", "6", "--validation", "3", "--group-by", "scene")
    assert rows_of(again / "test.jsonl") == sides["test"], "the seed decides"
    atanor("split", "talk.jsonl", "parts", "--test", "2.5", code=2)
    assert "--test it cannot be this (got '2.5'). Write a whole number of at least 1, or a number" in atanor.errors


def test_contamination_shows_what_a_test_item_overlaps_with(atanor: Screen, tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl", talk(20))
    write(
        tmp_path / "test.jsonl", [talk(20)[4], {"prompt": "Who built this bridge?", "completion": "Nobody knows who."}]
    )
    said = atanor("contamination", "train.jsonl", "test.jsonl")
    assert "looked at 2 test items in 20 training rows" in said
    assert "1 contaminated: 1 word for word" in said and "test.jsonl:1" in said and "train.jsonl:5" in said
    write(tmp_path / "probe.jsonl", [{"question": f"{talk(20)[6]['prompt']} {talk(20)[6]['completion']}"}])
    found = atanor.json("contamination", "train.jsonl", "probe.jsonl", "--probe", "question", "--no-near")
    assert [(one["test"], one["train"]) for one in found["found"]] == [("probe.jsonl:1", "train.jsonl:7")]
    write(tmp_path / "clean.jsonl", [{"prompt": "Who built this bridge?", "completion": "Nobody knows who did."}])
    assert "no test item in the training rows" in atanor("contamination", "train.jsonl", "clean.jsonl")


def test_convert_writes_uploads_and_keeps_what_has_no_place(atanor: Screen, tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "hello there"}, {"role": "assistant", "content": "good day"}]
    longer = [*turns, {"role": "user", "content": "and now?"}, {"role": "assistant", "content": "now we part"}]
    write(tmp_path / "talk.jsonl", [{"messages": turns}] * 10 + [{"messages": longer}], '{"messages": 5}')
    done = atanor.json("convert", "talk.jsonl", "up.jsonl", "--to", "vertex")
    assert (done["read"], done["written"], len(done["refused"])) == (12, 11, 1)
    said = atanor("convert", "talk.jsonl", "pairs.csv", "--to", "alpaca")
    assert "wrote pairs.csv · 10 rows of format alpaca" in said
    assert "the format `alpaca` has no place for more than one turn before the answer" in said
    assert [row["line"] for row in rows_of(tmp_path / "pairs.refused.jsonl")] == [12, 11]
    atanor("convert", "talk.jsonl", "up.jsonl", "--to", "opena", code=2)
    assert "--to no such choice (got opena). Did you mean `openai`?" in atanor.errors
    atanor("convert", "talk.jsonl", "up.csv", "--to", "openai", code=2)
    assert "an upload in format `openai` is a plain .jsonl file" in atanor.errors


def test_augment_shows_before_and_after_and_keeps_what_is_filtered(atanor: Screen, tmp_path: Path) -> None:
    rows = [{"text": f"please send my order number {n} to the other address", "label": f"l{n % 2}"} for n in range(8)]
    write(tmp_path / "ask.jsonl", rows)
    (tmp_path / "how.yaml").write_text(
        "techniques: [{method: typos, per_row: 1}]\nfilter: {embedder: lexical}\n", "utf-8"
    )
    done = atanor.json("augment", "ask.jsonl", "more.jsonl", "--options", "how.yaml")
    (technique,) = done["report"]["techniques"]
    assert technique["asked"] == 8 == technique["made"] + sum(technique["filtered"].values())
    after = rows_of(tmp_path / "more.jsonl")
    new = [row for row in after if "parent" in row]
    assert len(after) == 8 + technique["made"] and len(new) == technique["made"] > 0
    assert {row["technique"] for row in new} == {"typos"} and {row["label"] for row in new} <= {"l0", "l1"}
    said = atanor("augment", "ask.jsonl", "more.jsonl", "--options", "how.yaml", "--only-new")
    assert f"typos {technique['made']} made of 8 asked" in said and "→ " in said
    atanor("augment", "ask.jsonl", "more.jsonl", code=2)
    assert "one of --method and --options says how rows are made" in atanor.errors
    atanor("augment", "ask.jsonl", "more.jsonl", "--method", "edda", code=2)
    assert "--method no such technique (got edda). Did you mean `eda`?" in atanor.errors
    atanor("augment", "ask.jsonl", "more.jsonl", "--method", "back_translation", "--alpha", "0.1", code=2)
    assert "--alpha unknown option" in atanor.errors
    atanor("augment", "ask.jsonl", "more.jsonl", "--method", "typos", "--alpha", "3", code=2)
    assert "--alpha it cannot be this (got 3.0). Write a number above 0 and at most 1" in atanor.errors


def test_build_list_show_diff_and_report_tell_of_one_dataset(atanor: Screen, project: Path) -> None:
    said = atanor("build")
    assert "guide" in said and "read 22 rows: 20 as they were · 2 refused" in said
    assert "14 train · 3 validation · 3 test" in said
    (first,) = atanor.json("list")
    assert first["roles"] == ["guide"] and first["sides"] == {"train": 14, "validation": 3, "test": 3}
    assert f"{first['name']} guide 22 14 3 3" in atanor("list")
    shown = atanor("show", first["name"][:4], "-n", "1", "--side", "test")
    assert "what is marked ⟦so⟧ carries loss" in shown and ", so it is said." in shown and "<|im_start|>user" in shown
    write(project / "talk.jsonl", [*talk(19), {**talk(20)[19], "completion": "It is another answer now, as it seems."}])
    (second,) = atanor.json("build").values()
    found = atanor.json("diff", first["name"], second["name"])
    assert (found["same"] + sum(found["moved"].values()), found["rewritten"]) == (19, 1)
    assert (found["added"], found["removed"]) == (0, 0)
    assert "rewritten 1 row" in atanor("diff", first["name"][:6], second["name"][:6])
    said = atanor("report")
    page = project / ".atanor" / "datasets" / second["name"] / "report.html"
    assert f"page {page.relative_to(project)}" in said and "language of the answer" in said
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")


def test_a_row_is_followed_from_its_line_and_a_refused_one_too(atanor: Screen, project: Path) -> None:
    rows = talk(20)
    rows[3]["completion"] = "Itâ€™s told that nobody ever wrote about old maps."
    write(project / "talk.jsonl", rows, '{"prompt": "broken"')
    (made,) = atanor.json("build").values()
    said = atanor("show", made["name"], "talk.jsonl:4")
    assert "as it stood in its file" in said and "Itâ€™s told" in said
    assert "clean: encoding changed messages[1].content" in said and "as it is now" in said
    said = atanor("show", made["name"], "talk.jsonl:21")
    assert "side none: refused" in said and "not JSON" in said and '{"prompt": "broken"' in said
    (entry,) = atanor.json("show", made["name"], "--log", "clean.encoding")
    assert entry["line"] == 4
    atanor("show", made["name"], "talk.jsonl:99", code=2)
    assert "there is no row `talk.jsonl:99`" in atanor.errors and "FILE:LINE" in atanor.errors


def test_a_file_is_shown_as_it_is_recognised(atanor: Screen, tmp_path: Path) -> None:
    write(tmp_path / "talk.jsonl", talk(4))
    said = atanor("show", "talk.jsonl", "-n", "2")
    assert "talk.jsonl: jsonl, prompt_completion" in said and "user Tell me about " in said
    assert said.count(", so it is said.") == 2
    shown = atanor.json("show", "talk.jsonl", "-n", "1")
    assert shown["rows"][0]["line"] == 1 and shown["rows"][0]["pieces"] is None
    assert "page talk.report.html" in atanor("report", "talk.jsonl")
    assert (tmp_path / "talk.report.html").is_file()


def test_datasets_that_are_not_there_or_several(atanor: Screen, project: Path) -> None:
    atanor("report", code=2)
    assert "no dataset was made yet" in atanor.errors and "Run `atanor data build`." in atanor.errors
    (made,) = atanor.json("build").values()
    twin = project / ".atanor" / "datasets" / f"{made['name'][:2]}0000000000"
    shutil.copytree(made["folder"], twin)
    atanor("show", made["name"][:2], code=2)
    assert "2 datasets begin with it" in atanor.errors and made["name"] in atanor.errors
    atanor("show", "nothing", code=2)
    assert "there is no dataset `nothing`" in atanor.errors
    atanor("show", made["name"], "--side", "tset", code=2)
    assert "--side no such choice (got tset). Did you mean `test`?" in atanor.errors


def mend(path: Path, change: Callable[[dict[str, Any]], str | None]) -> None:
    """Edit the quarantine as a person would."""
    kept = rows_of(path)
    for row in kept:
        row["raw"] = change(row) or row["raw"]
    write(path, kept)


def test_accept_puts_mended_rows_back_and_keeps_the_others(atanor: Screen, project: Path) -> None:
    source, quarantine = project / "talk.jsonl", project / ".atanor" / "quarantine" / "guide.jsonl"
    before = source.read_text("utf-8")
    atanor("build")
    mended = {21: '{"prompt": "no longer\nbroken",\n "completion": "indeed"}'.replace("\nbroken", " broken")}
    mend(quarantine, lambda row: mended.get(row["line"]))
    atanor("build")
    assert rows_of(quarantine)[0]["raw"] == mended[21], "checking again does not undo what was mended"
    said = atanor("accept")
    assert "accepted 1 row" in said and "unmended 1 row" in said and "as it was: talk.jsonl.bak" in said
    lines = source.read_text("utf-8").splitlines()
    assert json.loads(lines[20]) == {"prompt": "no longer broken", "completion": "indeed"}
    assert lines[:20] == before.splitlines()[:20] and lines[21] == before.splitlines()[21]
    assert (project / "talk.jsonl.bak").read_text("utf-8") == before
    assert [row["line"] for row in rows_of(quarantine)] == [22]
    mend(quarantine, lambda row: '{"prompt": "empty", "completion": "filled"}')
    assert len(atanor.json("accept")["guide"]["accepted"]) == 1
    assert not quarantine.exists() and "nothing is in quarantine" in atanor("accept")
    assert "22 as they were" in atanor("build")


def test_accept_never_writes_a_row_that_is_bad_or_has_another_line_now(atanor: Screen, project: Path) -> None:
    source, quarantine = project / "talk.jsonl", project / ".atanor" / "quarantine" / "guide.jsonl"
    atanor("build")
    mend(quarantine, lambda row: '{"prompt": "x", "completion": "   "}')
    before = source.read_bytes()
    said = atanor("accept")
    assert "refused 2 rows" in said and "talk.jsonl:21" in said and "completion" in said
    assert source.read_bytes() == before and not (project / "talk.jsonl.bak").exists()
    assert all(row["raw"] == '{"prompt": "x", "completion": "   "}' for row in rows_of(quarantine)), "kept as mended"
    mend(quarantine, lambda row: '{"prompt": "x", "completion": "good"}')
    write(source, talk(25))
    said = atanor("accept")
    assert "elsewhere 2 rows" in said and "the line in the file is not the one that was refused any more" in said
    assert rows_of(source) == talk(25)


def test_accept_keeps_the_byte_order_mark_and_line_ends_of_a_file(atanor: Screen, project: Path) -> None:
    source, quarantine = project / "talk.jsonl", project / ".atanor" / "quarantine" / "guide.jsonl"
    lines = ['{"prompt": "first", "completion": ""}', *(json.dumps(row) for row in talk(20))]
    source.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    atanor("build")
    mend(quarantine, lambda row: '{\n  "prompt": "first",\n  "completion": "filled"\n}')
    atanor("accept")
    lines[0] = '{"prompt": "first", "completion": "filled"}'
    assert source.read_bytes() == b"\xef\xbb\xbf" + "\r\n".join(lines).encode()


def test_rows_that_are_no_single_examples_are_written_as_messages(atanor: Screen, tmp_path: Path) -> None:
    speeches = [("Duke", "Who goes there at this hour?"), ("Maid", "A friend, my lord, and no other.")]
    write(tmp_path / "play.jsonl", [{"speaker": who, "text": said, "act": 1, "scene": 1} for who, said in speeches * 3])
    atanor("dedupe", "play.jsonl", "out.jsonl", "--map", "format=script", "--map", "speaker=speaker", "--near", "keep")
    rows = rows_of(tmp_path / "out.jsonl")
    assert rows and all(row["messages"][-1]["role"] == "assistant" for row in rows)


def test_accept_says_of_other_kinds_to_mend_the_source(atanor: Screen, project: Path) -> None:
    lines = ["prompt,completion", *(f"question {n} of many,answer {n * n} of it" for n in range(12)), "lonely,"]
    (project / "talk.csv").write_text("\n".join(lines) + "\n", "utf-8")
    text = (project / "atanor.yaml").read_text("utf-8").replace("talk.jsonl", "talk.csv")
    (project / "atanor.yaml").write_text(text, "utf-8")
    atanor("build")
    mend(project / ".atanor" / "quarantine" / "guide.jsonl", lambda row: '{"prompt": "lonely", "completion": "no"}')
    said = atanor("accept")
    assert "only lines of plain .jsonl files are replaced, and this is a csv file" in said
    assert "Mend the row in its source" in said
    (project / ".atanor" / "quarantine" / "guide.jsonl").write_text("oh no\n", "utf-8")
    atanor("accept", code=2)
    assert "the line is no refused row any more" in atanor.errors


BOOK = "The Two Rivers\n\nby Ana Lopez\n\n\n\n" + "\n\n\n".join(
    f"CHAPTER {number}\n\n"
    + "\n\n".join(
        f"On day {day} the river Arno rose, and Marta walked along it to the mill. "
        f"She counted {day * 3 + 1} boats there, and spoke with the miller about the flood of the year before. "
        "The evening came, and the lamps of the bridge were lit one after the other, as they had always been."
        for day in range(6)
    )
    for number in ("I", "II", "III")
)


def test_books_become_windows_and_instructions_with_their_chapters_shown(
    atanor: Screen, tmp_path: Path, tiny_base_folder: Path
) -> None:
    (tmp_path / "book.txt").write_text(BOOK, "utf-8")
    base = f"path:{tiny_base_folder}"
    said = atanor("windows", "book.txt", "rows.jsonl", "--tokens", "400", "--base", base)
    assert "3 chapters" in said and "CHAPTER I " in said and "CHAPTER III" in said
    rows = rows_of(tmp_path / "rows.jsonl")
    assert f"wrote rows.jsonl · {len(rows)} rows" in said
    assert {row["chapter"] for row in rows} >= {"CHAPTER I", "CHAPTER II", "CHAPTER III"}
    whole = " ".join(BOOK.split())
    assert all(" ".join(row["text"].split()) in whole for row in rows)
    assert {row["group"].partition("/")[0] for row in rows} == {"The Two Rivers"}
    done = atanor.json("instruct", "book.txt", "asked.jsonl", "--kinds", "continue", "--tokens", "200", "--base", base)
    assert done["written"] == len(rows_of(tmp_path / "asked.jsonl")) == done["kinds"]["continue"]
    assert all(row["completion"] in BOOK for row in rows_of(tmp_path / "asked.jsonl"))
    atanor("instruct", "book.txt", "asked.jsonl", "--kinds", "sene", "--base", base, code=2)
    assert "Did you mean `scene`?" in atanor.errors
    atanor("windows", "book.txt", "--base", base, code=2)
    assert "books and the file to write are needed" in atanor.errors
    atanor("windows", "rows.jsonl", "out.jsonl", "--base", base, code=2)
    assert "a jsonl file holds rows and is no book" in atanor.errors
    atanor("windows", "book.txt", "rows.jsonl", "--tokens", "400", "--overlap", "300", "--base", base, code=2)
    assert "write at most half of `tokens`, 200" in atanor.errors


def test_tokens_are_told_by_language_with_lengths_and_cuts(
    atanor: Screen, tmp_path: Path, tiny_base_folder: Path
) -> None:
    write(tmp_path / "talk.jsonl", talk(6))
    base = f"path:{tiny_base_folder}"
    said = atanor("tokens", "talk.jsonl", "--base", base, "--other", base)
    assert "6 rows" in said and "length of rows in tokens" in said and "what a context cuts off" in said
    assert "1.00 tokens for one of" in said
    found = atanor.json("tokens", "talk.jsonl", "--base", base)
    assert found["rows"] == 6 == sum(one["rows"] for one in found["lengths"])
    atanor("tokens", "talk.jsonl", "--base", "path:nowhere", code=2)
    assert "nowhere" in atanor.errors
