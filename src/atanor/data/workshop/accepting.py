"""Refused rows that a person mended in the quarantine file go back to their places in the sources.

What is mended is a row's `raw`. It takes the place of its line only if that line is still the one that was refused, and
if the mended row passes what refused it. Sources of other kinds than plain JSON Lines have no lines to put it in: there
the source itself is to be mended.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from atanor.data.blocks import BLOCK_BYTES
from atanor.data.containers.encodings import UTF8
from atanor.data.containers.lines import BYTE_ORDER_MARK, readable
from atanor.data.opening import Wishes, open_source
from atanor.data.quarantine import Kept, digest_of_raw, read_quarantine, write_kept
from atanor.data.rows import Refusal
from atanor.data.sources import FileKind, Source, locate
from atanor.data.workshop.checking import check_rows
from atanor.data.workshop.cleaning import clean_rows
from atanor.data.workshop.log import entries_of, refusals_of
from atanor.data.workshop.reading import read_rows
from atanor.data.workshop.recipe import Recipe
from atanor.store.files import remove, storage_error, writing

BACKUP = ".bak"
"""What the name of a source's copy from before ends in."""

Place = tuple[str, int]
"""File, as the user wrote it, and line."""

_IN_THE_SOURCE = "Mend the row in its source, and run `atanor check`"


@dataclass(frozen=True)
class Accepted:
    """What became of the rows of a quarantine file; `accepted`, `unmended`, `refused` and `elsewhere` are all of them.

    Attributes:
        accepted: mended rows that are in their sources now.
        unmended: rows that nobody has changed.
        refused: mended rows that are still refused, each with its new reason.
        elsewhere: mended rows that can only be mended in their sources, each with the reason.
        files: sources that were written, each with its copy from before.
    """

    accepted: tuple[Refusal, ...]
    unmended: tuple[Refusal, ...]
    refused: tuple[Refusal, ...]
    elsewhere: tuple[Refusal, ...]
    files: Mapping[Path, Path]


def accept_rows(recipe: Recipe, root: Path, quarantine: Path) -> Accepted:
    """Put mended rows back, and leave the others in the quarantine file.

    Args:
        recipe: what is done to the rows of these sources.
        root: folder that relative paths start from.
        quarantine: the file of refused rows; once it has none it goes.

    Raises:
        DataError: the quarantine file or a source cannot be read.
        StoreError: the disk is full or a folder cannot be written.
    """
    kept = read_quarantine(quarantine)
    mended = _by_place(one for one in kept if one.mended)
    sources = {source.name: source for source in locate(recipe.sources, root)} if mended else {}
    texts = {name: _Lines(sources[name]) for name, _ in mended if name in sources and _has_lines(sources[name])}
    elsewhere: dict[Place, Refusal] = {}
    for place, versions in mended.items():
        reason = _obstacle(place, versions, sources, texts)
        if reason is None:
            texts[place[0]].put(place[1], versions[0].refusal.raw)
        else:
            elsewhere[place] = replace(versions[0].refusal, reason=reason, fix=_IN_THE_SOURCE)
    refused = {
        (refusal.source, refusal.line): refusal
        for lines in texts.values()
        for refusal in lines.refused(recipe, root)
        if (refusal.source, refusal.line) in mended
    }
    for name, line in refused:
        texts[name].take_back(line)
    files = dict(written for lines in texts.values() if (written := lines.write()) is not None)
    reasons = elsewhere | refused
    left = [_with_reason(one, reasons) for one in kept if not one.mended or one.place in reasons]
    if left:
        write_kept(left, quarantine)
    else:
        remove(quarantine)
    return Accepted(
        accepted=tuple(one.refusal for one in kept if one.mended and one.place not in reasons),
        unmended=tuple(one.refusal for one in left if not one.mended),
        refused=tuple(one.refusal for one in left if one.mended and one.place in refused),
        elsewhere=tuple(one.refusal for one in left if one.mended and one.place in elsewhere),
        files=files,
    )


