"""Fixtures shared by all tests: a tiny base on disk, and no hub, ever."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

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
