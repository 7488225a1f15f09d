"""Smaller students of a base: what is kept of it, and that plain Transformers load them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, Qwen2Config, Qwen2ForCausalLM
from typer.testing import CliRunner

from atanor.cli.app import app
from atanor.errors import ConfigurationError
from atanor.models.pruning import evenly, random_network
from atanor.progress import Silent
from atanor.project.pruning import Pruned, prune_base
from tests.tiny import save_tiny_base, tiny_llama, tiny_tokenizer

TOKENS = torch.tensor([[5, 6, 7, 8]])


@pytest.fixture(scope="module")
def five_layers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = save_tiny_base(tmp_path_factory.mktemp("deep"))
    tiny_llama(len(tiny_tokenizer()), num_hidden_layers=5).save_pretrained(folder)
    return folder


def prune(base: Path, layers: str, out: Path, **how: object) -> Pruned:
    return prune_base(f"path:{base}", layers, out=out, progress=Silent(), **how)  # type: ignore[arg-type]


def test_layers_are_kept_as_far_apart_as_they_can_be() -> None:
    assert evenly(30, 30) == tuple(range(30))
    assert evenly(30, 2) == (0, 29)
    assert evenly(5, 3) == (0, 2, 4)
    assert evenly(30, 1) == (0,)
    assert len(set(evenly(30, 17))) == 17


def test_what_stays_computes_as_the_base_without_the_others(five_layers: Path, tmp_path: Path) -> None:
    made = prune(five_layers, "3", tmp_path / "small")
    assert made.layers == (0, 2, 4)
    assert made.parameters < made.parameters_before
    base = AutoModelForCausalLM.from_pretrained(five_layers)
    small = AutoModelForCausalLM.from_pretrained(tmp_path / "small")
    assert small.config.num_hidden_layers == 3
    for number in (1, 3):  # out of the base: a layer that gives back what it gets
        base.model.layers[number].forward = lambda hidden_states, **_: hidden_states
    with torch.no_grad():
        assert torch.allclose(small(TOKENS).logits, base(TOKENS, use_cache=False).logits, atol=1e-6)
    prompt = {"input_ids": TOKENS, "attention_mask": torch.ones_like(TOKENS), "do_sample": False}
    with_cache = small.generate(**prompt, max_new_tokens=6, use_cache=True)
    assert torch.equal(with_cache, small.generate(**prompt, max_new_tokens=6, use_cache=False)), "layers are renumbered"
    assert AutoTokenizer.from_pretrained(tmp_path / "small").chat_template
    assert small.generation_config.eos_token_id == 2


def test_layers_can_be_named(five_layers: Path, tmp_path: Path) -> None:
    assert prune(five_layers, "1,4", tmp_path / "named").layers == (1, 4)
    assert prune(five_layers, "3,", tmp_path / "one").layers == (3,)


def test_a_configuration_with_a_word_for_each_layer_is_cut_too(tmp_path: Path) -> None:
    sizes = {"hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 2, "num_key_value_heads": 1}
    config = Qwen2Config(
        vocab_size=len(tiny_tokenizer()), num_hidden_layers=4, use_sliding_window=True, max_window_layers=2, **sizes
    )
    save_tiny_base(tmp_path / "base")
    Qwen2ForCausalLM(config).save_pretrained(tmp_path / "base")
    prune(tmp_path / "base", "2", tmp_path / "small")
    small = AutoModelForCausalLM.from_pretrained(tmp_path / "small")
    assert small.config.layer_types == ["full_attention", "sliding_attention"]
    assert small(TOKENS).logits.isfinite().all()


def test_a_random_student_has_the_shape_and_follows_from_the_seed(five_layers: Path, tmp_path: Path) -> None:
    made = prune(five_layers, "2", tmp_path / "a", random=True, width=16, seed=4)
    assert made.layers == ()
    prune(five_layers, "2", tmp_path / "b", random=True, width=16, seed=4)
    prune(five_layers, "2", tmp_path / "c", random=True, width=16, seed=5)
    one, same, other = (AutoModelForCausalLM.from_pretrained(tmp_path / name) for name in "abc")
    assert (one.config.num_hidden_layers, one.config.hidden_size, one.config.intermediate_size) == (2, 16, 32)
    assert (one.config.num_attention_heads, one.config.num_key_value_heads) == (2, 1)
    assert one.config.vocab_size == len(tiny_tokenizer())
    assert torch.equal(one(TOKENS).logits, same(TOKENS).logits)
    assert not torch.equal(one(TOKENS).logits, other(TOKENS).logits)


def test_making_one_leaves_the_random_numbers_of_others_alone(five_layers: Path) -> None:
    before = torch.random.get_rng_state()
    random_network(AutoModelForCausalLM.from_pretrained(five_layers).config, layers=1, width=None, seed=1)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize(
    ("layers", "how", "reason"),
    [
        ("6", {}, "the base has the layers 0 to 4"),
        ("0", {}, "neither a number nor a list"),
        ("2,1", {}, "each can stay once, in its order"),
        ("1,1", {}, "each can stay once, in its order"),
        ("1,5", {}, "the base has the layers 0 to 4"),
        ("half", {}, "neither a number nor a list"),
        ("2", {"width": 16}, "layers that were trained keep their width"),
        ("2", {"width": 20, "random": True}, "a head is 8 wide and 2 of them share their keys"),
        ("9", {"random": True}, "the base has the layers 0 to 4"),
    ],
)
def test_what_cannot_be_is_refused(
    layers: str, how: dict[str, object], reason: str, five_layers: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        prune(five_layers, layers, tmp_path / "none", **how)
    assert not (tmp_path / "none").exists()


def test_a_folder_that_is_there_is_not_written_over(five_layers: Path) -> None:
    with pytest.raises(ConfigurationError, match="it is there already"):
        prune(five_layers, "2", five_layers)


def test_the_command_says_what_stayed_and_what_to_write_next(five_layers: Path, tmp_path: Path) -> None:
    printed = CliRunner().invoke(app, ["prune", f"path:{five_layers}", "--layers", "2", "--out", str(tmp_path / "s")])
    assert printed.exit_code == 0
    text = " ".join(printed.stdout.split())
    assert "layers 0, 4" in text and "in atanor.yaml, and name a teacher" in text
