from .engine import Engine
from .passes import WeightedTokens, total_weight
from .precision import autocast_for, device_name, has_fast_bfloat16

__all__ = ["Engine", "WeightedTokens", "autocast_for", "device_name", "has_fast_bfloat16", "total_weight"]
