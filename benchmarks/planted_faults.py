"""What the checks of the workshop find of faults that were planted into real rows: recall and precision of each.

    python -m benchmarks.planted_faults             # half a minute; writes results/planted_faults.json
    python -m benchmarks.planted_faults --natural   # what is found in the rows before anything is planted

The real pipeline builds a dataset of the planted rows, and its log is compared with the truth. Findings in the rows as
they were found in the wild are judged by hand in `natural_faults.json`: only those that are right are set aside, and
the others count as false alarms like any other.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atanor.data.findings import Action
from atanor.data.options import SourceOptions, SplitOptions
from atanor.data.sides import SIDES
from atanor.data.workshop.build import build_dataset
from atanor.data.workshop.dataset import Dataset
from atanor.data.workshop.log import Entry
from atanor.data.workshop.options import CheckOptions, Copies
from atanor.data.workshop.recipe import Recipe
from benchmarks.goals import Judged, judged_lines
from benchmarks.machine import machine
from benchmarks.planting import (
    CHECKS,
    CONTRADICTIONS,
    CONTROL_TOKENS,
    ENCODING,
    LANGUAGE,
    NEAR_DUPLICATES,
    PERSONAL_DATA,
    SEED,
    SET,
    Fault,
    Planted,
    holds_token,
    plant,
    read_set,
    row_id,
)

DATA = Path(os.environ.get("ATANOR_DATA", "../shared/data")).resolve()
RESULTS = Path(__file__).parent / "results" / "planted_faults.json"
NATURAL = Path(__file__).parent / "natural_faults.json"

GOAL = 0.95
SOFT_GOAL = {NEAR_DUPLICATES: 0.9, LANGUAGE: 0.9}
"""Recall and precision that are asked of each check; less where there is no sharp border."""

_RULES = {ENCODING: "clean.encoding", CONTROL_TOKENS: "clean.control_tokens"}
"""First words of the rules of a check, where they are not its name."""

Unit = tuple[int, str]
"""A line and what is said about it: the check, and of personal data the kind."""


@dataclass(frozen=True)
class Score:
    """How a check did.

    Attributes:
        check: its name.
        planted: faults there are.
        found: those of them it found.
        false_alarms: what else it found, less what is naturally there.
        natural: findings set aside because they are right, though nobody planted them.
        kinds: found and planted of each kind.
    """

    check: str
    planted: int
    found: int
    false_alarms: tuple[Unit, ...]
    natural: int
    kinds: Mapping[str, tuple[int, int]]

    @property
    def recall(self) -> float:
        """Share of the faults that were found."""
        return self.found / self.planted if self.planted else 1.0

    @property
    def precision(self) -> float:
        """Share of the findings that are right."""
        findings = self.found + len(self.false_alarms)
        return self.found / findings if findings else 1.0

    @property
    def goal(self) -> float:
        """What both are to reach."""
        return SOFT_GOAL.get(self.check, GOAL)


def build(paths: Sequence[Path], folder: Path, *, languages: tuple[str, ...] = ()) -> Dataset:
    """A dataset of the files. Nothing but secrets and other languages is refused, so that the rest can be seen."""
    check = CheckOptions(
        languages=languages,
        language=Action.REFUSE,
        personal_data=Action.REPORT,
        secrets=Action.REFUSE,
        contradictions=Action.REPORT,
        near_duplicates=Copies.KEEP_TOGETHER,
    )
    sources = tuple(SourceOptions(path=str(path)) for path in paths)
    recipe = Recipe(sources=sources, split=SplitOptions(), check=check)
    return build_dataset(recipe, folder, folder / "datasets", confined=False)


def score(check: str, faults: Sequence[Fault], log: Sequence[Entry], natural: Mapping[Unit, bool]) -> Score:
    """Compare a log with the truth.

    Args:
        check: one of `CHECKS`.
        faults: what was planted, of every check.
        log: of the build.
        natural: findings in rows before anything was planted, and whether they are right.
    """
    truth = {_unit(check, fault.line, fault.kind): fault.kind for fault in faults if fault.check == check}
    found = {_unit(check, entry.line, entry.rule.rpartition(".")[2]) for entry in log if _is_of(entry, check)}
    right = {unit for unit, is_right in natural.items() if is_right}
    kinds = Counter(truth.values())
    caught = Counter(kind for unit, kind in truth.items() if unit in found)
    return Score(
        check=check,
        planted=len(truth),
        found=caught.total(),
        false_alarms=tuple(sorted(found - truth.keys() - right)),
        natural=len((found & right) - truth.keys()),
        kinds={kind: (caught[kind], count) for kind, count in sorted(kinds.items())},
    )


def natural_units(judgements: Mapping[str, Mapping[str, bool]], data: Path) -> dict[Unit, bool]:
    """The judged findings of `natural_faults.json` by line; the file names rows by their ids."""
    lines = {row_id(row): line for line, row in enumerate(read_set(data), 1)}
    return {
        _unit(_check_of(rule), lines[name], rule.rpartition(".")[2]): is_right
        for name, rules in judgements.items()
        for rule, is_right in rules.items()
    }


def torn_pairs(dataset: Dataset, faults: Sequence[Fault]) -> list[tuple[int, int]]:
    """Near-duplicates and the rows they copy, by line, that are on different sides of the split."""
    sides = dict(_lines_by_side(dataset))
    pairs = ((fault.of, fault.line) for fault in faults if fault.check == NEAR_DUPLICATES and fault.of is not None)
    return [(of, line) for of, line in pairs if of in sides and line in sides and sides[of] != sides[line]]


def texts_of(dataset: Dataset) -> dict[int, list[str]]:
    """What stands in each line's turns now."""
    return {
        row["line"]: [turn["content"] for turn in row["messages"]]
        for side in SIDES
        for row in dataset.rows(side, ["line", "messages"]).to_pylist()
    }


