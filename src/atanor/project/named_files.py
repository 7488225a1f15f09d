"""The files beside a project file that decide a result: another content is another run."""

from __future__ import annotations

from pathlib import Path

from atanor.project.options import MethodChoice, RoleOptions
from atanor.store.files import sha256_file
from atanor.train import TrainOptions


def metric_files(root: Path, role: RoleOptions) -> dict[str, str]:
    """Hashes of the files metrics and probes are made from: another schema is another run."""
    named = [spec.argument.partition(":")[0] for spec in role.metrics_in_force if spec.argument]
    named += [path for choice in role.probes if (path := getattr(choice.options, "path", None))]
    return {name: sha256_file(root / name) for name in named if (root / name).is_file()}


def general_files(root: Path, choice: MethodChoice) -> dict[str, str]:
    """Hashes of the files that general rows are read from: other rows are another training."""
    options = choice.options
    if not isinstance(options, TrainOptions):
        return {}
    remedies = options.against_forgetting
    named = [one.path for one in (remedies.replay, remedies.self_written) if one is not None and one.path]
    return {name: sha256_file(root / name) for name in named if (root / name).is_file()}
