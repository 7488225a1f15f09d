"""MLflow: a run with parameters, metrics by step, files and a registered model, through MLflow's own client."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from mlflow.entities import Experiment, Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from atanor.tracking.records import Conclusion, End, Point, RunFacts, Unreachable

KEY = "atanor.key"
"""The tag a run is found again by when it goes on."""
LONGEST_VALUE, PARAMETERS_AT_ONCE = 6000, 100
"""What MLflow takes of a parameter's value, and of parameters a message."""
_FOREIGN = re.compile(r"[^\w\-. :/]")


class MlflowRuns:
    """A `Tracker` that writes to an MLflow server or database.

    Args:
        uri: where it is.
        experiment: made if it is not there.
        model: name that networks are registered under.
        artefacts: folder for the files of a database that has no server before it.
    """

    name = "mlflow"

    def __init__(self, uri: str, experiment: str, model: str, artefacts: Path) -> None:
        # Their client would try for minutes before it says that a server is away; the courier tries again by itself.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
        os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # stdout is for results
        logging.getLogger("mlflow").setLevel(logging.ERROR)
        self._uri, self._experiment, self._model, self._artefacts = uri, experiment, model, artefacts
        self._opened: MlflowClient | None = None
        self._run: Run | None = None
        self._known: dict[str, int] = {}

    def begin(self, facts: RunFacts) -> Mapping[str, int]:
        """See `Tracker.begin`."""
        with _reaching():
            self._opened = self._opened or MlflowClient(self._uri)
            client = self._client
            experiment = self._find_experiment()
            found = client.search_runs([experiment.experiment_id], f"tags.`{KEY}` = '{facts.key}'", max_results=1)
            if found:
                self._run = found[0]
                client.update_run(self._id, status="RUNNING")
                self._known = {name: self._last_step(name) for name in self._open.data.metrics}
                return self._known
            tags = {**facts.tags, "atanor.role": facts.role, "atanor.method": facts.method, "atanor.run": facts.run}
            name = f"{facts.role} {facts.method} {facts.run}"
            self._run = client.create_run(experiment.experiment_id, tags=tags, run_name=name)
            parameters = [Param(_plain(key), value[:LONGEST_VALUE]) for key, value in sorted(facts.parameters.items())]
            for start in range(0, len(parameters), PARAMETERS_AT_ONCE):
                client.log_batch(self._id, params=parameters[start : start + PARAMETERS_AT_ONCE])
            # Last: a run that was killed before it has all its parameters is begun anew.
            client.set_tag(self._id, KEY, facts.key)
            return {}

    def add(self, points: Sequence[Point]) -> None:
        """See `Tracker.add`."""
        metrics = [
            Metric(_plain(name), value, int(point.at * 1000), point.step)
            for point in points
            for name, value in point.values.items()
        ]
        with _reaching():
            self._client.log_batch(self._id, metrics=metrics)

    def conclude(self, conclusion: Conclusion) -> None:
        """See `Tracker.conclude`."""
        with _reaching():
            client = self._client
            now = int(1000 * max((path.stat().st_mtime for path in conclusion.files), default=0.0))
            metrics = [
                Metric(_plain(name), value, now, conclusion.step)
                for name, value in conclusion.metrics.items()
                if _plain(name) not in self._known
            ]
            tags = [RunTag(key, value) for key, value in conclusion.tags.items()]
            client.log_batch(self._id, metrics=metrics, tags=[*tags, RunTag("mlflow.note.content", conclusion.text)])
            for file in conclusion.files:
                client.log_artifact(self._id, str(file))
            if conclusion.network is not None:
                client.log_artifacts(self._id, str(conclusion.network), conclusion.network.name)
                self._register(conclusion, conclusion.network.name)
            client.set_terminated(self._id, "FINISHED")

    def leave(self, end: End) -> None:
        """See `Tracker.leave`."""
        with _reaching():
            self._client.set_terminated(self._id, "KILLED" if end is End.INTERRUPTED else "FAILED")

    def _register(self, conclusion: Conclusion, folder: str) -> None:
        """A version of the model for this run; the one it has already, where it was told before."""
        client = self._client
        if not client.search_registered_models(f"name = '{self._model}'"):
            client.create_registered_model(self._model)
        versions = client.search_model_versions(f"name = '{self._model}' and run_id = '{self._id}'")
        source = f"{self._open.info.artifact_uri}/{folder}"
        version = (
            versions[0]
            if versions
            else client.create_model_version(
                self._model, source, self._id, tags=dict(conclusion.tags), await_creation_for=0
            )
        )
        if conclusion.alias is not None:
            client.set_registered_model_alias(self._model, conclusion.alias, version.version)

    def _find_experiment(self) -> Experiment:
        found = self._client.get_experiment_by_name(self._experiment)
        if found is not None:
            return found
        # A server keeps files where it was told; a database alone would put them where one happens to work.
        place = None if self._uri.startswith("http") else self._artefacts.absolute().as_uri()
        return self._client.get_experiment(self._client.create_experiment(self._experiment, place))

    def _last_step(self, name: str) -> int:
        return max(int(metric.step) for metric in self._client.get_metric_history(self._id, name))

    @property
    def _client(self) -> MlflowClient:
        assert self._opened is not None, "`begin` comes first"
        return self._opened

    @property
    def _open(self) -> Run:
        assert self._run is not None, "`begin` comes first"
        return self._run

    @property
    def _id(self) -> str:
        return str(self._open.info.run_id)


@contextmanager
def _reaching() -> Iterator[None]:
    try:
        yield
    except (MlflowException, OSError) as error:
        raise Unreachable(str(error).splitlines()[0][:200]) from error


def _plain(name: str) -> str:
    """A name MLflow takes: letters, digits and a few signs, at most 250 of them."""
    return _FOREIGN.sub("_", name)[:250]
