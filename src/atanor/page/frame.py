"""The frame of a page: one file, no network, no style or script but its own, each named by its hash."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from atanor.page.markup import Content, Markup, tag, verbatim


def framed(title: str, body: Sequence[Content], *, generator: str, script: str | None = None) -> str:
    """One self-contained HTML file.

    Args:
        title: of the window.
        body: what stands in it.
        generator: what made the page.
        script: text of the page's own script, or None. Without it the page has none.
    """
    source = None if script is None else verbatim(script)
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(source)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="generator", content=generator),
        tag("title", title),
        tag("style", _look()),
    )
    content = tag("body", body, None if source is None else tag("script", source))
    return f"<!DOCTYPE html>\n{tag('html', head, content, lang='en')}\n"


def _policy(script: Markup | None) -> str:
    """No image, no font, no connection; of styles and scripts only the page's own."""
    scripts = "'none'" if script is None else f"'{_digest(script)}'"
    return (
        f"default-src 'none'; style-src '{_digest(_look())}'; script-src {scripts}; base-uri 'none'; form-action 'none'"
    )


@cache
def _look() -> Markup:
    return verbatim(files("atanor.page").joinpath("page.css").read_text(encoding="utf-8"))


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
