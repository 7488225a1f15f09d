"""The bias report: who is named, how often, near which words, and with what sentiment."""

from __future__ import annotations

import time

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atanor.data.bias import BiasCounter, BiasOptions, BiasReport, Dimension, bias_report, imbalance
from atanor.data.bias.agreement import agreeing_forms, plural_of
from atanor.data.bias.associations import WordCounts
from atanor.data.bias.lexicon import gender_pairs, lexicon_of, sections
from atanor.data.bias.sentiment import BINS, bins_of, sentiments
from atanor.data.bias.words import Words
from atanor.errors import DataError
from tests.data.real_texts import real_rows


def report_of(*texts: str | None, **options: object) -> BiasReport:
    return bias_report(pa.array(texts, pa.string()), BiasOptions.model_validate(options))


def mentions(report: BiasReport, dimension: Dimension) -> dict[str, int]:
    return {group.group: group.mentions for group in report.dimension(dimension).groups}


@pytest.mark.parametrize(
    ("text", "dimension", "expected"),
    [
        ("He saw her brother; Mary's son left.", Dimension.GENDER, {"male": 3, "female": 2}),
        ("“She” said—he’s late", Dimension.GENDER, {"female": 1, "male": 1}),
        (
            "The Italians met a French chef and two Japanese tourists.",
            Dimension.ORIGIN,
            {"france": 1, "italy": 1, "japan": 1},
        ),
        ("They polish the china, and us too.", Dimension.ORIGIN, {}),
        ("A black woman, a black car, African American voters.", Dimension.ORIGIN, {"black": 2}),
        ("An old man in an old house; a 25-year-old man; the elderly.", Dimension.AGE, {"old": 2}),
        ("Muslims, a Jewish friend and an atheist", Dimension.RELIGION, {"islam": 1, "judaism": 1, "none": 1}),
        ("Ella es la hermana de Juan; el niño no ha venido.", Dimension.GENDER, {"female": 2, "male": 2}),
        ("El pescador viejo y la señora francesa con el vestido viejo", Dimension.AGE, {"old": 1}),
        (
            "La señora francesa y los marroquíes que viven en España",
            Dimension.ORIGIN,
            {"france": 1, "morocco": 1, "spain": 1},
        ),
        ("Los hombres han dicho que he sido yo", Dimension.GENDER, {"male": 1}),
    ],
)
def test_each_group_is_counted_where_it_is_named(text: str, dimension: Dimension, expected: dict[str, int]) -> None:
    assert mentions(report_of(text), dimension) == expected


def test_rows_mentions_shares_and_roles_add_up() -> None:
    texts = pa.array(["He and his son", "she", None, "nobody", "her"])
    report = bias_report(texts, rows=[0, 0, 1, 1, 2], roles=["user", "assistant", "user", "assistant", "user"])
    gender = report.dimension(Dimension.GENDER)
    assert (report.texts, report.rows, gender.rows, gender.mentions) == (5, 3, 2, 5)
    male, female = gender.groups
    assert (male.group, male.rows, male.mentions, male.share, male.roles) == ("male", 1, 3, 0.6, {"user": 3})
    assert (female.rows, female.mentions, female.roles) == (2, 2, {"assistant": 1, "user": 1})
    assert gender.evenness == pytest.approx(0.971, abs=0.001)
    assert imbalance(report, Dimension.GENDER) == pytest.approx(0.1)


def test_words_that_belong_to_a_group_are_found_and_words_of_all_are_not() -> None:
    texts = [
        f"{who} likes {what} and tea" for who, what in [("She", "knitting"), ("He", "football")] for _ in range(40)
    ]
    female, male = (report_of(*texts).dimension(Dimension.GENDER).group(name) for name in ("female", "male"))
    assert female is not None and male is not None
    assert [word.word for word in female.words] == ["knitting"]
    assert [word.word for word in male.words] == ["football"]
    assert (female.words[0].count, female.words[0].others) == (40, 0)
    assert female.words[0].z > 3


def test_a_window_ends_with_its_sentence_and_its_length() -> None:
    near = "She paints. Football is loud and he sleeps beside seven very quiet old grey zebras"
    report = report_of(*[near] * 60, window=2)
    words = {group.group: {word.word for word in group.words} for group in report.dimension(Dimension.GENDER).groups}
    assert words["female"] == {"paints"}
    assert words["male"] == {"loud", "sleeps", "beside"}


def test_sentiment_is_turned_by_negation_and_warned_of_only_where_it_is_sure() -> None:
    kind, not_kind = ["She was kind"] * 30, ["He was not kind"] * 30
    report = report_of(*kind, *not_kind)
    female, male = (report.dimension(Dimension.GENDER).group(name) for name in ("female", "male"))
    assert female is not None and male is not None and female.sentiment is not None and male.sentiment is not None
    assert female.sentiment.mean > 0.5 > 0 > male.sentiment.mean
    assert female.sentiment.stands_out
    assert any(
        warning.startswith("what stands near female is friendlier than near the gender groups together (+0.5")
        for warning in report.warnings
    )
    few = report_of(*kind[:5], *not_kind[:5])
    assert not any("friendlier" in warning for warning in few.warnings)
    same = report_of(*kind, *[text.replace("She", "He") for text in kind])
    assert not any("friendlier" in warning for warning in same.warnings)


def test_the_interval_of_no_difference_covers_zero_about_as_often_as_it_says() -> None:
    import numpy as np

    rng = np.random.default_rng(5)
    wrong = 0
    for _ in range(200):
        drawn = {group: np.bincount(bins_of(rng.normal(0, 0.4, 60)), minlength=BINS) for group in (0, 1, 2)}
        wrong += any(one.stands_out for one in sentiments(drawn, 20).values())
    assert wrong <= 0.09 * 200


