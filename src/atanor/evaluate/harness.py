"""A base or a candidate as a model of the lm-evaluation-harness, so that its tasks can be asked of both.

What a task's requests have in common is computed once, and greedy answers go on together, as everywhere in Atanor;
texts become tokens as in the harness's own Hugging Face backend. Tasks read what their YAML names: files where it says
`dataset_path: json`, and else a hub, which needs network.
"""

from __future__ import annotations

import logging
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from lm_eval import simple_evaluate
from lm_eval.api.instance import Instance
from lm_eval.api.model import TemplateLM
from lm_eval.models.utils import handle_stop_sequences, normalize_gen_kwargs, postprocess_generated_text
from lm_eval.tasks import TaskManager
from lm_eval.utils import get_rolling_token_windows, make_disjoint_window
from numpy.typing import NDArray
from peft import PeftModel
from transformers import PreTrainedModel

from atanor.errors import ConfigurationError, MetricError, Problem
from atanor.evaluate.statistics import PairedChange, paired_change
from atanor.inference import Decoding, generate_answers
from atanor.inference.scoring import Followed, follow_rows
from atanor.models import Base
from atanor.progress import Progress

LONGEST_ANSWER = 256
"""New tokens where a task does not say, as in the harness."""
_OF_TEXT = ("word_perplexity", "byte_perplexity", "bits_per_byte")
"""Metrics whose items are a log-likelihood in nats and how much text it is of."""
_OF_ITEMS = "perplexity"
"""The metric whose items are a log-likelihood in nats alone."""
_BITS = "bits_per_byte"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Row:
    tokens: tuple[int, ...]
    weights: tuple[float, ...]


