"""HTML and SVG built from nested calls. Plain text is escaped; only what `tag` made passes as it is."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import TypeAlias

Content: TypeAlias = "str | Iterable[Content] | None"
"""Texts, elements, lists of both at any depth, or nothing."""

VOID = frozenset({"br", "hr", "input", "meta"})
"""Elements that have no content and no end."""

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class Markup(str):
    """HTML that is safe as it stands."""

    __slots__ = ()


def tag(name: str, /, *content: Content, **attributes: str | float | bool | None) -> Markup:
    """One element.

    Args:
        name: of the element.
        content: texts (escaped), elements (kept), lists of both, or None (nothing).
        attributes: `class_` and `stroke_width` are written `class` and `stroke-width`; None and False are left out,
            True is an attribute without a value.
    """
    opening = f"<{name}{''.join(_attribute(key, value) for key, value in attributes.items())}>"
    return Markup(opening if name in VOID else f"{opening}{join(*content)}</{name}>")


def join(*content: Content) -> Markup:
    """Several contents one after the other, without an element around them."""
    return Markup("".join(_safe(part) for part in content))


def escape(text: str) -> Markup:
    """Text for HTML. Control characters, which no page may hold, become visible signs."""
    return Markup(html.escape(_UNPRINTABLE.sub(_visible, text), quote=True))


def verbatim(text: str) -> Markup:
    """The page's own style sheet or script, which must not be escaped.

    Raises:
        ValueError: it could close its element.
    """
    if "</" in text:
        raise ValueError("a style sheet or script must not contain `</`")
    return Markup(text)


def _safe(part: Content) -> str:
    if part is None:
        return ""
    if isinstance(part, Markup):
        return part
    return escape(part) if isinstance(part, str) else "".join(_safe(piece) for piece in part)


def _attribute(key: str, value: str | float | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    # Coordinates: a hundredth of a pixel is finer than any screen.
    text = f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return f' {name}="{escape(text)}"'


def _visible(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code == 0x0D:
        return ""  # the other half of a Windows line end
    return chr(0x2400 + code) if code < 0x20 else "\ufffd"
