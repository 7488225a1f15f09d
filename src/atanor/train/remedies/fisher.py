"""The diagonal of the Fisher information of what trains, estimated on general rows.

For a row with supervised places t it is the expectation, over tokens y_t drawn from the model's own distribution, of
the squared gradient of sum_t log p(y_t | tokens before t). The score of a drawn token has mean zero given what stands
before it, so the places' cross terms vanish and one draw a place is unbiased. With the row's own tokens it would be
the "empirical Fisher", which is another matrix (Kunstner et al. 2019, arXiv:1905.12558). It is divided by the number of
places: information a token, the unit of the loss.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from atanor.compute import Engine, Matching, Teacher
from atanor.data.rows import TokenRow
from atanor.models import Tuned
from atanor.progress import Progress
from atanor.store.files import writing

_SUM = "sha256"
"""Key of the file's metadata: hash of the numbers in it, so that a damaged file is not used."""


class Fisher:
    """Estimates the diagonal once; the estimate is kept in a file named by everything that decides it.

    Args:
        tuned: what trains, as it begins.
        rows: general rows.
        seed: of the drawn tokens.
        cache: folder of the file.
    """

    def __init__(self, tuned: Tuned, rows: Sequence[TokenRow], seed: int, cache: Path) -> None:
        self.tuned = tuned
        self.rows = rows
        self.seed = seed
        self.cache = cache

    def diagonal(self, engine: Engine, progress: Progress) -> Mapping[str, Tensor]:
        """One number for every number that trains, by the names of the parameters; gradients are left as they were."""
        file = self.cache / f"fisher-{self._key()[:16]}.safetensors"
        trained = {name: one for name, one in self.tuned.model.named_parameters() if one.requires_grad}
        found = _read(file)
        if found is None:
            found = self._estimate(engine, trained, progress)
            with writing(file) as temporary:
                save_file(found, temporary, metadata={_SUM: _digest(found)})
        return {name: found[name].to(one.device) for name, one in trained.items()}

    def _estimate(self, engine: Engine, trained: Mapping[str, nn.Parameter], progress: Progress) -> dict[str, Tensor]:
        kept = {name: one.grad for name, one in trained.items()}
        total = {name: torch.zeros_like(one) for name, one in trained.items()}
        generator = torch.Generator().manual_seed(self.seed)
        teacher = Teacher(engine)
        places = 0
        with progress.start("importance of the weights", len(self.rows), "row") as bar:
            for row in self.rows:
                for one in trained.values():
                    one.grad = None
                even = replace(row, weights=tuple(float(weight > 0) for weight in row.weights))
                drawn = teacher([even]).draw(1, generator)
                engine.backward_targets([even], drawn, Matching())
                for name, one in trained.items():
                    if one.grad is not None:
                        # The gradient is that of the mean over the row's places.
                        total[name] += (len(drawn) * one.grad).square()
                places += len(drawn)
                bar.advance()
        for name, one in trained.items():
            one.grad = kept[name]
        return {name: (one / max(1, places)).cpu().contiguous() for name, one in total.items()}

    def _key(self) -> str:
        """Hash of the network's weights, of what trains of it, and of the rows."""
        told = hashlib.sha256(json.dumps([self.seed, [[row.tokens, row.weights] for row in self.rows]]).encode())
        for name, one in self.tuned.model.named_parameters():
            told.update(f"{name} {one.requires_grad} {one.dtype}".encode())
            told.update(_bytes(one))
        return told.hexdigest()


def _read(file: Path) -> dict[str, Tensor] | None:
    """The numbers of a file that is there and whole."""
    try:
        with safe_open(file, framework="pt") as opened:
            numbers = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118  # no mapping
            expected = (opened.metadata() or {}).get(_SUM)
    except (OSError, SafetensorError):
        return None
    return numbers if expected == _digest(numbers) else None


def _digest(numbers: Mapping[str, Tensor]) -> str:
    told = hashlib.sha256()
    for name in sorted(numbers):
        told.update(name.encode())
        told.update(_bytes(numbers[name]))
    return told.hexdigest()


def _bytes(one: Tensor) -> bytes:
    return one.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes()
