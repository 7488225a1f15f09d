"""One million rows through the workshop: rows a second, memory, growth, a peer in the same run, and an interruption.

    python -m benchmarks.million_rows --folder /scratch            # an hour on two cores; needs 8 GB of disk
    python -m benchmarks.million_rows --folder /scratch --sizes 20000 40000 --peer-rows 20000

The rows are generated from real ones (`benchmarks.recombining`). Every build is a process of its own, and the fastest
of three counts. Builds with exact checks read, clean, check, deduplicate and split; builds with MinHash look for
near-duplicates besides. The peer, `datasets.map` and `datasketch` written plainly, does the smallest size with exact
checks and a part of it by MinHash. Last, a build is killed in the middle and run again. Writes
results/million_rows.json after every step.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from atanor.data.workshop.build import WORK
from atanor.data.workshop.options import Copies
from benchmarks.goals import Judged, judged_lines
from benchmarks.machine import machine
from benchmarks.process_tree import run
from benchmarks.recombining import EXACT, NEAR, write_rows

DATA = Path(os.environ.get("ATANOR_DATA", "../shared/data")).resolve()
RESULTS = Path(__file__).parent / "results" / "million_rows.json"
ROOT = Path(__file__).parents[1]
PEER = Path(__file__).parent / "peers" / "datasets_map.py"
PEER_PYTHON = os.environ.get("PEER_DATA_PYTHON", str(ROOT / ".venv-peer-data" / "bin" / "python"))

SIZES = (125_000, 250_000, 500_000, 1_000_000)
RATES = {Copies.OFF: 15_000, Copies.KEEP_TOGETHER: 3_000}
"""Rows a second that are asked for, with exact checks and with MinHash."""
TITLES = {Copies.OFF: "exact checks", Copies.KEEP_TOGETHER: "MinHash"}
MEMORY = 4 << 30
GROWTH = 1.1
"""Largest exponent by which time may grow with rows."""
KILLED_AT = 0.4
"""Share of blocks that are finished when the build is killed."""


def measure(path: Path, folder: Path, copies: Copies, times: int) -> dict[str, Any]:
    """Build `times` times from nothing; the fastest counts, because what else a machine does only ever slows it."""
    builds = []
    for _ in range(times):
        shutil.rmtree(folder, ignore_errors=True)
        builds.append(run(_command(path, folder, copies)))
        shutil.rmtree(folder)
    told = json.loads(builds[0].output.splitlines()[-1])
    fastest = min(ran.seconds for ran in builds)
    return {
        **told,
        "seconds": round(fastest, 2),
        "all_seconds": [round(ran.seconds, 2) for ran in builds],
        "rows_per_second": round(told["rows"] / fastest),
        "peak_memory_bytes": max(ran.peak_memory_bytes for ran in builds),
    }


def measure_peer(path: Path, folder: Path, rows: int, minhash: int) -> dict[str, Any]:
    """The same work by the peer, with one file of `rows` rows."""
    shutil.rmtree(folder, ignore_errors=True)
    ran = run(
        [PEER_PYTHON, str(PEER), str(path), "--minhash", str(minhash), "--cache", str(folder)],
        environment={"HF_HUB_OFFLINE": "1"},
    )
    shutil.rmtree(folder)
    told = json.loads(ran.output.splitlines()[-1])
    exact, near = sum(told["seconds"].values()), told["minhash"]
    return {
        **told,
        "rows": rows,
        "rows_per_second": round(rows / exact),
        "peak_memory_bytes": ran.peak_memory_bytes,
        # Every row goes through the exact checks before it is looked up.
        "minhash_rows_per_second": round(1 / (exact / rows + near["seconds"] / near["rows"])) if near["rows"] else None,
    }


def interrupt(path: Path, folder: Path) -> dict[str, Any]:
    """Kill a build when some of its blocks are finished, run it again, and compare with one that ran through."""
    shutil.rmtree(folder, ignore_errors=True)
    whole = json.loads(run(_command(path, folder / "whole", Copies.OFF)).output.splitlines()[-1])
    wanted = max(1, math.floor(KILLED_AT * whole["kilobytes"] / 8192))
    broken = folder / "broken"
    killed = run(_command(path, broken, Copies.OFF), until=lambda: len(_finished(broken)) >= wanted).killed
    finished = _finished(broken)
    again = json.loads(run(_command(path, broken, Copies.OFF)).output.splitlines()[-1])
    shutil.rmtree(folder)
    return {
        "rows": whole["rows"],
        "killed": killed,
        "blocks_finished": len(finished),
        "kilobytes": again["kilobytes"],
        "kilobytes_not_read_again": again["kilobytes_done_before"],
        "identical": again["digest"] == whole["digest"] and again["name"] == whole["name"],
    }


def growth(points: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """How time grows with rows: the exponent of the best power law, and the last rate as a share of the first."""
    rows = [math.log(point["rows"]) for point in points]
    times = [math.log(point["seconds"]) for point in points]
    mean_rows, mean_times = sum(rows) / len(rows), sum(times) / len(times)
    spread = sum((row - mean_rows) ** 2 for row in rows)
    slope = sum((row - mean_rows) * (took - mean_times) for row, took in zip(rows, times, strict=True))
    return {
        "exponent": round(slope / spread, 3) if spread else 1.0,
        "last_rate_to_first": round(points[-1]["rows_per_second"] / points[0]["rows_per_second"], 3),
    }


def judge(document: Mapping[str, Any]) -> list[Judged]:
    """Whether the goals are met, by the largest size."""
    found = []
    for copies, goal in RATES.items():
        points = document["builds"][TITLES[copies]]
        if not points:
            continue
        last, about = points[-1], f"{TITLES[copies]}, {points[-1]['rows']:,} rows"
        rate, memory = last["rows_per_second"], last["peak_memory_bytes"]
        exponent = growth(points)["exponent"]
        found += [
            Judged(f"{about}: rows a second", f"at least {goal:,}", f"{rate:,}", rate >= goal),
            Judged(f"{about}: peak memory", f"under {MEMORY / 2**30:g} GiB", f"{memory / 2**30:.2f}", memory < MEMORY),
            Judged(f"{about}: time grows with rows to the", f"at most {GROWTH}", f"{exponent}", exponent <= GROWTH),
        ]
    if (broken := document.get("interruption")) is not None:
        kept = broken["killed"] and broken["kilobytes_not_read_again"] > 0
        measured = f"{broken['kilobytes_not_read_again']} of {broken['kilobytes']} kB"
        found.append(Judged("killed in the middle: not read again", "what was finished", measured, kept))
        told = "equal" if broken["identical"] else "different"
        found.append(Judged("killed in the middle: the dataset", "equal", told, broken["identical"]))
    return found


def _command(path: Path, folder: Path, copies: Copies) -> list[str]:
    return [sys.executable, "-m", "benchmarks.one_build", str(path), str(folder), str(copies)]


def _finished(folder: Path) -> list[Path]:
    """Folders of blocks that are whole; one appears only when all of it is written."""
    return sorted(folder.glob(f"{WORK}/*/*/report.json"))


def _write_prefix(whole: Path, count: int, path: Path) -> None:
    with whole.open("rb") as source, path.open("wb") as target:
        target.writelines(itertools.islice(source, count))


def _run_all(options: argparse.Namespace) -> dict[str, Any]:
    folder: Path = options.folder
    sizes = sorted(options.sizes)
    files = {size: folder / f"rows-{size}.jsonl" for size in sizes}
    made = write_rows(DATA, sizes[-1], files[sizes[-1]])
    for size in sizes[:-1]:
        _write_prefix(files[sizes[-1]], size, files[size])
    document: dict[str, Any] = {
        "what": "rows generated from real ones; each build in a process of its own",
        "machine": {**machine(), "cores": os.cpu_count()},
        "bytes": {str(size): path.stat().st_size for size, path in files.items()},
        "times": options.times,
        "made": {"rows": sizes[-1], "exact_copies": made[EXACT], "near_copies": made[NEAR]},
        "builds": {title: [] for title in TITLES.values()},
    }

    def keep() -> None:
        options.out.parent.mkdir(exist_ok=True)
        options.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")

    work = folder / "datasets"
    for size, (copies, title) in itertools.product(sizes, TITLES.items()):
        point = measure(files[size], work, copies, options.times)
        document["builds"][title].append(point)
        memory = point["peak_memory_bytes"] / 2**30
        print(f"{title}: {size:,} rows, {point['rows_per_second']:,} rows/s, {memory:.2f} GiB", file=sys.stderr)
        keep()
    document["growth"] = {title: growth(points) for title, points in document["builds"].items()}
    document["interruption"] = interrupt(files[sizes[0]], folder / "interrupted")
    keep()
    if options.peer_rows and Path(PEER_PYTHON).is_file():
        document["peer"] = measure_peer(files[sizes[0]], folder / "peer", sizes[0], options.peer_rows)
        keep()
    for path in files.values():
        path.unlink()
    return document


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="folder for rows and datasets, which are removed afterwards")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--times", type=int, default=3, help="builds of each kind and size; the fastest counts")
    parser.add_argument("--peer-rows", type=int, default=50_000, help="rows the peer looks up by MinHash; 0: no peer")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    if options.folder is None:
        parser.error("--folder is needed: a place with 8 GB that may be written to")
    options.folder.mkdir(parents=True, exist_ok=True)
    document = _run_all(options)
    if "peer" not in document:
        print(f"no peer was measured: {PEER_PYTHON} is not there; `make peer-data` makes it", file=sys.stderr)
    print("\n".join(judged_lines(judge(document))))


if __name__ == "__main__":
    main()
