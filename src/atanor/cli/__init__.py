"""The command line: parse, call one function of a room below, render. No logic lives here.

In: words typed. Out: tables, progress, JSON with `--json`, an exit code: 0 done, 2 something is wrong and was said, 3
and 4 a candidate does not pass its gates or that cannot be told, 130 stopped by the person.
"""

from __future__ import annotations

import io
import sys


def main() -> None:
    """The `atanor` program."""
    from atanor.cli.app import app
    from atanor.errors import AtanorError

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a screen that has no `·` shows `?`, and the work goes on
    try:
        app()
    except AtanorError as error:
        from atanor.cli.failure import show_failure

        show_failure(error, as_json="--json" in sys.argv)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("stopped; the same command goes on from the last checkpoint.\n")
        sys.exit(130)
    except BrokenPipeError:
        # The reader (head, less) has what it wanted.
        sys.stderr.close()
        sys.exit(0)
