"""Lines that web pages put around a text: cookies, newsletters, copyright, sharing. A short list, matched whole."""

from __future__ import annotations

import re
from itertools import takewhile

from atanor.data.cleaning.rule import Rule

_LINES = (
    r"(?:please )?(?:subscribe|sign up) (?:to|for) (?:our|the) (?:\w+ )?newsletter\b.{0,80}",
    r"(?:this|our) (?:web)?site uses cookies\b.{0,160}",
    r"we use cookies (?:to|and|on)\b.{0,160}",
    r"accept (?:all )?cookies",
    r"skip to (?:main )?content",
    r"(?:©|\(c\)|copyright(?: ©| \(c\))?) ?\d{4}\b.{0,100}(?:all rights reserved|todos los derechos reservados)\.?",
    r"all rights reserved\.?",
    r"(?:follow|find) us on (?:facebook|twitter|instagram|linkedin|youtube)\b.{0,80}",
    r"share (?:this (?:article|post|story|page)|on (?:facebook|twitter|linkedin))\b.{0,60}",
    r"click here to (?:subscribe|sign up)\b.{0,60}",
    r"suscr[íi]b(?:ete|ase) a (?:nuestr[oa]|la|el) (?:bolet[íi]n|newsletter)\b.{0,80}",
    r"(?:este|nuestro) sitio web (?:utiliza|usa) cookies\b.{0,160}",
    r"(?:utilizamos|usamos) cookies (?:para|propias|en)\b.{0,160}",
    r"aceptar (?:todas las )?cookies",
    r"(?:saltar|ir) al contenido(?: principal)?",
    r"todos los derechos reservados\.?",
    r"s[íi]guenos en (?:facebook|twitter|instagram|linkedin|youtube)\b.{0,80}",
)
_LINE = re.compile(rf"[ \t]*(?:{'|'.join(_LINES)})[ \t]*", re.IGNORECASE)
_TRACE = (
    r"(?i)newsletter|cookies|skip to|all rights reserved|us on |share (?:this|on)|click here to"
    r"|bolet[íi]n|al contenido|derechos reservados|s[íi]guenos"
)
_FEWEST_OTHER = 3
"""A text needs this many other lines: one that is little more than such lines is about them."""


def remove_web_lines(text: str) -> str:
    """`text` without the lines at its two ends that only a web page has; further inside they are its subject."""
    lines = text.split("\n")
    filled = [index for index, line in enumerate(lines) if line.strip()]
    found = {*takewhile(lambda index: _LINE.fullmatch(lines[index]), filled)}
    found |= {*takewhile(lambda index: _LINE.fullmatch(lines[index]), reversed(filled))}
    if not found or len(filled) - len(found) < _FEWEST_OTHER:
        return text
    return "\n".join(line for index, line in enumerate(lines) if index not in found)


def web_lines_rule() -> Rule:
    """The rule for what web pages leave behind."""
    return Rule("clean.web_lines", _TRACE, remove_web_lines)