class _Lines:
    """The lines of a JSON Lines file, some of which are replaced."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._lines = source.path.read_bytes().split(b"\n")
        self._put: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def was(self, line: int) -> set[str]:
        """Digests that a refusal of this line can have: of its text, and of its row as JSON."""
        if not 1 <= line <= len(self._lines):
            return set()
        text = readable(self._content(line))
        found = {digest_of_raw(text)}
        with suppress(ValueError, RecursionError):
            found.add(digest_of_raw(json.dumps(json.loads(text), ensure_ascii=False)))
        return found

    def put(self, line: int, raw: str) -> None:
        """Replace a line."""
        self._put[line] = on_one_line(raw)

    def take_back(self, line: int) -> None:
        """Leave a line as it was after all."""
        self._put.pop(line, None)

    def refused(self, recipe: Recipe, root: Path) -> list[Refusal]:
        """The rows of the file that are refused once its lines are replaced."""
        if not self._put:
            return []
        with tempfile.TemporaryDirectory() as folder:
            trial = Path(folder) / self.source.path.name
            trial.write_bytes(self._bytes())
            return _refusals(replace(self.source, path=trial), recipe, root)

    def write(self) -> tuple[Path, Path] | None:
        """Write the file and its copy from before, where a line is replaced; the paths of both."""
        if not self._put:
            return None
        path = self.source.path.resolve()  # a link stays a link
        backup = path.with_name(path.name + BACKUP)
        try:
            shutil.copy2(path, backup)
            mode = path.stat().st_mode
        except OSError as error:
            raise storage_error(error, backup) from error
        with writing(path) as temporary:
            temporary.write_bytes(self._bytes())
            temporary.chmod(mode)
        return path, backup

    def _content(self, line: int) -> bytes:
        content = self._lines[line - 1].removesuffix(b"\r")
        return content.removeprefix(BYTE_ORDER_MARK) if line == 1 else content

    def _bytes(self) -> bytes:
        """The file with its replaced lines; byte-order mark and line ends stay."""
        lines = list(self._lines)
        for line, raw in self._put.items():
            old = self._lines[line - 1]
            mark = BYTE_ORDER_MARK if line == 1 and old.startswith(BYTE_ORDER_MARK) else b""
            lines[line - 1] = mark + raw.encode() + (b"\r" if old.endswith(b"\r") else b"")
        return b"\n".join(lines)


def on_one_line(raw: str) -> str:
    """A mended row as one line of its file; one that is no JSON stays wrong, so that reading tells why."""
    try:
        return json.dumps(json.loads(raw), ensure_ascii=False) if "\n" in raw or "\r" in raw else raw.strip() or "null"
    except (ValueError, RecursionError):
        return " ".join(raw.split())


def _refusals(source: Source, recipe: Recipe, root: Path) -> list[Refusal]:
    """What reading, cleaning and checking refuse of a source."""
    opened = open_source(source, Wishes(root, recipe.column_of_groups, recipe.system, recipe.task_text))
    found: list[Refusal] = []
    for block in opened.blocks(BLOCK_BYTES):
        stages = [read_rows(opened, block)]
        if recipe.clean is not None:
            stages.append(clean_rows(stages[-1].rows, recipe.clean, recipe.control_tokens))
        stages.append(check_rows(stages[-1].rows, recipe.check))
        found += refusals_of(entries_of(pa.concat_tables(stage.log for stage in stages)))
    return found


def _has_lines(source: Source) -> bool:
    return source.kind is FileKind.JSONL and source.packing is None and source.encoding == UTF8


def _obstacle(
    place: Place, versions: Sequence[Kept], sources: Mapping[str, Source], texts: Mapping[str, _Lines]
) -> str | None:
    """Why a mended row cannot be put into its source, or None."""
    name, line = place
    if name not in sources:
        return "the project reads no such file any more"
    if name not in texts:
        return f"only lines of plain .jsonl files are replaced, and this is a {sources[name].kind} file"
    if len({one.refusal.raw for one in versions}) > 1:
        return "the row stands here several times, mended in different ways"
    if versions[0].was not in texts[name].was(line):
        return "the line in the file is not the one that was refused any more"
    return None


def _by_place(rows: Iterable[Kept]) -> dict[Place, list[Kept]]:
    places: dict[Place, list[Kept]] = {}
    for one in rows:
        places.setdefault(one.place, []).append(one)
    return places


def _with_reason(kept: Kept, reasons: Mapping[Place, Refusal]) -> Kept:
    """A row with what is wrong with it now, and the text that somebody gave it."""
    if not kept.mended or kept.place not in reasons:
        return kept
    now = reasons[kept.place]
    return replace(kept, refusal=replace(now, raw=kept.refusal.raw))
