"""Refused rows, kept in a file beside the data with the reason and the fix, so that they can be mended and accepted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from atanor.data.rows import Refusal
from atanor.errors import DataError, Problem
from atanor.store.files import write_text


@dataclass(frozen=True)
class Kept:
    """A row of a quarantine file.

    Attributes:
        refusal: the row; its raw text may have been mended there.
        was: digest of the raw text that was refused.
    """

    refusal: Refusal
    was: str

    @property
    def mended(self) -> bool:
        """Whether somebody wrote the row anew."""
        return digest_of_raw(self.refusal.raw) != self.was

    @property
    def place(self) -> tuple[str, int]:
        """File and line."""
        return self.refusal.source, self.refusal.line


def write_quarantine(refusals: Sequence[Refusal], path: Path) -> None:
    """Write one JSON line a refusal: source, line, field, value, reason, fix, raw, and `was`, the digest of raw.

    The file is whole or as it was. Nothing refused leaves an empty file: an older one would accuse mended rows. A row
    that somebody has mended in the older file keeps its mended text, unless the source has another row there now.

    Raises:
        StoreError: the disk is full or the folder cannot be written.
        DataError: the older file cannot be read; it is left as it is.
    """
    mended = {(*one.place, one.was): one for one in read_quarantine(path) if one.mended}
    rows = [Kept(refusal, digest_of_raw(refusal.raw)) for refusal in refusals]
    write_kept([_with_raw(one, mended.get((*one.place, one.was))) for one in rows], path)


def write_kept(rows: Sequence[Kept], path: Path) -> None:
    """Write these rows of a quarantine file and no others.

    Raises:
        StoreError: the disk is full or the folder cannot be written.
    """
    write_text(path, "".join(_line(one) + "\n" for one in rows))


def read_quarantine(path: Path) -> list[Kept]:
    """The rows of a quarantine file; none where there is no file.

    Raises:
        DataError: a line of it is no refusal any more.
    """
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    return [_kept(line, path, number) for number, line in enumerate(lines, 1) if line.strip()]


def digest_of_raw(raw: str) -> str:
    """16 hex digits of the SHA-256 of a raw text."""
    return hashlib.sha256(raw.encode(errors="surrogatepass")).hexdigest()[:16]


def _with_raw(kept: Kept, mended: Kept | None) -> Kept:
    return kept if mended is None else replace(kept, refusal=replace(kept.refusal, raw=mended.refusal.raw))


def _line(kept: Kept) -> str:
    refusal = kept.refusal
    entry = {
        "source": refusal.source,
        "line": refusal.line,
        "field": refusal.field,
        "value": refusal.value,
        "reason": refusal.reason,
        "fix": refusal.fix,
        "raw": refusal.raw,
        "was": kept.was,
    }
    return json.dumps(entry, ensure_ascii=False)


def _kept(text: str, path: Path, number: int) -> Kept:
    try:
        entry = json.loads(text)
        was = entry.pop("was", None) or digest_of_raw(entry["raw"])
        if not isinstance(entry["raw"], str):
            # The row was written as JSON and not as text: that is what was meant.
            entry["raw"] = json.dumps(entry["raw"], ensure_ascii=False)
        return Kept(Refusal(**entry), str(was))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        fix = "Change only `raw`, and write it as JSON text; or delete the file and run `atanor check`"
        problem = Problem("the line is no refused row any more", file=str(path), line=number, fix=fix)
        raise DataError("the quarantine file cannot be read", [problem]) from error
