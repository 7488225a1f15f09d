"""How a tokenizer treats the texts of a data set.

In: texts as Arrow arrays, in as many batches as there are, with their languages where they are known, and a base's
tokenizer. Out: one report: tokens per character and word by language, split words, characters that explode, special
tokens inside text, lengths, and what each context length would cut.

    counter = TokenisationCounter(tokenizer)
    for batch in batches:
        counter.update(batch.texts, batch.languages)
    report = counter.report()
"""

from __future__ import annotations

from atanor.data.tokenisation.counting import TokenisationCounter, tokenisation_report
from atanor.data.tokenisation.report import (
    CharacterCost,
    Comparison,
    ContextCut,
    LengthBin,
    SpecialSeen,
    TextCounts,
    TokenisationReport,
    WordSplits,
)

__all__ = [
    "CharacterCost",
    "Comparison",
    "ContextCut",
    "LengthBin",
    "SpecialSeen",
    "TextCounts",
    "TokenisationCounter",
    "TokenisationReport",
    "WordSplits",
    "tokenisation_report",
]
