"""Exchanging the groups of a row's texts: what comes out, and what is refused because nobody can be sure."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atanor.data.bias import Dimension, NotSwapped, Swapped, Why, swap_groups
from atanor.data.bias.lexicon import gender_pairs
from atanor.data.bias.named_persons import first_names
from atanor.data.bias.options import Language
from tests.data.real_texts import real_rows


def swapped(text: str, dimension: Dimension = Dimension.GENDER, language: Language = "en", seed: int = 1) -> str:
    """The swapped text, or the name of the reason."""
    outcome = swap_groups([text], dimension, language, Random(seed))
    return outcome.texts[0] if isinstance(outcome, Swapped) else f"{outcome.why.name}: {outcome.detail}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He told her that his mother saw him.", "She told him that her father saw her."),
        ("I gave it to her. Her car is hers, not his.", "I gave it to him. His car is his, not hers."),
        ("She loves her very much, and her very own dog.", "He loves him very much, and his very own dog."),
        (
            "Let her go; they saw her leaving; the truth hurt her.",
            "Let him go; they saw him leaving; the truth hurt him.",
        ),
        ("I saw her last night near her last house.", "I saw him last night near his last house."),
        ("HE is a waiter, and an actress's son.", "SHE is a waitress, and an actor's daughter."),
        ("A heroine met an heiress. She's my hero.", "A hero met an heir. He's my hero."),
        ("An uncle and a gentleman", "An aunt and a lady"),
        ("Mr. Brown is my husband’s boss, ma'am.", "Ms. Brown is my wife’s boss, sir."),
        ("Ladies and gentlemen, the queen is here.", "Ladies and gentlemen, the king is here."),
        ("I miss my brother. He's late.", "I miss my sister. She's late."),
    ],
)
def test_english_words_for_a_gender(text: str, expected: str) -> None:
    assert swapped(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He made her dinner.", "AGREEMENT: made her dinner"),
        ("They told her stories.", "AGREEMENT: told her stories"),
        ("I saw her walk.", "AGREEMENT: saw her walk"),
        ("Marie Curie won two prizes. She was a physicist.", "REAL_PERSON: Marie Curie"),
        ("Queen Elizabeth loved her dogs.", "REAL_PERSON: Queen Elizabeth"),
        ("Mr. Obama said he was late.", "REAL_PERSON: Obama"),
        ("She sang with Beethoven.", "REAL_PERSON: Beethoven"),
        ("Elvis was loved, and he knew it.", "REAL_PERSON: Elvis"),
        ("In 1969 the first astronaut said his words.", "REAL_PERSON: 1969"),
        ("He is one of the Beastie Boys", "REAL_PERSON: Beastie"),
        ("uncle john is late, he said", "REAL_PERSON: john"),
        ("My sister is pregnant.", "FACT: pregnant"),
        ("Male spiders are small.", "AGREEMENT: Male"),
        ("I waitress on Mondays.", "AGREEMENT: i waitress"),
        ("That hurts, man.", "AGREEMENT: man"),
        ('{"name": "she"}', "CODE: {"),
        ("Nobody is here.", "NO_GROUP: "),
        ("The maid lost her key.", "AGREEMENT: maid"),
    ],
)
def test_english_rows_that_stay(text: str, expected: str) -> None:
    assert swapped(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("El profesor alto y muy simpático está cansado.", "La profesora alta y muy simpática está cansada."),
        ("Una señora francesa vio al niño.", "Un señor francés vio a la niña."),
        ("La casa blanca de la abuela es del abuelo.", "La casa blanca del abuelo es de la abuela."),
        ("Es un buen amigo.", "Es una buena amiga."),
        ("Estoy cansada y contenta.", "Estoy cansado y contento."),
        ("Mi mujer ha comido con él.", "Mi marido ha comido con ella."),
        ("¡Qué contenta está la niña!", "¡Qué contento está el niño!"),
        ("La periodista joven llegó tarde.", "El periodista joven llegó tarde."),
        ("Señoras y señores, el rey ha llegado.", "Señoras y señores, la reina ha llegado."),
        ("Él no ha visto la película roja.", "Ella no ha visto la película roja."),
        ("Un humilde y pobre esclavo vino.", "Una humilde y pobre esclava vino."),
        ("Mi abuelo era demasiado sabio.", "Mi abuela era demasiado sabia."),
        ("Danos al príncipe nuestro.", "Danos a la princesa nuestra."),
        ("Los niños pequeños miran a las actrices.", "Las niñas pequeñas miran a los actores."),
    ],
)
def test_spanish_words_and_what_agrees_with_them(text: str, expected: str) -> None:
    assert swapped(text, language="es") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("La niña llegó y lo vio.", "AGREEMENT: lo vio"),
        ("El niño quiere verla.", "AGREEMENT: verla"),
        ("La niña llegó. Estaba sola.", "AGREEMENT: sola"),
        ("El médico ha llegado.", "AGREEMENT: médico"),
        ("Mi hermana es estrafalaria.", "AGREEMENT: estrafalaria"),
        ("Los gigantes vinieron, y ellos miraron al niño.", "AGREEMENT: ellos"),
        ("El niño busca el honor y sediento espera.", "AGREEMENT: sediento"),
        ("Mi prima se volvió toda ojos.", "AGREEMENT: toda ojos"),
        ("Hemos sido criados con la abuela.", "AGREEMENT: sido criados"),
        ("La niña y la de rojo", "AGREEMENT: la de"),
        ("Pensaba en ella.", "AGREEMENT: en ella"),
        ("Canta en El barbero de Sevilla.", "REAL_PERSON: El barbero"),
        ("Preguntó su esposa muy hueca.", "AGREEMENT: esposa hueca"),
        ("Miguel Cervantes y su hermana", "REAL_PERSON: Miguel Cervantes"),
        ("Mi hermana está embarazada.", "FACT: embarazada"),
    ],
)
def test_spanish_rows_that_stay(text: str, expected: str) -> None:
    assert swapped(text, language="es") == expected


@pytest.mark.parametrize("language", ["en", "es"])
def test_one_name_becomes_the_same_other_name_in_all_texts_of_a_row(language: Language) -> None:
    texts = {
        "en": ["Hi Mary, I am Tom.", "Mary smiled at Tom."],
        "es": ["Hola, soy Juan, ¿y Ana?", "Ana habla con Juan."],
    }
    outcome = swap_groups(texts[language], Dimension.GENDER, language, Random(3))
    assert isinstance(outcome, Swapped)
    genders = first_names(language)
    found = [[word for word in re.findall(r"\w+", text) if word in genders] for text in outcome.texts]
    assert sorted(found[0]) == sorted(found[1]) and len(set(found[0])) == 2
    before = [word for word in re.findall(r"\w+", texts[language][0]) if word in genders]
    assert [genders[word] for word in found[0]] != [genders[word] for word in before]


def test_a_name_keeps_its_community() -> None:
    for seed in range(20):
        new = swapped("I met Fatima.", seed=seed).removeprefix("I met ").rstrip(".")
        assert new in ("Ahmed", "Ali", "Amir", "Ibrahim", "Mohammed", "Omar", "Hassan", "Khalid", "Yusuf", "Tariq")


@pytest.mark.parametrize(
    ("text", "dimension", "language", "pattern"),
    [
        ("I am Italian and my Italian friend came.", Dimension.ORIGIN, "en", r"I am (\w+) and my \1 friend came\."),
        ("An American is here.", Dimension.ORIGIN, "en", r"An? (?!American)\w+ is here\."),
        (
            "The white man and the Asian woman",
            Dimension.ORIGIN,
            "en",
            r"The (?!white)\w+ man and the (?!Asian)\w+ woman",
        ),
        (
            "Soy italiana y conozco a unos rusos.",
            Dimension.ORIGIN,
            "es",
            r"Soy (?!italiana)\w+ y conozco a unos (?!rusos)\w+s\.",
        ),
        ("She is Muslim.", Dimension.RELIGION, "en", r"She is (Christian|Jewish|Hindu|Buddhist)\."),
        ("Two Jews came.", Dimension.RELIGION, "en", r"Two (Christians|Muslims|Hindus|Buddhists) came\."),
        ("Conozco a un judío.", Dimension.RELIGION, "es", r"Conozco a un (cristiano|musulmán|hindú|budista)\."),
        ("A young man met an elderly woman.", Dimension.AGE, "en", r"An old man met a young woman\."),
        ("Vi a una joven y a un anciano.", Dimension.AGE, "es", r"Vi a una anciana y a un joven\."),
        ("African-Americans came.", Dimension.ORIGIN, "en", r"FACT: African-American|AGREEMENT: Americans"),
        ("I want an Italian one.", Dimension.ORIGIN, "en", r"AGREEMENT: Italian"),
        ("I love French food.", Dimension.ORIGIN, "en", r"AGREEMENT: French"),
        ("I am French and live in Paris.", Dimension.ORIGIN, "en", r"REAL_PERSON: Paris"),
        ("My Muslim friend eats no pork.", Dimension.RELIGION, "en", r"FACT: pork"),
        ("My old boss called.", Dimension.AGE, "en", r"AGREEMENT: old"),
        ("Leí un libro francés.", Dimension.ORIGIN, "es", r"AGREEMENT: francés"),
    ],
)
def test_origin_religion_and_age(text: str, dimension: Dimension, language: Language, pattern: str) -> None:
    for seed in range(6):
        assert re.fullmatch(pattern, swapped(text, dimension, language, seed)), swapped(text, dimension, language, seed)


def test_a_protected_word_forbids_the_swap() -> None:
    outcome = swap_groups(["She likes Atanor."], Dimension.GENDER, "en", Random(1), protect=("atanor",))
    assert outcome == NotSwapped(Why.PROTECTED, "atanor")


def test_pairs_say_what_was_exchanged() -> None:
    outcome = swap_groups(["He saw his wife."], Dimension.GENDER, "en", Random(1))
    assert isinstance(outcome, Swapped)
    assert outcome.pairs == (("he", "she"), ("his", "her"), ("wife", "husband"))


ONE_TO_ONE = [
    word
    for male, sign, female in gender_pairs("en")
    if sign == "=" and male.islower() and "'" not in male + female and not {"male", "sir", "maternal"} & {male, female}
    for word in (male, female)
]


@given(words=st.lists(st.sampled_from(ONE_TO_ONE), min_size=1, max_size=6), capital=st.booleans())
@settings(max_examples=80)
def test_swapping_twice_gives_the_text_back(words: list[str], capital: bool) -> None:
    text = " or ".join(f"the {word}" for word in words)
    text = text.upper() if capital else text
    once = swap_groups([text], Dimension.GENDER, "en", Random(1))
    if isinstance(once, NotSwapped):
        assert once.why in (Why.FACT, Why.AGREEMENT)
        return
    assert swap_groups(once.texts, Dimension.GENDER, "en", Random(2)) == Swapped((text,), tuple(_back(once)))


def _back(once: Swapped) -> list[tuple[str, str]]:
    return [(after, before) for before, after in once.pairs]


PIECES = [
    "he ",
    "her",
    " his",
    "él",
    " la ",
    "niña",
    "María ",
    "de la",
    "al ",
    "French ",
    "young ",
    "Jew",
    ". ",
    "’s",
    " muy",
    "ma'am",
]


@given(
    text=st.text(max_size=60) | st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
    dimension=st.sampled_from(list(Dimension)),
    language=st.sampled_from(["en", "es"]),
)
@settings(max_examples=300)
def test_any_text_is_swapped_or_refused(text: str, dimension: Dimension, language: Language) -> None:
    outcome = swap_groups([text], dimension, language, Random(1))
    assert outcome == swap_groups([text], dimension, language, Random(1))
    if isinstance(outcome, Swapped):
        assert outcome.texts[0] != text and outcome.pairs


@pytest.mark.parametrize(("there", "back"), [("male", "female"), ("female", "male")])
def test_winogender_sentences_become_those_of_the_other_gender(there: str, back: str) -> None:
    sentences: dict[str, dict[str, str]] = {}
    for row in real_rows("bias_probes", "winogender.jsonl"):
        stem, gender, _ = row["sentid"].rsplit(".", 2)
        sentences.setdefault(stem, {})[gender] = row["sentence"]
    outcomes = [(swapped(one[there]), one[back], swapped(one["neutral"])) for one in sentences.values()]
    exact = sum(new == expected for new, expected, _ in outcomes)
    refused = sum(new.startswith("REAL_PERSON: Mittens") for new, _, _ in outcomes)
    assert (exact, refused, len(outcomes)) == (238, 2, 240)
    assert all(neutral.startswith(("NO_GROUP", "REAL_PERSON")) for _, _, neutral in outcomes)


def test_pronouns_come_back_in_real_texts() -> None:
    pronoun = re.compile(r"\b(?:he|she|him|her|his|hers)\b", re.IGNORECASE)
    same = differing = 0
    for row in real_rows("light_characters"):
        for text in (*row["persona"], row["description"]):
            if not re.search(r"\b(?:him|his|her|hers)\b", text, re.IGNORECASE):
                continue
            once = swap_groups([text], Dimension.GENDER, "en", Random(1))
            twice = swap_groups(once.texts, Dimension.GENDER, "en", Random(1)) if isinstance(once, Swapped) else once
            if isinstance(twice, Swapped):
                equal = pronoun.findall(twice.texts[0].lower()) == pronoun.findall(text.lower())
                same, differing = same + equal, differing + (not equal)
    assert same > 250
    assert differing <= 0.02 * same
