"""Refused rows, kept in a file beside the data with the reason and the fix, so that they can be mended and accepted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from atanor.data.rows import Refusal
from atanor.store.files import write_text


def write_quarantine(refusals: Sequence[Refusal], path: Path) -> None:
    """Write one JSON line a refusal: source, line, field, value, reason, fix, raw.

    The file is whole or as it was. Nothing refused leaves an empty file: an older one would accuse mended rows.

    Raises:
        StoreError: the disk is full or the folder cannot be written.
    """
    write_text(path, "".join(_line(refusal) + "\n" for refusal in refusals))


def _line(refusal: Refusal) -> str:
    entry = {
        "source": refusal.source,
        "line": refusal.line,
        "field": refusal.field,
        "value": refusal.value,
        "reason": refusal.reason,
        "fix": refusal.fix,
        "raw": refusal.raw,
    }
    return json.dumps(entry, ensure_ascii=False)
