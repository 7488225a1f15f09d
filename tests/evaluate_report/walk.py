"""A page walked element by element, strictly: what a browser would mend silently fails here."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser

VOID = {"br", "hr", "input", "meta"}
INLINE = {"a", "b", "code", "span"}
LOADING = {"src", "href", "srcset", "action", "data", "poster", "xlink:href", "background", "formaction"}
COORDINATES = {"x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "rx", "width", "height", "points", "d", "viewbox"}


class Page(HTMLParser):
    """Elements, their texts and their numbers; raises AssertionError where tags do not balance."""

    def __init__(self, document: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(document)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice: {names}"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()
        if tag not in INLINE:
            self.texts.append(("", " "))

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    @property
    def text(self) -> str:
        """Everything a reader sees, on one line."""
        shown = "".join(data for tag, data in self.texts if tag not in {"script", "style"})
        return " ".join(shown.split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def loads(self) -> list[str]:
        """What the page would fetch: every loading attribute that is no place within the page."""
        return [
            f"{tag} {name}={value}"
            for tag, attributes in self.elements
            for name, value in attributes.items()
            if name in LOADING and not (tag == "a" and (value or "").startswith("#"))
        ]

    def handlers(self) -> list[str]:
        """Attributes that would run a script or carry a style."""
        return [
            name for _, attributes in self.elements for name in attributes if name.startswith("on") or name == "style"
        ]

    def numbers(self) -> list[float]:
        """Every coordinate of every drawing."""
        found = []
        for _, attributes in self.elements:
            for name in COORDINATES & attributes.keys():
                value = attributes[name] or ""
                assert not re.search("nan|inf", value, re.IGNORECASE), f"{name}={value}"
                found += [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", value)]
        assert all(math.isfinite(number) for number in found)
        return found
