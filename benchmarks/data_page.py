"""The page of what the data workshop was measured to do, made from the committed results: docs/data-measured.md.

python -m benchmarks.data_page     # also `make docs`
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks import million_rows, planted_faults
from benchmarks.goals import Judged
from benchmarks.page import NOT_YET, ROOT, read

PAGE = ROOT / "docs" / "data-measured.md"

Result = Mapping[str, Any]

_HEAD = """# The data workshop, measured

This page is made from the results in [benchmarks/results](../benchmarks/results) by `make docs`. `make bench-workshop`
plants faults, builds datasets of up to a million rows and measures the peer beside them; `make bench-augmentation`
trains with and without augmentation.
"""


def page() -> str:
    """The whole page."""
    parts = (_planted(read("planted_faults")), _million(read("million_rows")), _augmentation(read("augmentation")))
    return "\n".join([_HEAD, *(line for part in parts for line in part)]) + "\n"


def _planted(found: Result | None) -> Iterator[str]:
    yield "## Faults that were planted\n"
    if found is None:
        yield NOT_YET + "\n"
        return
    yield (
        f"{found['what'].capitalize()}. The pipeline as a project runs it builds a dataset, and its log is compared "
        "with what was planted. What is found in the rows as they came was judged by hand in "
        "[natural_faults.json](../benchmarks/natural_faults.json): wrong findings there count as false alarms.\n"
    )
    head = ["check", "planted", "found", "false alarms", "recall", "precision", "wanted"]
    rows = [
        [
            name.replace("_", " "),
            f"{check['planted']:,}",
            f"{check['found']:,}",
            f"{check['false_alarms']:,}",
            f"{check['recall']:.3f}",
            f"{check['precision']:.3f}",
            f"{check['goal']:g}",
        ]
        for name, check in found["checks"].items()
    ]
    yield _table(head, rows)
    yield _goals(planted_faults.judge(found))


def _million(found: Result | None) -> Iterator[str]:
    yield "## A million rows\n"
    if found is None:
        yield NOT_YET + "\n"
        return
    machine = found["machine"]
    yield (
        f"Rows recombined from real ones, with {found['made']['exact_copies']:,} exact and "
        f"{found['made']['near_copies']:,} near copies, are read, cleaned, checked, deduplicated and split on "
        f"{machine['cores']} cores ({machine['processor']}). Each build is a process of its own, starting included; "
        f"memory is the most that all its processes held together. The fastest of {found['times']} builds counts.\n"
    )
    head = ["rows", "exact checks, rows/s", "peak", "with MinHash, rows/s", "peak"]
    exact, near = (found["builds"][million_rows.TITLES[copies]] for copies in million_rows.RATES)
    rows = [
        [f"{one['rows']:,}", f"{one['rows_per_second']:,}", _gib(one), f"{two['rows_per_second']:,}", _gib(two)]
        for one, two in zip(exact, near, strict=True)
    ]
    yield _table(head, rows)
    peer = found.get("peer")
    if peer is not None:
        own = {title: points[0]["rows_per_second"] for title, points in found["builds"].items()}
        exact_times = own[million_rows.TITLES[million_rows.Copies.OFF]] / peer["rows_per_second"]
        minhash = peer["minhash_rows_per_second"]
        near_times = own[million_rows.TITLES[million_rows.Copies.KEEP_TOGETHER]] / minhash if minhash else None
        also = f", and {minhash:,} rows/s with datasketch's MinHash: {near_times:.1f} times" if near_times else ""
        yield (
            "In the same run, measured once, `datasets.map` over two processes with the same kind of checks written "
            f"plainly takes {peer['rows']:,} rows at {peer['rows_per_second']:,} rows/s: Atanor is {exact_times:.1f} "
            f"times as fast at that size{also}.\n"
        )
    yield _goals(million_rows.judge(found))


def _augmentation(found: Result | None) -> Iterator[str]:
    yield "## What augmentation brings where rows are few\n"
    if found is None:
        yield NOT_YET + "\n"
        return
    result = found["result"]
    seeds = "one seed" if result["seeds"] == 1 else f"{result['seeds']} seeds"
    yield (
        f"Banking messages of {found['intents']} intents, ten training rows each (`banking77`); SmolLM2-135M-Instruct, "
        f"LoRA, {result['steps']} optimizer steps whatever the rows, {seeds}, {result['items']} test items answered "
        f"greedily. The untouched base has an accuracy of {result['base']:.2f}. The change from none has its "
        "95 % interval over test items; the effect is named after Holm's adjustment for several techniques.\n"
    )
    head = ["technique", "rows", "new", "accuracy", "change", "effect"]
    without = result["without"]
    rows = [["none", f"{without['rows']:,}", "–", f"{without['accuracy']:.3f}", "–", "–"]]
    rows += [
        [
            name.replace("_", " "),
            f"{arm['rows']:,}",
            f"{arm['made']:,}",
            f"{arm['accuracy']:.3f}",
            f"{arm['change']:+.3f} [{arm['low']:+.3f}, {arm['high']:+.3f}]".replace("-", "−"),
            arm["effect"],
        ]
        for name, arm in result["with"].items()
    ]
    yield _table(head, rows)


def _gib(point: Result) -> str:
    return f"{point['peak_memory_bytes'] / 2**30:.2f} GiB"


def _goals(found: Sequence[Judged]) -> str:
    rows = [[one.subject, one.wanted, one.measured, "yes" if one.met else "**no**"] for one in found]
    return _table(["goal", "wanted", "measured", "met"], rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines) + "\n"


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
