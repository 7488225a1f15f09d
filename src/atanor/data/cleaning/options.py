"""The options of cleaning, as they are written in a project file."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from atanor.options import Options


class UnicodeForm(StrEnum):
    """The normal form that texts are brought to (Unicode Standard Annex 15)."""

    NFC = "nfc"
    """One code point for a letter and its accent; nothing a reader sees changes."""
    NFKC = "nfkc"
    """Also ligatures, full-width letters and superscripts become plain: x² becomes x2."""
    OFF = "off"


class HtmlPolicy(StrEnum):
    """What happens to HTML that was left behind in prose."""

    STRIP = "strip"
    """Tags go, entities become the characters they name."""
    REPORT = "report"
    """The text stays as it is, and the report tells."""
    OFF = "off"


class ControlTokenPolicy(StrEnum):
    """What happens to control tokens of chat templates inside text. They are never let through."""

    ESCAPE = "escape"
    """Spaces are put inside, as in `<| im_start |>`: people read it, and tokenizers see plain text."""
    REFUSE = "refuse"
    """The row is not used."""


class CleanOptions(Options):
    """What is mended in texts before they are checked. Every change is counted and shown."""

    encoding: bool = Field(
        True,
        description="Repair text whose bytes were read in a wrong encoding (`â€œ` is a quote, `ðŸ©º` a stethoscope). "
        "Text that cannot be repaired is refused, with this option or without.",
    )
    unicode: UnicodeForm = Field(
        UnicodeForm.NFC,
        description="Normal form of the characters: `nfc` changes nothing that is seen; `nfkc` also makes full-width "
        "letters, ligatures and superscripts plain, which harms maths; or `off`.",
    )
    invisible: bool = Field(
        True,
        description="Remove control characters, terminal colours, zero-width characters, soft hyphens and direction "
        "marks, except where they carry meaning (emoji, Arabic, Indic scripts).",
    )
    spaces: bool = Field(
        True, description="Write no-break, thin and other exotic spaces as plain ones; the ideographic space stays."
    )
    html: HtmlPolicy = Field(
        HtmlPolicy.STRIP,
        description="HTML tags and entities left behind in prose: `strip`, `report` or `off`. Code, XML, placeholders "
        "and texts about HTML are left alone.",
    )
    markdown: bool = Field(
        False,
        description="Remove Markdown links, images, needless escapes and closing heading marks. Off, because Markdown "
        "is a style an answer may have.",
    )
    gutenberg: bool = Field(
        True, description="Remove the headers, licences and production notes of Project Gutenberg, English and Spanish."
    )
    pages: bool = Field(
        True, description="Remove page numbers and running heads that interrupt the sentences of a scanned book."
    )
    web_lines: bool = Field(
        True,
        description="Remove lines of web pages at the two ends of a text: cookies, newsletters, copyright, sharing.",
    )
    citations: bool = Field(
        False,
        description="Remove citation marks such as `[12]` and `[citation needed]` after a word. Off, because a model "
        "may have to learn to cite.",
    )
    whitespace: bool = Field(
        True,
        description="Write line breaks as LF; remove spaces at line ends and around the text, blank lines beyond two, "
        "and repeated spaces in prose. Code, tables, indentation and verse keep theirs.",
    )
    control_tokens: ControlTokenPolicy = Field(
        ControlTokenPolicy.ESCAPE,
        description="Control tokens of chat templates inside text, which could end a turn or forge one: `escape` "
        "writes `<|im_start|>` as `<| im_start |>`, `refuse` leaves the row out. They are never let through.",
    )
