"""The script that measures quantisation measures it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks import quantisation


def test_it_measures_both_methods(tiny_base_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = ["--base", f"path:{tiny_base_folder}", "--steps", "1", "--rows", "2", "--length", "16"]
    monkeypatch.setattr(sys, "argv", ["quantisation", *small, "--out", str(tmp_path / "found.json")])
    quantisation.main()
    plain, quantised = json.loads((tmp_path / "found.json").read_text("utf-8"))["methods"].values()
    assert quantised["weights"] < plain["weights"]
    assert quantised["perplexity"] != plain["perplexity"]
    assert plain["route"] == quantised["route"] == "one forest with hand-written layers"
