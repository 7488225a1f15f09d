from .base import Metric
from .catalogue import METRIC_NAMES, METRICS, MetricEntry
from .registry import build_metric

__all__ = ["METRICS", "METRIC_NAMES", "Metric", "MetricEntry", "build_metric"]
