"""Every metric gives the figure that the package or paper it follows gives."""

from __future__ import annotations

import dataclasses
import math
import random
from pathlib import Path

import numpy as np
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from atanor.errors import ConfigurationError, MetricError
from atanor.evaluate.items import Outcome
from atanor.evaluate.metrics import METRIC_NAMES, METRICS
from atanor.evaluate.metrics.registry import _JUDGED, _PLAIN, _WITH_ARGUMENT, _WITH_OPTIONAL_ARGUMENT
from atanor.evaluate.metrics.strict_json import NOT_JSON, equal, parse_answer
from tests.evaluate.marking import NOWHERE, item, metric, outcome, score

WORDS = "the quick brown fox, jumps over a lazy dog; and it's 3.5 metres (or so) high!".split()  # noqa: SIM905
TEXTS = st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=8)


def noisy(seed: int, count: int) -> tuple[list[str], list[str]]:
    """References, and answers that share a good part of them."""
    dice = random.Random(seed)
    references = [dice.choices(WORDS, k=dice.randint(1, 20)) for _ in range(count)]
    answers = [[word if dice.random() < 0.7 else dice.choice(WORDS) for word in words] for words in references]
    return [" ".join(words) for words in references], [" ".join(words) for words in answers]


@settings(max_examples=60, deadline=None)
@given(PAIRS)
def test_bleu_and_chrf_of_summed_statistics_are_sacrebleu_s(pairs: list[tuple[str, str]]) -> None:
    answers, references = [answer for answer, _ in pairs], [reference for _, reference in pairs]
    bleu, chrf = metric("bleu"), metric("chrf")
    assert score(bleu, answers, references) == pytest.approx(
        sacrebleu.corpus_bleu(answers, [references]).score, abs=1e-9
    )
    assert score(chrf, answers, references) == pytest.approx(
        sacrebleu.corpus_chrf(answers, [references]).score, abs=1e-9
    )


def test_of_several_references_metrics_are_the_packages_own() -> None:
    first, answers = noisy(3, 30)
    second, third = noisy(3, 30)[0][::-1], noisy(4, 30)[0]
    items = [
        dataclasses.replace(item(number, one), also_right=(two, three))
        for number, (one, two, three) in enumerate(zip(first, second, third, strict=True))
    ]

    def found(name: str) -> float:
        marked = metric(name)
        rows = [marked.statistics(one, outcome(answer)) for one, answer in zip(items, answers, strict=True)]
        return float(marked.aggregate(np.asarray(rows).sum(axis=0)))

    streams = [first, second, third]
    assert found("bleu") == pytest.approx(sacrebleu.corpus_bleu(answers, streams).score, abs=1e-9)
    assert found("chrf") == pytest.approx(sacrebleu.corpus_chrf(answers, streams).score, abs=1e-9)
    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    best = [
        scorer.score_multi(one.references, answer)["rougeL"].fmeasure
        for one, answer in zip(items, answers, strict=True)
    ]
    assert found("rouge_l") == pytest.approx(np.mean(best), abs=1e-12)


@pytest.mark.parametrize(
    ("name", "answer", "expected"),
    [("exact_match", " no ", 1.0), ("exact_match", "maybe", 0.0), ("token_f1", "No!", 1.0)],
)
def test_any_reference_is_as_good_as_the_first(name: str, answer: str, expected: float) -> None:
    both = dataclasses.replace(item(0, "yes"), also_right=("no",))
    assert metric(name).statistics(both, outcome(answer))[0] == expected


def test_the_fields_of_the_best_reference_count() -> None:
    both = dataclasses.replace(item(0, '{"a": 1, "b": 2}'), also_right=('{"a": 1, "b": 3}',))
    assert metric("field_accuracy").statistics(both, outcome('{"a": 1, "b": 3}'))[0] == 1.0


