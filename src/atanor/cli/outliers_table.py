"""What the terminal shows of outliers: the rows of both ends with their places."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from atanor.cli.data_tables import in_a_line
from atanor.cli.tables import facts, ruled
from atanor.project.outliers import OUTLIER, JudgedRow, Outliers

_SHOWN = 56
"""Characters of a prompt and of an answer."""


def outliers_view(found: Outliers, count: int) -> RenderableType:
    """The most and the least surprising rows, `count` of each, and how many are outliers."""
    surprising, obvious = len(found.surprising), len(found.obvious)
    lines = [
        ("role", f"{found.role} · {len(found.rows):,} training rows · loss of {found.base}, in nats a token"),
        ("loss", f"median {found.median:.2f} · median deviation {found.deviation:.2f}"),
        ("outliers", f"{surprising:,} surprising · {obvious:,} obvious (z beyond {OUTLIER:g})"),
    ]
    return Group(
        facts(lines),
        Text("\nmost surprising: wrong, of another kind, or simply hard", style="bold"),
        _rows(found.rows[:count]),
        Text("\nleast surprising: known by heart, or there is nothing to learn", style="bold"),
        _rows(found.rows[::-1][:count]),
    )


def _rows(rows: Sequence[JudgedRow]) -> Table:
    table = ruled()
    table.add_column("loss", justify="right", no_wrap=True)
    table.add_column("z", justify="right", no_wrap=True)
    table.add_column("tokens", justify="right", no_wrap=True)
    table.add_column("row")
    for row in rows:
        made = f" by {row.technique}" if row.technique else ""
        asked = [in_a_line(row.prompt, _SHOWN)] if row.prompt else []
        text = Text("\n").join(
            [
                Text(f"{row.source}:{row.line}{made}", style="cyan"),
                *(Text(line, style="dim") for line in asked),
                Text(in_a_line(row.answer, _SHOWN)),
            ]
        )
        z = f"{row.z:+.1f}".replace("-", "−")
        table.add_row(f"{row.loss:.2f}", Text(z, style="bold" if row.is_outlier else ""), str(row.tokens), text)
    return table
