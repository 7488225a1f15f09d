"""Atanor as a model of the lm-evaluation-harness: the numbers of its own backend, from tasks in local files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM

from atanor.errors import ConfigurationError
from atanor.evaluate.harness import HarnessModel, HarnessTasks, Measured, ask_harness
from atanor.models import Base, BaseReference, load_base, resolve_base
from atanor.progress import Silent

COMMON = "dataset_path: json\ndataset_kwargs:\n  data_files:\n    test: {file}\ntest_split: test\n"
CHOICES = (
    'task: tiny_choices\noutput_type: multiple_choice\ndoc_to_text: "Question: {{question}}\\nAnswer:"\n'
    'doc_to_target: "{{answer}}"\ndoc_to_choice: "{{choices}}"\n'
    "metric_list:\n  - {metric: acc, aggregation: mean, higher_is_better: true}\n"
    "  - {metric: acc_norm, aggregation: mean, higher_is_better: true}\n"
)
LAST_WORD = (
    'task: tiny_last_word\noutput_type: loglikelihood\ndoc_to_text: "{{question}}"\ndoc_to_target: " {{word}}"\n'
    "metric_list:\n  - {metric: perplexity, aggregation: perplexity, higher_is_better: false}\n"
    "  - {metric: acc, aggregation: mean, higher_is_better: true}\n"
)
TEXT = (
    'task: tiny_text\noutput_type: loglikelihood_rolling\ndoc_to_text: ""\ndoc_to_target: "{{question}}"\n'
    "metric_list:\n  - {metric: word_perplexity}\n  - {metric: bits_per_byte}\n"
)
WRITTEN = (
    'task: tiny_written\noutput_type: generate_until\ndoc_to_text: "{{question}}"\ndoc_to_target: "{{word}}"\n'
    'generation_kwargs: {until: ["e"], max_gen_toks: 12, do_sample: false}\n'
    "metric_list:\n  - {metric: exact_match, aggregation: mean, higher_is_better: true}\n"
)


@pytest.fixture(scope="module")
def base(tiny_base_folder: Path) -> Base:
    return load_base(resolve_base(BaseReference.parse(f"path:{tiny_base_folder}"), tiny_base_folder, Silent()))


@pytest.fixture(scope="module")
def own(tiny_base_folder: Path) -> HFLM:
    """The harness's own backend on the same weights."""
    return HFLM(pretrained=str(tiny_base_folder), device="cpu", dtype="float32", batch_size=4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tasks(tmp_path_factory.mktemp("tasks"))


def write_tasks(folder: Path) -> Path:
    rows = [
        {
            "question": f"Where does the porter keep map {number} of floor {number % 3}?",
            "choices": ["By the lamp.", f"In room {number}, under the stairs.", "Nowhere"],
            "answer": number % 3,
            "word": ["lamp", "door", "map"][number % 3],
        }
        for number in range(12)
    ]
    file = folder / "items.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    for name, task in (("choices", CHOICES), ("last_word", LAST_WORD), ("text", TEXT), ("written", WRITTEN)):
        (folder / f"{name}.yaml").write_text(task + COMMON.format(file=file), encoding="utf-8")
    return folder


def instances(kind: str, arguments: Sequence[tuple[object, ...]]) -> list[Instance]:
    return [
        Instance(request_type=kind, doc={}, arguments=pair, idx=number)  # type: ignore[arg-type]
        for number, pair in enumerate(arguments)
    ]


PAIRS = [
    ("Ask for the map", " of the seventh floor"),
    ("Ask for the map", " and wait"),
    ("Ask for the map ", "of the lamp"),
    ("", "Who left the door open?"),
    ("yes" * 150, " no" * 150),
]


def test_continuations_have_the_likelihoods_of_the_harness(base: Base, own: HFLM) -> None:
    ours = HarnessModel(base, base.model, Silent(), "x")
    found = ours.loglikelihood(instances("loglikelihood", PAIRS))
    truth = own.loglikelihood(instances("loglikelihood", PAIRS), disable_tqdm=True)
    assert [one for one, _ in found] == pytest.approx([one for one, _ in truth], rel=1e-4)
    assert [greedy for _, greedy in found] == [greedy for _, greedy in truth]


def test_a_greedy_continuation_is_known(base: Base) -> None:
    ours = HarnessModel(base, base.model, Silent(), "x")
    before = ours.tok_encode("Ask for the map")
    with torch.no_grad():
        likeliest = int(base.model(torch.tensor([before])).logits[0, -1].argmax())
    ((_, greedy), (_, other)) = ours._loglikelihood_tokens(
        [(None, before, [likeliest]), (None, before, [likeliest - 1])]
    )
    assert greedy and not other


def test_whole_texts_longer_than_the_context_too(base: Base, own: HFLM) -> None:
    texts = [("Ask for the map of the seventh floor, said the porter.",), ("no yes " * 300,), ("",)]
    found = HarnessModel(base, base.model, Silent(), "x").loglikelihood_rolling(
        instances("loglikelihood_rolling", texts)
    )
    truth = own.loglikelihood_rolling(instances("loglikelihood_rolling", texts), disable_tqdm=True)
    assert found == pytest.approx(truth, rel=1e-4)


def test_answers_are_those_of_the_harness(base: Base, own: HFLM) -> None:
    asked = [(f"Ask for map {number}", {"until": ["e", "\n"], "max_gen_toks": 16}) for number in range(5)]
    ours = HarnessModel(base, base.model, Silent(), "x")
    assert ours.generate_until(instances("generate_until", asked)) == own.generate_until(
        instances("generate_until", asked), disable_tqdm=True
    )
    beams = [("Ask", {"until": [], "num_beams": 4})]
    with pytest.raises(ConfigurationError, match="beam search"):
        ours.generate_until(instances("generate_until", beams))


def test_tasks_in_local_files_are_measured_item_by_item(base: Base, own: HFLM, folder: Path) -> None:
    names = ("tiny_choices", "tiny_last_word", "tiny_text", "tiny_written")
    asked = HarnessTasks(names, folder, limit=8)
    found = {(one.task, one.metric): one for one in ask_harness(HarnessModel(base, base.model, Silent(), "x"), asked)}
    truth = {(one.task, one.metric): one for one in ask_harness(own, asked)}
    assert (
        found.keys()
        == truth.keys()
        >= {
            ("tiny_choices", "acc"),
            ("tiny_choices", "acc_norm"),
            ("tiny_last_word", "perplexity"),
            ("tiny_text", "word_perplexity"),
            ("tiny_text", "bits_per_byte"),
            ("tiny_written", "exact_match"),
        }
    )
    for key, one in found.items():
        np.testing.assert_allclose(one.values, truth[key].values, rtol=1e-4)
        assert len(one.items) == 8 and np.isfinite(one.score(one.values.sum(axis=0)))


def test_a_change_is_paired_and_a_perplexity_is_one() -> None:
    items = tuple(str(number) for number in range(20))
    before = Measured("t", "word_perplexity", False, items, np.array([(-2.0 * n, n) for n in range(1, 21)]))
    after = Measured("t", "word_perplexity", False, items, np.array([(-1.0 * n, n) for n in range(1, 21)]))
    change = before.change_to(after, confidence=0.95, resamples=1000, seed=0)
    assert change.baseline == pytest.approx(np.exp(2)) and change.candidate == pytest.approx(np.exp(1))
    assert change.interval.high < 0


def test_what_cannot_be_asked_is_said(base: Base, folder: Path, tmp_path: Path) -> None:
    ours = HarnessModel(base, base.model, Silent(), "x")
    with pytest.raises(ConfigurationError, match="--include"):
        ask_harness(ours, HarnessTasks(("no_such_task",), folder))
    broken = CHOICES.replace("tiny_choices", "tiny_broken") + COMMON.format(file=tmp_path / "missing.jsonl")
    (tmp_path / "broken.yaml").write_text(broken, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"dataset_kwargs\.data_files"):
        ask_harness(ours, HarnessTasks(("tiny_broken",), tmp_path))