def judge(document: Mapping[str, Any]) -> list[Judged]:
    """Whether the goals are met."""
    found = []
    for check, result in document["checks"].items():
        for measure in ("recall", "precision"):
            reached, goal = result[measure], result["goal"]
            found.append(Judged(f"{check}: {measure}", f"at least {goal:g}", f"{reached:.3f}", reached >= goal))
    for name, told in (
        ("torn_pairs", "near-duplicates on two sides of the split"),
        ("tokens_let_through", "texts of the dataset with a control token"),
    ):
        found.append(Judged(told, "none", str(document[name]), document[name] == 0))
    return found


def measure(data: Path, folder: Path) -> dict[str, Any]:
    """Plant, build and compare."""
    judgements = json.loads(NATURAL.read_text(encoding="utf-8"))
    natural = natural_units(judgements, data)
    planted = plant(data, judgements.keys())
    answers, labels = planted.write(folder)
    dataset = build([answers], folder, languages=("en",))
    labelled = build([labels], folder)
    log = dataset.log()
    scores = [score(check, planted.faults, log, natural) for check in CHECKS if check != CONTRADICTIONS]
    scores.append(score(CONTRADICTIONS, planted.contradictions, labelled.log(), {}))
    texts = texts_of(dataset)
    return {
        "what": f"faults planted into {SET.parent}, {len(planted.rows)} and {len(planted.labelled)} rows, seed {SEED}",
        "machine": machine(),
        "checks": {one.check: _told(one) for one in scores},
        "torn_pairs": len(torn_pairs(dataset, planted.faults)),
        "tokens_let_through": sum(holds_token(text) for turns in texts.values() for text in turns),
        "restored": _restored(planted, texts),
    }


def _restored(planted: Planted, texts: Mapping[int, Sequence[str]]) -> dict[str, int]:
    """Spoiled texts that cleaning brought back to the last character but for white space, of how many."""
    meant = {fault.line: fault.meant.split() for fault in planted.faults if fault.meant is not None}
    restored = sum(words in [text.split() for text in texts.get(line, ())] for line, words in meant.items())
    return {"texts": restored, "of": len(meant)}


def _told(one: Score) -> dict[str, Any]:
    return {
        "planted": one.planted,
        "found": one.found,
        "false_alarms": len(one.false_alarms),
        "natural": one.natural,
        "recall": round(one.recall, 4),
        "precision": round(one.precision, 4),
        "goal": one.goal,
        "lines_of_false_alarms": [f"{line}: {name}" for line, name in one.false_alarms],
        "kinds": {kind: f"{found} of {planted}" for kind, (found, planted) in one.kinds.items()},
    }


def _lines_by_side(dataset: Dataset) -> Iterator[tuple[int, str]]:
    for side in SIDES:
        for line in dataset.rows(side, ["line"]).column("line").to_pylist():
            yield line, str(side)


def _unit(check: str, line: int, kind: str) -> Unit:
    return line, f"{check}.{kind}" if check == PERSONAL_DATA else check


def _is_of(entry: Entry, check: str) -> bool:
    return _check_of(entry.rule) == check


def _check_of(rule: str) -> str:
    return next((check for check, own in _RULES.items() if rule.startswith(own)), rule.partition(".")[0])


def _tell_natural(data: Path, folder: Path) -> None:
    """Print every finding in the rows as they are, for a person to judge."""
    dataset = build([data / SET], folder, languages=("en",))
    ids: Sequence[str] = [row_id(row) for row in read_set(data)]
    planted: Collection[str] = set(CHECKS)
    for entry in dataset.log():
        if _check_of(entry.rule) in planted:
            print(f"{ids[entry.line - 1]}  line {entry.line}  {entry.rule}  {entry.reason}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--natural", action="store_true", help="list what is found before anything is planted")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    if not (DATA / SET).is_file():
        raise SystemExit(f"{DATA / SET} is not there; ATANOR_DATA names the folder of the sets")
    with tempfile.TemporaryDirectory() as folder:
        if options.natural:
            _tell_natural(DATA, Path(folder))
            return
        document = measure(DATA, Path(folder))
    options.out.parent.mkdir(exist_ok=True)
    options.out.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for check, one in document["checks"].items():
        missed = {kind: told for kind, told in one["kinds"].items() if len(set(told.split(" of "))) > 1}
        print(f"{check}: {one['found']} of {one['planted']} found, {one['false_alarms']} false alarms; {missed or ''}")
    print("restored:", document["restored"])
    print("\n".join(judged_lines(judge(document))))


if __name__ == "__main__":
    main()
