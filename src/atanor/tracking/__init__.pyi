from .courier import Courier
from .history import HistoryFile, read_history
from .opening import open_trackers
from .options import TRACKERS, MlflowOptions, TensorboardOptions
from .records import Conclusion, Point, RunFacts, Tracker, Unreachable

__all__ = [
    "TRACKERS",
    "Conclusion",
    "Courier",
    "HistoryFile",
    "MlflowOptions",
    "Point",
    "RunFacts",
    "TensorboardOptions",
    "Tracker",
    "Unreachable",
    "open_trackers",
    "read_history",
]