@pytest.mark.parametrize("name", ["bleu", "chrf"])
def test_corpus_metrics_aggregate_many_resamples_at_once(name: str) -> None:
    references, answers = noisy(1, 30)
    found = metric(name)
    rows = np.asarray(
        [found.statistics(item(0, ref), outcome(ans)) for ref, ans in zip(references, answers, strict=True)]
    )
    drawn = np.random.default_rng(0).integers(0, 30, (20, 30))
    together = found.aggregate(rows[drawn].sum(axis=1))
    for picks, at_once in zip(drawn, together, strict=True):
        direct = getattr(sacrebleu, f"corpus_{name}")([answers[i] for i in picks], [[references[i] for i in picks]])
        assert at_once == pytest.approx(direct.score, abs=1e-9)
    for row, answer, reference in zip(rows, answers, references, strict=True):
        sentence = getattr(sacrebleu, f"sentence_{name}")(answer, [reference]).score
        assert found.item_score(tuple(row)) == pytest.approx(sentence, abs=1e-9)


@pytest.mark.parametrize("kind", ["1", "2", "l"])
def test_rouge_is_rouge_score_s_on_ascii(kind: str) -> None:
    references, answers = noisy(2, 40)
    key = f"rouge{kind.upper()}"
    scorer = RougeScorer([key], use_stemmer=False)
    pairs = zip(references, answers, strict=True)
    wanted = np.mean([scorer.score(reference, answer)[key].fmeasure for reference, answer in pairs])
    assert score(metric(f"rouge_{kind}"), answers, references) == pytest.approx(wanted, abs=1e-12)


def test_rouge_reads_every_alphabet() -> None:
    rouge = metric("rouge_1")
    assert score(rouge, ["Inés abrió la puerta"], ["Inés cerró la puerta"]) == pytest.approx(0.75)
    assert score(rouge, ["дом стоит"], ["дом стоит"]) == 1.0
    assert score(rouge, ["图书馆"], ["图书室"]) == pytest.approx(2 / 3)
    assert score(rouge, ["cafe\u0301"], ["caf\u00e9"]) == 1.0


@pytest.mark.parametrize(
    ("answer", "reference", "wanted"),
    [
        ("The cat, sat.", "a cat sat", 1.0),
        ("cat", "cat sat", 2 / 3),
        ("cat cat cat", "cat", 0.5),
        ("", "cat", 0.0),
        ("the", "a", 1.0),
        ("dog", "cat", 0.0),
    ],
)
def test_token_f1_counts_as_squad_does(answer: str, reference: str, wanted: float) -> None:
    assert score(metric("token_f1"), [answer], [reference]) == pytest.approx(wanted)


def test_exact_match_strips_both_and_nothing_else() -> None:
    assert score(metric("exact_match"), [" yes\n", "Yes", "no"], ["yes ", "yes", "no"]) == pytest.approx(2 / 3)


def test_perplexity_and_bits_are_of_the_corpus_not_means_of_items() -> None:
    rows = [(30.0, 10, 50), (2.0, 40, 100), (100.0, 25, 90)]
    outcomes = [outcome(None, *row) for row in rows]
    nats, tokens, size = (sum(column) for column in zip(*rows, strict=True))
    for name, wanted in [("perplexity", math.exp(nats / tokens)), ("bits_per_byte", nats / math.log(2) / size)]:
        found = metric(name)
        summed = np.asarray([found.statistics(item(0), one) for one in outcomes]).sum(axis=0)
        assert float(found.aggregate(summed)) == pytest.approx(wanted, rel=1e-12)
    assert metric("perplexity").item_score((30.0, 10.0)) == pytest.approx(math.exp(3))


@pytest.mark.parametrize(
    ("better", "worse", "whole", "per_token"),
    [
        ((10.0, 5), (12.0, 5), 1, 1),
        ((12.0, 12), (10.0, 5), 0, 1),
        ((10.0, 5), (12.0, 12), 1, 0),
        ((8.0, 4),) * 2 + (0.5, 0.5),
    ],
)
def test_preference_is_whether_the_better_answer_is_likelier_and_a_tie_is_half(
    better: tuple[float, int], worse: tuple[float, int], whole: float, per_token: float
) -> None:
    made = Outcome(None, False, *better, 40, *worse)
    assert metric("preference").statistics(item(0), made) == (whole, 1.0)
    assert metric("preference_per_token").statistics(item(0), made) == (per_token, 1.0)


