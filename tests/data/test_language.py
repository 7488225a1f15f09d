"""The language of texts: told where it can be told, a fault only where it is surely another one."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atanor.data.checks.language import find_wrong_language, identify_languages
from atanor.data.checks.language_classifier import BYTES_READ, load_classifier
from atanor.errors import ConfigurationError
from tests.data.real_texts import real_rows

TOLD = [
    ("Could you tell me where the next station is?", "en"),
    ("¿Me puede decir dónde está la próxima estación?", "es"),
    ("Pourriez-vous me dire où se trouve la prochaine gare ?", "fr"),
    ("Können Sie mir sagen, wo der nächste Bahnhof ist?", "de"),
    ("Подскажите, пожалуйста, где находится следующая станция?", "ru"),
    ("请告诉我下一站在哪里。", "zh"),
    ("次の駅はどこですか、教えてください。", "ja"),
    ("다음 역이 어디인지 알려 주세요.", "ko"),
    ("Μπορείτε να μου πείτε πού είναι ο επόμενος σταθμός;", "el"),
    ("هل يمكنك أن تخبرني أين المحطة التالية؟", "ar"),
    ("PLEASE TELL ME WHERE THE NEXT STATION IS", "en"),
]
INNOCENT = [
    "Ludwig van Beethoven",
    "Prince Aegon, Princess Daenerys, Prince Aemon, Prince Baelon",
    "def suma(a, b):\n    return a + b",
    "SELECT nombre, edad FROM clientes WHERE ciudad = 'Madrid'",
    '{"nombre": "Juan", "apellidos": "García Pérez", "edad": 41}',
    "https://es.wikipedia.org/wiki/Biblioteca_de_Babel",
    "E = mc^2, \\alpha + \\beta = \\gamma",
    "α + β = γ, Ω ≤ π",
    "3.1416",
    "Лев Толстой",
    "The phrase 'c'est la vie' comes from French and means that such is life.",
    "What does 'mañana será otro día' mean in English?",
    "```\nhola mundo, esto es una prueba\n```",
    "",
    "?!",
]


def texts_of(*values: str | None) -> pa.StringArray:
    return pa.array(values, pa.string())


def test_languages_are_told_with_their_confidence() -> None:
    found = identify_languages(texts_of(*(text for text, _ in TOLD)))
    assert found.codes.tolist() == [code for _, code in TOLD]
    assert ((found.confidence >= 0.5) & (found.confidence <= 1)).all()


def test_what_has_no_language_is_undetermined() -> None:
    found = identify_languages(texts_of("", None, "42", "?!", "x = 1;", "a1b2", "https://example.org/el/camino"))
    assert set(found.codes) == {"und"}
    assert (found.confidence == 0).all()


def test_an_expected_language_decides_about_what_could_be_many() -> None:
    name = texts_of("Carrie Underwood")
    assert identify_languages(name).codes.tolist() == ["und"]
    assert identify_languages(name, ["en"]).codes.tolist() == ["en"]


@pytest.mark.parametrize("text", INNOCENT)
def test_names_code_formulas_and_quotes_are_no_fault(text: str) -> None:
    assert find_wrong_language(texts_of(text), ["en"]) == []


def test_a_wrong_language_is_told_with_what_was_expected() -> None:
    text = "¿Me puede decir dónde está la próxima estación?"
    (found,) = find_wrong_language(texts_of("Where is it?", text), ["en", "fr"])
    assert (found.text, found.rule, found.start, found.end) == (1, "language.es", 0, len(text))
    assert found.reason == "the text is in es, expected en or fr"
    assert found.fix == "Remove or translate it, or name its language among the expected ones"
    assert found.mask is None


def test_a_language_too_near_to_the_expected_one_is_no_fault() -> None:
    assert find_wrong_language(texts_of("Hvad hedder du, og hvor kommer du fra?"), ["no"]) == []


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="languages: is no language the identifier knows"):
        identify_languages(texts_of("x"), ["english"])
    with pytest.raises(ConfigurationError, match="no language is expected"):
        find_wrong_language(texts_of("x"), [])


def test_no_texts_have_no_languages() -> None:
    assert identify_languages(texts_of()).codes.tolist() == []
    assert find_wrong_language(texts_of(), ["en"]) == []


@given(st.lists(st.text(max_size=60), max_size=8))
def test_a_text_is_judged_alike_whatever_stands_beside_it(values: list[str]) -> None:
    values = [value.encode("utf-8", "ignore").decode() for value in values]
    together = identify_languages(texts_of("padding", *values).slice(1), ["en"])
    for place, value in enumerate(values):
        alone = identify_languages(texts_of(value), ["en"])
        assert alone.codes[0] == together.codes[place]
        assert np.isclose(alone.confidence[0], together.confidence[place], atol=1e-5)


def test_the_walk_over_many_texts_gives_what_the_library_gives_for_each() -> None:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    plain = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    # Serbian is left out: the model has it once for each script, and the library folds its two columns otherwise.
    names = ("de", "en", "es", "fr", "ru", "zh")
    plain.set_languages([*names, "zxx"])
    classifier = load_classifier(names)
    texts = [text.encode()[:BYTES_READ].decode("utf-8", "ignore") for text, _ in TOLD if not text.isupper()]
    for text, found in zip(texts, classifier.probabilities(texts_of(*texts)), strict=True):
        expected = dict(plain.rank(text))
        assert {name: pytest.approx(expected[name], abs=2e-3) for name in classifier.languages} == dict(
            zip(classifier.languages, found.tolist(), strict=True)
        )


def test_planted_languages_are_found_in_english_rows() -> None:
    clean = [row["response"] for row in real_rows("dolly_open_qa")]
    foreign = [row["messages"][-1]["content"] for row in real_rows("oasst1_valid") if row["lang"][:2] != "en"]
    foreign += [row["question"] for row in real_rows("xquad", "xquad_es*.jsonl")]
    found = {finding.text for finding in find_wrong_language(texts_of(*clean, *foreign), ["en"])}
    hits = sum(1 for text in found if text >= len(clean))
    assert hits / len(foreign) >= 0.95
    assert hits / len(found) >= 0.99


@pytest.mark.parametrize(
    ("name", "pattern", "column", "language"),
    [
        ("banking77", "train.csv", "text", "en"),
        ("sms_spam", "*.jsonl", "text", "en"),
        ("teatro_espanol", "*.jsonl", "text", "es"),
    ],
)
def test_short_and_slangy_texts_are_not_called_foreign(name: str, pattern: str, column: str, language: str) -> None:
    texts = [row[column] for row in real_rows(name, pattern)]
    assert len(find_wrong_language(texts_of(*texts), [language])) <= len(texts) / 1000


def test_commands_are_no_foreign_language() -> None:
    commands = [row["cmd"] for row in real_rows("nl2bash")][:3000]
    assert len(find_wrong_language(texts_of(*commands), ["es"])) <= len(commands) / 100
