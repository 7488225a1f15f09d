"""The part of a dataset's page about augmentation: what every technique made, what was filtered, and some of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from atanor.page import Markup, join, tag
from atanor.page.layout import scrolling


def augmentation_part(report: Mapping[str, Any]) -> Markup:
    """The techniques, why candidates were not used, and rows before and after.

    Args:
        report: an `AugmentationReport` as JSON, as `Version.augmentation` keeps it.
    """
    head = [tag("th", name, scope="col", class_="num") for name in ("asked", "made", "similarity")]
    columns = [tag("th", "technique", scope="col"), *head, tag("th", "not used because", scope="col")]
    rows = [
        tag(
            "tr",
            tag("th", _words(one["technique"]), scope="row"),
            *(tag("td", f"{one[name]:,}", class_="num") for name in ("asked", "made")),
            tag("td", _similarity(one["mean_similarity"]), class_="num"),
            tag("td", "; ".join(f"{reason} ({count:,})" for reason, count in one["filtered"].items()) or "–"),
        )
        for one in report["techniques"]
    ]
    caption = (
        f"Similarity is the mean cosine of a new text to its original, by {report['embedder']}; rewritten texts below "
        f"{report['threshold']:.2f} are not used."
    )
    return join(scrolling("Techniques", caption, columns, rows), *_groups(report), *_examples(report))


def _groups(report: Mapping[str, Any]) -> Iterator[Markup]:
    """How often groups of people are named, before and after counterfactuals."""
    groups = report.get("groups", ())  # older datasets have none
    if groups:
        names = ("mentions before", "after", "share before", "after")
        head = [tag("th", name, scope="col", class_="num") for name in names]
        rows = [
            tag(
                "tr",
                tag("th", one["group"], scope="row"),
                tag("td", one["dimension"]),
                *(tag("td", f"{one[f'mentions_{when}']:,}", class_="num") for when in ("before", "after")),
                *(tag("td", f"{one[f'share_{when}']:.0%}", class_="num") for when in ("before", "after")),
            )
            for one in groups
        ]
        columns = [tag("th", name, scope="col") for name in ("group", "told by")]
        yield scrolling("Groups of people", "Mentions in the training rows and the new ones", [*columns, *head], rows)


def _examples(report: Mapping[str, Any]) -> Iterator[Markup]:
    for one in report["techniques"]:
        if one["examples"]:
            head = [tag("th", name, scope="col") for name in ("before", "after")]
            rows = [tag("tr", tag("td", before), tag("td", after)) for before, after in one["examples"]]
            name = _words(one["technique"])
            yield scrolling(name, f"{name}: some of the new rows beside those they were made of", head, rows)


def _similarity(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _words(name: str) -> str:
    return name.replace("_", " ")
