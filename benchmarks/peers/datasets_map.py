"""The workshop's work written plainly with `datasets`, `ftfy` and `datasketch`, as their documentation does.

    python benchmarks/peers/datasets_map.py ROWS.jsonl --minhash 20000

Each stage is timed by itself and told as one line of JSON on standard output. It runs in an environment of its own and
imports nothing of Atanor. `datasets.map` is given two processes; the set of hashes and the index of MinHash live in one
process, because they have to see every row.
"""

from __future__ import annotations

import argparse
import hashlib
import html
import json
import re
import sys
import time
import unicodedata
from importlib.metadata import version
from pathlib import Path
from typing import Any

import datasets
import ftfy
from datasketch import MinHash, MinHashLSH

PERMUTATIONS = 128
THRESHOLD = 0.7
SHINGLE = 5
TEXTS = ("instruction", "response")

TAG = re.compile(r"</?[a-zA-Z][^<>]{0,200}>")
INVISIBLE = re.compile(
    r"[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060\ufeff]"
)
SPACES = re.compile(r"[ \t]+")
BLANK_LINES = re.compile(r"\n{3,}")
CONTROL_TOKEN = re.compile(r"<\|[\w:.-]{2,60}\|>|\[/?INST\]|<</?SYS>>|</?s>|<(?:start|end)_of_turn>")
PERSONAL = {
    "email": re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.-]+\b"),
    "phone": re.compile(r"(?<!\w)(?:\+\d{1,3}[ .-]?)?(?:\(\d{2,4}\)[ .-]?)?\d{3}[ .-]\d{3}[ .-]\d{3,4}\b"),
    "card": re.compile(r"\b(?:\d[ -]?){13,19}\b"),
    "iban": re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"),
    "ssn": re.compile(r"\b\d{3}-\d{2}-\d{4}\b"),
    "ip": re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b"),
    "mac": re.compile(r"\b(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}\b"),
    "birthday": re.compile(r"(?i)\b(?:date of birth|born on|d\.?o\.?b\.?)\b.{0,20}\d{4}"),
}
SECRETS = re.compile(
    r"AKIA[A-Z0-9]{16}|AIza[\w-]{35}|gh[pousr]_\w{36}|xox[abp]-[\w-]{20,}|sk-[\w-]{32,}|hf_\w{34}|-----BEGIN [A-Z ]*KEY"
    r"|(?i:password|secret|token|api[_-]?key)\s*[=:]\s*\S{8,}"
)
CANNED = re.compile(r"(?i)\bas an ai\b|\bi(?:'m| am) sorry, but i (?:can|am)\b|\bi cannot (?:help|assist)\b")
SWEARING = re.compile(r"(?i)\b(?:fuck\w*|shit\w*|bitch\w*|bastard\w*|cunt\w*|asshole\w*|dick\w*|wank\w*)\b")
WORD = re.compile(r"\w+")


def cleaned(text: str) -> str:
    """Encoding, normal form, invisible characters, HTML and white space mended."""
    text = unicodedata.normalize("NFC", ftfy.fix_encoding(text))
    text = INVISIBLE.sub("", text.replace("\r\n", "\n"))
    text = html.unescape(TAG.sub("", text))
    return BLANK_LINES.sub("\n\n", SPACES.sub(" ", text)).strip()


def luhn(number: str) -> bool:
    """Whether the digits of a card have their check digit."""
    digits = [int(one) for one in number if one.isdigit()][::-1]
    return sum(sum(divmod(digit * (1 + place % 2), 10)) for place, digit in enumerate(digits)) % 10 == 0


def checked(row: dict[str, Any]) -> dict[str, Any]:
    """A row cleaned, with what was found in it."""
    prompt, answer = (cleaned(row[name]) for name in TEXTS)
    found = []
    for text in (prompt, answer):
        for kind, pattern in PERSONAL.items():
            if any(kind != "card" or luhn(match[0]) for match in pattern.finditer(text)):
                found.append(kind)
        if SECRETS.search(text):
            found.append("secret")
        if SWEARING.search(text):
            found.append("toxicity")
        if CONTROL_TOKEN.search(text):
            found.append("control_token")
    if CANNED.search(answer):
        found.append("canned_refusal")
    words = WORD.findall(answer.lower())
    if len(words) >= 10 and " ".join(words) in " ".join(WORD.findall(prompt.lower())):
        found.append("leak")
    triples = list(zip(words, words[1:], words[2:], strict=False))
    repeated = 1 - len(set(triples)) / len(triples) if triples else 0.0
    signs = sum(not (one.isalnum() or one.isspace()) for one in answer) / max(len(answer), 1)
    quality = 1 - max(repeated, signs)
    return {"instruction": prompt, "response": answer, "found": found, "quality": quality}


def minhash(text: str) -> MinHash:
    """The signature of a text's runs of characters."""
    signature = MinHash(num_perm=PERMUTATIONS)
    folded = " ".join(text.lower().split())
    signature.update_batch([folded[at : at + SHINGLE].encode() for at in range(max(1, len(folded) - SHINGLE + 1))])
    return signature


def exact(path: Path, processes: int, cache: Path) -> tuple[datasets.Dataset, dict[str, float]]:
    """Read, clean, check, deduplicate and split; seconds of each."""
    seconds: dict[str, float] = {}
    started = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal started
        seconds[name] = round(time.perf_counter() - started, 2)
        started = time.perf_counter()

    rows = datasets.load_dataset("json", data_files=str(path), split="train", cache_dir=str(cache))
    lap("read")
    rows = rows.map(checked, num_proc=processes)
    rows = rows.filter(lambda row: bool(row["instruction"] and row["response"]) and "secret" not in row["found"])
    lap("clean and check")
    seen: set[bytes] = set()

    def is_first(row: dict[str, Any]) -> bool:
        key = hashlib.sha256(f"{row['instruction']}\0{row['response']}".encode()).digest()
        return not (key in seen or seen.add(key))  # type: ignore[func-returns-value]

    rows = rows.filter(is_first, load_from_cache_file=False)
    lap("exact duplicates")
    sides = rows.train_test_split(test_size=0.15, seed=17)
    for side, part in sides.items():
        part.to_parquet(str(cache / f"{side}.parquet"))
    lap("split and write")
    return rows, seconds


def near(rows: datasets.Dataset) -> dict[str, float]:
    """Every row looked up among those before it; seconds and how many had one."""
    started = time.perf_counter()
    index = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
    copies = 0
    for number, row in enumerate(rows):
        signature = minhash(f"{row['instruction']}\n{row['response']}")
        if index.query(signature):
            copies += 1
        index.insert(str(number), signature)
    return {"seconds": round(time.perf_counter() - started, 2), "rows": len(rows), "near_duplicates": copies}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--minhash", type=int, default=20_000, help="rows that are looked up by MinHash; 0: none")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--cache", type=Path, required=True, help="folder for what `datasets` keeps")
    options = parser.parse_args()
    datasets.disable_progress_bars()
    rows, seconds = exact(options.path, options.processes, options.cache)
    told: dict[str, Any] = {
        "seconds": seconds,
        "kept": len(rows),
        "versions": {name: version(name) for name in ("datasets", "datasketch", "ftfy", "pyarrow")},
    }
    if options.minhash:
        told["minhash"] = near(rows.select(range(min(options.minhash, len(rows)))))
    print(json.dumps(told), file=sys.stdout, flush=True)


if __name__ == "__main__":
    main()
