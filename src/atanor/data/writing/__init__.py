"""Examples to files in the formats of others, for upload or for other trainers.

In: examples, a path whose suffixes tell the container (`rows.jsonl`, `rows.csv.gz`, `rows.parquet`), and a
`WriteFormat`. Out: the file, and a `WriteReport` with the examples that the format cannot express and why.
"""

from __future__ import annotations

from atanor.data.writing.export import WriteReport, write_examples
from atanor.data.writing.kinds import WriteFormat

__all__ = ["WriteFormat", "WriteReport", "write_examples"]
