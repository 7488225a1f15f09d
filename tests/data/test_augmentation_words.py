"""Synonyms, inflection, EDA and typing errors: what becomes of words."""

from __future__ import annotations

import zipfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atanor.data.augmentation.eda import Eda, EdaOperation, Synonyms
from atanor.data.augmentation.inflection import Form, form_of, inflect
from atanor.data.augmentation.open_wordnet import SpanishThesaurus, find_spanish
from atanor.data.augmentation.protect import Protection
from atanor.data.augmentation.thesaurus import EnglishThesaurus
from atanor.data.augmentation.typos import Typos
from atanor.data.augmentation.wording import Wording
from atanor.data.augmentation.wordnet import SYSTEM_FOLDER, PartOfSpeech, WordNet
from atanor.data.words.languages import language_of
from atanor.data.words.places import with_article
from atanor.errors import DataError

SENSES = {
    "noun": [
        (("car", 9), ("automobile", 3), ("rattletrap", 0)),
        (("bank", 5), ("depository", 2)),
        (("bank account", 0),),
    ],
    "verb": [(("buy", 9), ("purchase", 4)), (("take", 9), ("acquire", 3)), (("top", 2), ("exceed", 2))],
    "adj": [(("big", 9), ("large", 8)), (("happy", 9), ("glad", 4))],
    "adv": [(("quickly", 5), ("rapidly", 5))],
}
"""Synsets of a small WordNet: words with how often they have that meaning."""

EXCEPTIONS = {"verb": "bought buy\ntook take\ntaken take\n", "adj": "bigger big\nbiggest big\n"}


@pytest.fixture(scope="session")
def small_wordnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wordnet")
    counts = []
    for number, (part, synsets) in enumerate(SENSES.items(), start=1):
        kind = "nvar"[number - 1]
        data = "  1 a licence line\n"
        index: dict[str, list[int]] = {}
        for synset in synsets:
            words = " ".join(f"{word.replace(' ', '_')} 0" for word, _ in synset)
            for word, count in synset:
                index.setdefault(word.replace(" ", "_"), []).append(len(data))
                counts += [f"{word.replace(' ', '_')}%{number}:05:00:: 1 {count}"] if count else []
            data += f"{len(data):08} 05 {kind} {len(synset):02x} {words} 000 | a gloss  \n"
        (folder / f"data.{part}").write_text(data)
        lines = [
            f"{word} {kind} {len(offsets)} 0 {len(offsets)} 0 {' '.join(f'{offset:08}' for offset in offsets)}  "
            for word, offsets in sorted(index.items())
        ]
        (folder / f"index.{part}").write_text("  1 a licence line\n" + "\n".join(lines) + "\n")
        (folder / f"{part}.exc").write_text(EXCEPTIONS.get(part, ""))
    (folder / "cntlist.rev").write_text("\n".join(counts) + "\n")
    return folder


@pytest.fixture(scope="session")
def thesaurus(small_wordnet: Path) -> EnglishThesaurus:
    return EnglishThesaurus(WordNet(small_wordnet))


@pytest.mark.parametrize(
    ("sentence", "word", "expected"),
    [
        ("i want my car now", "car", ("automobile",)),  # `rattletrap` is never met
        ("i want my cars now", "cars", ("automobiles",)),
        ("i bought it", "bought", ("purchased",)),
        ("she buys it", "buys", ("purchases",)),
        ("we are buying it", "buying", ("purchasing",)),
        ("i purchased it", "purchased", ("bought",)),
        ("i acquired it", "acquired", ()),  # took or taken: nobody can tell
        ("i took it", "took", ("acquired",)),
        ("a bigger car", "bigger", ("larger",)),
        ("he ran quickly", "quickly", ("rapidly",)),
        ("my bank account", "bank", ()),  # an expression of its own
        ("how do i top up", "top", ()),  # a phrasal verb
        ("the buy", "buy", ()),  # after an article it is no verb
    ],
)
def test_synonyms_fit_where_they_stand(
    thesaurus: EnglishThesaurus, sentence: str, word: str, expected: tuple[str, ...]
) -> None:
    words = sentence.split()
    assert thesaurus.synonyms(words, words.index(word)) == expected


def test_an_nltk_copy_is_found(small_wordnet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpora = tmp_path / "corpora"
    corpora.mkdir()
    with zipfile.ZipFile(corpora / "wordnet.zip", "w") as archive:
        for file in small_wordnet.iterdir():
            archive.write(file, f"wordnet/{file.name}")
    monkeypatch.setenv("NLTK_DATA", str(tmp_path))
    assert WordNet.find(None).senses("car", PartOfSpeech.NOUN)[0].words == ("car", "automobile", "rattletrap")


def test_an_absent_wordnet_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="synonyms need the files of WordNet") as caught:
        WordNet.find(tmp_path)
    assert "Run `apt install wordnet-base`, or set the option `wordnet`" in str(caught.value)
    assert "has no index.noun" in str(caught.value)


