"""Duplicates and contamination: which rows say the same, exactly or nearly, and which test items were trained on.

In: texts as flat Arrow arrays, in batches. Out: row numbers.

    first = first_occurrences(content_keys(texts))               # exact copies
    groups = contradictions(folded_keys(prompts), folded_keys(answers), labelled)
    near = NearDuplicates(); near.add(signatures(batch)); ...    # one text a row, batch by batch
    clusters = near.clusters()                                   # for each row the first of its cluster
    report = find_contamination(train_batches, test)                  # exact, near, and runs of 13 words
"""

from __future__ import annotations

from atanor.data.duplicates.clusters import Clusters
from atanor.data.duplicates.contamination import (
    ContaminatedItem,
    ContaminationIndex,
    ContaminationReport,
    Overlap,
    find_contamination,
)
from atanor.data.duplicates.exact import (
    AnswerGroup,
    Disagreement,
    content_keys,
    contradictions,
    first_occurrences,
    folded_keys,
    joined_keys,
)
from atanor.data.duplicates.minhash import signatures
from atanor.data.duplicates.near import NearDuplicates

__all__ = [
    "AnswerGroup",
    "Clusters",
    "ContaminatedItem",
    "ContaminationIndex",
    "ContaminationReport",
    "Disagreement",
    "NearDuplicates",
    "Overlap",
    "content_keys",
    "contradictions",
    "find_contamination",
    "first_occurrences",
    "folded_keys",
    "joined_keys",
    "signatures",
]
