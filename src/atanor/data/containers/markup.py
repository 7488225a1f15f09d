"""HTML and XHTML to the text that a reader sees. Time grows with the length whatever a page holds; nothing is fetched.

The tokenisation follows the HTML standard (section 13.2.5) as far as text needs it: tags with quoted attributes,
comments, CDATA, and elements whose content is no markup.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    <!--.*?(?:-->|\Z)
  | <!\[CDATA\[(?P<cdata>.*?)(?:\]\]>|\Z)
  | <[!?][^>]*+(?:>|\Z)
  | <(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9:_-]*+)(?:[^<>"']++|"[^"]*+"|'[^']*+')*+>
  | (?P<text>[^<]++|<)
    """,
    re.VERBOSE | re.DOTALL,
)
"""Possessive, so that a match never goes back; outside of quotes no tag runs over the next `<`."""
_UNSEEN = frozenset(("script", "style", "template", "noscript", "svg", "math", "iframe", "object", "select", "head"))
_NO_MARKUP_INSIDE = {
    name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in ("script", "style", "textarea", "title")
}
_PARAGRAPHS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "body", "dl", "fieldset", "figure", "footer", "form", "header"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "hr", "main", "nav", "ol", "p", "pre", "section", "table", "ul"),
    )
)
_LINES = frozenset(("caption", "dd", "details", "div", "dt", "figcaption", "li", "summary", "tr"))
_HEADINGS = frozenset(("h1", "h2", "h3"))
_CELLS = frozenset(("td", "th"))
_SPACES = re.compile(r"[ \t\n\r\f]+")


@dataclass(frozen=True)
class Page:
    """What a page says.

    Attributes:
        title: of its head, or empty.
        heading: its first heading, or empty.
        text: the text of its body: paragraphs with a blank line between them, list items and table rows on lines.
    """

    title: str
    heading: str
    text: str


def page_of(markup: str) -> Page:
    """The text of a page. Whatever is no markup is text: no page is an error."""
    reader = _Reader()
    place = 0
    while match := _TOKEN.match(markup, place):
        place = match.end()
        name = match["name"]
        if name is None:
            reader.text(match["cdata"] or html.unescape(match["text"] or ""))
            continue
        # XHTML may write names with a prefix, as `xhtml:p`.
        name = name.rpartition(":")[2].lower()
        if match["end"]:
            reader.end(name)
        elif not match[0].endswith("/>"):
            reader.start(name)
            if name in _NO_MARKUP_INSIDE:
                end = _NO_MARKUP_INSIDE[name].search(markup, place)
                inside = markup[place : end.start() if end else len(markup)]
                reader.text(html.unescape(inside))
                place += len(inside)
        else:
            reader.empty(name)
    return reader.page()


class _Reader:
    """Collects text between tags and keeps the lines apart as a browser would."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._breaks = 0
        self._space = False
        self._unseen: str | None = None
        """The outermost open element that a reader does not see, and how many of its name are open in each other."""
        self._unseen_depth = 0
        self._preformatted = 0
        self._title: list[str] = []
        self._heading: list[str] = []
        self._titled_by: str | None = None
        """The open element whose text is the title or the first heading."""

    def page(self) -> Page:
        """What was collected."""
        title, heading = (_SPACES.sub(" ", "".join(parts)).strip() for parts in (self._title, self._heading))
        return Page(title, heading, "".join(self._parts).strip("\n"))

    def start(self, name: str) -> None:
        """A start tag."""
        if name == "body":
            # A head that nobody closed ends here.
            self._unseen = None
        if self._unseen is None and name in _UNSEEN:
            self._unseen, self._unseen_depth = name, 0
        self._unseen_depth += name == self._unseen
        self._begin_titles(name)
        self._preformatted += name == "pre"
        self.empty(name)
        if name == "li" and not self._unseen:
            self._write("- ")

    def _begin_titles(self, name: str) -> None:
        """Notice where the title and the first heading begin; a block inside a heading shows that nobody closed it."""
        if name in _PARAGRAPHS:
            self._titled_by = None
        if name in _HEADINGS and not self._heading and self._unseen is None:
            self._titled_by = name
        if name == "title" and not self._title and self._unseen in (None, "head"):
            self._titled_by = name

    def empty(self, name: str) -> None:
        """A tag without content."""
        if self._titled_by in _HEADINGS and name == "br":
            self._heading.append(" ")
        if self._unseen:
            return
        if name == "br":
            self._breaks = min(self._breaks + 1, 2)
        elif name in _PARAGRAPHS:
            self._breaks = 2
        elif name in _LINES:
            self._breaks = max(self._breaks, 1)
        elif name in _CELLS:
            self._space = True

    def end(self, name: str) -> None:
        """An end tag."""
        if name == self._titled_by:
            self._titled_by = None
        if name == self._unseen:
            self._unseen_depth -= 1
            self._unseen = self._unseen if self._unseen_depth else None
            return
        self._preformatted -= name == "pre" and self._preformatted > 0
        if name != "br":
            self.empty(name)

    def text(self, content: str) -> None:
        """Text between tags."""
        if self._titled_by == "title":
            self._title.append(content)
            return
        if self._titled_by is not None:
            self._heading.append(content)
        if self._unseen:
            return
        if self._preformatted:
            self._write(content)
            return
        plain = _SPACES.sub(" ", content)
        self._space = self._space or plain.startswith(" ")
        if plain.strip(" "):
            self._write(plain.strip(" "))
            self._space = plain.endswith(" ")

    def _write(self, content: str) -> None:
        if self._breaks and self._parts:
            self._parts.append("\n" * self._breaks)
        elif self._space and self._parts and not self._parts[-1].endswith((" ", "\n")):
            self._parts.append(" ")
        self._parts.append(content)
        self._breaks, self._space = 0, False
