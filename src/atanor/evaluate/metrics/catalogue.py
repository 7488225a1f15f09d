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
        optional: it can do without its argument.
        judged: a language model marks it, with options of its own below the name.
    """

    name: str
    description: str
    argument: str | None = None
    default_margin: str = "0.05"
    optional: bool = False
    judged: bool = False


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
    MetricEntry("mcc", "Matthews' correlation of the classes named with those wanted: 0 is what chance gives."),
    MetricEntry(
        "ece", "How far the probability of the class named is from the share right; lower is better.", None, "0.02"
    ),
    MetricEntry("label_f1", "F1 of the classes of all items together, for rows of several classes."),
    MetricEntry("bleu", "Corpus BLEU by sacrebleu, 0 to 100; for Chinese or Japanese use `chrf`.", None, "2.0"),
    MetricEntry("chrf", "Corpus chrF2 by sacrebleu's rules, 0 to 100, for every script.", None, "2.0"),
    MetricEntry("rouge_1", "ROUGE-1 F-measure by rouge-score: shared words.", None, "0.02"),
    MetricEntry("rouge_2", "ROUGE-2 F-measure by rouge-score: shared pairs of words.", None, "0.02"),
    MetricEntry("rouge_l", "ROUGE-L F-measure by rouge-score: longest common subsequence of words.", None, "0.02"),
    MetricEntry("token_f1", "F1 of words as SQuAD counts them."),
    MetricEntry("edit_distance", "Share of characters to be changed to have the reference; lower is better."),
    MetricEntry(
        "embedding_similarity",
        "Cosine of the sentence embeddings of answer and reference; needs the extra `augment`.",
        "encoder, as pkg:NAME",
        "0.02",
        optional=True,
    ),
    MetricEntry("json_valid", "All of the answer is valid JSON, code fences not allowed; yes or no."),
    MetricEntry("json_schema", "The answer is JSON and valid under a schema; yes or no.", "path of a JSON schema"),
    MetricEntry("field_accuracy", "Share of the reference's JSON fields that the answer has with an equal value."),
    MetricEntry(
        "slot_error_rate",
        "Slots of a meaning representation that the answer lacks or makes up, over all slots; lower is better.",
        "column of the representation, where the answer is a text",
        optional=True,
    ),
    MetricEntry("distinct_1", "Different words over all words of all answers.", None, "0.02"),
    MetricEntry("distinct_2", "Different pairs of words over all pairs of all answers.", None, "0.02"),
    MetricEntry(
        "repetition", "Share of an answer's runs of four words that it has already had; lower is better.", None, "0.02"
    ),
    MetricEntry(
        "length_ratio", "How many times longer or shorter than the reference; lower is better, 1 is best.", None, "0.1"
    ),
    MetricEntry("answer_length", "Words an answer; a cost, lower is better.", None, "10 % of the base's"),
    MetricEntry("tokens_used", "Tokens of prompt and answer; a cost, lower is better.", None, "10 % of the base's"),
    MetricEntry(
        "latency",
        "Seconds of this machine's time an answer, in the test's batches; a cost, lower is better.",
        None,
        "10 % of the base's",
    ),
    MetricEntry("custom", "What a function of yours returns for an answer; higher is better.", "`file.py:function`"),
    MetricEntry(
        "judge",
        "A language model's score of the answer by a rubric, 1 to `highest`.",
        None,
        "a twentieth of the scale",
        judged=True,
    ),
    MetricEntry(
        "judge_pairwise",
        "How often a language model prefers the answer to the other candidate's, asked in both orders; a tie is half.",
        None,
        "0.1",
        judged=True,
    ),
    MetricEntry("forgetting", "Bits per byte on general text, what tuning cost elsewhere; lower is better."),
)
"""Every metric, in the order the docs list them."""

PREFERENCE_METRICS = ("preference", "preference_per_token")
"""Metrics that need a worse answer beside the reference; the first is the default where answers are compared."""

METRIC_NAMES: tuple[str, ...] = tuple(entry.name for entry in METRICS)
