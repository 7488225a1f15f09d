"""What a project remembers: runs, candidates, datasets, releases, and artefacts by content hash.

In: records and bytes. Out: the same, found again by name or hash. Files are written whole or not at all.
"""

from atanor.store.database import FOLDER, Store, now
from atanor.store.records import CandidateRecord, DatasetRecord, Release, RunRecord, RunState

__all__ = [
    "FOLDER",
    "CandidateRecord",
    "DatasetRecord",
    "Release",
    "RunRecord",
    "RunState",
    "Store",
    "now",
]
