"""The page of how often verdicts are right where the truth is known: docs/verdicts-measured.md.

python -m benchmarks.verdict_page     # also `make docs`
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks import coverage
from benchmarks.page import NOT_YET, ROOT, goals_table, read, table

PAGE = ROOT / "docs" / "verdicts-measured.md"

_HEAD = """# Verdicts, measured

This page is made from [coverage.json](../benchmarks/results/coverage.json) by `make docs`; `make bench-coverage`
simulates comparisons whose truth is known and asks how often what `atanor` says of them is right.
"""


def page() -> str:
    """The whole page."""
    found = read("coverage")
    return "\n".join([_HEAD, *([NOT_YET + "\n"] if found is None else _parts(found))])


def _parts(found: Mapping[str, Any]) -> Iterator[str]:
    yield goals_table(coverage.judge(found))
    yield (
        f"## Intervals\n\nShare of {found['simulations']:,} simulated comparisons whose 95 % interval holds the true "
        "change: Atanor's symmetric studentised bootstrap (Hall 1988) beside the percentile bootstrap and BCa, which "
        "see the same draws. Where hardly any item changes a bootstrap sees too few changes: Atanor's interval is then "
        "wider than it need be, the others are too narrow, and the goal leaves the case out.\n"
    )
    lines = [
        [kind, items, *(f"{one[way]:.1%}" for way in ("atanor", "percentile", "BCa"))]
        for kind, sizes in found["coverage"].items()
        for items, one in sizes.items()
    ]
    yield table(["scores", "items", "Atanor", "percentile", "BCa"], lines)
    yield "## False verdicts\n\nFive metrics, none of which changes: how often the whole says `better` or `worse`.\n"
    yield table(
        ["items", "`better`", "`worse`"],
        [[items, f"{one['better']:.1%}", f"{one['worse']:.1%}"] for items, one in found["false_better"].items()],
    )
    yield "## Power\n\nHow often a gain is shown: as told before training, and as found.\n"
    yield table(
        ["test", "told", "found"],
        [[case, f"{one['told']:.1%}", f"{one['found']:.1%}"] for case, one in found["power"].items()],
    )


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
