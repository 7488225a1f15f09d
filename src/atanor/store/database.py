"""The project's memory: runs, candidates, datasets and releases in SQLite, artefacts in files named by their hash.

Everything lies under `.atanor/` beside the project file:

    .atanor/atanor.db              the tables
    .atanor/artefacts/ab/ab12…     bytes by SHA-256, never changed
    .atanor/training/KEY/          checkpoints; runs that train the same share them
    .atanor/runs/RUN/              adapter, report.json, report.html, project.yaml
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from atanor.errors import NotFoundError, Problem, StoreError
from atanor.store.files import storage_error, writing
from atanor.store.holding import holding, is_held
from atanor.store.records import CandidateRecord, DatasetRecord, Release, RunRecord, RunState

FOLDER = ".atanor"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS datasets (
    sha TEXT, split_sha TEXT, role TEXT, sources TEXT, rows INTEGER, created TEXT, PRIMARY KEY (sha, split_sha, role));
CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY, key TEXT UNIQUE, role TEXT, method TEXT, state TEXT, folder TEXT, created TEXT, finished TEXT,
    seconds REAL, verdict TEXT, headline TEXT, candidate TEXT, error TEXT);
CREATE TABLE IF NOT EXISTS candidates (
    id TEXT PRIMARY KEY, run TEXT REFERENCES runs (id), role TEXT, method TEXT, base TEXT, folder TEXT, artefact TEXT,
    created TEXT, parent TEXT);
CREATE TABLE IF NOT EXISTS releases (
    role TEXT, version INTEGER, candidate TEXT REFERENCES candidates (id), created TEXT, forced TEXT,
    PRIMARY KEY (role, version));
CREATE TABLE IF NOT EXISTS looks (
    split_sha TEXT, candidate TEXT, created TEXT, PRIMARY KEY (split_sha, candidate));
CREATE TABLE IF NOT EXISTS outcomes (key TEXT PRIMARY KEY, artefact TEXT, created TEXT);
"""
_NEW_COLUMNS = (("releases", "forced"), ("candidates", "parent"))
"""Columns that came after the first version, with their tables."""


