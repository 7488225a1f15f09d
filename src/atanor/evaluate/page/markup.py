"""Text into HTML, always escaped, and numbers as a person reads them."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence

from atanor.evaluate.items import Comparison, Verdict

ABSENT = "–"


def text(value: object) -> str:
    """Any value as escaped text: answers are written by models and are not to be trusted."""
    return html.escape(str(value), quote=True)


def number(value: float | None) -> str:
    """Two decimals below ten, three significant digits above; a true minus."""
    if value is None or not math.isfinite(value):
        return ABSENT
    shown = f"{value:.2f}" if abs(value) < 10 else f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return shown.replace("-", "−")


def signed(value: float) -> str:
    """With its sign."""
    return number(value) if value < 0 else f"+{number(value)}"


def change(found: Comparison) -> str:
    """`+0.94 [+0.85, +0.98]`."""
    return f"{signed(found.change)} [{signed(found.low)}, {signed(found.high)}]"


def verdict(value: Verdict) -> str:
    """The verdict's word with its mark; the mark says it too where colour does not show."""
    marks = {Verdict.BETTER: "▲", Verdict.WORSE: "▼", Verdict.NO_DIFFERENCE: "=", Verdict.CANNOT_TELL: "?"}
    return f'<span class="verdict {value.replace(" ", "-")}">{marks[value]} {text(value)}</span>'


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], numeric: frozenset[int]) -> str:
    """A table that scrolls inside itself on a narrow screen. Cells are HTML already; `numeric` columns align right."""

    def cells(tag: str, row: Sequence[str]) -> str:
        scope = ' scope="col"' if tag == "th" else ""
        return "".join(
            f"<{tag}{scope}{' class=n' if place in numeric else ''}>{cell}</{tag}>" for place, cell in enumerate(row)
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return (
        f'<div class="scroll"><table><caption>{text(caption)}</caption><thead><tr>{cells("th", head)}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def facts(pairs: Iterable[tuple[str, object]]) -> str:
    """Names and values, one below the other."""
    return "<dl>" + "".join(f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in pairs) + "</dl>"
