"""Text encodings other than UTF-8: which are known, and which a byte-order mark tells."""

from __future__ import annotations

import codecs
import difflib
from functools import cache

UTF8 = "utf-8"
_MARKS = {
    # UTF-32 before UTF-16: the mark of the one begins with the mark of the other.
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_PLAIN = ("utf-8", "ascii", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
_BYTES = (
    *(f"cp{number}" for number in (*range(1250, 1259), 437, 850, 852, 855, 858, 866, 874)),
    *(f"iso8859-{part}" for part in (*range(1, 12), *range(13, 17))),
    *("koi8-r", "koi8-u", "mac-roman", "mac-cyrillic", "mac-greek"),
)
_EAST_ASIAN = ("gb18030", "gbk", "gb2312", "big5", "cp950", "shift_jis", "cp932", "euc_jp", "euc_kr", "cp949")


@cache
def _known() -> frozenset[str]:
    """Python has others that are no encodings of text (`rot13`, `idna`, `unicode_escape`); those are not taken."""
    return frozenset(codecs.lookup(name).name for name in (*_PLAIN, *_BYTES, *_EAST_ASIAN))


def marked_encoding(head: bytes) -> str | None:
    """The encoding that the byte-order mark at the start of a file tells, other than UTF-8; None without one."""
    return next((name for mark, name in _MARKS.items() if head.startswith(mark)), None)


def known_encoding(name: str) -> str | None:
    """The usual name of an encoding that text files are written in, or None when there is none of that name."""
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    return found if found in _known() else None


def nearest_encoding(name: str) -> str:
    """The fix for an encoding that is not known."""
    close = difflib.get_close_matches(name.lower(), sorted(_known()), n=1)
    return f"Did you mean `{close[0]}`?" if close else "Write the encoding of the file, as `cp1252` or `utf-16`"
