"""The metrics a project can name, described for the docs. Imports nothing, so that `atanor --help` stays fast."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MetricEntry:
    """One metric as the docs and the schema list it.

    Attributes:
        name: as written in a project file.
        description: one line.
        argument: what it needs, for reading; None when it takes no argument.
        default_margin: the smallest change of interest when the project gives none, for reading.
    """

    name: str
    description: str
    argument: str | None = None
    default_margin: str = "0.05"


METRICS: tuple[MetricEntry, ...] = (
    MetricEntry(
        "perplexity", "How surprised the model is by the references; lower is better.", None, "2 % of the base's"
    ),
    MetricEntry("bits_per_byte", "Perplexity's kin, comparable between tokenizers; lower is better.", None, "0.02"),
    MetricEntry("preference", "Share of rows whose better answer is likelier than their worse one; a tie is half."),
    MetricEntry(
        "preference_per_token", "The same of the likelihood a token, so that a long answer has no disadvantage."
    ),
    MetricEntry("exact_match", "The answer is the reference, white space around both aside; yes or no."),
    MetricEntry("accuracy", "The answer names the reference's class, or all of its classes and no other; yes or no."),
    MetricEntry(
        "macro_f1", "Mean over the test's classes of each one's F1: a rare class counts as much as the others."
    ),
    MetricEntry("label_f1", "F1 of the classes of all items together, for rows of several classes."),
    MetricEntry("bleu", "Corpus BLEU by sacrebleu, 0 to 100; for Chinese or Japanese use `chrf`.", None, "2.0"),
    MetricEntry("chrf", "Corpus chrF2 by sacrebleu's rules, 0 to 100, for every script.", None, "2.0"),
    MetricEntry("rouge_1", "ROUGE-1 F-measure by rouge-score: shared words.", None, "0.02"),
    MetricEntry("rouge_2", "ROUGE-2 F-measure by rouge-score: shared pairs of words.", None, "0.02"),
    MetricEntry("rouge_l", "ROUGE-L F-measure by rouge-score: longest common subsequence of words.", None, "0.02"),
    MetricEntry("token_f1", "F1 of words as SQuAD counts them."),
    MetricEntry("json_valid", "All of the answer is valid JSON, code fences not allowed; yes or no."),
    MetricEntry("json_schema", "The answer is JSON and valid under a schema; yes or no.", "path of a JSON schema"),
    MetricEntry("field_accuracy", "Share of the reference's JSON fields that the answer has with an equal value."),
    MetricEntry("custom", "What a function of yours returns for an answer; higher is better.", "`file.py:function`"),
    MetricEntry("forgetting", "Bits per byte on general text, what tuning cost elsewhere; lower is better."),
)
"""Every metric, in the order the docs list them."""

PREFERENCE_METRICS = ("preference", "preference_per_token")
"""Metrics that need a worse answer beside the reference; the first is the default where answers are compared."""

METRIC_NAMES: tuple[str, ...] = tuple(entry.name for entry in METRICS)
