from .architecture import Architecture
from .counting import Counts, count_window
from .engine import Engine, Route, Work, total_weight
from .estimate import Estimate, Memory, Rows, available_bytes, estimate_training, predict_memory, process_bytes
from .flops import Flops, scoring_flops, training_flops
from .forest import Prompt, WeightedTokens, shared_tokens
from .measuring import Tuning
from .padded import GroupLoss
from .precision import autocast_for, device_name, gemm_rate, has_fast_bfloat16

__all__ = [
    "Architecture",
    "Counts",
    "Engine",
    "Estimate",
    "Flops",
    "GroupLoss",
    "Memory",
    "Prompt",
    "Route",
    "Rows",
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
    "predict_memory",
    "process_bytes",
    "scoring_flops",
    "shared_tokens",
    "total_weight",
    "training_flops",
]
