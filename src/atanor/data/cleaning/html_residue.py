"""HTML left behind in prose: known tags go, entities become characters, and markup that is the subject stays.

Whether markup is residue is decided for a whole text, and in doubt it is not: code, XML, pages somebody asked for,
texts that speak of HTML, `a < b`, `<name>` and `<ann@example.org>` all stay as they are.
"""

from __future__ import annotations

import html
import re
from html.entities import html5

from atanor.data.cleaning.code_spans import on_prose, prose_of
from atanor.data.cleaning.options import HtmlPolicy
from atanor.data.cleaning.rule import Rule, Treatment

_VOID = frozenset({"br", "hr", "img", "wbr"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_BOXES = frozenset({"div", "section", "article", "center", "ul", "ol", "dl", "table", "figure"}) | _HEADINGS
_PARAGRAPH = frozenset({"p", "blockquote", "pre"}) | _BOXES
_LINE = frozenset({"li", "dt", "dd", "tr", "caption", "figcaption"})
_WORDS = frozenset({"a", "abbr", "b", "big", "cite", "code", "del", "em", "font", "i", "ins", "kbd", "mark", "q", "s"})
_MORE_WORDS = frozenset({"samp", "small", "span", "strike", "strong", "sub", "sup", "tt", "u"})
_CELLS = frozenset({"tbody", "td", "tfoot", "th", "thead"})
_KNOWN = _VOID | _PARAGRAPH | _LINE | _WORDS | _MORE_WORDS | _CELLS
_PAGE = re.compile(
    r"<(?:!doctype|\?xml|/?(?:html|head|body|title|meta|link|form|input|button|select|option|label|nav|svg|main))\b",
    re.IGNORECASE,
)

_ATTRIBUTES = r"(?:\s+[\w:-]{1,40}\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\"'<>=]+)){0,20}"
_TAG = re.compile(rf"<(?P<close>/?)(?P<name>[a-zA-Z][\w:.-]{{0,40}})(?P<attributes>{_ATTRIBUTES})\s*/?>")
# Each stops at the next opening of its kind, so that a text of nothing but openings takes linear time.
_HIDDEN = re.compile(
    r"<(script|style)\b[^<>]*>(?:(?!</?(?:script|style)\b)[\s\S])*</\1\s*>|<!--(?:(?!<!--|-->)[\s\S])*-->",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_TAG_SPELT_OUT = re.compile(r"&(?:lt|#60|#x3c|amp;lt);[a-zA-Z/!?]", re.IGNORECASE)
_PRE = re.compile(
    r"<pre\b[^<>]*>(?:\s*<code\b[^<>]*>)?((?:(?!</?(?:pre|code)\b)[\s\S])*)(?:</code\s*>\s*)?</pre\s*>", re.IGNORECASE
)
_CODE = re.compile(r"<code\b[^<>]*>([^`\n<>]+)</code\s*>", re.IGNORECASE)
_BLANK_LINES = re.compile(r"\n{3,}")
_POWER = re.compile(r"(?<=[\w)])<sup>(-?\d{1,3}|[a-z])</sup>")

_ABOUT_MARKUP = re.compile(
    r"\b(?:x?html5?|xml|svg|css|javascript|jsx|php|markup|tags?|etiquetas?|entit(?:y|ies)|entidad(?:es)?|"
    r"escap(?:e|ed|ing))\b",
    re.IGNORECASE,
)
_LOOKS_LIKE_CODE = re.compile(
    r"[{}][ \t]*$|\);[ \t]*$|=>|\(\)|\$[a-zA-Z_]\w*|['\"]\s*[+.]\s*['\"$\w]+\s*[+.]|['\"‘“] ?</?[a-z]|\w::\w"
    r"|^\s*(?:def \w+\(|class \w+[:({]|import \w|#include|function \w*\(|(?:const|let|var) \w+ =)",
    re.MULTILINE,
)
_LEAST_WORDS_A_TAG = 1.5
"""Prose has at least so many words for each of its tags; a list or table written in HTML has fewer."""


def strip_html(text: str) -> str:
    """`text` without the HTML that is clearly residue; code between fences or backticks is left alone."""
    if "<" not in text and "&" not in text:
        return text
    prose = prose_of(text)
    visible = _HIDDEN.sub(" ", prose)
    tags = list(_TAG.finditer(visible))
    if _is_subject(_CODE.sub(" ", _PRE.sub(" ", visible))):
        return text
    droppable = _droppable(visible, tags)
    entities = not _TAG_SPELT_OUT.search(prose)
    if not droppable and visible == prose and not (entities and _ENTITY.search(prose)):
        return text
    stripped = on_prose(text, _fence_code) if droppable & {"pre", "code"} else text
    stripped = on_prose(stripped, lambda part: _without_markup(part, droppable))
    if droppable and stripped != text:
        # Tags of paragraphs leave more blank lines than paragraphs have; those inside code are its own.
        stripped = on_prose(stripped, lambda part: _BLANK_LINES.sub("\n\n", part), inline=False).strip("\n")
    return on_prose(stripped, _decoded) if entities else stripped


def _is_subject(prose: str) -> bool:
    """Whether markup is what the text is about, so that it has to stay."""
    if _PAGE.search(prose) or _LOOKS_LIKE_CODE.search(prose):
        return True
    plain = _TAG.sub(" ", prose)
    if _ABOUT_MARKUP.search(plain):
        return True
    tags = list(_TAG.finditer(prose))
    closing = {tag["name"].lower() for tag in tags if tag["close"]}
    if not closing <= _KNOWN:
        return True  # XML with names of its own
    known = [tag for tag in tags if tag["name"].lower() in _KNOWN]
    if known and known[0]["name"].lower() in (_BOXES | _LINE) and not prose[: known[0].start()].strip():
        return True  # begins as a page or a snippet does, not as prose
    counted = sum(1 for tag in known if tag["name"].lower() not in _VOID)
    return len(plain.split()) < _LEAST_WORDS_A_TAG * counted


def _droppable(prose: str, tags: list[re.Match[str]]) -> frozenset[str]:
    """Names of the tags that can only be HTML: void ones, pairs, and `<p>` where a paragraph begins.

    A lone `<a>` or `<title>` is a placeholder.
    """
    seen = {(tag["close"], tag["name"].lower()) for tag in tags}
    names = {name for close, name in seen if name in _KNOWN and close and ("", name) in seen}
    names |= {tag["name"].lower() for tag in tags if tag["name"].lower() in ("br", "hr", "wbr")}
    names |= {tag["name"].lower() for tag in tags if tag["name"].lower() in _KNOWN and tag["attributes"]}
    names |= {name for close, name in seen if name in (_PARAGRAPH | _LINE) and close}
    if re.search(r"^[ \t]*<p>", prose, re.MULTILINE | re.IGNORECASE):
        names.add("p")
    return frozenset(names)


def _fence_code(prose: str) -> str:
    """`<pre>` as a fenced block and `<code>` between backticks, so that no later rule takes code for prose."""
    prose = _PRE.sub(lambda found: f"\n\n```\n{html.unescape(found[1]).strip(chr(10))}\n```\n\n", prose)
    return _CODE.sub(lambda found: f"`{html.unescape(found[1])}`", prose)


def _without_markup(prose: str, droppable: frozenset[str]) -> str:
    prose = _HIDDEN.sub("", prose)
    if "sup" in droppable:
        prose = _POWER.sub(r"^\1", prose)
    return _TAG.sub(lambda tag: _in_place_of(tag) if tag["name"].lower() in droppable else tag[0], prose)


def _in_place_of(tag: re.Match[str]) -> str:
    name, closes = tag["name"].lower(), bool(tag["close"])
    if name in ("br", "hr"):
        return "\n" if not tag.string.startswith("\n", tag.end()) else ""
    if name in _PARAGRAPH:
        return "\n\n"
    if name in _LINE:
        return "\n" if closes else "\n- " if name == "li" else ""
    return " " if name in ("td", "th") and closes else ""


def _decoded(prose: str) -> str:
    return _ENTITY.sub(lambda entity: _character(entity[0]), prose)


def _character(entity: str) -> str:
    """The character an entity names, or the entity itself where it names none."""
    if not entity.startswith("&#") and entity[1:] not in html5:
        return entity
    character = html.unescape(entity)
    return entity if character in ("", "\ufffd") else character


def html_rules(policy: HtmlPolicy) -> list[Rule]:
    """The rule for HTML residue; none when it is off."""
    if policy is HtmlPolicy.OFF:
        return []
    treatment = Treatment.REWRITE if policy is HtmlPolicy.STRIP else Treatment.REPORT
    trace = r"(?i)</?[a-z][^<>]*>|<!--|&(?:#x?[0-9a-f]+|[a-z][a-z0-9]+);"
    reason, fix = "HTML is left in the text", "Set `html: strip`, or take the text out of the page before"
    return [Rule("clean.html", trace, strip_html, treatment, reason, fix)]
