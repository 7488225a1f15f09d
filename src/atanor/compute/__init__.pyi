from .engine import Engine, Route, Work, total_weight
from .forest import WeightedTokens
from .padded import GroupLoss
from .precision import autocast_for, device_name, gemm_rate, has_fast_bfloat16

__all__ = [
    "Engine",
    "GroupLoss",
    "Route",
    "WeightedTokens",
    "Work",
    "autocast_for",
    "device_name",
    "gemm_rate",
    "has_fast_bfloat16",
    "total_weight",
]
