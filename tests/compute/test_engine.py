"""What the engine decides: which route it takes, what it refuses, and the pieces it is made of."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model

from atanor.compute import Engine, Route, gemm_rate, has_fast_bfloat16, head_loss
from atanor.compute.forest import Forest, grow
from atanor.compute.head_loss import Predictions, SmoothedWeights, prediction_nll, weighted_nll
from atanor.compute.padded import plan_passes
from atanor.compute.schedule import Pass, plan
from atanor.data.rows import TokenRow
from atanor.errors import ConfigurationError
from tests.compute.models import FAMILIES, adapted, gradients, windows
from tests.tiny import tiny_llama

ROW = TokenRow("a", tuple(range(5, 30)), (0.0,) * 5 + (1.0,) * 20, 1)


def test_the_self_check_finds_a_layer_that_changed_its_mind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hand-written layers stand in for what the layers were when the engine was made."""
    model = adapted(torch.float32)
    engine = Engine(model, pad=0)
    assert engine.self_check([ROW]) < 1e-4
    assert engine.route is Route.FOREST
    feed_forward = type(model.get_base_model().model.layers[0].mlp)
    before = feed_forward.forward
    monkeypatch.setattr(feed_forward, "forward", lambda self, x: 3 * before(self, x))
    assert engine.self_check([ROW]) > 1e-3
    assert engine.route is Route.PLAIN_LAYERS
    logits_TV = model(input_ids=torch.tensor([ROW.tokens])).logits[0]
    truth = torch.nn.functional.cross_entropy(logits_TV[4:24], torch.tensor(ROW.tokens[5:]))
    assert engine.mean_loss([ROW]) == pytest.approx(float(truth.detach()), rel=1e-5)


def test_the_self_check_falls_back_to_the_models_own_computation() -> None:
    model = tiny_llama(60)
    model.requires_grad_(False)
    engine = Engine(model, pad=0)
    original = model.forward

    def scaled(**inputs: torch.Tensor) -> object:
        output = original(**inputs)
        output.logits = output.logits * 30
        return output

    model.forward = scaled
    assert engine.self_check([ROW]) > 1e-3
    assert engine.route is Route.SEPARATE
    logits_TV = model(input_ids=torch.tensor([ROW.tokens])).logits[0]
    truth = torch.nn.functional.cross_entropy(logits_TV[4:24], torch.tensor(ROW.tokens[5:]))
    assert engine.mean_loss([ROW]) == pytest.approx(float(truth.detach()), rel=1e-5)


def test_the_self_check_leaves_gradients_as_they_were() -> None:
    model = adapted(torch.float32)
    engine = Engine(model, pad=0)
    engine.backward([ROW])
    before = gradients(model)
    engine.self_check([ROW])
    for name, parameter in model.named_parameters():
        assert parameter.grad is None or torch.equal(parameter.grad, before[name])


def test_dropout_is_refused_where_prefixes_are_shared_and_allowed_where_not() -> None:
    config = LoraConfig(r=2, lora_dropout=0.1, target_modules="all-linear")
    model = get_peft_model(tiny_llama(60), config)
    with pytest.raises(ConfigurationError) as refused:
        Engine(model, pad=0)
    text = str(refused.value)
    assert "this model cannot be trained with shared prefixes" in text
    assert "lora_dropout" in text and "dropout 0.1" in text and "write `share_prefixes: false`" in text
    engine = Engine(model, pad=0, share=False)
    assert engine.route is Route.SEPARATE
    assert engine.reason == "dropout is drawn for each of them"
    model.train()
    first, second = engine.backward([ROW]), engine.backward([ROW])
    assert first == second or model.training, "the adapter starts at zero, so its dropout shows only in gradients"


def test_dropout_of_attention_is_refused() -> None:
    model = tiny_llama(60)
    model.config.attention_dropout = 0.2
    with pytest.raises(ConfigurationError, match="attention over a forest does not drop scores"):
        Engine(model, pad=0)


def test_neftune_is_refused_where_prefixes_are_shared() -> None:
    model = tiny_llama(60)
    model.get_input_embeddings().neftune_noise_alpha = 5.0
    with pytest.raises(ConfigurationError, match="NEFTune draws noise for every row"):
        Engine(model, pad=0)


def test_a_family_outside_the_attention_interface_keeps_its_rows_apart() -> None:
    model = tiny_llama(60)
    model._supports_attention_backend = False
    engine = Engine(model, pad=0)
    assert engine.route is Route.SEPARATE
    assert engine.reason == "its attention does not go through Transformers' attention interface"


def test_an_adapter_that_is_switched_off_computes_the_base() -> None:
    model = adapted(torch.float32)
    engine = Engine(model, pad=0)
    with model.disable_adapter():
        base = engine.mean_loss([ROW])
    assert base != pytest.approx(engine.mean_loss([ROW]), rel=1e-4)
    plain = FAMILIES["llama"]()
    torch.manual_seed(0)
    plain = FAMILIES["llama"]()
    plain.load_state_dict(model.unload().state_dict())
    assert base == pytest.approx(Engine(plain, pad=0).mean_loss([ROW]), rel=1e-5)


def test_work_counts_tokens_as_written_as_computed_and_as_predicted() -> None:
    model = adapted(torch.float32)
    engine = Engine(model, pad=0, tokens_per_pass=64)
    rows = [TokenRow(str(n), (5, 6, 7, 8, 9 + n, 3), (0, 0, 0, 0, 1, 1), 1) for n in range(4)]
    engine.backward(rows)
    assert (engine.work.logical, engine.work.executed, engine.work.supervised) == (24, 4 + 4, 8)


