"""What every command does with the screen: results go to stdout, laid out or as JSON."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from rich.console import Console, RenderableType


def show_view(*views: RenderableType) -> None:
    """Print for a person."""
    console = Console(highlight=False)
    for view in views:
        console.print(view)


def show_json(document: Any) -> None:
    """Print one document for a program."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2, default=str) + "\n")


def quiet_libraries() -> None:
    """Libraries' own progress bars and advice would stand between the stages; ours says what matters."""
    import warnings

    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"transformers\..*")
