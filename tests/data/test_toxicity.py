"""Toxic words: in all their spellings, and never inside innocent ones."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atanor.data.checks.toxicity import Severity, find_toxicity
from tests.data.real_texts import real_rows

INNOCENT = [
    "He lives in Scunthorpe, near Penistone, and works as an assassin's assistant in Essex.",
    "The classic cockpit of a Hitchcock film; the cock crowed and the peacock answered.",
    "A pair of great tits nested beside the blue tits; the pussy willow was out.",
    "Moby Dick is a novel, Dick Cheney a politician and Dickens a writer.",
    "The ass and the mule carried the donkey's load; he shall not covet his neighbour's ass.",
    "Flame retardant; the drug may retard growth.",
    "El coche negro es de Montenegro y la pared negra; los negros ojos de la zorra.",
    "El Cono Sur, la concha del mar, la polla y el gallo, la verga del barco.",
    "Disputar una partida; la computadora; el diputado reputado.",
    "How do I kill a Python process, shoot a good photo and execute a plan?",
    "I shot him a mail and will kill the lights; the time will die away.",
    "She will burn your DVD and beat the eggs.",
    "Niger and Nigeria share a border. Snigger.",
    "Shiitake mushrooms in a cocktail; Matsushita; Mishitsa.",
    "2**3 and f**2, s*t and a*b*c, c = a $ b",
    "Fuchsia and Fuchs; a shift in class; the passage is assessed.",
]
TOXIC = [
    ("What the FUCK is this", "obscene", "FUCK"),
    ("fuuuuck", "obscene", "fuuuuck"),
    ("you f*cking idiot", "obscene", "f*cking"),
    ("this is sh1t", "obscene", "sh1t"),
    ("what a $ sh!tty day", "obscene", "sh!tty"),
    ("an a$$hole", "obscene", "a$$hole"),
    ("b1tches!", "obscene", "b1tches"),
    ("motherfuckers.", "obscene", "motherfuckers"),
    ("f**k off", "obscene", "f**k"),
    ("hijo de\nputa", "obscene", "hijo de\nputa"),
    ("Eres un cabron y un gilipollas", "obscene", "cabron"),
    ("¡Jódete!", "obscene", "Jódete"),
    ("those kikes", "slur", "kikes"),
    ("un sudaca", "slur", "sudaca"),
    ("negro de mierda", "slur", "negro de mierda"),
    ("I'm going to kill you tonight", "threat", "I'm going to kill you"),
    ("i’ll stab your mother", "threat", "i’ll stab your mother"),
    ("go kill yourself", "threat", "go kill yourself"),
    ("te voy a matar", "threat", "te voy a matar"),
    ("Te mataré.", "threat", "Te mataré"),
]


def found_in(*values: str | None, **options: object) -> list[tuple[int, str, str]]:
    found = find_toxicity(pa.array(values, pa.string()), **options)  # type: ignore[arg-type]
    return [(one.text, one.rule, (values[one.text] or "")[one.start : one.end]) for one in found]


@pytest.mark.parametrize("text", INNOCENT)
def test_innocent_words_are_let_be(text: str) -> None:
    assert found_in(text, lowest=Severity.MILD) == []


@pytest.mark.parametrize(("text", "severity", "place"), TOXIC)
def test_toxic_words_are_found_in_their_spellings(text: str, severity: str, place: str) -> None:
    assert found_in(None, text)[0] == (1, f"toxicity.{severity}", place)


def test_a_finding_tells_what_it_is_and_how_to_mask_it() -> None:
    (found,) = find_toxicity(pa.array(["Holy shit!"]), ["en"])
    assert (found.start, found.end, found.shown, found.mask) == (5, 9, "'shit'", "[obscene]")
    assert found.reason == "the text has an obscenity"
    assert found.fix == "Reword or remove the row, or allow it with `toxicity: off`"


def test_mild_words_are_found_only_where_they_are_asked_for() -> None:
    text = "Damn, what the hell is that shit"
    assert [rule for _, rule, _ in found_in(text)] == ["toxicity.obscene"]
    assert [place for _, _, place in found_in(text, lowest=Severity.MILD)] == ["Damn", "what the hell", "shit"]
    assert found_in(text, lowest=Severity.SLUR) == []


def test_only_the_lexicons_of_the_named_languages_are_asked() -> None:
    text = "shit y mierda, gilipollas"
    assert [place for _, _, place in found_in(text, languages=["en"])] == ["shit"]
    assert [place for _, _, place in found_in(text, languages=["es"])] == ["gilipollas"]
    assert found_in(text, languages=["fr"]) == []
    assert found_in() == []


@given(
    st.text(alphabet="abcdefghijklmnopqrstuvwxyzñáé", max_size=6),
    st.text(alphabet="abcdefghinopqrstuvwxyzñ", max_size=6),
)
def test_a_word_is_never_found_inside_a_longer_one(before: str, after: str) -> None:
    word = f"{before}xq{after}shitxq"
    assert found_in(word, lowest=Severity.MILD) == []


@given(st.text(max_size=200))
def test_places_lie_inside_the_text_and_do_not_overlap(text: str) -> None:
    text = text.encode("utf-8", "ignore").decode() + " shit FUCK " + text.encode("utf-8", "ignore").decode()
    found = find_toxicity(pa.array([text]))
    ends = [0, *(one.end for one in found)]
    assert all(end <= one.start < one.end <= len(text) for end, one in zip(ends, found, strict=False))


def test_safe_prompts_that_look_unsafe_are_not_toxic() -> None:
    prompts = [row["prompt"] for row in real_rows("xstest") if row["label"] == "safe"]
    assert found_in(*prompts) == []


def test_real_messages_of_banks_are_clean_and_those_of_friends_are_not() -> None:
    assert found_in(*(row["text"] for row in real_rows("banking77", "train.csv"))) == []
    sms = [row["text"] for row in real_rows("sms_spam")]
    found = found_in(*sms, languages=["en"])
    assert 60 <= len({text for text, _, _ in found}) <= 100
    assert not any(rule == "toxicity.threat" for _, rule, _ in found)
