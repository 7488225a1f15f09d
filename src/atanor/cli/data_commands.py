"""What each command about datasets does: call one function of a room below and show what it returns."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from atanor.cli import data_tables
from atanor.cli.commands import watching
from atanor.cli.screen import quiet_libraries, show_json, show_view
from atanor.cli.tables import facts
from atanor.data.sides import Side
from atanor.errors import DataError
from atanor.project.api import Project
from atanor.project.choices import choice_of, source_of
from atanor.project.datasets import dataset_or_file, glasses, glasses_for

if TYPE_CHECKING:
    from atanor.data.rows import Example
    from atanor.data.workshop.dataset import Dataset
    from atanor.project.datasets import Glasses


@dataclass(frozen=True)
class Asked:
    """What `atanor data show` is asked for."""

    row: str | None
    count: int
    side: str
    log: str | None


def check(
    files: Sequence[str],
    pairs: tuple[str, ...],
    named: Mapping[str, str | None],
    *,
    languages: str,
    base: str | None,
    as_json: bool,
) -> None:
    from atanor.data.workshop.viewing import check_files

    quiet_libraries()
    tokens = glasses(base, Path(), watching()).tokenizer.all_special_tokens if base is not None else ()
    wanted = [code.strip() for code in languages.split(",") if code.strip()]
    sources = [source_of(file, pairs, **named) for file in files]
    found = check_files(sources, watching(), languages=wanted, control_tokens=tokens)
    kept = sum(found.version.sides.values())
    if as_json:
        show_json(
            {
                "read": found.version.read,
                "kept": kept,
                "refused": [dataclasses.asdict(refusal) for refusal in found.refusals],
                "stages": [dataclasses.asdict(stage) for stage in found.version.stages],
                "tallies": found.version.tallies,
                "files": [dataclasses.asdict(file) for file in found.files],
                "quarantines": [str(path) for path in found.quarantines],
                "cleared": [str(path) for path in found.cleared],
            }
        )
    else:
        show_view(data_tables.recognised_view(found.files, found.version), *data_tables.refusals_view(found.refusals))
        show_view(data_tables.stages_table(found.version.stages), data_tables.tallies_view(found.version.tallies))
        show_view(Text(f"\n{found.version.read:,} rows read · {kept:,} can be used"))
        for path in found.quarantines:
            show_view(Text(f"the refused rows and why: {path}"))
        for path in found.cleared:
            show_view(Text(f"no row of it is refused any more; removed: {path}"))
        _next(f"atanor data report {files[0]}")
    if found.refusals:
        raise SystemExit(DataError.exit_code)


def build(path: Path, role: str | None, as_json: bool) -> None:
    quiet_libraries()
    made = Project.load(path).build(role, watching())
    if as_json:
        show_json({name: _described(dataset) for name, dataset in made.items()})
        return
    for name, dataset in made.items():
        show_view(data_tables.dataset_view(name, dataset), Text())
    _next(f"atanor data report {next(iter(made.values())).name}{_where(path)}")


def list_datasets(path: Path, as_json: bool) -> None:
    project = Project.load(path)
    found = project.datasets()
    roles = {dataset.name: project.roles_of(dataset) for dataset in found}
    if as_json:
        show_json([{**_described(dataset), "roles": roles[dataset.name]} for dataset in found])
        return
    show_view(data_tables.datasets_table(found, roles))
    if found:
        _next(f"atanor data show {found[0].name}{_where(path)}")


def show(what: str, asked: Asked, pairs: tuple[str, ...], *, base: str | None, project: Path, as_json: bool) -> None:
    from atanor.data.workshop.viewing import entries_of_rule

    quiet_libraries()
    side = choice_of(Side, asked.side, "--side")
    with dataset_or_file(what, project, pairs, watching()) as dataset:
        if asked.log is not None:
            entries = entries_of_rule(dataset, asked.log)
            if as_json:
                show_json([dataclasses.asdict(entry) for entry in entries])
            else:
                show_view(data_tables.entries_view(entries) if entries else Text(f"`{asked.log}` did nothing here"))
            return
        seen_with = None if as_json and base is None else glasses_for(dataset, base, project, watching())
        if asked.row is not None:
            _show_history(dataset, asked.row, seen_with, as_json)
        else:
            _show_rows(dataset, side, asked.count, seen_with, as_json)


def _show_history(dataset: Dataset, row: str, seen_with: Glasses | None, as_json: bool) -> None:
    from atanor.data.workshop.history import trace_row

    lineage = trace_row(dataset, row)
    if as_json:
        show_json({"dataset": dataset.name, **dataclasses.asdict(lineage)})
        return
    seen = None if lineage.example is None or seen_with is None else seen_with.look(lineage.example)
    show_view(data_tables.lineage_view(lineage, seen))


def _show_rows(dataset: Dataset, side: Side, count: int, seen_with: Glasses | None, as_json: bool) -> None:
    from atanor.data.workshop.viewing import first_rows

    rows = first_rows(dataset, side, count)
    if as_json:
        show_json({"dataset": dataset.name, "side": str(side), "rows": [_row(row, seen_with) for row in rows]})
        return
    sides = " · ".join(f"{number:,} {name}" for name, number in dataset.version.sides.items())
    read_as = [("", f"{one.path}: {one.kind}, {one.shape}") for one in dataset.version.sources]
    show_view(facts([("dataset", f"{dataset.name} · {sides}"), *read_as[: data_tables.SHOWN]]))
    if seen_with is not None:
        show_view(Text(f"          as {seen_with.reference} sees them; what is marked ⟦so⟧ carries loss\n"))
    for row in rows:
        show_view(data_tables.row_view(row, None if seen_with is None else seen_with.look(row)))
    if not rows:
        show_view(Text(f"no row is on the side {side}"))
    else:
        _next(f"add {rows[0].id} to see that row's history")


def diff(older: str, newer: str, count: int, path: Path, as_json: bool) -> None:
    from atanor.data.workshop.history import difference

    project = Project.load(path)
    before, after = project.dataset(older), project.dataset(newer)
    found = difference(before, after, count)
    if as_json:
        show_json({"older": before.name, "newer": after.name, **dataclasses.asdict(found)})
        return
    show_view(data_tables.difference_view(before.name, after.name, found))


def report(what: str | None, pairs: tuple[str, ...], *, project: Path, as_json: bool, open_page: bool) -> None:
    from atanor.data.workshop.page import write_page

    quiet_libraries()
    with dataset_or_file(what, project, pairs, watching()) as dataset:
        page = write_page(dataset, beside=what)
        if as_json:
            show_json({**_described(dataset), "page": str(page)})
        else:
            _show_report(dataset)
            show_view(Text(), facts([("page", os.path.relpath(page))]))
    if open_page:
        import webbrowser

        webbrowser.open(page.resolve().as_uri())


def _show_report(dataset: Dataset) -> None:
    version = dataset.version
    show_view(data_tables.checked_view(version, ()), data_tables.tallies_view(version.tallies))
    sides = " · ".join(f"{count:,} {side}" for side, count in version.sides.items())
    show_view(Text(), facts([("dataset", f"{dataset.name} · {sides}"), *(("", note) for note in version.notes)]))


def accept(path: Path, role: str | None, as_json: bool) -> None:
    found = Project.load(path).accept(role)
    if as_json:
        show_json(
            {
                name: {
                    **{key: [dataclasses.asdict(one) for one in getattr(accepted, key)] for key in _OUTCOMES},
                    "files": {str(file): str(backup) for file, backup in accepted.files.items()},
                }
                for name, accepted in found.items()
            }
        )
        return
    for name, accepted in found.items():
        show_view(data_tables.accepted_view(name, accepted))
    _next(f"atanor check{_where(path)}")


_OUTCOMES = ("accepted", "refused", "elsewhere", "unmended")


def tokens(
    what: str, pairs: tuple[str, ...], *, base: str | None, other: str | None, project: Path, as_json: bool
) -> None:
    from atanor.cli.file_tables import tokens_view
    from atanor.data.workshop.tokens import tokens_of
    from atanor.project.datasets import base_here

    quiet_libraries()
    first = glasses(base or base_here(project), project, watching())
    second = None if other is None else glasses(other, project, watching())
    with dataset_or_file(what, project, pairs, watching(), plain=True) as dataset:
        found = tokens_of(dataset, first.tokenizer, watching(), other=None if second is None else second.tokenizer)
    if as_json:
        show_json({"base": first.reference, "other": other, **dataclasses.asdict(found)})
        return
    show_view(tokens_view(found, first.reference, other))


def _described(dataset: Dataset) -> dict[str, Any]:
    return {"name": dataset.name, "folder": str(dataset.folder), **dataset.version.model_dump(mode="json")}


def _row(example: Example, seen_with: Glasses | None) -> dict[str, Any]:
    seen = None if seen_with is None else seen_with.look(example)
    pieces = [list(piece) for piece in seen] if isinstance(seen, tuple) else None
    return {"id": example.id, **dataclasses.asdict(example), "pieces": pieces}


def _where(path: Path) -> str:
    return "" if path == Path() else f" -p {path}"


def _next(command: str) -> None:
    show_view(Text(f"next: {command}"))
