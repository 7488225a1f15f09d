"""Fixtures shared by all tests: a tiny base on disk, and no hub, ever."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# Tiny models run fastest on one thread; processes that tests start inherit it, so that bits can be compared.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def tiny_base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Transformers folder with a tiny random-weight chat model, for `base: path:…`."""
    from tests.tiny import save_tiny_base

    return save_tiny_base(tmp_path_factory.mktemp("tiny-base"))
