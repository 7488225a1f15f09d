# Report functions and the runner join here; an entry is all it takes, modules load when a name is first used.
from .comparison import compare, decide, overall
from .gates import Gate, gate_metrics, judge, parse_gate
from .items import Comparison, GateResult, Item, Outcome, Verdict
from .metrics import METRIC_NAMES, Metric, build_metric

__all__ = [
    "METRIC_NAMES",
    "Comparison",
    "Gate",
    "GateResult",
    "Item",
    "Metric",
    "Outcome",
    "Verdict",
    "build_metric",
    "compare",
    "decide",
    "gate_metrics",
    "judge",
    "overall",
    "parse_gate",
]
