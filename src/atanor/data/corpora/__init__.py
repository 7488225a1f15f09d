"""Books and other long texts to training rows.

In: the text of a book, or the chapters of an EPUB, and a base's tokenizer. Out: windows to train on the text itself,
and instruction rows whose answers are the author's own words.

    book = outline(text, author="Jane Austen")                           # chapters, scenes, blocks, with offsets
    rows = [window.example(file) for window in windows(book, tokenizer, WindowOptions())]
    asked = instruction_examples(book, tokenizer, InstructionOptions(), seed=1, source=file)
    asked = instructions_by_model(book, tokenizer, engine, InstructionOptions(), source=file)
"""

from __future__ import annotations

from atanor.data.corpora.blocks import Block, BlockKind
from atanor.data.corpora.headings import Rank
from atanor.data.corpora.instructing import instructions_by_model
from atanor.data.corpora.instructions import InstructionResult, instruction_examples
from atanor.data.corpora.options import InstructionOptions, Language, Respect, RowKind, WindowOptions
from atanor.data.corpora.outline import Outline, Section, SectionKind, outline, outline_of_chapters
from atanor.data.corpora.windows import Measure, Window, windows

__all__ = [
    "Block",
    "BlockKind",
    "InstructionOptions",
    "InstructionResult",
    "Language",
    "Measure",
    "Outline",
    "Rank",
    "Respect",
    "RowKind",
    "Section",
    "SectionKind",
    "Window",
    "WindowOptions",
    "instruction_examples",
    "instructions_by_model",
    "outline",
    "outline_of_chapters",
    "windows",
]
