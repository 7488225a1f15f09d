"""The gate of a feed-forward block, eager and compiled, against autograd."""

from __future__ import annotations

import shutil

import pytest
import torch
from torch.nn import functional

from atanor.compute.gating import Eager, Gating, compiled
from atanor.errors import ConfigurationError


def needs_compiler() -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")


@pytest.mark.parametrize("kind", ["eager", pytest.param("compiled", marks=[needs_compiler(), pytest.mark.slow])])
def test_the_gate_and_its_gradient_are_those_of_autograd(kind: str) -> None:
    gating: Gating = Eager() if kind == "eager" else compiled()
    generator = torch.Generator().manual_seed(0)
    gate, up = (torch.randn(9, 40, generator=generator, dtype=torch.float64, requires_grad=True) for _ in range(2))
    dhidden = torch.randn(9, 40, generator=generator, dtype=torch.float64)
    truth = functional.silu(gate) * up
    truth_gate, truth_up = torch.autograd.grad(truth, (gate, up), dhidden)
    with torch.no_grad():
        restored, hidden = gating.restore(gate, up)
        torch.testing.assert_close(gating.forward(gate, up), truth.detach(), rtol=1e-12, atol=1e-14)
        torch.testing.assert_close(hidden, truth.detach(), rtol=1e-12, atol=1e-14)
        dgate, dup = gating.backward(dhidden.clone(), restored, gate, up)
    torch.testing.assert_close(dgate, truth_gate, rtol=1e-11, atol=1e-13)
    torch.testing.assert_close(dup, truth_up, rtol=1e-11, atol=1e-13)


def test_without_a_compiler_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled.cache_clear()
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigurationError, match="no C\\+\\+ compiler was found"):
        compiled()
