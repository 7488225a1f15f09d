"""The trackers a project names, ready to be told."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from pathlib import Path

from atanor.errors import MissingExtraError, Problem
from atanor.options import Options
from atanor.tracking.options import MlflowOptions, TensorboardOptions
from atanor.tracking.records import Tracker

_NEEDS = {"tensorboard": "tensorboard", "mlflow": "mlflow.tracking"}


def open_trackers(chosen: Mapping[str, Options], root: Path, project: str, role: str) -> list[Tracker]:
    """Make the trackers; nothing is written and nobody is asked yet.

    Args:
        chosen: name and options of each.
        root: the project's folder.
        project: its name.
        role: whose run it is.

    Raises:
        MissingExtraError: a tracker's library is not installed.
    """
    return [_open(name, options, root, project, role) for name, options in chosen.items()]


def _open(name: str, options: Options, root: Path, project: str, role: str) -> Tracker:
    try:
        importlib.import_module(_NEEDS[name])
    except ModuleNotFoundError as error:
        fix = f"Run `pip install 'atanor[{name}]'`, or remove `{name}` from `track`"
        problem = Problem(f"the module {error.name} is not installed", field="track", value=name, fix=fix)
        raise MissingExtraError(f"`{name}` cannot be told what this run does", [problem]) from error
    if isinstance(options, TensorboardOptions):
        from atanor.tracking.tensorboard_files import TensorboardFiles

        return TensorboardFiles(root / options.directory)
    assert isinstance(options, MlflowOptions)
    from atanor.tracking.mlflow_client import MlflowRuns

    local = root / ".atanor"
    uri = options.uri or os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{(local / 'mlflow.db').absolute()}"
    experiment = options.experiment or project
    return MlflowRuns(uri, experiment, options.model or f"{project}-{role}", local / "mlflow-artefacts")
