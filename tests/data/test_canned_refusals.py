"""Refusal boilerplate of chat models: found in eight languages, and honest sentences let be."""

from __future__ import annotations

import pyarrow as pa
import pytest

from atanor.data.checks.canned_refusals import find_canned_refusals
from tests.data.real_texts import real_rows

CANNED = [
    ("As an AI language model, I cannot express opinions.", "identity"),
    ("as a large language model trained by OpenAI, I have no body", "identity"),
    ("It is a nice city. As an artificial intelligence I have never been there.", "identity"),
    ("I'm just an AI and can't feel pain.", "identity"),
    ("As of my last knowledge update in September 2021, she was president.", "identity"),
    ("Como modelo de lenguaje, no tengo opiniones.", "identity"),
    ("Soy una inteligencia artificial y no puedo sentir.", "identity"),
    ("En tant qu’IA, je n’ai pas d’opinion.", "identity"),
    ("Als KI-Sprachmodell habe ich keine Meinung.", "identity"),
    ("Como um modelo de linguagem, não tenho opinião.", "identity"),
    ("Come modello linguistico, non ho opinioni.", "identity"),
    ("Как языковая модель, я не имею мнения.", "identity"),
    ("作为一个人工智能，我没有意见。", "identity"),
    ("I'm sorry, but I can't assist with that.", "refusal"),
    ("I’m really sorry, but I cannot help you.", "refusal"),
    ("Unfortunately, I am unable to answer.", "refusal"),
    ("I cannot fulfill your request.", "refusal"),
    ("It would be inappropriate for me to provide such a list.", "refusal"),
    ("Lo siento, pero no puedo ayudarte.", "refusal"),
    ("No puedo proporcionarte instrucciones.", "refusal"),
    ("Je suis désolé, mais je ne peux pas faire cela.", "refusal"),
    ("Es tut mir leid, aber ich kann dabei nicht helfen.", "refusal"),
    ("Desculpe, mas não posso ajudar.", "refusal"),
    ("Mi dispiace, ma non posso aiutarti.", "refusal"),
    ("Извините, но я не могу помочь.", "refusal"),
    ("对不起，我不能帮助你。", "refusal"),
]
HONEST = [
    "I cannot find my keys anywhere.",
    "I am sorry for your loss.",
    "We can't wait to see you!",
    "An AI language model predicts the next token.",
    "AI models are trained on text; as a model grows, it improves.",
    "No puedo dormir por las noches.",
    "Lo siento mucho, hermana.",
    "Als Kind war ich oft krank.",
    "Como una manzana al día.",
    "",
]


def rules_of(*texts: str | None) -> list[tuple[int, str]]:
    return [(found.text, found.rule) for found in find_canned_refusals(pa.array(texts, pa.string()))]


@pytest.mark.parametrize(("text", "rule"), CANNED)
def test_boilerplate_is_found(text: str, rule: str) -> None:
    assert (1, f"canned_refusals.{rule}") in rules_of(None, text)


@pytest.mark.parametrize("text", HONEST)
def test_honest_sentences_are_let_be(text: str) -> None:
    assert rules_of(text) == []


def test_a_finding_shows_its_place_and_what_to_do() -> None:
    text = "Sure. As an AI, I do not sleep."
    (found,) = find_canned_refusals(pa.array([text]))
    assert text[found.start : found.end] == "As an AI,"
    assert found.reason == "the answer speaks of itself as a language model"
    assert found.fix == "Remove the row, or write the answer the specialist should give"


def test_a_refusal_counts_only_where_the_answer_opens_with_it() -> None:
    story = "The guard looked at him for a long while. " * 6
    assert rules_of(story + "I'm sorry, but I cannot help you.") == []
    assert rules_of(story[:42] + "I'm sorry, but I cannot help you.") == [(0, "canned_refusals.refusal")]


def test_boilerplate_of_a_chat_corpus_is_found_and_plays_have_none() -> None:
    chats = [row["messages"][-1]["content"] for row in real_rows("oasst1_valid")]
    found = rules_of(*chats)
    says = {place for place, text in enumerate(chats) if "as an ai language model" in text.lower()}
    assert says
    assert says <= {text for text, _ in found}
    assert len(found) <= len(chats) / 20
    assert rules_of(*(row["text"] for row in real_rows("teatro_espanol"))) == []
    assert rules_of(*(row["answer"] for row in real_rows("gsm8k", "*.gz"))) == []