@pytest.mark.skipif(not SYSTEM_FOLDER.is_dir(), reason="Debian's wordnet-base is not installed")
def test_debians_wordnet_is_read() -> None:
    wordnet = WordNet(SYSTEM_FOLDER)
    assert "glad" not in wordnet.senses("happy", PartOfSpeech.ADJECTIVE)[0].words
    assert wordnet.lemmas("mice", PartOfSpeech.NOUN) == ("mouse",)
    assert "go" in wordnet.lemmas("went", PartOfSpeech.VERB)
    assert wordnet.senses("dog", PartOfSpeech.NOUN)[0].count_of("dog") > 10
    english = EnglishThesaurus(wordnet)
    assert english.synonyms(["what", "countries", "do", "you", "support"], 1) == ("nations",)
    assert english.synonyms(["i", "bought", "a", "card"], 1) == ("purchased",)


@pytest.mark.parametrize(
    ("lemma", "form", "part", "expected"),
    [
        ("stop", Form.GERUND, PartOfSpeech.VERB, "stopping"),
        ("make", Form.GERUND, PartOfSpeech.VERB, "making"),
        ("lie", Form.GERUND, PartOfSpeech.VERB, "lying"),
        ("try", Form.PAST, PartOfSpeech.VERB, "tried"),
        ("put", Form.PAST, PartOfSpeech.VERB, "put"),
        ("take", Form.PAST, PartOfSpeech.VERB, None),
        ("go", Form.THIRD_PERSON, PartOfSpeech.VERB, "goes"),
        ("city", Form.PLURAL, PartOfSpeech.NOUN, "cities"),
        ("box", Form.PLURAL, PartOfSpeech.NOUN, "boxes"),
        ("motion picture", Form.PLURAL, PartOfSpeech.NOUN, "motion pictures"),
        ("big", Form.SUPERLATIVE, PartOfSpeech.ADJECTIVE, "biggest"),
        ("happy", Form.COMPARATIVE, PartOfSpeech.ADJECTIVE, "happier"),
        ("famous", Form.COMPARATIVE, PartOfSpeech.ADJECTIVE, None),
    ],
)
def test_inflection(small_wordnet: Path, lemma: str, form: Form, part: PartOfSpeech, expected: str | None) -> None:
    assert inflect(lemma, form, part, WordNet(small_wordnet)) == expected


def test_the_form_of_a_word() -> None:
    assert form_of("going", "go", PartOfSpeech.VERB) is Form.GERUND
    assert form_of("went", "go", PartOfSpeech.VERB) is Form.IRREGULAR_PAST
    assert form_of("tallest", "tall", PartOfSpeech.ADJECTIVE) is Form.SUPERLATIVE


@pytest.mark.parametrize(
    ("before", "word", "expected"),
    [
        ("a", "apple", "an"),
        ("An", "card", "A"),
        ("a", "hour", "an"),
        ("an", "university", "a"),
        ("a", "umbrella", "an"),
    ],
)
def test_articles_agree(before: str, word: str, expected: str) -> None:
    assert with_article(before, word) == expected


def edited(text: str) -> Wording:
    return Wording.of(text, Protection())


def test_edits_keep_a_text_well_formed() -> None:
    wording = edited("Buy a car, please.")
    wording.delete(0)
    assert wording.text == "A car, please."
    wording = edited("Buy a car, please.")
    wording.replace(2, "automobile")
    assert wording.text == "Buy an automobile, please."
    wording.swap(0, 2)
    assert wording.text == "Automobile a buy, please."
    wording.insert(0, "fast")
    assert wording.text == "Fast automobile a buy, please."
    wording = edited("Where is the card?")
    wording.delete(3)
    assert wording.text == "Where is the?"


@given(st.text(max_size=80))
def test_a_wording_unchanged_is_the_text(text: str) -> None:
    assert edited(text).text == text


def eda(thesaurus: EnglishThesaurus, operation: EdaOperation, alpha: float = 0.1) -> Eda:
    return Eda([operation], alpha, Synonyms({"en": thesaurus}, language_of), Protection())


SENTENCE = "please do not let them take the big car that i bought at the bank because i am happy with it"


