"""What the benchmarks of the workshop measure with: planted faults, generated rows, scores and growth."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atanor.data.checks import checksums
from atanor.data.workshop.log import Entry, Fate
from benchmarks.invented import PERSONAL, SECRETS
from benchmarks.million_rows import growth
from benchmarks.million_rows import judge as judge_million
from benchmarks.planted_faults import NATURAL, RESULTS, judge, score
from benchmarks.planting import (
    CHECKS,
    CONTRADICTIONS,
    CONTROL_TOKENS,
    DUPLICATES,
    ENCODING,
    NEAR_DUPLICATES,
    PERSONAL_DATA,
    SET,
    Fault,
    Planted,
    holds_token,
    plant,
    row_id,
)
from benchmarks.process_tree import run
from benchmarks.recombining import EXACT, FRESH, NEAR, generate, varied, with_a_word_more

DATA = Path(os.environ.get("ATANOR_DATA", Path(__file__).parents[2].parent / "shared" / "data"))

CHECKED = {
    "card": checksums.card,
    "iban": checksums.iban,
    "spain_dni": checksums.spain_dni,
    "spain_social_security": checksums.spain_social_security,
    "us_ssn": checksums.us_ssn,
    "us_itin": checksums.us_itin,
    "uk_nino": checksums.uk_nino,
    "france_insee": checksums.france_insee,
    "germany_tax_id": checksums.germany_tax_id,
    "italy_fiscal_code": checksums.italy_fiscal_code,
    "portugal_nif": checksums.portugal_nif,
    "brazil_cpf": checksums.brazil_cpf,
    "mexico_curp": checksums.mexico_curp,
    "argentina_cuil": checksums.argentina_cuil,
    "chile_rut": checksums.chile_rut,
}


@pytest.fixture(scope="module")
def planted() -> Planted:
    if not (DATA / SET).is_file():
        pytest.skip(f"the real sets are not at {DATA}; ATANOR_DATA names their folder")
    return plant(DATA, ())


@pytest.mark.parametrize("kind", CHECKED)
@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32))
def test_invented_numbers_have_their_check_digits(kind: str, seed: int) -> None:
    """The benchmark works them out by itself; both sides have to come to the same digits."""
    number = PERSONAL[kind].draw(Random(seed))
    assert CHECKED[kind](number.translate({ord(one): None for one in " .-/"}).upper()), number


def test_every_default_kind_is_invented() -> None:
    from atanor.data.checks.personal_options import DEFAULT_KINDS

    assert set(PERSONAL) == {kind.value for kind in DEFAULT_KINDS}
    assert len(SECRETS) == 19


def test_planting_again_gives_the_same(planted: Planted) -> None:
    assert plant(DATA, ()) == planted
    assert plant(DATA, (), seed=18) != planted


def test_every_check_has_faults_each_in_a_row_of_its_own(planted: Planted) -> None:
    lines = [fault.line for fault in planted.faults]
    assert len(lines) == len(set(lines))
    assert {fault.check for fault in (*planted.faults, *planted.contradictions)} == set(CHECKS)
    originals = {fault.of for fault in planted.faults if fault.of is not None}
    assert not originals & set(lines)


def test_faults_are_where_the_truth_says(planted: Planted) -> None:
    by_check: dict[str, list[Fault]] = {check: [] for check in CHECKS}
    for fault in planted.faults:
        by_check[fault.check].append(fault)
    rows = planted.rows
    for fault in by_check[CONTROL_TOKENS]:
        assert any(holds_token(rows[fault.line - 1][name]) for name in ("instruction", "response")), fault
    for fault in by_check[ENCODING]:
        assert fault.meant is not None
        assert rows[fault.line - 1]["response"] != fault.meant
    for fault in by_check[DUPLICATES]:
        assert fault.of is not None
        assert rows[fault.line - 1] == rows[fault.of - 1]
    for fault in by_check[NEAR_DUPLICATES]:
        assert fault.of is not None
        assert rows[fault.line - 1] != rows[fault.of - 1]


def test_contradictions_are_pairs_with_one_prompt_and_two_labels(planted: Planted) -> None:
    rows = planted.labelled
    copies = [fault for fault in planted.contradictions if fault.of is not None]
    assert 2 * len(copies) == len(planted.contradictions)
    for fault in copies:
        assert fault.of is not None
        copy, first = rows[fault.line - 1], rows[fault.of - 1]
        assert copy["text"] == first["text"]
        assert copy["label"] != first["label"]
        assert {row["label"] for row in rows if row["text"] == first["text"]} == {copy["label"], first["label"]}


def test_spared_rows_are_left_alone(planted: Planted) -> None:
    first = next(fault for fault in planted.faults if fault.of is None)
    whole = plant(DATA, ()).rows[first.line - 1]
    original = json.loads((DATA / SET).read_text(encoding="utf-8").split("\n")[first.line - 1])
    assert whole != original
    assert plant(DATA, {row_id(original)}).rows[first.line - 1] == original


def test_judged_rows_are_rows_of_the_set(planted: Planted) -> None:
    del planted  # It skips where the set is absent.
    ids = {row_id(json.loads(line)) for line in (DATA / SET).read_text(encoding="utf-8").split("\n") if line}
    assert set(json.loads(NATURAL.read_text(encoding="utf-8"))) <= ids


def entry(line: int, rule: str) -> Entry:
    return Entry("rows.jsonl", line, "", "check", rule, Fate.REPORTED, None, None, None, "", None, None)


def test_score_counts_what_is_found_missed_and_wrong() -> None:
    faults = [Fault(PERSONAL_DATA, "email", 1), Fault(PERSONAL_DATA, "phone", 2), Fault(CONTROL_TOKENS, "chatml", 3)]
    log = [
        entry(1, "personal_data.email"),
        entry(1, "personal_data.email"),
        entry(2, "personal_data.card"),
        entry(4, "personal_data.email"),
        entry(5, "personal_data.email"),
        entry(3, "clean.control_tokens"),
        entry(9, "clean.html"),
    ]
    natural = {(4, "personal_data.email"): True, (5, "personal_data.email"): False}
    found = score(PERSONAL_DATA, faults, log, natural)
    assert (found.planted, found.found, found.natural) == (2, 1, 1)
    assert found.false_alarms == ((2, "personal_data.card"), (5, "personal_data.email"))
    assert (found.recall, found.precision) == (0.5, 1 / 3)
    assert found.kinds == {"email": (1, 1), "phone": (0, 1)}
    tokens = score(CONTROL_TOKENS, faults, log, natural)
    assert (tokens.recall, tokens.precision) == (1.0, 1.0)


def test_score_without_findings_is_precise_and_finds_nothing() -> None:
    found = score(CONTRADICTIONS, [Fault(CONTRADICTIONS, "another label", 1)], [], {})
    assert (found.recall, found.precision) == (0.0, 1.0)


def test_committed_result_meets_the_goals() -> None:
    judged = judge(json.loads(RESULTS.read_text(encoding="utf-8")))
    assert len(judged) == 2 * len(CHECKS) + 2
    assert [one for one in judged if not one.met] == []


@given(
    st.floats(0.8, 1.3), st.lists(st.integers(1_000, 10_000_000), min_size=2, max_size=6, unique=True), st.floats(1, 9)
)
def test_growth_finds_the_exponent(exponent: float, sizes: list[int], factor: float) -> None:
    times = [factor * size**exponent for size in sizes]
    points = [
        {"rows": size, "seconds": took, "rows_per_second": size / took} for size, took in zip(sizes, times, strict=True)
    ]
    assert growth(points)["exponent"] == pytest.approx(exponent, abs=0.01)


def test_goals_of_the_million_are_judged() -> None:
    point = {"rows": 1_000_000, "seconds": 50.0, "rows_per_second": 20_000, "peak_memory_bytes": 5 << 30}
    broken = {"killed": True, "kilobytes": 9, "kilobytes_not_read_again": 0, "identical": True}
    document = {"builds": {"exact checks": [point], "MinHash": [point]}, "interruption": broken}
    assert [one.met for one in judge_million(document)] == [True, False, True, True, False, True, False, True]


@pytest.fixture(scope="module")
def generated() -> list[tuple[str, dict[str, str]]]:
    if not (DATA / SET).is_file():
        pytest.skip(f"the real sets are not at {DATA}; ATANOR_DATA names their folder")
    return list(generate(DATA, 6000))


def test_first_rows_of_a_longer_file_are_those_of_a_shorter(generated: list[tuple[str, dict[str, str]]]) -> None:
    assert list(generate(DATA, 500)) == generated[:500]


def test_generated_rows_are_copies_as_often_as_said(generated: list[tuple[str, dict[str, str]]]) -> None:
    kinds = Counter(kind for kind, _ in generated)
    assert kinds[EXACT] == pytest.approx(300, abs=60)
    assert kinds[NEAR] == pytest.approx(300, abs=60)
    fresh = [json.dumps(row) for kind, row in generated if kind == FRESH]
    assert len(set(fresh)) >= 0.999 * len(fresh)
    before: set[str] = set()
    for kind, row in generated:
        assert (kind != EXACT) or json.dumps(row) in before
        before.add(json.dumps(row))


@given(st.text(max_size=60), st.integers())
def test_varying_keeps_the_words(text: str, seed: int) -> None:
    changed = varied(text, Random(seed))
    assert len(changed.split()) == len(text.split())
    assert with_a_word_more({"instruction": text}, Random(seed))["instruction"] != text


def test_a_command_is_run_with_its_memory() -> None:
    ran = run([sys.executable, "-c", "import time; block = b'x' * 50_000_000; time.sleep(0.6); print('done')"])
    assert ran.output == "done\n"
    assert ran.peak_memory_bytes > 50_000_000
    assert not ran.killed


def test_a_command_is_killed_with_its_children(tmp_path: Path) -> None:
    began = tmp_path / "began"
    child = f"import time, pathlib; pathlib.Path({str(began)!r}).touch(); time.sleep(60)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    ran = run([sys.executable, "-c", parent], until=began.exists)
    assert ran.killed
    assert ran.seconds < 30
