"""Every limit on what is read, in one place, each with its reason. Data that is meant to be rows meets none.

A row or file over a limit is a refusal or an error that names the limit; nothing is cut without a word. Modules read
these names through the module (`limits.LONGEST_ROW`), so that a test can lower one.
"""

from __future__ import annotations

LONGEST_ROW = 16 << 20
"""Bytes of one row: 16 MiB, ten novels. A longer one is a file without line breaks or a quote that never closes, and
it would fill memory."""

KEPT_OF_LONGER = 4096
"""Bytes of a longer row that the quarantine keeps; the file itself has the rest."""

NESTING = 128
"""Lists and objects inside each other in one JSON row. Whatever walks a row calls itself once a level, and Python stops
such calls near 1,000; rows written by people and programs stay below 20."""

DIGITS = 4300
"""Digits of one whole number. Reading them costs their square; the limit is Python's own default."""

WHOLE_FILE = 1 << 30
"""Bytes of a file that has to be held in memory as a whole: 1 GiB, for .json. JSON Lines has no such limit."""

UNPACKED = 64 << 30
"""Bytes that a packed file may unpack to unless its source has `max_bytes`: 64 GiB, more than a disk should be asked
to hold by accident."""

RATIO = 200
"""How many times its size a packed file may unpack to unless its source has `max_bytes`. Text packs to a third or a
tenth, repetitive logs to a fiftieth; a bomb reaches 1,000 with gzip and far more with bzip2, xz and Zstandard."""

RATIO_FROM = 64 << 20
"""Unpacked bytes from which the ratio counts: 64 MiB do no harm, whatever they come from."""

COLUMNS = 10_000
"""Columns of a table. More are rows and columns swapped, or one line without its separator."""

FILES = 100_000
"""Files that one folder or pattern may name. More are a wrong folder, such as the root of the disk."""

EPUB_ENTRIES = 10_000
"""Files inside one EPUB; long books have some hundreds."""

SQLITE_CELL = LONGEST_ROW
"""Bytes of one cell of a database; a larger one is a picture or a file, no text to learn."""
