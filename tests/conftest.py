"""Fixtures shared by all tests: a tiny base on disk, and no hub, ever."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.endpoint import Reply, Server

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# Tiny models run fastest on one thread; processes that tests start inherit it, so that bits can be compared.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# What lands is decided on the same examples every time; at a desk every run looks at new ones.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture(scope="session")
def tiny_base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Transformers folder with a tiny random-weight chat model, for `base: path:…`."""
    from tests.tiny import save_tiny_base

    return save_tiny_base(tmp_path_factory.mktemp("tiny-base"))


@pytest.fixture(scope="session")
def tiny_bases(tiny_base_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The tiny chat model as `llama`, and two of an encoder and a decoder, `t5` and `bart`."""
    from tests.tiny import save_tiny_pair

    pairs = {family: save_tiny_pair(tmp_path_factory.mktemp(f"tiny-{family}"), family) for family in ("t5", "bart")}
    return {"llama": tiny_base_folder, **pairs}


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Reply], Server]]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    servers: list[Server] = []

    def start(reply: Reply) -> Server:
        servers.append(Server(reply))
        return servers[-1]

    yield start
    for server in servers:
        server.http.shutdown()
        server.http.server_close()