class HarnessModel(TemplateLM):
    """One model for `lm_eval.simple_evaluate`.

    Args:
        base: for its tokenizer, its context and the tokens that end an answer.
        model: the network, with or without a candidate's adapter.
        progress: shown what is asked.
        who: its name in the progress bar.
    """

    def __init__(self, base: Base, model: PreTrainedModel | PeftModel, progress: Progress, who: str) -> None:
        super().__init__()
        self._base, self._model, self._progress, self._who = base, model, progress, who
        self.tokenizer = base.tokenizer
        self.max_length = base.context

    @property
    def eot_token_id(self) -> int:
        """What the harness puts before a text that has nothing before it, where there is no beginning token."""
        return int(self._base.tokenizer.eos_token_id)

    @property
    def prefix_token_id(self) -> int:
        begin = self._base.tokenizer.bos_token_id
        return self.eot_token_id if begin is None else int(begin)

    @property
    def tokenizer_name(self) -> str:
        return str(self._base.tokenizer.name_or_path).replace("/", "__")

    def tok_encode(self, string: str, add_special_tokens: bool | None = None, **_others: object) -> list[int]:
        """Token ids, with the tokenizer's own begin token where it puts one and the text has none yet."""
        tokenizer = self._base.tokenizer
        begun = tokenizer.bos_token is not None and string.startswith(tokenizer.bos_token)
        if add_special_tokens is None and not begun:
            return list(tokenizer.encode(string))
        return list(tokenizer.encode(string, add_special_tokens=bool(add_special_tokens)))

    def apply_chat_template(self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        """A conversation as the base writes it."""
        return str(
            self._base.tokenizer.apply_chat_template(
                chat_history,
                tokenize=False,
                add_generation_prompt=add_generation_prompt,
                continue_final_message=not add_generation_prompt,
            )
        )

    def loglikelihood(self, requests: list[Instance], disable_tqdm: bool = True) -> list[tuple[float, bool]]:
        """Log-likelihood of each continuation in nats, and whether it is the greedy one."""
        del disable_tqdm  # the progress is shown in Atanor's way
        return [tuple(one) for one in super().loglikelihood(requests, disable_tqdm=True)]

    def _loglikelihood_tokens(
        self, requests: Sequence[tuple[Any, list[int], list[int]]], **_others: object
    ) -> list[tuple[float, bool]]:
        return [(-one.nll, one.greedy) for one in self._followed([(before, text) for _, before, text in requests])]

    def loglikelihood_rolling(self, requests: list[Instance], disable_tqdm: bool = True) -> list[float]:
        """Log-likelihood of whole texts in nats, window by window where one is longer than the context."""
        del disable_tqdm
        windows = [
            make_disjoint_window(window)
            for request in requests
            for window in get_rolling_token_windows(
                token_list=self.tok_encode(request.args[0]),
                prefix_token=self.prefix_token_id,
                max_seq_len=self.max_length,
                context_len=1,
            )
        ]
        owners = [
            number
            for number, request in enumerate(requests)
            for _ in range(-(-len(self.tok_encode(request.args[0])) // self.max_length))
        ]
        found = [0.0] * len(requests)
        for owner, one in zip(owners, self._followed(windows), strict=True):
            found[owner] -= one.nll
        return found

    def generate_until(self, requests: list[Instance], disable_tqdm: bool = True) -> list[str]:
        """What is written after each context, up to the first of its stop strings.

        Raises:
            ConfigurationError: a task wants beams, or its prompts do not fit into the context.
        """
        del disable_tqdm
        alike: defaultdict[tuple[int, float, float], list[int]] = defaultdict(list)
        stops: list[list[str]] = []
        for number, request in enumerate(requests):
            asked = normalize_gen_kwargs(dict(request.args[1]), LONGEST_ANSWER)
            if asked.get("num_beams", 1) != 1:
                problem = Problem("answers are greedy or sampled", field="generation_kwargs.num_beams", fix="Remove it")
                raise ConfigurationError("a task wants beam search", [problem])
            stops.append(handle_stop_sequences(asked.get("until"), eos=None))
            temperature = float(asked.get("temperature", 0.0)) if asked.get("do_sample") else 0.0
            alike[int(asked["max_gen_toks"]), temperature, float(asked.get("top_p", 1.0))].append(number)
        answers = [""] * len(requests)
        for (limit, temperature, top_p), numbers in alike.items():
            room = self.max_length - limit
            prompts = [tuple(self.tok_encode(requests[number].args[0])[-room:]) for number in numbers]
            decoding = Decoding(limit, temperature, top_p)
            written = generate_answers(
                self._base, self._model, prompts, decoding=decoding, progress=self._progress, name=self._who
            )
            for number, answer in zip(numbers, written, strict=True):
                answers[number] = postprocess_generated_text(answer.text, stops[number], None)
        return answers

    def _followed(self, pairs: Sequence[tuple[list[int], list[int]]]) -> list[Followed]:
        """Each second part after its first, cut on the left to the context."""
        rows = []
        for before, text in pairs:
            tokens = (*before, *text)[-(self.max_length + 1) :]
            supervised = min(len(text), len(tokens) - 1)
            rows.append(_Row(tokens, (0.0,) * (len(tokens) - supervised) + (1.0,) * supervised))
        return follow_rows(self._model, rows, self._progress, self._who)


@dataclass(frozen=True)
class HarnessTasks:
    """What is asked of every model.

    Attributes:
        names: of tasks, as the harness knows them.
        folder: with tasks of one's own, as YAML; None for the harness's alone.
        limit: most items of a task; None for all.
        shots: examples before each item; None as the task says.
        chat: prompts are put as conversations.
        seed: of drawing examples and of sampling.
    """

    names: tuple[str, ...]
    folder: Path | None = None
    limit: int | None = None
    shots: int | None = None
    chat: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Measured:
    """One metric of one task, item by item.

    Attributes:
        task, metric: names, as the harness has them; the filter stands behind the metric where there are several.
        higher_is_better: its direction.
        items: ids of the documents.
        values: (items, 2): what is added up, and by what the sum is divided.
    """

    task: str
    metric: str
    higher_is_better: bool
    items: tuple[str, ...]
    values: Floats

    def score(self, sums: Floats) -> Floats:
        """From summed values (..., 2)."""
        mean: Floats = sums[..., 0] / sums[..., 1]
        if self.metric.startswith(_BITS):
            return -mean / math.log(2)
        return np.exp(-mean) if _is_perplexity(self.metric) else mean

    def change_to(self, other: Measured, *, confidence: float, resamples: int, seed: int) -> PairedChange:
        """From these values to another model's on the same documents."""
        ones = bool((self.values[:, 1] == 1).all())
        yes_no = ones and bool(np.isin(np.stack([self.values[:, 0], other.values[:, 0]]), (0.0, 1.0)).all())
        return paired_change(
            self.values,
            other.values,
            self.items,
            self.score,
            yes_no=yes_no,
            span=1.0 if yes_no else None,
            confidence=confidence,
            resamples=resamples,
            seed=seed,
        )


def ask_harness(model: HarnessModel, asked: HarnessTasks) -> list[Measured]:
    """Ask a model the tasks; every metric that is a mean or a perplexity over items, item by item.

    Raises:
        ConfigurationError: there is no such task, or its data cannot be had.
        MetricError: a task has no metric of these kinds.
    """
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    manager = TaskManager(include_path=None if asked.folder is None else str(asked.folder))
    missing = [name for name in asked.names if name not in manager.all_tasks]
    if missing:
        fix = "Name a folder with its YAML by --include, or see `lm-eval ls tasks` for what there is"
        raise ConfigurationError(
            "the harness has no such task", [Problem("unknown", field="--task", value=missing[0], fix=fix)]
        )
    try:
        found = simple_evaluate(
            model=model,
            tasks=list(asked.names),
            num_fewshot=asked.shots,
            limit=asked.limit,
            bootstrap_iters=0,
            apply_chat_template=asked.chat,
            task_manager=manager,
            random_seed=asked.seed,
            numpy_random_seed=asked.seed,
            torch_random_seed=asked.seed,
            fewshot_random_seed=asked.seed,
        )
    except (OSError, ValueError, KeyError) as error:
        fix = "Where there is no hub, a task reads local files: `dataset_path: json` with `dataset_kwargs.data_files`"
        problem = Problem(str(error).splitlines()[0], field="--task", value=", ".join(asked.names), fix=fix)
        raise ConfigurationError("a task of the harness cannot be asked", [problem]) from error
    every = [one for task, samples in found["samples"].items() for one in _measured(task, samples, found)]
    if not every:
        problem = Problem("no metric is a mean over items", value=", ".join(asked.names), fix="Name another task")
        raise MetricError("nothing can be compared", [problem])
    return every


def _measured(task: str, samples: Sequence[dict[str, Any]], found: dict[str, Any]) -> list[Measured]:
    by_filter: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for sample in samples:
        by_filter[str(sample["filter"])].append(sample)
    measured = []
    for name, unsorted in by_filter.items():
        rows = sorted(unsorted, key=lambda row: row["doc_id"])
        for metric in rows[0]["metrics"]:
            values = _numbers(metric, [row[metric] for row in rows])
            if values is None:
                continue
            higher = found["higher_is_better"].get(task, {}).get(metric)
            label = metric if len(by_filter) == 1 else f"{metric} ({name})"
            documents = tuple(str(row["doc_id"]) for row in rows)
            measured.append(Measured(task, label, bool(higher), documents, values))
    return measured


def _numbers(metric: str, values: Sequence[Any]) -> Floats | None:
    """(items, 2) of a metric that is a mean or a perplexity over items; None of another, as F1 over all items."""
    if metric in _OF_TEXT:
        return np.array(values, dtype=np.float64)
    if all(isinstance(value, (int, float, np.number)) for value in values):
        return np.array([(float(value), 1.0) for value in values])
    return None


def _is_perplexity(metric: str) -> bool:
    return metric.partition(" ")[0] in (*_OF_TEXT, _OF_ITEMS)
