"""Rows of SQLite databases: one table, or what one SELECT statement gives. The file is never written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

from atanor.data import limits
from atanor.data.containers.arrow_rows import record_of
from atanor.data.containers.lines import loose_text, readable, tight_bytes
from atanor.data.records import Record
from atanor.data.refusals import refusal_of, row_error
from atanor.data.rows import Refusal
from atanor.data.sources import Source

_TABLES = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite@_%' ESCAPE '@'"
_SIDE_FILES = ("-wal", "-journal")
"""Changes that are not in the database file itself yet; reading without them would miss rows."""
_ALLOWED = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}
_ROW_IDS = ("rowid", "_rowid_", "oid")


def read_sqlite(source: Source) -> Iterator[Record | Refusal]:
    """One row for each row of the table or query, by its number from 1.

    A cell over the limit costs its row in a table that has row ids, and is an error elsewhere: SQLite gives up there.

    Raises:
        DataError: the file is not a database, is damaged or in use, or the table or query does not fit it.
    """
    try:
        with closing(_connected(source)) as database:
            query = source.options.query
            if query is not None:
                yield from _of_query(source, database, query)
                return
            table = _table(source, database)
            row_id = _row_id(database, table)
            if row_id is None:
                yield from _of_query(source, database, f"SELECT * FROM {_quoted(table)}")
            else:
                yield from _of_table(source, database, table, row_id)
    except (sqlite3.Error, sqlite3.Warning, UnicodeDecodeError) as error:
        # A damaged file may give names and messages that are no text, which Python's module does not expect.
        option = "path" if source.options.query is None else "query"
        raise source.error(f"the database cannot be read: {error}", option=option, fix=_fix(error)) from error


def _fix(error: Exception) -> str:
    if "authorized" in str(error) or "prohibited" in str(error) or isinstance(error, sqlite3.Warning):
        return "Write one SELECT statement; nothing else is carried out"
    if isinstance(error, sqlite3.DataError):
        return f"Leave out cells of more than {limits.SQLITE_CELL >> 20} MiB with a `query:`"
    return (
        "Check the query with the sqlite3 program" if isinstance(error, sqlite3.OperationalError) else "Write it again"
    )


def _connected(source: Source) -> sqlite3.Connection:
    """The database, open for reading only, with nothing but reading allowed."""
    for end in _SIDE_FILES:
        beside = source.path.with_name(source.path.name + end)
        if beside.is_file() and beside.stat().st_size:
            reason = f"{beside.name} holds changes that are not in the database yet"
            raise source.error(reason, fix="Close the program that uses the database, then run again")
    database = sqlite3.connect(f"{source.path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, limits.SQLITE_CELL)
    database.text_factory = loose_text
    # Views of a strange database may call functions; they get the harmless ones only.
    database.execute("PRAGMA trusted_schema = OFF")
    database.set_authorizer(_only_reading)
    return database


def _only_reading(action: int, *_: str | None) -> int:
    """ATTACH would open other files, PRAGMA change how this one is read."""
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


def _table(source: Source, database: sqlite3.Connection) -> str:
    """The table that is asked for, or the only one there."""
    names = sorted(str(name) for (name,) in database.execute(_TABLES))
    wanted = source.options.table
    shown = ", ".join(names) or "none"
    if wanted is not None:
        if wanted not in names:
            raise source.error(f"no table `{wanted}`; tables there: {shown}", option="table", fix="Name one of them")
        return wanted
    if len(names) != 1:
        reason = f"one table is expected; tables there: {shown}"
        raise source.error(reason, option="table", fix="Name the one to read with `table:`, or write a `query:`")
    return names[0]


def _row_id(database: sqlite3.Connection, table: str) -> str | None:
    """A name of the table's row id that no column hides; None where it has none, as a view."""
    cursor = database.execute(f"SELECT * FROM {_quoted(table)} LIMIT 0")
    columns = {str(column[0]).lower() for column in cursor.description}
    for name in _ROW_IDS:
        if name not in columns:
            try:
                database.execute(f"SELECT {name} FROM {_quoted(table)} LIMIT 0")
            except sqlite3.OperationalError:
                return None
            return name
    return None


def _of_table(source: Source, database: sqlite3.Connection, table: str, row_id: str) -> Iterator[Record | Refusal]:
    """The rows of a table by their ids; after a cell that is too large it goes on behind that row."""
    select, by_id = f"SELECT {row_id}, * FROM {_quoted(table)}", f"ORDER BY {row_id}"
    number, last = 0, None
    while True:
        behind = "" if last is None else f"WHERE {row_id} > {last}"
        try:
            cursor = database.execute(f"{select} {behind} {by_id}")
            columns = _columns(source, cursor)[1:]
            for row in cursor:
                number, last = number + 1, row[0]
                yield _row(source, columns, row[1:], number)
            return
        except sqlite3.DataError:
            # Python's cursor looks one row ahead: the next row is the one that is too large, or the one before it.
            number += 1
            behind = "" if last is None else f"WHERE {row_id} > {last}"
            last = database.execute(f"SELECT min({row_id}) FROM {_quoted(table)} {behind}").fetchone()[0]
            yield _single(source, database, f"{select} WHERE {row_id} = {last}", number)


def _single(source: Source, database: sqlite3.Connection, select: str, number: int) -> Record | Refusal:
    """One row by itself."""
    try:
        cursor = database.execute(select)
        row = cursor.fetchone()
        return _row(source, _columns(source, cursor)[1:], row[1:], number)
    except sqlite3.DataError:
        reason = f"a cell is larger than {limits.SQLITE_CELL >> 20} MiB"
        error = row_error(reason, fix="Keep pictures and files out of the table")
        return refusal_of(error, source.name, number, "")


def _of_query(source: Source, database: sqlite3.Connection, query: str) -> Iterator[Record | Refusal]:
    cursor = database.execute(query)
    if cursor.description is None:
        raise source.error("the query gives no rows", option="query", fix="Write one SELECT statement")
    columns = _columns(source, cursor)
    for number, cells in enumerate(cursor, 1):
        yield _row(source, columns, cells, number)


def _columns(source: Source, cursor: sqlite3.Cursor) -> tuple[str, ...]:
    names = tuple(str(column[0]) for column in cursor.description)
    twice = next((name for index, name in enumerate(names) if name in names[:index]), None)
    if twice is not None and source.options.query is not None:
        fix = "Give each its own name with AS"
        raise source.error(f"the query gives two columns `{twice}`", option="query", fix=fix)
    return names


def _row(source: Source, columns: Sequence[str], cells: Sequence[Any], number: int) -> Record | Refusal:
    for column, cell in zip(columns, cells, strict=True):
        content = tight_bytes(cell) if isinstance(cell, str) else None
        if content is not None:
            error = row_error("a cell is not UTF-8 text", field=column, value=content[:20], fix="Write it as UTF-8")
            return refusal_of(error, source.name, number, readable(content))
    return record_of(source, dict(zip(columns, cells, strict=True)), number)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
