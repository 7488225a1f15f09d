"""The data room: files of rows become examples, the examples a frozen three-way split, the split rows of tokens.

In: `SourceOptions`, `SplitOptions`, `RenderOptions` of a role, and the base's tokenizer. Out, in this order:

    read = read_examples(role.data, root, group_by=..., seed=...)      # every row: an example, a refusal or left out
    require_enough(read, max_refused); write_quarantine(read.refusals, path)
    split = split_examples(read.examples, role.split, seed, frozen)    # made once, then the same for ever
    train = render_examples(split.train, tokenizer, role.render, context, end_ids)
    summarise(read, split, train=train, ...)                           # numbers that add up to the rows read

No row is dropped, cut or repaired without being counted, and a bad one tells file, line, field and fix.
"""

from __future__ import annotations

from atanor.data.formats import Columns
from atanor.data.identity import dataset_sha
from atanor.data.options import RenderOptions, RowFormat, SourceOptions, SplitOptions, TooLong, TrainOn
from atanor.data.quarantine import write_quarantine
from atanor.data.reading import ReadResult, SourceFormat, read_examples, require_enough
from atanor.data.refusals import problem_of, refusal_of
from atanor.data.rendering import RenderResult, prompt_tokens, render_examples
from atanor.data.rows import Example, Message, Refusal, Speaker, TokenRow
from atanor.data.sides import Side
from atanor.data.sources import locate
from atanor.data.splitting import Split, split_examples
from atanor.data.summary import DataSummary, summarise, weighted_pieces

__all__ = [
    "Columns",
    "DataSummary",
    "Example",
    "Message",
    "ReadResult",
    "Refusal",
    "RenderOptions",
    "RenderResult",
    "RowFormat",
    "Side",
    "SourceFormat",
    "SourceOptions",
    "Speaker",
    "Split",
    "SplitOptions",
    "TokenRow",
    "TooLong",
    "TrainOn",
    "dataset_sha",
    "locate",
    "problem_of",
    "prompt_tokens",
    "read_examples",
    "refusal_of",
    "render_examples",
    "require_enough",
    "split_examples",
    "summarise",
    "weighted_pieces",
    "write_quarantine",
]
