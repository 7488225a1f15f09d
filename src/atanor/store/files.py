"""Files that are whole or not there: written beside, synced, then renamed into place.

A kill at any instant leaves the old file or the new one, never half of one. A full disk is a `StoreError` that names
the file and says what to do; the half-written temporary is removed.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from atanor.errors import Problem, StoreError


def storage_error(error: OSError, path: Path) -> StoreError:
    """The `StoreError` for an operating-system error while writing `path`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        fix = (
            f"Free space on the disk of {path.parent}{_free(path.parent)} and run the same command again; it goes on "
            "where it was"
        )
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        fix = f"Make {path.parent} writable, or run from a folder that is"
    else:
        fix = "Mend that and run the same command again; it goes on where it was"
    return StoreError(
        f"{path} could not be written",
        [Problem(reason=error.strerror or str(error), file=str(path), fix=fix)],
    )


def _free(folder: Path) -> str:
    """How much room is left there, where the system says so."""
    try:
        return f", where {shutil.disk_usage(folder).free / 1e6:,.1f} MB are free,"
    except OSError:
        return ""


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on leaving without error it is synced and becomes `path`.

    Raises:
        StoreError: the disk is full or the folder cannot be written; nothing is left behind.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise storage_error(error, path) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        sync(temporary)
        temporary.replace(path)
        sync(path.parent)
    except OSError as error:
        raise storage_error(error, path) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text so that `path` is whole or as it was."""
    with writing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
        temporary.chmod(0o644)


@contextmanager
def writing_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; on leaving without error it is synced and becomes `path`.

    A folder already at `path` is replaced.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    except OSError as error:
        raise storage_error(error, path) from error
    try:
        with _naming_write_failures():
            yield temporary
        for file in sorted(temporary.rglob("*")):
            sync(file)
        temporary.chmod(0o755)
        sync(temporary)
        if path.exists():
            remove_folder(path)
        temporary.replace(path)
        sync(path.parent)
    except OSError as error:
        raise storage_error(error, path) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def remove(path: Path) -> None:
    """Remove a file; it is no error if it is not there.

    Raises:
        StoreError: the folder cannot be written.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(error, path) from error


def remove_folder(path: Path) -> None:
    """Remove a folder with all that is in it. Killed in the middle, it is whole or gone, never half of one."""
    aside = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    path.replace(aside)
    shutil.rmtree(aside)


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files and folders that killed writers left behind in a folder.

    Only for a folder that this process holds: a living writer's look the same.
    """
    for left in folder.glob(".*.????????"):  # as `tempfile` names them
        if left.is_dir():
            shutil.rmtree(left)
        else:
            left.unlink()


@contextmanager
def _naming_write_failures() -> Iterator[None]:
    """safetensors and torch wrap the system's error while writing in errors of their own; this unwraps them."""
    try:
        yield
    except (SafetensorError, RuntimeError) as error:
        text = str(error)
        if "os error 28" in text or "No space left" in text:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        # torch's zip writer does not say why the system refused; a full disk is by far the usual reason.
        if any(sign in text for sign in ("PytorchStreamWriter failed writing", "unexpected pos", "iostream error")):
            raise OSError(errno.ENOSPC, f"{os.strerror(errno.ENOSPC)} (torch: {text.splitlines()[0]})") from error
        raise


def sync(path: Path) -> None:
    """Ask the operating system to put a file or folder on the disk now."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_file(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
