"""`track:` in a project: what TensorBoard and a real MLflow server show of a run, killed and resumed among others."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow.tracking import MlflowClient
from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator

import atanor
from atanor.errors import ConfigurationError
from atanor.project import Unwatched
from atanor.project.tracking import MISSED
from tests.journeys.projects import write_project

SECRET = "sk-ant-api03-" + "Ab3dE5gH7j" * 8


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real MLflow server with its own database."""
    folder = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    uri = f"http://127.0.0.1:{port}"
    words = [
        "--backend-store-uri",
        f"sqlite:///{folder / 'mlflow.db'}",
        "--artifacts-destination",
        str(folder / "files"),
    ]
    command = [sys.executable, "-m", "mlflow", "server", *words, "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([*command, "--workers", "1"], stdout=log, stderr=log, start_new_session=True)
    os.environ["NO_PROXY"] = "127.0.0.1"
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{uri}/health", timeout=5).close()
                break
            except OSError:
                assert process.poll() is None, (folder / "log").read_text()
                time.sleep(0.2)
        yield uri
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def tracked_project(folder: Path, base: Path, track: str) -> Path:
    path = write_project(folder, base)
    text = path.read_text(encoding="utf-8").replace("roles:\n", f"track: {track}\nroles:\n", 1)
    path.write_text(text.replace("Answer with a word.", f"Answer with a word, {SECRET}."), encoding="utf-8")
    return path


def scalars(folder: Path) -> dict[str, list[int]]:
    read = EventAccumulator(str(folder), size_guidance={SCALARS: 0})
    read.Reload()
    return {tag: [event.step for event in read.Scalars(tag)] for tag in read.Tags()["scalars"]}


def killed_once(folder: Path) -> None:
    """Run the project in a process that is killed when it has a checkpoint."""
    process = subprocess.Popen(
        [sys.executable, "-m", "atanor", "run"], cwd=folder, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    while process.poll() is None:
        if list(folder.glob(".atanor/training/*/checkpoint-*")):
            os.kill(process.pid, signal.SIGKILL)
            break
        time.sleep(0.005)
    assert process.wait() == -signal.SIGKILL


@pytest.mark.slow
def test_a_run_killed_and_resumed_is_one_run_with_every_step_once(
    server: str, tmp_path: Path, tiny_base_folder: Path
) -> None:
    tracked_project(tmp_path, tiny_base_folder, f"[tensorboard, mlflow: {{uri: '{server}', experiment: crashes}}]")
    killed_once(tmp_path)
    client = MlflowClient(server)
    (report,) = atanor.Project.load(tmp_path).run().reports
    assert report.training is not None
    experiment = client.get_experiment_by_name("crashes")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id])
    steps = list(range(1, report.training.steps + 1))
    losses = client.get_metric_history(run.info.run_id, "train/loss")
    assert [metric.step for metric in losses] == steps
    assert [metric.value for metric in losses] == [loss for _, loss in report.training.train_loss]
    validated = client.get_metric_history(run.info.run_id, "validation/loss")
    assert [(metric.step, metric.value) for metric in validated] == report.training.validation_loss
    assert {"train/learning_rate", "train/gradient_norm", "train/tokens_per_second"} <= run.data.metrics.keys()
    told_of_mlflow(client, run, report, tmp_path)
    told = scalars(tmp_path / ".atanor" / "tensorboard" / "counter" / "lora" / report.run)
    assert told["train/loss"] == steps
    assert told["validation/loss"] == [step for step, _ in report.training.validation_loss]
    assert told["verdict/exact_match/change_low"] == [report.training.steps]
    kept = [json.loads(line) for line in (tmp_path / ".atanor/runs" / report.run / "history.jsonl").open()]
    assert [line["step"] for line in kept if "train/loss" in line] == steps
    assert SECRET in (tmp_path / ".atanor/runs" / report.run / "project.yaml").read_text(), (
        "the run's own copy is whole"
    )
    for file in (tmp_path / ".atanor" / "tensorboard").rglob("events*"):
        assert SECRET.encode() not in file.read_bytes()


def told_of_mlflow(client: MlflowClient, run: Any, report: Any, scratch: Path) -> None:
    """Parameters, verdict, files and the registered model."""
    assert run.info.status == "FINISHED"
    assert run.data.params["lora.rank"] == "4" and run.data.params["lora.optimizer"] == "adamw"
    assert run.data.params["dataset_sha"] == report.data.dataset_sha
    assert run.data.params["base_sha"] == report.base_sha
    found = report.comparisons[0]
    assert run.data.metrics[f"verdict/{found.metric}/change"] == pytest.approx(found.change)
    assert run.data.metrics[f"verdict/{found.metric}/change_high"] == pytest.approx(found.high)
    assert run.data.tags["atanor.verdict"] == report.verdict and run.data.tags["atanor.run"] == report.run
    files = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert files == {"report.html", "report.json", "project.yaml", "candidate.json", "adapter"}
    assert SECRET not in json.dumps(run.data.to_dictionary())
    for name in ("report.html", "report.json", "project.yaml", "candidate.json"):
        text = Path(client.download_artifacts(run.info.run_id, name, str(scratch))).read_text(encoding="utf-8")
        assert SECRET not in text, name
    (version,) = client.search_model_versions("name = 'counting-counter'")
    assert (str(version.version), version.run_id) == ("1", run.info.run_id)
    assert version.tags["atanor.candidate"] == report.candidate and version.source.endswith("/adapter")


@pytest.mark.slow
def test_a_server_that_is_away_ends_no_run_and_is_told_by_the_next(
    server: str, tmp_path: Path, tiny_base_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", nobody)
    tracked_project(tmp_path, tiny_base_folder, "[mlflow: {experiment: away}]")
    said: list[str] = []

    class Listener(Unwatched):
        def say(self, message: str) -> None:
            said.append(message)

    (report,) = atanor.Project.load(tmp_path).run(watcher=Listener()).reports
    assert any("mlflow is away" in one for one in said) and any("was not told" in one for one in said)
    folder = tmp_path / ".atanor" / "runs" / report.run
    assert (folder / MISSED).is_file()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    atanor.Project.load(tmp_path).run()
    assert not (folder / MISSED).exists()
    client = MlflowClient(server)
    experiment = client.get_experiment_by_name("away")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED"
    assert report.training is not None
    losses = client.get_metric_history(run.info.run_id, "train/loss")
    assert [metric.value for metric in losses] == [loss for _, loss in report.training.train_loss]


@pytest.mark.parametrize(
    ("track", "said"),
    [
        ("mlfow", "`mlfow` is no tracker"),
        ("[mlflow, mlflow]", "a tracker stands there twice"),
        ("[mlflow: {uri: 'https://ada:hunter2hunter@models.example'}]", "MLFLOW_TRACKING_PASSWORD"),
        ("[tensorboard: {directry: x}]", "directory"),
    ],
)
def test_what_cannot_be_tracked_is_refused(tmp_path: Path, tiny_base_folder: Path, track: str, said: str) -> None:
    tracked_project(tmp_path, tiny_base_folder, track)
    with pytest.raises(ConfigurationError) as refused:
        atanor.Project.load(tmp_path)
    assert said in str(refused.value)
    shutil.rmtree(tmp_path)
