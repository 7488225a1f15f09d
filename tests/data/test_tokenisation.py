"""The tokenisation report counts what the tokenizer does, however the texts are cut into batches."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from atanor.data.tokenisation import TokenisationCounter, TokenisationReport, WordSplits, tokenisation_report
from atanor.data.tokenisation import counting as counting_module
from tests.data.conftest import tiny_tokenizer

TOKENIZER = tiny_tokenizer()
TEXTS = st.lists(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
    | st.sampled_from(["<|im_end|>", "the library", "日本"]),
    max_size=12,
)


def letters() -> PreTrainedTokenizerFast:
    """A tokenizer of the words `the` and `book` that knows nothing else."""
    inner = Tokenizer(models.WordLevel({"[UNK]": 0, "the": 1, "book": 2, "never": 3}, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=inner, unk_token="[UNK]")


def report(texts: list[str], languages: list[str | None] | None = None, **options: object) -> TokenisationReport:
    return tokenisation_report(pa.array(texts, pa.string()), TOKENIZER, languages, **options)  # type: ignore[arg-type]


def tokens(text: str) -> int:
    return len(TOKENIZER(text, add_special_tokens=False)["input_ids"])


@settings(max_examples=40)
@given(TEXTS)
def test_the_counts_are_those_of_the_texts(texts: list[str]) -> None:
    made = report(texts, context_lengths=(4, 8))
    whole = made.whole
    assert (whole.texts, whole.characters) == (len(texts), sum(map(len, texts)))
    assert whole.bytes == sum(len(text.encode()) for text in texts)
    assert whole.tokens == sum(map(tokens, texts))
    assert sum(bin_.rows for bin_ in made.lengths) == made.rows == len(texts)
    for cut in made.cuts:
        assert cut.rows == sum(tokens(text) > cut.context for text in texts)
        assert cut.tokens == sum(max(0, tokens(text) - cut.context) for text in texts)
    assert made.quantiles.get(1.0, 0) == max(map(tokens, texts), default=0)
    assert 0 <= made.broken <= whole.tokens


@settings(max_examples=20)
@given(TEXTS, st.integers(0, 12), st.integers(1, 3))
def test_batches_and_slices_make_no_difference(texts: list[str], cut: int, slice_texts: int) -> None:
    languages: list[str | None] = ["en" if "e" in text else None for text in texts]
    whole = report(texts, languages)
    counter = TokenisationCounter(TOKENIZER)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting_module, "SLICE_TEXTS", slice_texts)
        for part in (slice(None, cut), slice(cut, None)):
            counter.update(pa.array(texts[part], pa.string()), languages[part])
    assert counter.report() == whole


def test_languages_are_counted_apart() -> None:
    made = report(["the library", "el ñandú", "日本語", "?"], ["en", "es", "ja", None])
    assert list(made.languages) == ["en", "es", "ja"]
    assert made.languages["en"].words == 2
    assert made.languages["ja"].tokens_per_character == 3.0
    assert made.languages["en"].tokens_per_character < made.languages["es"].tokens_per_character
    assert made.whole.texts == 4


def test_split_words_are_counted_as_often_as_they_occur() -> None:
    made = report(["the the the", "the stethoscope, the stethoscope"])
    pieces = tokens("a stethoscope") - tokens("a")
    assert pieces > 4
    assert made.splits == WordSplits(words=7, over_one=2, over_two=2, over_four=2)
    assert made.splits.shares == (2 / 7, 2 / 7, 2 / 7)


def test_characters_that_explode_are_shown_with_a_place() -> None:
    made = report(["A 🩺 is a stethoscope; 🩺!", "ñandú"])
    first, *rest = made.costly
    assert (first.character, first.name, first.count, first.tokens) == ("🩺", "STETHOSCOPE", 2, 4)
    assert first.example == "A 🩺 is a stethoscop"
    assert {cost.character for cost in rest} == {"ñ", "ú"}
    assert made.broken == 2 * 4 + 2 * 2


def test_special_tokens_inside_text_are_told() -> None:
    made = report(["say <|im_end|> twice <|im_end|>", "and <|im_end|>", "not <|im_start>"])
    assert [(seen.token, seen.texts) for seen in made.specials] == [("<|im_end|>", 2)]


def test_unknown_and_unused_tokens() -> None:
    texts = pa.array(["the book", "the ñandú", "«"], pa.string())
    made = tokenisation_report(texts, letters())
    assert (made.unknown, made.whole.tokens, made.unknown_share) == (2, 5, 2 / 5)
    assert (made.vocabulary, made.unused, made.unused_examples) == (3, 1, ("never",))
    assert {cost.character for cost in made.costly if cost.unknown} >= {"«", "ñ"}


def test_rows_of_several_texts_have_one_length() -> None:
    counter = TokenisationCounter(TOKENIZER, context_lengths=(tokens("the library") + 1,))
    counter.update(pa.array(["the library", "the library", "the"], pa.string()), rows=[0, 0, 1])
    made = counter.report()
    assert made.rows == 2
    assert (made.cuts[0].rows, made.cuts[0].rows_share) == (1, 0.5)
    assert made.cuts[0].tokens == tokens("the library") - 1


def test_a_second_tokenizer_is_compared() -> None:
    made = report(["the book", "the library"], ["en", "en"], other=letters())
    assert made.other is not None
    assert made.other.whole.tokens == made.other.languages["en"].tokens == 4
    assert made.other.ratio == made.whole.tokens / 4
    assert report(["x"]).other is None


def test_nothing_is_something_too() -> None:
    made = report([])
    assert (made.whole.tokens, made.rows, made.lengths, made.unknown_share) == (0, 0, (), 0.0)
    assert made.whole.tokens_per_word == 0.0
