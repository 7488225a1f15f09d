from .base import Metric
from .catalogue import METRIC_NAMES, METRICS, PREFERENCE_METRICS, MetricEntry
from .registry import build_metric

__all__ = ["METRICS", "METRIC_NAMES", "PREFERENCE_METRICS", "Metric", "MetricEntry", "build_metric"]
