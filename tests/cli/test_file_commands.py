"""The commands that write a file of rows: what they write, show, print as JSON and refuse."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cli.typed import BOOK, WORDS, Screen, rows_of, talk, write
from tests.endpoint import Reply, Server, said


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


def test_contamination_of_a_dataset_looks_at_what_it_holds_out(atanor: Screen, project: Path) -> None:
    atanor("contamination", code=2)
    assert "Run `atanor data build`" in atanor.errors
    atanor("build")
    assert "looked at 6 test items in 14 training rows" in atanor("contamination")
    atanor("contamination", "talk.jsonl", code=2)
    assert "nothing is held out" in atanor.errors and "atanor data contamination TRAIN TEST" in atanor.errors


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


def test_rows_that_are_no_single_examples_are_written_as_messages(atanor: Screen, tmp_path: Path) -> None:
    speeches = [("Duke", "Who goes there at this hour?"), ("Maid", "A friend, my lord, and no other.")]
    write(tmp_path / "play.jsonl", [{"speaker": who, "text": said, "act": 1, "scene": 1} for who, said in speeches * 3])
    atanor("dedupe", "play.jsonl", "out.jsonl", "--map", "format=script", "--map", "speaker=speaker", "--near", "keep")
    rows = rows_of(tmp_path / "out.jsonl")
    assert rows and all(row["messages"][-1]["role"] == "assistant" for row in rows)


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


def test_a_model_behind_an_endpoint_writes_the_instructions(
    atanor: Screen, tmp_path: Path, tiny_base_folder: Path, serve: Callable[[Reply], Server]
) -> None:
    def reply(body: dict[str, Any], number: int) -> tuple[int, dict[str, str], Any]:
        assert body["model"] == "writer"
        return 200, {}, said(json.dumps({"instruction": "Write about a flood."}) if number > 1 else "With pleasure!")

    url = serve(reply).url
    (tmp_path / "book.txt").write_text(BOOK, "utf-8")
    words = ["instruct", "book.txt", "asked.jsonl", "--tokens", "200", "--base", f"path:{tiny_base_folder}"]
    atanor(*words, "--model", "writer", code=2)
    assert "--base-url missing" in atanor.errors
    asks = ["--base-url", url, "--model", "writer", "--api-key-env", "none"]
    shown = atanor(*words, *asks)
    rows = rows_of(tmp_path / "asked.jsonl")
    assert {row["prompt"] for row in rows} == {"Write about a flood."}
    assert all(row["completion"] in BOOK for row in rows)
    assert "1 × the model's answer is not JSON" in shown and "asked.refused.jsonl" in shown
    (refused,) = rows_of(tmp_path / "asked.refused.jsonl")
    assert (refused["raw"], refused["source"]) == ("With pleasure!", "book.txt")
    atanor(*words, "--engine", "endpoint", code=2)
    assert "Write `--base-url https://host/v1 --model NAME`" in atanor.errors
    atanor(*words, "--engine", "elsewhere", code=2)
    assert "Write one of local, endpoint" in atanor.errors
    atanor(*words, "--base-url", url, "--model", "writer", "--api-key-env", "NO_SUCH_KEY", code=2)
    assert "endpoint.api_key_env" in atanor.errors and "export NO_SUCH_KEY" in atanor.errors


def test_rows_of_a_file_are_paraphrased_by_an_endpoint_or_the_base(
    atanor: Screen, tmp_path: Path, tiny_base_folder: Path, serve: Callable[[Reply], Server]
) -> None:
    def reply(body: dict[str, Any], number: int) -> tuple[int, dict[str, str], Any]:
        return 200, {}, said(f"kindly tell me where parcel {number} of mine can be found at present")

    rows = [{"text": f"where is the parcel of {word}", "label": "parcel"} for word in WORDS.split()[:6]]
    write(tmp_path / "ask.jsonl", rows)
    words = ["augment", "ask.jsonl", "more.jsonl", "--method", "paraphrase"]
    asks = ["--base-url", serve(reply).url, "--model", "writer", "--api-key-env", "none"]
    report = atanor.json(*words, *asks)["report"]["techniques"][0]
    assert (report["asked"], report["spent"]["requests"]) == (6, 6)
    # The tiny base writes nonsense: what counts is that it was asked and all it wrote is accounted for.
    report = atanor.json(*words, "--engine", "local", "--base", f"path:{tiny_base_folder}")["report"]["techniques"][0]
    assert report["asked"] == 6 == report["made"] + sum(report["filtered"].values())


def test_a_base_learns_the_characters_it_lacks(atanor: Screen, tmp_path: Path, tiny_base_folder: Path) -> None:
    verse = "Μῆνιν ἄειδε θεὰ Πηληϊάδεω Ἀχιλῆος οὐλομένην"
    write(tmp_path / "greek.jsonl", [{"prompt": f"Verse {number}?", "completion": verse} for number in range(4)])
    words = ["extend", "greek.jsonl", "wider", "--base", f"path:{tiny_base_folder}"]
    shown = atanor(*words, "--pieces", "4")
    assert "learned" in shown and "ὐ ὰ ῆ" in shown and "write `base: path:wider` in atanor.yaml" in shown
    measured = [
        atanor.json("tokens", "greek.jsonl", "--base", f"path:{folder}")["whole"]["tokens"]
        for folder in (tiny_base_folder, "wider")
    ]
    assert measured[1] < measured[0] / 2
    atanor(*words, code=2)
    assert "it is there already" in atanor.errors
    atanor("extend", "greek.jsonl", "again", "--base", "path:wider", code=2)
    assert "there is nothing to extend" in atanor.errors