def test_an_item_without_a_worse_answer_has_no_preference_and_an_endless_likelihood_is_refused() -> None:
    found = metric("preference")
    assert found.statistics(item(0), Outcome(None, False, 9.0, 3, 9)) == (0.0, 0.0)
    assert found.aggregate(np.array([3.0, 4.0])) == 0.75
    with pytest.raises(MetricError, match="item item-1: the likelihood of an answer is not finite"):
        found.statistics(item(1), Outcome(None, False, 9.0, 3, 9, float("nan"), 3))


@pytest.mark.parametrize("name", ["perplexity", "bits_per_byte", "forgetting"])
def test_a_likelihood_of_nothing_or_not_finite_names_the_item(name: str) -> None:
    with pytest.raises(MetricError, match=r"item item-7: the reference has no (tokens|bytes)"):
        metric(name).statistics(item(7), outcome(None, 0.0, 0, 0))
    with pytest.raises(MetricError, match="item item-7: the likelihood of the reference is not finite"):
        metric(name).statistics(item(7), outcome(None, math.nan))


JSON_ANSWERS = [
    ('{"a": 1}', True),
    ('  {"a": 1}\n', True),
    ("42", True),
    ("null", True),
    ('```json\n{"a": 1}\n```', False),
    ('Here it is: {"a": 1}', False),
    ('{"a": 1} Enjoy!', False),
    ("{'a': 1}", False),
    ('{"a": NaN}', False),
    ('{"a": -Infinity}', False),
    ('{"a": 1,}', False),
    ("", False),
    ("[" * 100_000, False),
    ('{"a": "' + "\n" + '"}', False),
    ('\ufeff{"a": 1}', False),
]


@pytest.mark.parametrize(("answer", "valid"), JSON_ANSWERS)
def test_json_is_json_or_it_is_not(answer: str, valid: bool) -> None:
    assert score(metric("json_valid"), [answer], ["{}"]) == float(valid)


BEAT = '{"type": "object", "required": ["who"], "properties": {"who": {"$ref": "#/$defs/name"}}, "$defs": {"name": {"type": "string", "minLength": 1}}}'  # noqa: E501


def test_json_schema_marks_by_the_schema(tmp_path: Path) -> None:
    (tmp_path / "beat.json").write_text(BEAT)
    found = metric("json_schema", "beat.json", tmp_path)
    answers = ['{"who": "Inés"}', '{"who": ""}', '{"where": 1}', "[]", "{'who': 'x'}", '{"who": "x", "more": 1}']
    assert [score(found, [answer], [""]) for answer in answers] == [1, 0, 0, 0, 0, 1]
    assert found.yes_no and found.label == "schema-valid JSON"


def test_json_schema_follows_the_draft_it_names(tmp_path: Path) -> None:
    tuple_of_draft_7 = '{"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "string"}]}'
    (tmp_path / "old.json").write_text(tuple_of_draft_7)
    assert score(metric("json_schema", "old.json", tmp_path), ["[1]", '["a", 1]'], ["", ""]) == 0.5


def test_a_recursive_schema_marks_deep_answers(tmp_path: Path) -> None:
    (tmp_path / "tree.json").write_text('{"type": "array", "items": {"$ref": "#"}}')
    found = metric("json_schema", "tree.json", tmp_path)
    assert score(found, ["[[[]], []]", "[[1]]", "[" * 900 + "]" * 900], [""] * 3) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ('{"type": "objekt"}', "type: 'objekt' is not valid"),
        ('{"properties": {"a": {"minLength": -1}}}', r"properties\.a\.minLength: -1 is less than"),
        ('{"type": "object",\n "x" 1}', r"beat\.json:2: not JSON: Expecting ':' delimiter at column 6"),
        ("[]", "a schema is a JSON object"),
        ('{"$ref": "https://example.com/other.json"}', r"\$ref: the reference leads to nothing in this file"),
        ('{"items": {"$ref": "#/$defs/absent"}}', r"\$ref: the reference leads to nothing"),
        ('{"$ref": "#"}', "refers to itself without end"),
        ('{"$schema": "https://example.com/draft"}', r"\$schema: `\$schema` names no known draft"),
        ('{"$schema": 5}', "names no known draft"),
    ],
)
def test_a_bad_schema_is_refused_with_its_place(tmp_path: Path, schema: str, message: str) -> None:
    (tmp_path / "beat.json").write_text(schema)
    with pytest.raises(ConfigurationError, match=message):
        metric("json_schema", "beat.json", tmp_path)


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ('{"who": "Inés", "where": {"room": 1}, "loud": true}', 1.0),
        ('{"loud": true, "who": "Inés", "where": {"room": 1.0}, "extra": 0}', 1.0),
        ('{"who": "Ines", "where": {"room": 1}, "loud": 1}', 1 / 3),
        ('{"who": null}', 0.0),
        ("{}", 0.0),
        ("[1]", 0.0),
        ("no JSON", 0.0),
    ],
)
def test_field_accuracy_is_the_share_of_equal_fields(answer: str, wanted: float) -> None:
    reference = '{"who": "Inés", "where": {"room": 1}, "loud": true}'
    assert score(metric("field_accuracy"), [answer], [reference]) == pytest.approx(wanted)


