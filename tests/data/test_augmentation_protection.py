"""Names, numbers, code and the rest come out of every technique as they went in."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atanor.data.augmentation.back_translation import BackTranslation
from atanor.data.augmentation.eda import Eda, EdaOperation, Synonyms
from atanor.data.augmentation.protect import Masked, Protection
from atanor.data.augmentation.typos import Typos
from atanor.data.words.languages import language_of

PROTECTED = [
    ("Ask Michael Phelps about the pool", "Michael Phelps"),
    ("Who plays in Game of Thrones now", "Game of Thrones"),
    ("Einstein was born in a town", "Einstein"),
    ("It was Bach's best music", "Bach"),
    ("Wait until 3 March 2020 for the card", "3 March 2020"),
    ("Lo hice el 3 de marzo de 2020 en casa", "3 de marzo de 2020"),
    ("It was on the 4th of May, in the evening", "4th of May"),
    ("It costs $5.00 here", "$5.00"),
    ("Add 5 kg of flour", "5 kg"),
    ("Wait two weeks for it", "two weeks"),
    ("Espera tres semanas más", "tres semanas"),
    ("See https://a.example/b?c=1 for it", "https://a.example/b?c=1"),
    ("Write to ana@example.org today", "ana@example.org"),
    ('He said "open the door" and left', '"open the door"'),
    ("Él dijo «abre la puerta» y salió", "«abre la puerta»"),
    ("Use {name} and <x> in [y] please", "{name}"),
    ("Use {name} and <x> in [y] please", "<x>"),
    ("Use {name} and <x> in [y] please", "[y]"),
    ('Read {"a": [1, {"b": "c d"}]} as JSON', '{"a": [1, {"b": "c d"}]}'),
    ("Run `ls -la here` first", "`ls -la here`"),
    ("Run:\n```\nfor x in y: pass\n```\nthen stop", "```\nfor x in y: pass\n```"),
    ("Call foo_bar(3, x) twice", "foo_bar(3, x)"),
    ("Open /etc/hosts with care", "/etc/hosts"),
    ("The ATM at the corner", "ATM"),
    ("Set maxRetries to more", "maxRetries"),
]


@pytest.mark.parametrize(("text", "span"), PROTECTED)
def test_what_is_protected(text: str, span: str) -> None:
    assert any(span in found for found in Protection().spans(text)), Protection().spans(text)


@pytest.mark.parametrize(
    "text",
    [
        "How do I top up my card?",
        "What is a good price? Why is it so",
        "I've lost my card. It's gone; I don't know where",
        "Explain the rules of the game",
        "¿Dónde está mi tarjeta? No la encuentro",
    ],
)
def test_plain_sentences_are_free(text: str) -> None:
    assert Protection().spans(text) == ()


def test_words_of_the_user_are_protected_whatever_their_case() -> None:
    assert Protection(("top up", "card")).spans("Top up my CARD, not my cards") == ("Top up", "CARD")


def test_what_was_lost_or_invented_is_named() -> None:
    protection = Protection()
    assert protection.lost("Pay $5 to Ana Ruiz", "Pay Ana Ruiz the $5") is None
    assert protection.lost("Please pay $5 to Ana Ruiz", "Please pay five to Ana Ruiz") == "$5"
    assert protection.lost("pay the bill", "pay the bill of 30 pounds") == "30"
    assert protection.lost("call Ana and call Ana", "call Ana") == "Ana"


COMMON = "the card was lost i want a new one please do not wait what is it Ana's {x} [ \" ( ``` '"
ANYTHING = st.one_of(
    st.text(max_size=120),
    st.lists(
        st.one_of(
            st.sampled_from([span for _, span in PROTECTED]),
            st.sampled_from(COMMON.split()),
            st.text(max_size=8),
        ),
        max_size=14,
    ).map(" ".join),
)


class Everything:
    """A thesaurus that has a synonym for every word."""

    def synonyms(self, words: Sequence[str], index: int) -> tuple[str, ...]:
        return ("other", "apple tree")


@given(ANYTHING)
def test_pieces_joined_are_the_text(text: str) -> None:
    pieces = Protection(("lost",)).split(text)
    assert "".join(piece.text for piece in pieces) == text
    assert all(piece.text for piece in pieces)


@pytest.mark.parametrize("operation", [*EdaOperation, None])
@given(text=ANYTHING, seed=st.integers(0, 99))
def test_protected_spans_survive_every_technique_in_order(operation: EdaOperation | None, text: str, seed: int) -> None:
    protection = Protection(("lost",))
    if operation is None:
        made = Typos(0.5, protection).rewrite(text, Random(seed))
    else:
        synonyms = Synonyms({"en": Everything()}, lambda _: "en")
        made = Eda([operation], 0.5, synonyms, protection).rewrite(text, Random(seed))
    if made is None:
        return
    at = 0
    for span in protection.spans(text):
        assert span in made[at:], (text, made)
        at = made.index(span, at) + len(span)


@given(ANYTHING)
def test_masks_come_back_as_what_they_stand_for(text: str) -> None:
    masked = Masked.of(text, Protection())
    assert masked.restored(masked.text) == text
    if masked.spans:
        assert masked.restored(masked.text.replace(f"{masked.stem}0Z", "")) is None
        assert masked.restored(masked.text + f" {masked.stem}0Z") is None


class Shouting:
    """A translator into capitals and back to small letters, which would ruin every name."""

    copies_names = False
    samples = False

    def there(self, texts: Sequence[str]) -> list[str | None]:
        return [text.upper().replace("CARD", "CHIT") for text in texts]

    def back(self, texts: Sequence[str]) -> list[str | None]:
        return [" ".join(w if w.startswith("XQ") else w.lower() for w in text.split(" ")) for text in texts]


def test_a_translator_that_would_ruin_names_sees_masks() -> None:
    technique = BackTranslation(Shouting(), Protection(), None, language_of)
    made = technique.rewrite_all(["My card from Ana Ruiz costs 5 kg"], [Random(0)])
    assert made == ["My chit from Ana Ruiz costs 5 kg"]


@given(ANYTHING)
def test_nothing_is_lost_without_being_seen(text: str) -> None:
    """What `lost` lets through has every protected span, as often as the original."""
    protection = Protection()
    shortened = text[: len(text) // 2]
    if protection.lost(text, shortened) is None:
        counts = Counter(protection.spans(text))
        assert all(shortened.count(span) >= count for span, count in counts.items())


def test_long_texts_full_of_brackets_take_no_time() -> None:
    for hostile in (
        "{" * 50_000,
        "[{" * 20_000 + "}]" * 20_000,
        "<a" * 20_000,
        "'" * 20_001,
        "A b " * 10_000,
        "1." * 20_000,
    ):
        started = time.process_time()
        parts = Protection().split(hostile)
        # What is quadratic in such a text takes minutes.
        assert time.process_time() - started < 10
        assert "".join(part.text for part in parts) == hostile
