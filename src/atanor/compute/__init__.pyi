from .engine import Engine, Route, Work, total_weight
from .forest import Prompt, WeightedTokens, shared_tokens
from .padded import GroupLoss
from .precision import autocast_for, device_name, gemm_rate, has_fast_bfloat16

__all__ = [
    "Engine",
    "GroupLoss",
    "Prompt",
    "Route",
    "WeightedTokens",
    "Work",
    "autocast_for",
    "device_name",
    "gemm_rate",
    "has_fast_bfloat16",
    "shared_tokens",
    "total_weight",
]