def test_a_reference_that_is_no_object_is_refused_before_generation() -> None:
    with pytest.raises(MetricError, match="item item-3: the reference is no JSON object"):
        metric("field_accuracy").check_item(item(3, "plain words"))
    metric("field_accuracy").check_item(item(3, "{}"))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=8))
def test_json_equality_is_reflexive_and_strict_about_booleans(value: object) -> None:
    assert equal(value, value)
    assert not equal([value, 1], [value, True])
    assert parse_answer("nothing") is NOT_JSON


def test_margins_are_the_metric_s_own_or_the_project_s() -> None:
    assert metric("perplexity").margin_at(10.0) == pytest.approx(0.2)
    assert metric("perplexity", margin=1.5).margin_at(10.0) == 1.5
    margins = {"exact_match": 0.05, "rouge_l": 0.02, "bleu": 2.0, "forgetting": 0.05, "bits_per_byte": 0.02}
    assert {name: metric(name).margin_at(0.5) for name in margins} == margins


def test_every_metric_of_the_catalogue_is_built_as_described() -> None:
    assert set(METRIC_NAMES) == {*_PLAIN, *_WITH_ARGUMENT, *_WITH_OPTIONAL_ARGUMENT, *_JUDGED}
    assert len(METRIC_NAMES) == 33
    for entry in METRICS:
        taking = _WITH_OPTIONAL_ARGUMENT if entry.optional else _WITH_ARGUMENT
        assert (entry.argument is not None) == (entry.name in taking)
        assert entry.judged == (entry.name in _JUDGED)
        if entry.argument is None and not entry.judged:
            found = metric(entry.name)
            assert found.name == entry.name and found.label
            assert ("lower is better" in entry.description) == (not found.higher_is_better)
            assert ("yes or no" in entry.description) == found.yes_no
    assert metric("forgetting").uses_general_text and not metric("forgetting").needs_generation


@pytest.mark.parametrize(
    ("name", "argument", "message"),
    [
        ("rouge_L", None, r"`rouge_L` is no metric. Did you mean `rouge_l`\? Metrics: perplexity, "),
        ("json_schema", None, "argument: `json_schema` needs the path of a JSON schema. Write `json_schema: "),
        ("custom", None, "argument: `custom` needs a function"),
        ("bleu", "x.json", r"argument: `bleu` takes no argument \(got x.json\). Write `bleu` alone"),
        ("json_schema", "beta.json", r"beta.json does not exist. Nearby: beat.json"),
        ("json_schema", "zzz/qqq.json", "does not exist. The path is relative to the project file"),
    ],
)
def test_what_cannot_be_built_says_why(tmp_path: Path, name: str, argument: str | None, message: str) -> None:
    (tmp_path / "beat.json").write_text("{}")
    with pytest.raises(ConfigurationError, match=message):
        metric(name, argument, tmp_path)


def test_a_missing_answer_is_the_program_s_fault() -> None:
    with pytest.raises(AssertionError, match="`exact_match` needs an answer to item item-1"):
        metric("exact_match", None, NOWHERE).statistics(item(1), outcome(None))
