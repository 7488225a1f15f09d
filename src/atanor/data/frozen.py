"""The file a split is frozen in: small, readable, without any row's text, and checked by its own hash when read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from atanor.data.identity import assignment_sha
from atanor.data.options import SplitOptions
from atanor.errors import DataError, Problem, StoreError
from atanor.store.files import write_text

VERSION = 1


@dataclass(frozen=True)
class Frozen:
    """A split as it was made.

    Attributes:
        options: what it was made with.
        seed: what ordered its groups.
        assignments: example id to side.
        groups: group key to side, so that an edited or new row stays where its group is.
    """

    options: SplitOptions
    seed: int
    assignments: Mapping[str, str]
    groups: Mapping[str, str]


class _File(BaseModel):
    """The JSON in the file."""

    model_config = ConfigDict(extra="forbid")

    version: int
    options: SplitOptions
    seed: int
    sha: str
    assignments: dict[str, str]
    groups: dict[str, str]


def write_frozen(path: Path, frozen: Frozen) -> None:
    """Write the file, whole or not at all.

    Raises:
        StoreError: the disk is full or the folder cannot be written.
    """
    content = _File(
        version=VERSION,
        options=frozen.options,
        seed=frozen.seed,
        sha=assignment_sha(frozen.assignments),
        assignments=dict(sorted(frozen.assignments.items())),
        groups=dict(sorted(frozen.groups.items())),
    )
    write_text(path, content.model_dump_json(indent=1) + "\n")


def read_frozen(path: Path) -> Frozen:
    """Read the file and check it against its own hash.

    Raises:
        StoreError: it cannot be read, is damaged, or is of another version.
    """
    try:
        content = _File.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _damaged(path, f"it cannot be read: {error.strerror}") from error
    except (ValidationError, UnicodeDecodeError) as error:
        raise _damaged(path, "its content is not that of a frozen split") from error
    if content.version != VERSION:
        raise _damaged(path, f"it is of version {content.version}, and this Atanor reads version {VERSION}")
    if content.sha != assignment_sha(content.assignments):
        raise _damaged(path, "its content does not match its hash: it was edited or damaged")
    return Frozen(content.options, content.seed, content.assignments, content.groups)


def require_same(frozen: Frozen, options: SplitOptions, seed: int, path: Path) -> None:
    """Refuse to go on with a split that was made otherwise than the project now says.

    Raises:
        DataError: one problem for each option that differs.
    """
    now = {**options.model_dump(), "seed": seed}
    then = {**frozen.options.model_dump(), "seed": frozen.seed}
    fix = f"Write the old value again, or delete {path} to make a new split; verdicts on the old test rows then no "
    problems = [
        Problem(
            f"the split is frozen with {then[name]!r}",
            file=str(path),
            field="seed" if name == "seed" else f"split.{name}",
            value=repr(now[name]),
            fix=f"{fix}longer compare with new ones",
        )
        for name in now
        if now[name] != then[name]
    ]
    if problems:
        raise DataError("the split is frozen and was made with other options", problems)


def _damaged(path: Path, reason: str) -> StoreError:
    fix = f"Restore {path} from a copy, or delete it to make a new split; old verdicts then no longer compare"
    return StoreError("the frozen split cannot be used", [Problem(reason, file=str(path), fix=fix)])