def now() -> str:
    """The present moment in UTC as ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class Store:
    """Reads and writes the project's memory. Opening it creates nothing until something is written.

    Args:
        root: the project's folder.
    """

    def __init__(self, root: Path) -> None:
        self.folder = root / FOLDER

    # Runs

    def begin_run(self, key: str, role: str, method: str) -> RunRecord:
        """The run of this key: the one that exists, now running again, or a new one."""
        with self._tables() as tables:
            row = tables.execute("SELECT * FROM runs WHERE key = ?", (key,)).fetchone()
            if row is None:
                run = RunRecord(
                    id=self._free_id(tables, key),
                    key=key,
                    role=role,
                    method=method,
                    state=RunState.RUNNING,
                    folder="",
                    created=now(),
                )
                run = dataclasses.replace(run, folder=str(Path("runs") / run.id))
                _insert(tables, "runs", run)
                return run
            run = _run(row)
            if run.state is not RunState.FINISHED:
                run = dataclasses.replace(run, state=RunState.RUNNING, error=None)
                self._update_run(tables, run)
            return run

    def save_run(self, run: RunRecord) -> None:
        """Write a run's present state."""
        with self._tables() as tables:
            self._update_run(tables, run)

    def find_run(self, key: str) -> RunRecord | None:
        """The run of this key, if there is one."""
        with self._tables() as tables:
            row = tables.execute("SELECT * FROM runs WHERE key = ?", (key,)).fetchone()
        return None if row is None else _run(row)

    def run(self, name: str) -> RunRecord:
        """The run whose id begins with `name`.

        Raises:
            NotFoundError: none, or several, do.
        """
        matches = [run for run in self.runs() if run.id.startswith(name)]
        exact = [run for run in matches if run.id == name]
        if len(exact or matches) == 1:
            return (exact or matches)[0]
        known = ", ".join(run.id for run in (matches or self.runs())[:12]) or "none yet; `atanor run` makes one"
        reason = "several runs begin with it" if matches else "no run has that name"
        raise NotFoundError(
            f"there is no one run `{name}`", [Problem(reason=reason, value=name, fix=f"Runs here: {known}")]
        )

    def runs(self) -> list[RunRecord]:
        """All runs, newest first. One whose process died without a word is shown as interrupted."""
        with self._tables() as tables:
            rows = tables.execute("SELECT * FROM runs ORDER BY created DESC, id").fetchall()
        return [self._as_it_is(_run(row)) for row in rows]

    def run_folder(self, run: RunRecord) -> Path:
        return self.folder / run.folder

    @contextmanager
    def running(self, run: RunRecord) -> Iterator[None]:
        """Hold a run for this process.

        Raises:
            StoreError: another process works on it.
        """
        with holding(self.run_folder(run), f"run {run.id}"):
            yield

    @contextmanager
    def training(self, key: str) -> Iterator[Path]:
        """Hold the folder of a training, named by the hash of all that decides its weights; runs may share it.

        Raises:
            StoreError: another process works on it.
        """
        folder = self.folder / "training" / key[:16]
        with holding(folder, f"the training {key[:16]}"):
            yield folder

    # Candidates and releases

    def add_candidate(self, candidate: CandidateRecord) -> None:
        with self._tables() as tables:
            _insert(tables, "candidates", candidate)

    def candidates(self) -> list[CandidateRecord]:
        """All candidates, newest first."""
        with self._tables() as tables:
            rows = tables.execute("SELECT * FROM candidates ORDER BY created DESC, id").fetchall()
        return [CandidateRecord(**dict(row)) for row in rows]

    def candidate(self, name: str) -> CandidateRecord:
        """The candidate of that id, that run, that release (`role@2`) or that role (its newest release).

        Raises:
            NotFoundError: there is none; the fix lists what there is.
        """
        candidates = self.candidates()
        by_id = {candidate.id: candidate for candidate in candidates}
        releases = self.releases()
        for release in releases:  # newest first
            if name in (release.name, release.role):
                return by_id[release.candidate]
        for candidate in candidates:
            if name in (candidate.id, candidate.run, candidate.role):
                return candidate
        known = [release.name for release in releases] + [candidate.id for candidate in candidates]
        raise NotFoundError(
            f"there is no candidate `{name}`",
            [
                Problem(
                    reason="no release, candidate, run or role of that name has a candidate",
                    value=name,
                    fix=f"Candidates here: {', '.join(known[:12]) or 'none yet; `atanor run` makes one'}",
                )
            ],
        )

    def release(self, role: str, candidate: str, forced: str | None = None) -> Release:
        """Point the role's alias at a candidate; the same candidate again is the same release.

        Args:
            role: whose alias it is.
            candidate: its id.
            forced: why, where it has not passed.
        """
        with self._tables() as tables:
            newest = tables.execute(
                "SELECT * FROM releases WHERE role = ? ORDER BY version DESC LIMIT 1", (role,)
            ).fetchone()
            if newest is not None and newest["candidate"] == candidate:
                return Release(**dict(newest))
            release = Release(role, 1 if newest is None else newest["version"] + 1, candidate, now(), forced)
            _insert(tables, "releases", release)
            return release

    def releases(self) -> list[Release]:
        """All releases, newest first."""
        with self._tables() as tables:
            rows = tables.execute("SELECT * FROM releases ORDER BY created DESC, version DESC").fetchall()
        return [Release(**dict(row)) for row in rows]

    # Datasets, artefacts, outcomes

    def look(self, split_sha: str, candidate: str) -> int:
        """Remember that a candidate was judged on a test split; returns how many were, each counted once."""
        with self._tables() as tables:
            tables.execute("INSERT OR IGNORE INTO looks VALUES (?, ?, ?)", (split_sha, candidate, now()))
            found = tables.execute("SELECT COUNT(*) FROM looks WHERE split_sha = ?", (split_sha,)).fetchone()
        return int(found[0])

    def add_dataset(self, dataset: DatasetRecord) -> None:
        """Remember a dataset; one already known is left as it is."""
        with self._tables() as tables:
            record = {**dataclasses.asdict(dataset), "sources": json.dumps(dataset.sources)}
            tables.execute(
                "INSERT OR IGNORE INTO datasets VALUES (:sha, :split_sha, :role, :sources, :rows, :created)", record
            )

    def datasets(self) -> list[DatasetRecord]:
        """All datasets, newest first."""
        with self._tables() as tables:
            rows = tables.execute("SELECT * FROM datasets ORDER BY created DESC, sha").fetchall()
        return [DatasetRecord(**{**dict(row), "sources": tuple(json.loads(row["sources"]))}) for row in rows]

    def put_artefact(self, content: bytes) -> str:
        """Keep bytes under their SHA-256 and return it."""
        sha = hashlib.sha256(content).hexdigest()
        path = self._artefact(sha)
        if not path.is_file():
            with writing(path) as temporary:
                temporary.write_bytes(content)
        return sha

    def artefact(self, sha: str) -> bytes:
        """The bytes of that hash.

        Raises:
            StoreError: they are missing or no longer have that hash.
        """
        path = self._artefact(sha)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise storage_error(error, path) from error
        if hashlib.sha256(content).hexdigest() != sha:
            raise StoreError(
                f"{path} is damaged",
                [Problem(reason="its content no longer has its hash", file=str(path), fix="Delete it and run again")],
            )
        return content

    def remember_outcomes(self, key: str, content: bytes) -> None:
        """Keep what a candidate made of the test items, so that an interrupted run does not ask it again."""
        sha = self.put_artefact(content)
        with self._tables() as tables:
            tables.execute("INSERT OR REPLACE INTO outcomes VALUES (?, ?, ?)", (key, sha, now()))

    def outcomes(self, key: str) -> bytes | None:
        """What was remembered under this key."""
        with self._tables() as tables:
            row = tables.execute("SELECT artefact FROM outcomes WHERE key = ?", (key,)).fetchone()
        return None if row is None else self.artefact(row["artefact"])

    # Inside

    @contextmanager
    def _tables(self) -> Iterator[sqlite3.Connection]:
        path = self.folder / "atanor.db"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(path, timeout=30)
            try:
                connection.row_factory = sqlite3.Row
                connection.executescript(_SCHEMA)
                _add_new_columns(connection)
                with connection:
                    yield connection
            finally:
                connection.close()
        except OSError as error:
            raise storage_error(error, path) from error
        except sqlite3.DatabaseError as error:
            raise StoreError(
                f"{path} could not be used",
                [
                    Problem(
                        reason=str(error),
                        file=str(path),
                        fix="Free space, or make the folder writable; nothing is half written",
                    )
                ],
            ) from error

    def _update_run(self, tables: sqlite3.Connection, run: RunRecord) -> None:
        names = [field.name for field in dataclasses.fields(run) if field.name != "id"]
        tables.execute(
            f"UPDATE runs SET {', '.join(f'{name} = :{name}' for name in names)} WHERE id = :id",
            dataclasses.asdict(run),
        )

    def _free_id(self, tables: sqlite3.Connection, key: str) -> str:
        """The shortest start of the key, from four digits, that no other run has."""
        taken = {row["id"] for row in tables.execute("SELECT id FROM runs")}
        return next(key[:length] for length in range(4, len(key) + 1) if key[:length] not in taken)

    def _as_it_is(self, run: RunRecord) -> RunRecord:
        """A run that says `running` though no process holds it was killed."""
        if run.state is not RunState.RUNNING:
            return run
        if is_held(self.run_folder(run)):
            return run
        return dataclasses.replace(run, state=RunState.INTERRUPTED)

    def _artefact(self, sha: str) -> Path:
        return self.folder / "artefacts" / sha[:2] / sha


def _add_new_columns(connection: sqlite3.Connection) -> None:
    """A database that an earlier version made gets the columns it did not know."""
    for table, column in _NEW_COLUMNS:
        known = {row["name"] for row in connection.execute(f"PRAGMA table_info({table})")}
        if column not in known:
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} TEXT")


def _insert(tables: sqlite3.Connection, table: str, record: RunRecord | CandidateRecord | Release) -> None:
    values = dataclasses.asdict(record)
    columns = ", ".join(f":{name}" for name in values)
    tables.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({columns})", values)


def _run(row: sqlite3.Row) -> RunRecord:
    values = dict(row)
    return RunRecord(**{**values, "state": RunState(values["state"])})
