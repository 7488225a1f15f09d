"""Translation by Apertium, the rule-based engine that Debian packages: local, small, the same every time.

Forcada et al. 2011, Apertium: a free/open-source platform for rule-based machine translation. One process translates
many texts: `-f line` makes every line a sentence of its own, so lines never flow into each other and none is lost.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from atanor.errors import DataError, MissingExtraError, Problem

_BATCH = 5_000
"""Lines one process is given, so that the time limit of a process means something."""


@dataclass(frozen=True)
class Apertium:
    """A `Translator` by the `apertium` command.

    Attributes:
        pair: direction of the way there, as `eng-spa`.
        timeout_s: seconds one process may take, for at most 5,000 lines.
        command: name or path of the program.
    """

    pair: str
    timeout_s: float = 300.0
    command: str = "apertium"
    copies_names: bool = False
    samples: bool = False

    def __post_init__(self) -> None:
        """Look for the program and both directions.

        Raises:
            MissingExtraError: the program or the pair is not installed.
        """
        if shutil.which(self.command) is None:
            raise _absent(f"the program {self.command} is not installed", self.pair)
        installed = self._run(["-l"], "").split()
        for direction in (self.pair, _turned(self.pair)):
            if direction not in installed:
                raise _absent(f"Apertium has no direction {direction}", self.pair)

    def there(self, texts: Sequence[str]) -> list[str | None]:
        """See `Translator.there`."""
        return self._translate(texts, self.pair)

    def back(self, texts: Sequence[str]) -> list[str | None]:
        """See `Translator.back`."""
        return self._translate(texts, _turned(self.pair))

    def _translate(self, texts: Sequence[str], direction: str) -> list[str | None]:
        """Texts of several lines go line by line; lines without a letter are not sent."""
        split = [text.split("\n") for text in texts]
        lines = [line for parts in split for line in parts if _has_letters(line)]
        done: list[str] = []
        for start in range(0, len(lines), _BATCH):
            done += self._batch(lines[start : start + _BATCH], direction)
        translated = iter(done)
        return ["\n".join(next(translated) if _has_letters(line) else line for line in parts) for parts in split]

    def _batch(self, lines: Sequence[str], direction: str) -> list[str]:
        # Any other character that ends a line for the formatter would shift every translation after it.
        sent = "".join(" ".join(line.split()) + "\n" for line in lines)
        answer = self._run(["-u", "-f", "line", direction], sent).removesuffix("\n").split("\n")
        if len(answer) != len(lines):
            raise DataError(
                "Apertium answered with another number of lines than it was given",
                [Problem(f"{len(lines)} lines went in, {len(answer)} came out", field="augment.pair", value=direction)],
            )
        return [" ".join(line.split()) for line in answer]

    def _run(self, arguments: Sequence[str], text: str) -> str:
        try:
            done = subprocess.run(
                [self.command, *arguments],
                input=text.encode(),
                capture_output=True,
                timeout=self.timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            fix = "Raise `timeout_s`, or look whether `apertium` hangs on these texts"
            raise DataError(
                "Apertium took too long",
                [Problem(f"no answer in {self.timeout_s:g} s", field="augment.timeout_s", fix=fix)],
            ) from error
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise DataError(
                "Apertium failed",
                [Problem(said[0] if said else f"exit code {done.returncode}", field="augment.pair", value=self.pair)],
            )
        return done.stdout.decode("utf-8", "replace")


def _turned(pair: str) -> str:
    first, _, second = pair.partition("-")
    return f"{second}-{first}"


def _has_letters(line: str) -> bool:
    return any(character.isalpha() for character in line)


def _absent(reason: str, pair: str) -> MissingExtraError:
    fix = f"Run `apt install apertium apertium-{pair}` (packages are named in one order: apertium-eng-spa serves both)"
    return MissingExtraError(
        "back translation needs an engine", [Problem(reason, field="augment.pair", value=pair, fix=fix)]
    )
