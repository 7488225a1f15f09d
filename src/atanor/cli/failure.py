"""How an error leaves the program: laid out for a person on stderr, or as JSON on stdout for a program."""

from __future__ import annotations

import dataclasses
import json
import sys

from atanor.errors import AtanorError


def show_failure(error: AtanorError, *, as_json: bool) -> None:
    """Print an error with every problem it carries."""
    if as_json:
        document = {
            "error": type(error).__name__,
            "summary": error.summary,
            "problems": [dataclasses.asdict(problem) for problem in error.problems],
        }
        sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
        return
    from rich.console import Console

    from atanor.cli.tables import problems_view

    Console(stderr=True, highlight=False).print(problems_view(error))
