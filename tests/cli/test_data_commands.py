"""The commands about checks and datasets as a user types them: what they show, print as JSON and refuse."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cli.typed import Screen, rows_of, talk, write


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


def test_a_check_that_finds_nothing_removes_what_an_earlier_one_accused(atanor: Screen, tmp_path: Path) -> None:
    write(tmp_path / "talk.jsonl", talk(), '{"prompt": "broken"')
    atanor("check", "talk.jsonl", code=2)
    write(tmp_path / "talk.jsonl", talk())
    said = atanor("check", "talk.jsonl")
    assert "no row of it is refused any more; removed: talk.quarantine.jsonl" in said
    assert not (tmp_path / "talk.quarantine.jsonl").exists()
    assert atanor.json("check", "talk.jsonl")["cleared"] == []
    (tmp_path / "talk.quarantine.jsonl").write_text("my own notes\n")
    atanor("check", "talk.jsonl", code=2)
    assert (tmp_path / "talk.quarantine.jsonl").read_text() == "my own notes\n", "what is no quarantine is left"


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


def test_check_writes_where_one_works_and_names_options_as_they_are_typed(atanor: Screen, tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    for name in ("one", "two"):
        write(tmp_path / "far" / f"{name}.jsonl", talk(3))
        with (tmp_path / "far" / f"{name}.jsonl").open("ab") as file:
            file.write('{"prompt": "Qué hora es?", "completion": "Las tres."}\n'.encode("cp1252"))
    said = atanor("check", "far/*.jsonl", code=2)
    assert "`--map encoding=cp1252`" in said and "far.quarantine.jsonl" in said
    assert [row["source"] for row in rows_of(tmp_path / "far.quarantine.jsonl")] == ["far/one.jsonl", "far/two.jsonl"]
    assert sorted(path.name for path in (tmp_path / "far").iterdir()) == ["one.jsonl", "two.jsonl"]
    found = atanor.json("check", "far", "--map", "encoding=cp1252")
    assert (found["read"], found["refused"]) == (8, [])


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
