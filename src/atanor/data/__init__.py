"""The data room: files become rows, rows a dataset that was cleaned, checked and split, its sides rows of tokens.

In: `SourceOptions`, `CleanOptions`, `CheckOptions`, `SplitOptions`, `AugmentOptions` and `RenderOptions` of a role, and
the base's tokenizer. Out, in this order, through the packages of the room:

    containers, formats     bytes to records, records to `Example`s         read_examples(sources, root)
    cleaning, checks        texts to cleaner texts, and to `Finding`s       clean_texts(texts, options), find_…(texts)
    duplicates, bias        which rows are alike, who is named in them
    workshop                all of it, block by block, to a dataset on disk  build_dataset(recipe, root, folder)
    augmentation, corpora   more rows from those there are, rows from books
    writing, tokenisation   rows in other formats, what a tokenizer makes of them
    here                    sides to tokens with weights                    render_examples(examples, tokenizer, …)

No row is dropped, cut or repaired without being counted, and a bad one tells file, line, field and fix.
"""

from __future__ import annotations

from atanor.data.formats import Columns
from atanor.data.options import RenderOptions, RowFormat, SourceOptions, SplitOptions, TooLong, TrainOn
from atanor.data.preferences import PairResult, PreferencePair, render_pairs
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
    "PairResult",
    "PreferencePair",
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
    "locate",
    "problem_of",
    "prompt_tokens",
    "read_examples",
    "refusal_of",
    "render_examples",
    "render_pairs",
    "require_enough",
    "split_examples",
    "summarise",
    "weighted_pieces",
    "write_quarantine",
]