def test_each_operation_does_what_the_paper_says(thesaurus: EnglishThesaurus) -> None:
    words = SENTENCE.split()
    for seed in range(30):
        rng = Random(seed)
        replaced = eda(thesaurus, EdaOperation.SYNONYM_REPLACEMENT, 0.1).rewrite(SENTENCE, rng)
        assert replaced and len(replaced.split()) == len(words)
        assert sum(a != b for a, b in zip(words, replaced.split(), strict=True)) == 2  # a tenth of 20 words
        inserted = eda(thesaurus, EdaOperation.RANDOM_INSERTION).rewrite(SENTENCE, rng)
        assert inserted and len(inserted.split()) == len(words) + 2
        swapped = eda(thesaurus, EdaOperation.RANDOM_SWAP).rewrite(SENTENCE, rng)
        assert swapped and sorted(swapped.split()) == sorted(words)
        deleted = eda(thesaurus, EdaOperation.RANDOM_DELETION).rewrite(SENTENCE, rng)
        assert deleted and 0 < len(deleted.split()) < len(words)


def test_negations_and_question_words_are_never_lost(thesaurus: EnglishThesaurus) -> None:
    for seed in range(50):
        made = eda(thesaurus, EdaOperation.RANDOM_DELETION, 0.9).rewrite(
            "why can i not buy the big red car", Random(seed)
        )
        assert made and made.lower().startswith("why") and " not" in made


def test_without_a_synonym_another_operation_is_taken(thesaurus: EnglishThesaurus) -> None:
    synonyms = Synonyms({"en": thesaurus}, language_of)
    both = Eda([EdaOperation.SYNONYM_REPLACEMENT, EdaOperation.RANDOM_SWAP], 0.1, synonyms, Protection())
    made = {both.rewrite("they said so yesterday evening", Random(seed)) for seed in range(10)}
    assert None not in made
    assert eda(thesaurus, EdaOperation.SYNONYM_REPLACEMENT).rewrite("they said so", Random(0)) is None


def test_typos_change_few_letters_and_no_first_one() -> None:
    text = "please send another replacement card to my address"
    for seed in range(40):
        made = Typos(0.2, Protection()).rewrite(text, Random(seed))
        assert made is not None and made != text
        old, new = text.split(), made.split()
        assert [word[0] for word in old] == [word[0] for word in new]
        assert sum(a != b for a, b in zip(old, new, strict=True)) == 1
    assert Typos(0.2, Protection()).rewrite("go to it", Random(0)) is None


TAB = """# Multilingual Central Repository
00000001-n\tspa:lemma\tcoche
00000001-n\tspa:lemma\tautomóvil
00000002-n\tspa:lemma\tcasa
00000002-n\tspa:lemma\tvivienda
00000002-n\tspa:lemma\thogar
00000003-v\tspa:lemma\tadquirir
00000003-v\tspa:lemma\tcomprar
00000004-r\tspa:lemma\trápidamente
00000004-r\tspa:lemma\tvelozmente
00000005-n\tspa:lemma\tbanco
00000005-n\tspa:lemma\tfondo
00000006-n\tspa:lemma\tbanco
00000006-n\tspa:lemma\tasiento
00000007-n\tspa:lemma\tbanco
00000008-n\tspa:lemma\tdólar estadounidense
"""


def test_spanish_synonyms_keep_gender_and_number(tmp_path: Path) -> None:
    path = tmp_path / "wn-data-spa.tab"
    path.write_text(TAB, encoding="utf-8")
    spanish = SpanishThesaurus.read(path)
    assert spanish.synonyms(["la", "casa", "grande"], 1) == ("vivienda",)  # not `la hogar`
    assert spanish.synonyms(["las", "casas", "grandes"], 1) == ("viviendas",)
    assert spanish.synonyms(["quiero", "comprar", "pan"], 1) == ("adquirir",)
    assert spanish.synonyms(["corre", "rápidamente", "ya"], 1) == ("velozmente",)
    assert spanish.synonyms(["el", "banco"], 1) == ()  # three meanings
    assert find_spanish(path) == path


def test_a_spanish_file_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wn-data-spa.tab"
    path.write_text("nothing\n")
    with pytest.raises(DataError, match="it has no line with `spa:lemma`"):
        SpanishThesaurus.read(path)
    with pytest.raises(DataError, match=r"there is no wn-data-spa\.tab below it"):
        find_spanish(tmp_path / "absent")
    corpus = tmp_path / "corpora" / "omw-1.4" / "spa"
    corpus.mkdir(parents=True)
    (corpus / "wn-data-spa.tab").write_text(TAB, encoding="utf-8")
    assert find_spanish(tmp_path) == corpus / "wn-data-spa.tab"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("How do I top up my card?", "en"),
        ("¿Cómo recargo la tarjeta?", "es"),
        ("No sé dónde está", "es"),
        ("xyz", None),
        ("", None),
    ],
)
def test_languages(text: str, expected: str | None) -> None:
    assert language_of(text) == expected