@pytest.mark.parametrize("places", [1, 40, 41])
def test_head_loss_is_cross_entropy_whatever_the_chunk(places: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head_loss, "_CHUNK_NUMBERS", 40 * 30)
    generator = torch.Generator().manual_seed(1)
    hidden = torch.randn(places, 8, dtype=torch.float64, generator=generator, requires_grad=True)
    head = torch.randn(30, 8, dtype=torch.float64, generator=generator, requires_grad=True)
    # Every place predicts twice, the second time perhaps the same token.
    index = torch.arange(places).repeat(2)[torch.randperm(2 * places, generator=generator)]
    predictions = Predictions(index, torch.randint(30, (2 * places,), generator=generator))
    weights = torch.randn(2 * places, dtype=torch.float64, generator=generator)
    logits = (hidden @ head.T)[index]
    nll = torch.nn.functional.cross_entropy(logits, predictions.targets_E, reduction="none")
    truth = torch.autograd.grad((weights * nll).sum(), (hidden, head))
    loss = weighted_nll(hidden, head, predictions, SmoothedWeights(weights))
    ours = torch.autograd.grad(loss, (hidden, head))
    torch.testing.assert_close(loss, (weights * nll).sum(), rtol=1e-12, atol=1e-13)
    for one, other in zip(ours, truth, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(prediction_nll(hidden, head, predictions), nll.detach(), rtol=1e-12, atol=0)


@given(
    rows=windows(most=12),
    longest=st.one_of(st.none(), st.integers(1, 9)),
    grouped=st.booleans(),
    copied=st.integers(0, 9),
)
def test_a_forest_holds_every_row_and_no_position_twice(
    rows: list[TokenRow], longest: int | None, grouped: bool, copied: int
) -> None:
    groups = [number // 2 for number in range(len(rows))] if grouped else None
    forest = grow(rows, longest_node=longest, groups=groups, copied=copied)
    paths = set()
    for number, row in enumerate(rows):
        path = [token for node in forest.path(forest.row_end[number]) for token in forest.nodes[node].tokens]
        assert row.tokens[: len(path)] == tuple(path)
        assert not any(weight > 0 for weight in row.weights[len(path) + 1 :]), "no supervised token is left out"
        paths |= {tuple(path[: place + 1]) for place in range(len(path))}
    assert all(longest is None or len(node.tokens) <= longest for node in forest.nodes)
    if not grouped and not copied:
        assert forest.tokens == len(paths), "every different prefix has one position"
    if copied:
        assert forest.tokens <= sum(len(row.tokens) for row in rows)
    for node in forest.nodes:
        assert node.size == len(node.tokens) + sum(forest.nodes[child].size for child in node.children)


@given(rows=windows(most=12), limit=st.integers(1, 60), size=st.integers(1, 3), copied=st.integers(0, 9))
def test_passes_hold_every_node_once_keep_their_limit_and_never_part_a_group(
    rows: list[TokenRow], limit: int, size: int, copied: int
) -> None:
    groups = [number // size for number in range(len(rows))]
    forest = grow(rows, longest_node=limit, copied=copied)
    passes = plan(forest, limit, copied=copied)
    for part in _flat(passes):
        assert part.tokens == sum(len(forest.nodes[node].tokens) for node in part.nodes) <= limit
    assert sorted(_nodes(passes)) == _with_tokens(forest)
    assert all(
        node.size == sum(len(forest.nodes[below].tokens) for below in _subtree(forest, number))
        for number, node in enumerate(forest.nodes)
    )

    forest = grow(rows, groups=groups)
    passes = plan(forest, limit, groups, copied=copied)
    assert sorted(_nodes(passes)) == _with_tokens(forest)
    home: dict[int, int] = {}
    for number, part in enumerate(_flat(passes)):
        for node in part.nodes:
            for row in forest.nodes[node].rows:
                if _predicts(forest, node, rows[row]):
                    assert home.setdefault(groups[row], number) == number, "a group predicts in one pass"


def _with_tokens(forest: Forest) -> list[int]:
    """All nodes but those that were replaced by copies."""
    return [number for number, node in enumerate(forest.nodes) if node.tokens]


def _subtree(forest: Forest, root: int) -> list[int]:
    return [root, *(below for child in forest.nodes[root].children for below in _subtree(forest, child))]


def _flat(passes: list[Pass]) -> list[Pass]:
    return [part for one in passes for part in (one, *_flat(one.branches))]


def _nodes(passes: list[Pass]) -> list[int]:
    return [node for part in _flat(passes) for node in part.nodes]


def _predicts(forest: Forest, node: int, row: TokenRow) -> bool:
    start = forest.nodes[node].start
    return any(weight > 0 for weight in row.weights[start + 1 : start + len(forest.nodes[node].tokens) + 1])


@given(lengths=st.lists(st.integers(1, 50), min_size=1, max_size=30), budget=st.integers(16, 200))
def test_padded_passes_hold_every_row_once_and_keep_their_limit(lengths: list[int], budget: int) -> None:
    passes = plan_passes(lengths, budget)
    assert sorted(row for group in passes for row in group) == list(range(len(lengths)))
    assert lengths[passes[0][0]] == max(lengths), "the longest row comes first, so a lack of memory shows at once"
    for group in passes:
        assert len(group) == 1 or len(group) * max(lengths[row] for row in group) <= budget


def test_bfloat16_is_chosen_only_where_it_was_measured_to_be_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    for ratio, expected in ((0.8, False), (2.1, True)):
        has_fast_bfloat16.cache_clear()
        monkeypatch.setattr(
            "atanor.compute.precision.gemm_rate",
            lambda dtype, ratio=ratio: ratio if dtype == torch.bfloat16 else 1.0,
        )
        assert has_fast_bfloat16() is expected
    has_fast_bfloat16.cache_clear()
    assert gemm_rate(torch.float32, seconds=0.001, rows=16) > 1e6
