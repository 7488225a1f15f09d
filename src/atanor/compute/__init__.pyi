from .architecture import Architecture
from .counting import Counts, count_window
from .decoding import KeyValueStore
from .divergence import Divergence, Matching
from .engine import Engine, total_weight
from .estimate import (
    Estimate,
    Memory,
    Rows,
    available_bytes,
    estimate_training,
    heap_gaps,
    predict_memory,
    process_bytes,
)
from .flops import Flops, scoring_flops, training_flops
from .footprint import StateSize
from .forest import Prompt, WeightedTokens, shared_tokens
from .loss_scale import LossScale
from .measuring import Tuning
from .noise import EmbeddingNoise
from .padded import GroupLoss
from .precision import autocast_for, device_name, gemm_rate, has_fast_bfloat16
from .route import Route, Work
from .teaching import Taught, Teacher

__all__ = [
    "Architecture",
    "Counts",
    "Divergence",
    "EmbeddingNoise",
    "Engine",
    "Estimate",
    "Flops",
    "GroupLoss",
    "KeyValueStore",
    "LossScale",
    "Matching",
    "Memory",
    "Prompt",
    "Route",
    "Rows",
    "StateSize",
    "Taught",
    "Teacher",
    "Tuning",
    "WeightedTokens",
    "Work",
    "autocast_for",
    "available_bytes",
    "count_window",
    "device_name",
    "estimate_training",
    "gemm_rate",
    "has_fast_bfloat16",
    "heap_gaps",
    "predict_memory",
    "process_bytes",
    "scoring_flops",
    "shared_tokens",
    "total_weight",
    "training_flops",
]
