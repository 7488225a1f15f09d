"""Whitespace that says nothing goes; indentation, code, tables and verse keep theirs."""

from __future__ import annotations

import re

from atanor.data.cleaning.code_spans import on_prose
from atanor.data.cleaning.rule import Rule

_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n){3,}")
_RUN = re.compile(r"(?<=\S) {2,}(?=\S)")
_CODE_CHARACTER = re.compile(r"[{}\[\]\\$=<>|`;#~^@*_+%&/\t]")
_AROUND = " \t\n"
_LONG_RUN = 4
"""Inside a text of several lines, so many spaces are a layout: the caesura of a verse, a column."""

_TRACE = r"[ \t]\n|\A\s|\s\z|\S  |\n\n\n\n"


def tidy_whitespace(text: str) -> str:
    """`text` without needless whitespace; fenced code keeps every space."""
    return _trimmed(on_prose(text, _tidy, inline=False))


def _trimmed(text: str) -> str:
    """`text` without the blank lines and spaces around it; a block that is indented as a whole keeps its shape."""
    text = re.sub(r"\A(?:[ \t]*\n)+", "", text.rstrip(_AROUND))
    first, _, rest = text.partition("\n")
    return text if first[:1] in " \t" and re.search(r"^[ \t]+\S", rest, re.MULTILINE) else text.lstrip(_AROUND)


def _tidy(prose: str) -> str:
    lines = [_without_trailing(line) if line[-1:] in (" ", "\t") else line for line in prose.split("\n")]
    if any("  " in line for line in lines):
        lines = [_collapsed(lines, index) if "  " in line else line for index, line in enumerate(lines)]
    return _BLANK_LINES.sub("\n\n\n", "\n".join(lines))


def _without_trailing(line: str) -> str:
    """A table by tabs keeps its empty last cells; every other line loses what stands at its end."""
    bare = line.rstrip(" \t")
    return line.rstrip(" ") if "\t" in bare else bare


def _collapsed(lines: list[str], index: int) -> str:
    line = lines[index]
    if _CODE_CHARACTER.search(line):
        return line
    around = lines[max(0, index - 1) : index] + lines[index + 1 : index + 2]
    columns = {run.end() for other in around for run in _RUN.finditer(other)}
    parts: list[str] = []
    quotes = [0, 0]
    done = 0
    for run in _RUN.finditer(line):
        between = line[done : run.start()]
        quotes = [quotes[0] + between.count('"'), quotes[1] + between.count("'")]
        layout = len(lines) > 1 and (run.end() in columns or len(run[0]) >= _LONG_RUN)
        keep = layout or any(count % 2 for count in quotes)
        parts += [between, run[0] if keep else " "]
        done = run.end()
    return "".join([*parts, line[done:]])


def whitespace_rule() -> Rule:
    """The rule for spaces, tabs and blank lines."""
    return Rule("clean.whitespace", _TRACE, tidy_whitespace)
