"""NEFTune: noise on embeddings in training alone, the same however a window is cut and however often it is resumed."""

from __future__ import annotations

import math
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from atanor.compute import EmbeddingNoise, Engine, Route
from atanor.data.rows import TokenRow
from atanor.methods import METHOD_OPTIONS, METHODS, Bench
from atanor.methods.training import Trained
from atanor.progress import Silent
from atanor.store.files import sha256_file
from atanor.train import Supervision, TrainingJob, TrainOptions, train
from atanor.train.checkpoint import checkpoints
from tests.compute.models import adapted, gradients, largest_error
from tests.train.jobs import job, rows, tiny_base
from tests.train.test_training import Listener

ROWS = [
    TokenRow(str(number), (5, 6, 7, *range(8, 8 + number)), (0.0, 0.0, 0.0, *[1.0] * number), 1) for number in (3, 9, 5)
]


def plain(model: torch.nn.Module, noise: EmbeddingNoise) -> float:
    """A forward pass a row, the noise added to its embeddings by hand."""
    embedding = model.get_input_embeddings()
    whole = sum(sum(row.weights[1:]) for row in ROWS)
    total = 0.0
    for row in ROWS:
        drawn = noise._drawn(row.tokens, embedding.weight.shape[1])
        assert float(drawn.abs().max()) <= noise.alpha / math.sqrt(len(row.tokens) * embedding.weight.shape[1])
        hidden = embedding(torch.tensor([row.tokens])) + drawn.double()
        logits_TV = model(inputs_embeds=hidden).logits[0]
        nll_T = torch.nn.functional.cross_entropy(logits_TV[:-1], torch.tensor(row.tokens[1:]), reduction="none")
        loss = (nll_T * torch.tensor(row.weights[1:], dtype=nll_T.dtype)).sum() / whole
        loss.backward()
        total += float(loss.detach())
    return total


@pytest.mark.parametrize("tokens_per_pass", [8, 4096])
def test_loss_and_gradient_are_those_of_noisy_embeddings_one_row_at_a_time(tokens_per_pass: int) -> None:
    model, noise = adapted(torch.float64), EmbeddingNoise(5.0, seed=3)
    noise.step = 4
    truth_loss = plain(model, noise)
    truth = gradients(model)
    model.zero_grad()
    engine = Engine(model, pad=0, tokens_per_pass=tokens_per_pass, share=False, noise=noise)
    assert engine.route is Route.SEPARATE
    assert engine.backward(ROWS) == pytest.approx(truth_loss, rel=1e-12)
    assert largest_error(gradients(model), truth) <= 1e-12


def test_noise_is_drawn_anew_each_step_and_never_in_validation() -> None:
    model, noise = adapted(torch.float64), EmbeddingNoise(5.0, seed=3)
    engine = Engine(model, pad=0, share=False, noise=noise)
    losses = []
    for noise.step in (1, 2, 1):
        losses.append(engine.backward(ROWS))
    assert losses[0] != losses[1] and losses[0] == losses[2]
    quiet = Engine(model, pad=0)
    assert engine.mean_loss(ROWS) == pytest.approx(quiet.mean_loss(ROWS), rel=1e-12)


def test_a_run_says_that_rows_share_nothing_and_resumes_to_the_bit(tiny_base_folder: Path, tmp_path: Path) -> None:
    options = TrainOptions(epochs=2, batch=4, learning_rate=1e-2, validate_every=2, patience=0, neftune=5)

    def trained(name: str, progress: Silent) -> tuple[str, int]:
        result = train(job(tiny_base(tiny_base_folder), tmp_path / name, options), progress)
        last = tmp_path / name / f"checkpoint-{result.steps}" / "adapter_model.safetensors"
        return sha256_file(last), result.resumed_at

    listener = Listener()
    whole, _ = trained("whole", listener)
    assert any("rows share nothing: noise is drawn for each of them (NEFTune)" in said for said in listener.said)
    first = checkpoints(tmp_path / "whole")[0]
    shutil.copytree(first.folder, tmp_path / "resumed" / first.folder.name)
    again, resumed_at = trained("resumed", Silent())
    assert resumed_at == first.step < 10
    assert again == whole
    quiet = train(
        job(tiny_base(tiny_base_folder), tmp_path / "quiet", options.model_copy(update={"neftune": None})), Silent()
    )
    last = tmp_path / "quiet" / f"checkpoint-{quiet.steps}" / "adapter_model.safetensors"
    assert sha256_file(last) != whole


@pytest.mark.parametrize("method", ["prefix_tuning", "prompt_tuning"])
def test_it_stands_on_the_words_behind_virtual_tokens(method: str, tiny_base_folder: Path, tmp_path: Path) -> None:
    losses: dict[Any, list[float]] = {}
    for alpha in (None, 5.0):
        base = tiny_base(tiny_base_folder)
        options = METHOD_OPTIONS[method](tokens=4, epochs=1, batch=4, neftune=alpha, patience=0)
        made = METHODS[method]
        assert isinstance(made, Trained)
        every = rows(base, 10)
        sides = Supervision(every[2:]), Supervision(every[:2])
        bench = Bench(base, "Answer the question.", *sides, 3, tmp_path / str(alpha), {})
        tuned = made.attach(options, bench)
        started = TrainingJob(tuned, every[2:], every[:2], options, 2, 17, tmp_path / str(alpha), {})
        losses[alpha] = [loss for _, loss in train(started, Silent()).train_loss]
    assert losses[5.0][0] != losses[None][0]
    assert losses[5.0][0] == pytest.approx(losses[None][0], rel=0.2)


def test_sharing_prefixes_is_refused_with_it() -> None:
    reason = "`neftune` draws noise for every row, and rows that share a prefix have one embedding of it"
    with pytest.raises(ValueError, match=re.escape(reason)):
        TrainOptions(neftune=5, share_prefixes=True)
    assert not TrainOptions(neftune=5).shares_prefixes
    assert TrainOptions().shares_prefixes
