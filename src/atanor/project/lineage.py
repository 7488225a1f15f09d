"""What a training begins from, where it does not begin afresh: a candidate of this project, or a folder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from atanor.errors import ConfigurationError, Problem
from atanor.methods import DESCRIPTION, CandidateDescription
from atanor.models import Base
from atanor.store import Store
from atanor.store.files import sha256_file
from atanor.train.adopting import Left
from atanor.train.continuing import Continuation


@dataclass(frozen=True)
class Beginning:
    """Where the numbers come from.

    Attributes:
        parent: a candidate's id, or the folder as it was written.
        folder: that holds them.
        sha: of its files: another content is another training.
    """

    parent: str
    folder: Path
    sha: str

    @property
    def in_words(self) -> str:
        """For the report."""
        return f"Training began from {self.parent}, not afresh."


@dataclass(frozen=True)
class Continued:
    """A finished training that goes on.

    Attributes:
        parent: id of its candidate.
        key: of its training.
        left: where it stopped.
        continuation: how it goes on.
        steps: that are added.
    """

    parent: str
    key: str
    left: Left
    continuation: Continuation
    steps: int

    @property
    def identity(self) -> list[object]:
        """What decides the result, beside the method's options."""
        return [self.key, self.continuation.after, self.continuation.peak]

    @property
    def in_words(self) -> str:
        """For the report."""
        return (
            f"Training of {self.parent} went on after step {self.continuation.after:,} for at most {self.steps:,} "
            f"steps: the same schedule once more, up to {self.continuation.peak:g} of its first peak."
        )


def find_beginning(written: str, store: Store, root: Path, base: Base) -> Beginning:
    """What `start_from` names.

    Args:
        written: a folder from the project's folder, or a release, role, run or candidate.
        store: of the project.
        root: the project's folder.
        base: the loaded base, which has to be the parent's.

    Raises:
        NotFoundError: no candidate is called so, and no folder.
        ConfigurationError: the candidate trained nothing, or on another base.
    """
    folder = root / written
    if folder.is_dir():
        _require_base(folder.parent / DESCRIPTION, written, base)
        return Beginning(written, folder, _sha(folder))
    candidate = store.candidate(written)
    home = store.folder / candidate.folder
    description = _require_base(home / DESCRIPTION, written, base)
    if description is None or description.adapter is None:
        raise _refused(written, "it trained nothing: the base answered with another prompt", "Name one that trained")
    folder = home / description.adapter
    return Beginning(candidate.id, folder, _sha(folder))


def _require_base(path: Path, written: str, base: Base) -> CandidateDescription | None:
    """The description beside a folder that Atanor wrote, once its base is the one in use."""
    if not path.is_file():
        return None
    description = CandidateDescription.model_validate_json(path.read_text(encoding="utf-8"))
    if description.base_sha != base.local.sha:
        reason = (
            f"it was made on a base with the hash {description.base_sha[:12]}, and this one has {base.local.sha[:12]}"
        )
        raise _refused(written, reason, "Name a candidate of this base")
    return description


def _sha(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return hashlib.sha256("".join(f"{path.name} {sha256_file(path)}\n" for path in files).encode()).hexdigest()


def _refused(written: str, reason: str, fix: str) -> ConfigurationError:
    return ConfigurationError(
        "training cannot begin from there", [Problem(reason, field="start_from", value=written, fix=fix)]
    )
