# Modules load when a name of theirs is first used.
from .comparison import compare, decide, overall
from .gates import Gate, gate_metrics, judge, parse_gate
from .html import render_html
from .items import Comparison, GateResult, Item, Outcome, Verdict
from .metrics import METRIC_NAMES, Metric, build_metric
from .report import Report

__all__ = [
    "METRIC_NAMES",
    "Comparison",
    "Gate",
    "GateResult",
    "Item",
    "Metric",
    "Outcome",
    "Report",
    "Verdict",
    "build_metric",
    "compare",
    "decide",
    "gate_metrics",
    "judge",
    "overall",
    "parse_gate",
    "render_html",
]