def test_occupations_are_told_by_their_form_or_by_what_stands_near() -> None:
    report = report_of(
        "The nurse said she was tired", "The doctor and his patient", "An actress", "La médica y el médico"
    )
    table = {row.occupation: (row.female, row.male) for row in report.occupations}
    assert table == {"nurse": (1, 0), "doctor": (0, 1), "actor/actress": (1, 0), "médico/médica": (1, 1)}


def test_one_sided_occupations_and_genders_are_warned_of() -> None:
    report = report_of(*["The engineer lost his keys"] * 25)
    assert "100% of the words for a gender are male" in report.warnings
    assert "25 of 25 mentions of engineer with a gender are male" in report.warnings


def test_examples_show_the_place() -> None:
    text = "a" * 60 + " and then Maria came " + "b" * 60
    group = report_of(text).dimension(Dimension.GENDER).groups[0]
    assert group.examples == (f"…{'a' * 30} and then Maria came {'b' * 34}…",)


def test_values_of_another_length_are_refused() -> None:
    with pytest.raises(DataError, match=r"rows: there are 1 for 2 texts. Give one value for each text"):
        bias_report(pa.array(["a", "b"]), rows=[0])


def test_a_dimension_that_was_not_counted_is_told() -> None:
    with pytest.raises(KeyError, match="age was not counted"):
        report_of("he", dimensions=["gender"]).dimension(Dimension.AGE)


SENTENCES = st.lists(
    st.sampled_from(
        [
            "He is kind.",
            "She was never a good doctor",
            "Los franceses y la niña alegre",
            "an old Italian man hates his Muslim neighbour",
            "",
            "¡Qué hombre tan cruel! Ella ríe.",
            "United States and African American women",
        ]
    ),
    max_size=12,
)


@given(texts=SENTENCES, cut=st.integers(0, 12))
@settings(max_examples=40)
def test_batches_change_nothing(texts: list[str], cut: int) -> None:
    whole, parts = BiasCounter(), BiasCounter()
    whole.update(pa.array(texts, pa.string()))
    for part in (texts[:cut], texts[cut:]):
        parts.update(pa.array(part, pa.string()))
    assert parts.report() == whole.report()


@given(texts=st.lists(st.text(max_size=80) | st.none(), max_size=8))
@settings(max_examples=120)
def test_any_text_is_counted_without_error(texts: list[str | None]) -> None:
    array = pa.array(texts, pa.string())
    words = Words.of(array)
    assert all(one <= other for one, other in zip(words.text, words.text[1:], strict=False))
    report = bias_report(array)
    assert report.texts == len(texts)
    for dimension in report.dimensions:
        assert sum(group.share for group in dimension.groups) == pytest.approx(1.0 if dimension.groups else 0.0)


def test_words_of_a_slice_are_those_of_a_copy() -> None:
    sliced = pa.array(["he", "she said", "they", "él"])[1:3]
    assert Words.of(sliced).spelled == ["she", "said", "they"]


def test_memory_of_words_is_bounded() -> None:
    counts = WordCounts(1, most=100)
    for start in range(0, 1000, 50):
        counts.add(0, [f"w{number}" for number in range(start, start + 50)] + ["often"], [1] * 50 + [5])
        counts.forget_rare()
    assert sum(map(len, counts._counts)) <= 100
    assert counts._counts[0]["often"] == 100


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_lists_do_not_contradict_themselves(language: str) -> None:
    names = sections(language, "names")  # type: ignore[arg-type]
    every = [name for listed in names.values() for name in listed]
    assert len(every) == len(set(every)) > 150
    pairs = list(gender_pairs(language))  # type: ignore[arg-type]
    assert len(pairs) > 100
    both = {male for male, sign, _ in pairs if sign == "="} & {female for _, sign, female in pairs if sign == "="}
    assert both == set()
    assert all(-1 <= value <= 1 for value in lexicon_of(language).valence.values())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("word", "forms"),
    [
        ("alto", ("alto", "alta", "altos", "altas")),
        ("francés", ("francés", "francesa", "franceses", "francesas")),
        ("hablador", ("hablador", "habladora", "habladores", "habladoras")),
        ("burlón", ("burlón", "burlona", "burlones", "burlonas")),
        ("alemán", ("alemán", "alemana", "alemanes", "alemanas")),
    ],
)
def test_spanish_forms(word: str, forms: tuple[str, ...]) -> None:
    found = agreeing_forms(word)
    assert found is not None and found.all == forms


@pytest.mark.parametrize(
    ("one", "several"),
    [("actriz", "actrices"), ("joven", "jóvenes"), ("marroquí", "marroquíes"), ("bebé", "bebés"), ("rey", "reyes")],
)
def test_spanish_plurals(one: str, several: str) -> None:
    assert plural_of(one) == several


def test_real_rows_are_counted_fast_and_show_what_is_there() -> None:
    rows = real_rows("dolly_open_qa")
    texts = pa.array([text for row in rows for text in (row["instruction"], row["response"])])
    number = [place // 2 for place in range(len(texts))]
    taken = []
    for _ in range(3):
        start = time.perf_counter()
        report = bias_report(texts, rows=number)
        taken.append((time.perf_counter() - start) / len(rows))
    assert min(taken) < 0.001, "a row takes more than a millisecond"
    gender = report.dimension(Dimension.GENDER)
    male = gender.group("male")
    assert male is not None and male.share > 0.7
