"""The stage of reading: a block of a source becomes rows, and what is refused becomes the first entries of the log."""

from __future__ import annotations

from atanor.data.blocks import Block
from atanor.data.opening import OpenSource
from atanor.data.workshop.log import log_table, refused_entry
from atanor.data.workshop.stages import StageReport, StageResult
from atanor.data.workshop.table import table_of

READ = "read"
"""Name of the stage."""


def read_rows(opened: OpenSource, block: Block | None) -> StageResult:
    """The rows of a block, or of the whole source.

    Raises:
        DataError: the file cannot be read as what it is, or it changed.
    """
    part = opened.read(block)
    tally = part.tally
    refused = len(part.refusals)
    # A row that gives several examples may have some of them refused: those count as refused rows that were added.
    whole = part.read - refused - part.left_out
    report = StageReport(
        stage=READ,
        read=part.read,
        kept=whole,
        refused=refused,
        left_out=part.left_out,
        added=tally.extra,
        merged=tally.joined,
        rules={"read.row": refused} if refused else {},
    )
    log = log_table([refused_entry(refusal, READ, "read.row") for refusal in part.refusals])
    return StageResult(table_of(part.examples), log, report)
