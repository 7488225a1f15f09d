"""The larger parts of a page: sections with headings, tables that scroll in their own box, lists of facts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from atanor.page.markup import Content, Markup, tag


@dataclass(frozen=True)
class Section:
    """A part of the page with its heading; `detail` belongs to the heading and is too long for the contents."""

    id: str
    title: str
    body: Markup
    detail: str = ""


def contents(sections: Sequence[Section]) -> Markup:
    """Links to every section."""
    links = [tag("li", tag("a", section.title, href=f"#{section.id}")) for section in sections]
    return tag("nav", tag("ul", links), aria_label="Contents")


def laid_out(section: Section) -> Markup:
    """A section under its heading."""
    heading = f"{section.id}-heading"
    return tag(
        "section",
        tag("h2", section.title, section.detail, id=heading),
        section.body,
        id=section.id,
        aria_labelledby=heading,
    )


def facts_list(facts: Iterable[tuple[str, Content]]) -> Markup:
    """Names and what they are."""
    return tag("dl", [tag("div", tag("dt", name), tag("dd", value)) for name, value in facts])


def scrolling(
    name: str, caption: str, head: Sequence[Markup], rows: Sequence[Markup], *, narrow: bool = False
) -> Markup:
    """A captioned table that scrolls sideways inside its own box, by keyboard too, never with the page."""
    table = tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", head)),
        tag("tbody", rows),
        class_="narrow" if narrow else None,
    )
    return tag("div", table, class_="scroll table", tabindex="0", role="region", aria_label=name)


def date(created: str) -> str:
    """`21 November 2026, 06:32 UTC`; what is no date is shown as it is."""
    try:
        moment = datetime.fromisoformat(created)
    except ValueError:
        return created
    return f"{moment.day} {moment:%B %Y, %H:%M} {moment.tzname() or ''}".rstrip()
