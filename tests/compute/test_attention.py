"""Attention over a forest: every backend against attention over the concatenated keys of each path."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atanor.compute.attention import attend, attend_whole
from atanor.compute.attention_cuda import attend_flex
from atanor.compute.forest import grow
from atanor.compute.last_layer import last_layer
from atanor.compute.layout import Layout, QueryKeyValue, lay_out
from atanor.compute.schedule import plan
from atanor.data.rows import TokenRow
from tests.compute.models import FAMILIES, windows

WIDTH = 8

pytestmark = pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")


def one_pass(rows: list[TokenRow]) -> Layout:
    every = [TokenRow(row.example_id, row.tokens, (1.0,) * len(row.tokens), 1) for row in rows]
    forest = grow(every)
    passes = plan(forest, 10_000)
    assert len(passes) == 1
    return lay_out(forest, passes[0], every, torch.device("cpu"))


def drawn(layout: Layout, heads: int, groups: int, dtype: torch.dtype) -> QueryKeyValue:
    generator = torch.Generator().manual_seed(len(layout.tokens_N))
    tokens = len(layout.tokens_N)
    return QueryKeyValue(
        *(
            torch.randn(1, tokens, count, WIDTH, dtype=dtype, generator=generator).transpose(1, 2).requires_grad_()
            for count in (heads, groups, groups)
        )
    )


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=windows(most=9), heads=st.sampled_from([(4, 4), (4, 2), (6, 1)]), trunk=st.sampled_from([0, 1, 11]))
def test_blocks_merged_by_log_sum_exp_are_attention_over_whole_paths(
    rows: list[TokenRow], heads: tuple[int, int], trunk: int
) -> None:
    layout = one_pass(rows)
    qkv = drawn(layout, *heads, torch.float64)
    generator = torch.Generator().manual_seed(1)
    trunks = []
    if trunk:
        pair = [
            torch.randn(1, heads[1], trunk, WIDTH, dtype=torch.float64, generator=generator, requires_grad=True)
            for _ in range(2)
        ]
        trunks = [(pair[0], pair[1])]
    weight = torch.randn(len(layout.tokens_N), heads[0], WIDTH, dtype=torch.float64, generator=generator)
    inputs = [*qkv, *(tensor for pair in trunks for tensor in pair)]
    truth = attend_whole(layout, 0.3, qkv, trunks)
    ours = attend(layout, 0.3, qkv, trunks)
    torch.testing.assert_close(ours, truth, rtol=1e-12, atol=1e-13)
    for one, other in zip(
        torch.autograd.grad((weight * ours).sum(), inputs),
        torch.autograd.grad((weight * truth).sum(), inputs),
        strict=True,
    ):
        torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-12)
    with torch.no_grad():  # FlexAttention has no gradient on a processor
        flex = attend_flex(
            layout,
            0.3,
            QueryKeyValue(*(tensor.detach() for tensor in qkv)),
            [(key.detach(), value.detach()) for key, value in trunks],
        )
    torch.testing.assert_close(flex, truth, rtol=1e-10, atol=1e-11)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=windows(most=6), window=st.sampled_from([1, 3, 8]), softcap=st.sampled_from([None, 2.0]))
def test_windows_and_soft_caps_are_the_same_on_both_devices_code(
    rows: list[TokenRow], window: int, softcap: float | None
) -> None:
    layout = one_pass(rows)
    with torch.no_grad():
        qkv = QueryKeyValue(*(tensor.detach() for tensor in drawn(layout, 2, 1, torch.float64)))
        truth = attend_whole(layout, 0.3, qkv, [], window=window, softcap=softcap)
        flex = attend_flex(layout, 0.3, qkv, [], window=window, softcap=softcap)
    torch.testing.assert_close(flex, truth, rtol=1e-10, atol=1e-11)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@settings(max_examples=10, deadline=None)
@given(rows=windows(most=9))
def test_flex_attention_has_the_same_gradient_on_a_gpu(rows: list[TokenRow]) -> None:
    layout = one_pass(rows)
    qkv = drawn(layout, 4, 2, torch.float32)
    truth = torch.autograd.grad(attend_whole(layout, 0.3, qkv, []).square().sum(), qkv)
    layout.tokens_N, layout.positions_N = layout.tokens_N.cuda(), layout.positions_N.cuda()
    there = QueryKeyValue(*(tensor.detach().cuda().requires_grad_() for tensor in qkv))
    ours = torch.autograd.grad(attend_flex(layout, 0.3, there, []).square().sum(), there)
    for one, other in zip(ours, truth, strict=True):
        torch.testing.assert_close(one.cpu(), other, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_last_layer_is_pruned_where_it_is_built_as_expected(family: str) -> None:
    pruned = last_layer(FAMILIES[family]())
    assert (pruned is not None) == family.startswith(("llama", "qwen", "mistral"))
