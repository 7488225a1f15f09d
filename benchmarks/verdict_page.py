"""The page of how often verdicts are right where the truth is known: docs/verdicts-measured.md.

python -m benchmarks.verdict_page     # also `make docs`
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from atanor.page.figures import decimals, score, signed
from benchmarks import coverage
from benchmarks.page import NOT_YET, ROOT, goals_table, read, table

PAGE = ROOT / "docs" / "verdicts-measured.md"

_HEAD = """# Verdicts, measured

This page is made from the results in [benchmarks/results](../benchmarks/results) by `make docs`. `make bench-coverage`
simulates comparisons whose truth is known and asks how often what `atanor` says of them is right; `make bench-verdicts`
tunes three roles on real data and looks at everything there is; `make bench-evaluation` measures how fast models are
asked.
"""


def page() -> str:
    """The whole page."""
    parts = (_simulated(read("coverage")), _reports(read("verdict_reports")), _speed(read("evaluation_speed")))
    return "\n".join([_HEAD, *(line for part in parts for line in part)])


def _simulated(found: Mapping[str, Any] | None) -> Iterator[str]:
    if found is None:
        yield NOT_YET + "\n"
    else:
        yield from _parts(found)


def _reports(found: Mapping[str, Any] | None) -> Iterator[str]:
    """Three roles with every section of their reports."""
    yield "## Three roles on real data\n"
    if found is None:
        yield NOT_YET + "\n"
        return
    yield (
        "SmolLM2-135M-Instruct tuned by LoRA for one epoch, beside the base on the same held-out items: the role's own "
        "metrics, then what the probes found. Changes have their 95 % intervals.\n"
    )
    for name, one in found["roles"].items():
        rows, clean = one["rows"], one["contamination"]
        yield (
            f"### {name}\n\n**{str(one['verdict']).capitalize()}**, released: {one['decision']}. {one['headline']} "
            f"{rows['train']:,} rows learned, {rows['test']:,} items held out, {clean['learned']} of them found in the "
            "training rows.\n"
        )
        sections = {"The task": one["comparisons"], **one["sections"]}
        yield table(
            ["section", "measured", "items", "base", "tuned", "change", ""],
            [
                [title if not number else "", each["label"], f"{each['items']:,}", *_scores(each), str(each["verdict"])]
                for title, comparisons in sections.items()
                for number, each in enumerate(comparisons)
            ],
        )
        yield table(
            ["gate", "passed", "why"],
            [[f"`{gate['gate']}`", "yes" if gate["passed"] else "no", gate["reason"]] for gate in one["gates"]],
        )


def _speed(found: Mapping[str, Any] | None) -> Iterator[str]:
    """Answers and choices beside the usual ways."""
    yield "## How fast models are asked\n"
    if found is None:
        yield NOT_YET + "\n"
        return
    answers, choices = found["answers"], found["choices"]
    yield (
        f"{answers['items']:,} greedy answers of at most {answers['new_tokens']} tokens beside {answers['peer']}: "
        f"{answers['times_faster']:.2f} times faster, {answers['equal_answers']:,} the same to the last token. Choices "
        f"of `mc_probes` beside {choices['peer']}, which computes one request at a time by default:\n"
    )
    batches = list(choices["all"])
    lines = [
        [
            name,
            f"{one['items']:,}",
            *(f"{one['batches'][batch]['times_faster']:.2f}" for batch in batches),
            f"{one['acc_same_items']:,}",
            f"{one['acc'][0]:.3f}",
        ]
        for name, one in choices["sets"].items()
    ]
    lines.append(["all", "", *(f"{choices['all'][batch]['times_faster']:.2f}" for batch in batches), "", ""])
    faster = [f"times faster than in batches of {batch}" for batch in batches]
    yield table(["set", "items", *faster, "right or wrong alike", "accuracy"], lines)


def _scores(one: Mapping[str, Any]) -> list[str]:
    places = decimals(one["margin"])
    low, high = (signed(one[end], places) for end in ("low", "high"))
    return [
        score(one["baseline"], places),
        score(one["candidate"], places),
        f"{signed(one['change'], places)} [{low}, {high}]",
    ]


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
