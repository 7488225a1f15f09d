"""What rows mean: `columns_of` recognises the shape of a file, `examples_of_records` makes its rows examples.

In: a source's options, its first records, and then all of them, or a block of them where the shape allows it. Out:
`Columns`, which tell the shape, and for every record an `Example`, a `Refusal`, or a count in the `Tally`.
"""

from __future__ import annotations

from atanor.data.formats.building import examples_of_records
from atanor.data.formats.columns import Columns
from atanor.data.formats.frame import Frame
from atanor.data.formats.framing import frame_of
from atanor.data.formats.recognition import FIRST_ROWS, columns_of, require_column
from atanor.data.formats.tally import Tally

__all__ = ["FIRST_ROWS", "Columns", "Frame", "Tally", "columns_of", "examples_of_records", "frame_of", "require_column"]
