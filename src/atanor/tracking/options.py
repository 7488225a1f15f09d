"""The options of each tracker, as they are written under `track:` in a project file."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import Field, field_validator

from atanor.options import Options


class TensorboardOptions(Options):
    """`tensorboard`: event files that `tensorboard --logdir` shows while training goes on."""

    directory: str = Field(
        ".atanor/tensorboard",
        min_length=1,
        description="Folder of the event files, from the project's folder; each run has `ROLE/METHOD/RUN` in it.",
    )


class MlflowOptions(Options):
    """`mlflow`: a run in MLflow with parameters, metrics by step, files and a registered model."""

    uri: str | None = Field(
        None,
        min_length=1,
        description="Where MLflow is, as `http://host:5000` or `sqlite:///runs.db`. Default: the environment's "
        "MLFLOW_TRACKING_URI, else a database in `.atanor/mlflow.db`.",
    )
    experiment: str | None = Field(
        None, min_length=1, description="Experiment the runs belong to. Default: the project's name."
    )
    model: str | None = Field(
        None, min_length=1, description="Name that what was trained is registered under. Default: `PROJECT-ROLE`."
    )

    @field_validator("uri")
    @classmethod
    def _no_password(cls, value: str | None) -> str | None:
        if value is not None and urlsplit(value).password is not None and value.startswith("http"):
            raise ValueError(
                "a password does not belong into a project file; set MLFLOW_TRACKING_USERNAME and "
                "MLFLOW_TRACKING_PASSWORD in the environment"
            )
        return value


TRACKERS: dict[str, type[Options]] = {"tensorboard": TensorboardOptions, "mlflow": MlflowOptions}
"""Every tracker a project file may name, with the options it takes."""
