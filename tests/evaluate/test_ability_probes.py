"""Probes of general ability against the plain computation, one item at a time."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch

from atanor.evaluate.ability.encoding import ScoredText, after_context, scored, text_tokens
from atanor.evaluate.ability.metrics import likeliest_by_length_is_right, likeliest_is_right
from atanor.evaluate.ability.options import Ability, AbilityFile, ProbeKind
from atanor.evaluate.ability.reading import evenly, read_probe, shipped
from atanor.evaluate.ability.rules import RULES, keeps
from atanor.evaluate.ability.tasks import Asked, Choices, MinimalPairs, RunningText
from atanor.evaluate.items import Item, Outcome
from atanor.inference.divergence import divergences_from
from atanor.models import Base, BaseReference, load_base, resolve_base
from atanor.progress import Silent
from tests.compute.models import adapted
from tests.tiny import tiny_tokenizer

ROWS = [
    ScoredText((5, 6, 7, 8, 9), (0.0, 0.0, 1.0, 1.0, 1.0)),
    ScoredText((5, 6, 7, 9), (0.0, 0.0, 1.0, 1.0)),
    ScoredText((11, 12, 13), (0.0, 1.0, 1.0)),
]


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_divergence_from_the_base_is_the_plain_one(dtype: torch.dtype, tolerance: float) -> None:
    model = adapted(dtype).eval()
    found = divergences_from(model, model.disable_adapter, ROWS)
    for row, ours in zip(ROWS, found, strict=True):
        tokens = torch.tensor([row.tokens])
        with torch.no_grad():
            tuned = model(tokens).logits[0].double().log_softmax(1)
            with model.disable_adapter():
                base = model(tokens).logits[0].double().log_softmax(1)
        places = [place - 1 for place, weight in enumerate(row.weights) if weight]
        assert ours == pytest.approx(float((base.exp() * (base - tuned)).sum(1)[places].sum()), abs=tolerance)
        assert ours > 0


def test_the_base_is_at_no_distance_from_itself() -> None:
    model = adapted(torch.float64).eval()
    assert divergences_from(model, nullcontext, ROWS) == [0.0, 0.0, 0.0]


@pytest.fixture(scope="module")
def base(tiny_base_folder: Path) -> Base:
    return load_base(resolve_base(BaseReference.parse(f"path:{tiny_base_folder}"), Path(), Silent()))


def plain_nll(base: Base, context: tuple[int, ...], continuation: tuple[int, ...]) -> float:
    logits = base.model(torch.tensor([(*context, *continuation)])).logits[0].double().log_softmax(1)
    return -sum(float(logits[len(context) + place - 1, token]) for place, token in enumerate(continuation))


def test_probes_score_as_one_text_at_a_time(base: Base) -> None:
    asked = Asked(base, base.model, "base", Silent())
    tokenizer = base.tokenizer
    begin = (tokenizer.bos_token_id,)
    question = Item("q", "q", "Who left", "the door", {"choices": ("the door", "the lamp and"), "answer": 0})
    (chosen,) = Choices("c", [question], []).ask(asked)
    for nll, choice in zip(chosen.choice_nlls, question.fields["choices"], strict=True):
        context, continuation = after_context(tokenizer, question.prompt, f" {choice}")
        assert nll == pytest.approx(plain_nll(base, context, continuation), rel=1e-5)
    pair = Item("p", "p", "", "Who left the door open?", {"worse": "Who open the door left?"})
    (weighed,) = MinimalPairs("m", [pair], []).ask(asked)
    (read,) = RunningText("t", [pair], []).ask(asked)
    good, bad = (
        plain_nll(base, begin, text_tokens(tokenizer, text)) for text in (pair.reference, pair.fields["worse"])
    )
    assert weighed.nll == pytest.approx(good, rel=1e-5) == read.nll
    assert weighed.rejected_nll == pytest.approx(bad, rel=1e-5)


def test_a_choice_is_judged_by_likelihood_and_by_length() -> None:
    item = Item("q", "q", "", "long answer", {"choices": ("no", "long answer"), "answer": 1})
    outcome = Outcome(None, True, 4.0, 0, 0, choice_nlls=(4.0, 8.0))
    assert not likeliest_is_right(item, outcome) and likeliest_by_length_is_right(item, outcome)


def test_spaces_that_end_a_context_begin_the_continuation_and_a_long_context_loses_its_beginning() -> None:
    tokenizer = tiny_tokenizer()
    context, continuation = after_context(tokenizer, "the lamp ", "door")
    assert context == text_tokens(tokenizer, "the lamp")
    assert tokenizer.decode([*context, *continuation]) == "the lamp door"
    assert scored((1, 2, 3, 4), (5, 6), 4) == ScoredText((3, 4, 5, 6), (0.0, 0.0, 1.0, 1.0))


@pytest.mark.parametrize(
    ("rule", "kept", "broken"),
    [
        ({"form": "words", "count": 1}, "Jupiter.", "It is Jupiter."),
        ({"form": "at_most_words", "count": 3}, "the pale moon", "the pale moon above us"),
        ({"form": "one_of", "answers": ["yes", "no"]}, "Yes.", "Yes, it is."),
        ({"form": "number"}, "42", "The answer is 42"),
        ({"form": "json_list", "count": 2}, '```json\n["a", "b"]\n```', '["a", "b", "c"]'),
        ({"form": "json_object", "keys": ["name"]}, '{"name": "Inés"}', '{"name": "Inés", "age": 3}'),
        ({"form": "lines", "count": 2}, "cat\n\ndog", "cat, dog"),
        ({"form": "numbered", "count": 2}, "1. cat\n2. dog", "1. cat\n3. dog"),
        ({"form": "bullets", "count": 2}, "- cat\n- dog", "* cat\n* dog"),
        ({"form": "upper"}, "GOOD MORNING!", "Good morning"),
        ({"form": "lower"}, "good morning", "42"),
        ({"form": "begins", "with": "Certainly"}, "Certainly, it is", "It certainly is"),
        ({"form": "ends", "with": "That is all."}, "A bridge. That is all.", "A bridge."),
        ({"form": "separated", "count": 3}, "a, b, c", "a, b and c"),
        ({"form": "sentences", "count": 1}, "Rain is 2.5 mm of water.", "Rain is water. It falls."),
    ],
)
def test_a_form_is_kept_or_broken(rule: dict[str, object], kept: str, broken: str) -> None:
    assert keeps(rule, f" {kept}\n") and not keeps(rule, broken)


def test_every_form_is_asked_for_by_a_shipped_prompt() -> None:
    items = shipped("formats", None)
    assert {item.fields["rule"]["form"] for item in items} == set(RULES) and len(items) == 22
    assert len({item.prompt for item in shipped("generic", None)}) == 40


def test_small_takes_items_from_all_parts_of_a_file(tmp_path: Path) -> None:
    rows = [{"sentence_good": f"good {n}", "sentence_bad": "bad", "UID": f"kind{n // 100}"} for n in range(400)]
    (tmp_path / "pairs.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    probe = AbilityFile(kind=ProbeKind.BLIMP, path="pairs.jsonl")
    items = read_probe(probe, tmp_path, Ability.SMALL.items)
    assert len(items) == 100 and len({item.cluster for item in items}) == 4
    assert evenly(items, None) == items and len(read_probe(probe, tmp_path, Ability.FULL.items)) == 400
