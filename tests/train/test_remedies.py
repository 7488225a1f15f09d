"""Against forgetting: each remedy computes what its paper says, and changes nothing it should not."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from atanor.compute import Engine
from atanor.data.rows import TokenRow
from atanor.models import Base, Tuned, attach_all, attach_lora
from atanor.progress import Silent
from atanor.train import TrainingJob, TrainOptions, train
from atanor.train.remedies.anchor import L2SP, Ewc
from atanor.train.remedies.divergence import KlToBase
from atanor.train.remedies.fisher import Fisher
from atanor.train.remedies.options import KlRows, RemedyOptions
from atanor.train.remedies.regulariser import Regulariser
from atanor.train.remedies.replay import Replay, replayed
from atanor.train.windows import WindowSampler
from tests.train.jobs import job, rows, tiny_base

SEED = 5


class Listener(Silent):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, message: str) -> None:
        self.said.append(message)


def trained_of(tuned: Tuned) -> dict[str, torch.nn.Parameter]:
    return {name: one for name, one in tuned.model.named_parameters() if one.requires_grad}


def wide(folder: Path) -> tuple[Base, Tuned]:
    """The tiny base in float64 with a LoRA whose second factor is not zero."""
    base = tiny_base(folder)
    base.model.double()
    tuned = attach_lora(base, rank=4, alpha=8, seed=SEED)
    draw = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for one in trained_of(tuned).values():
            one.data = one.double() + 0.1 * torch.randn(one.shape, generator=draw, dtype=torch.float64)
    return base, tuned


def moved(tuned: Tuned) -> None:
    draw = torch.Generator().manual_seed(SEED + 1)
    with torch.no_grad():
        for one in trained_of(tuned).values():
            one.add_(0.05 * torch.randn(one.shape, generator=draw, dtype=one.dtype))


def gradients(tuned: Tuned) -> dict[str, Tensor]:
    return {name: one.grad.clone() for name, one in trained_of(tuned).items() if one.grad is not None}


def test_l2_sp_adds_its_exact_gradient_and_value(tiny_base_folder: Path) -> None:
    _, tuned = wide(tiny_base_folder)
    start = {name: one.detach().clone() for name, one in trained_of(tuned).items()}
    penalty = L2SP(tuned, 0.3)
    engine = Engine(tuned.model, pad=2, dtype=torch.float64)
    penalty.begin(engine, Silent())
    assert penalty.backward(engine, []) == 0
    moved(tuned)
    for one in trained_of(tuned).values():
        one.grad = torch.ones_like(one)
    value = penalty.backward(engine, [])
    found = gradients(tuned)
    plain = 0.3 * sum((one - start[name]).square().sum() for name, one in trained_of(tuned).items())
    truth = torch.autograd.grad(plain, list(trained_of(tuned).values()))
    assert value == pytest.approx(plain.item(), rel=1e-12)
    for one, expected in zip(found.values(), truth, strict=True):
        assert torch.allclose(one, expected + 1, rtol=1e-12, atol=1e-12), "added to the gradient that was there"


def plain_fisher(tuned: Tuned, every: Sequence[TokenRow], draws: int) -> dict[str, Tensor]:
    """The mean over many draws of each row's squared gradient, a row and a draw at a time."""
    generator = torch.Generator().manual_seed(99)
    trained = trained_of(tuned)
    total = {name: torch.zeros_like(one) for name, one in trained.items()}
    places = 0
    for row in every:
        supervised = [place for place, weight in enumerate(row.weights) if place and weight > 0]
        places += len(supervised)
        logits = tuned.model(input_ids=torch.tensor([row.tokens])).logits[0, [place - 1 for place in supervised]]
        for _ in range(draws):
            drawn = torch.multinomial(logits.detach().softmax(1), 1, generator=generator)[:, 0]
            nll = torch.nn.functional.cross_entropy(logits, drawn, reduction="sum")
            found = torch.autograd.grad(nll, list(trained.values()), retain_graph=True)
            for name, one in zip(trained, found, strict=True):
                total[name] += one.square() / draws
    return {name: one / places for name, one in total.items()}


def test_the_importance_is_the_diagonal_of_the_fisher_information(tiny_base_folder: Path, tmp_path: Path) -> None:
    base, tuned = wide(tiny_base_folder)
    every = [replace(row, tokens=row.tokens[:14], weights=(0.0,) * 9 + (1.0,) * 5) for row in rows(base, 2)]
    truth = plain_fisher(tuned, every, 200)
    engine = Engine(tuned.model, pad=2, dtype=torch.float64)
    engine.self_check(every)
    estimates = [Fisher(tuned, every, seed, tmp_path).diagonal(engine, Silent()) for seed in range(40)]
    total = sum(float(one.sum()) for one in truth.values())
    found = sum(float(one.sum()) for estimate in estimates for one in estimate.values()) / len(estimates)
    assert found == pytest.approx(total, rel=0.15)
    first, *_ = truth
    mean = torch.stack([estimate[first] for estimate in estimates]).mean(0)
    assert torch.corrcoef(torch.stack([mean.flatten(), truth[first].flatten()]))[0, 1] > 0.8


def test_an_estimate_of_one_row_is_the_square_of_its_gradient(tiny_base_folder: Path, tmp_path: Path) -> None:
    """Whatever was drawn: the squared gradient of one of the vocabulary's tokens at the one supervised place."""
    base, tuned = wide(tiny_base_folder)
    (row,) = rows(base, 1)
    row = replace(row, weights=(*(0.0,) * (len(row.tokens) - 1), 0.5))
    found = Fisher(tuned, [row], 3, tmp_path).diagonal(Engine(tuned.model, pad=2, dtype=torch.float64), Silent())
    trained = trained_of(tuned)
    nll = -tuned.model(input_ids=torch.tensor([row.tokens])).logits[0, -2].log_softmax(0)
    name = next(iter(trained))
    for token in range(len(nll)):
        (gradient,) = torch.autograd.grad(nll[token], [trained[name]], retain_graph=True)
        if torch.allclose(gradient.square(), found[name], rtol=1e-9, atol=1e-15):
            return
    pytest.fail("no token's gradient was squared")


def test_ewc_adds_its_exact_gradient_and_value(tiny_base_folder: Path, tmp_path: Path) -> None:
    base, tuned = wide(tiny_base_folder)
    every = rows(base, 3)
    start = {name: one.detach().clone() for name, one in trained_of(tuned).items()}
    engine = Engine(tuned.model, pad=2, dtype=torch.float64)
    penalty = Ewc(tuned, 7.0, every, seed=SEED, cache=tmp_path)
    listener = Listener()
    penalty.begin(engine, listener)
    assert any("importance" in said and "MB" in said for said in listener.said), "memory is told"
    fisher = Fisher(tuned, every, SEED, tmp_path).diagonal(engine, Silent())
    moved(tuned)
    value = penalty.backward(engine, [])
    plain = 3.5 * sum((fisher[name] * (one - start[name]).square()).sum() for name, one in trained_of(tuned).items())
    truth = torch.autograd.grad(plain, list(trained_of(tuned).values()))
    assert value == pytest.approx(plain.item(), rel=1e-12) and value > 0
    for one, expected in zip(gradients(tuned).values(), truth, strict=True):
        assert torch.allclose(one, expected, rtol=1e-12, atol=1e-15)


def test_the_importance_is_computed_once_and_a_damaged_file_is_not_used(tiny_base_folder: Path, tmp_path: Path) -> None:
    base, tuned = wide(tiny_base_folder)
    every = rows(base, 2)
    engine = Engine(tuned.model, pad=2, dtype=torch.float64)
    first = Fisher(tuned, every, SEED, tmp_path).diagonal(engine, Silent())
    (file,) = tmp_path.glob("*.safetensors")
    written = file.stat().st_mtime_ns
    Fisher(tuned, every, SEED, tmp_path).diagonal(engine, Silent())
    assert file.stat().st_mtime_ns == written
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    again = Fisher(tuned, every, SEED, tmp_path).diagonal(engine, Silent())
    assert all(torch.equal(first[name], again[name]) for name in first)
    moved(tuned)
    Fisher(tuned, every, SEED, tmp_path).diagonal(engine, Silent())
    assert len(list(tmp_path.glob("*.safetensors"))) == 2, "other weights have another importance"


def test_replayed_rows_hang_on_seed_and_step_alone(tiny_base_folder: Path) -> None:
    every = rows(tiny_base(tiny_base_folder), 19)
    replays = (Replay(every[12:], 0.25, 3, "a"), Replay(every[10:12], 0.25, 4, "b"))
    sampler = WindowSampler(every[:10], 4, 17, replays=replays)
    epochs = []
    for epoch in range(3):
        sampler.set_epoch(epoch)
        epochs.append(list(sampler))
    assert [list(map(len, windows)) for windows in epochs] == [[8, 8, 4]] * 3, "half of each step is replayed"
    plain = WindowSampler(every[:10], 4, 17)
    plain.set_epoch(1)
    assert [window[: len(own)] for window, own in zip(epochs[1], list(plain), strict=True)] == list(plain)
    later = WindowSampler(every[:10], 4, 17, replays=replays)
    later.set_epoch(2)
    assert list(later) == epochs[2], "a resumed run sees the same"
    seen = [number for windows in epochs for window in windows for number in window if 10 <= number < 17]
    assert set(seen) == set(range(10, 17)), "every general row comes up"
    first = replayed(replays, 0, 4, 4) + replayed(replays, 1, 4, 4) + replayed(replays, 2, 4, 4)
    of_a = [row for source, row in first if source == 0]
    assert len(set(of_a[:7])) == min(7, len(of_a)), "none twice before all were seen"


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("batch", [1, 8, 32])
def test_the_share_is_the_share_of_the_step(share: float, batch: int) -> None:
    count = Replay([TokenRow("a", (1, 2), (0.0, 1.0), 1)], share, 0, "a").count(batch)
    assert count == max(1, round(batch * share / (1 - share)))


def test_replayed_rows_are_in_the_loss_and_not_in_validation(tiny_base_folder: Path, tmp_path: Path) -> None:
    options = TrainOptions(epochs=1, batch=4, learning_rate=1e-4, validate_every=9, patience=0)
    base = tiny_base(tiny_base_folder)
    general = [replace(row, example_id=f"general{number}") for number, row in enumerate(rows(base, 30)[23:])]
    plain = job(base, tmp_path / "plain", options)
    without = train(plain, Silent())
    plain.tuned.detach()
    with_rows = job(tiny_base(tiny_base_folder), tmp_path / "with", options)
    found = train(replace(with_rows, replays=(Replay(general, 0.5, 3, "general"),)), Silent())
    assert found.steps == without.steps, "the role's own steps stay"
    assert found.logical_tokens > 1.5 * without.logical_tokens
    assert found.train_loss[0][1] != without.train_loss[0][1]


@pytest.mark.parametrize("kind", ["l2_sp", "ewc"])
def test_a_penalty_is_told_apart_and_in_the_loss(kind: str, tiny_base_folder: Path, tmp_path: Path) -> None:
    base = tiny_base(tiny_base_folder)
    options = TrainOptions(epochs=2, batch=4, learning_rate=1e-2, validate_every=2, patience=0, keep_checkpoints=9)
    plain = job(base, tmp_path / "run", options, training=8)
    penalty = (
        L2SP(plain.tuned, 10.0)
        if kind == "l2_sp"
        else Ewc(plain.tuned, 1e4, rows(base, 3), seed=1, cache=tmp_path / "cache")
    )
    train(replace(plain, regularisers=(penalty,)), Silent())
    state = json.loads((tmp_path / "run" / "checkpoint-4" / "trainer_state.json").read_text())
    steps = [entry for entry in state["log_history"] if "loss" in entry]
    values = [entry[f"penalty_{kind}"] for entry in steps]
    assert values[0] == 0 and all(value > 0 for value in values[1:])
    assert all(entry["loss"] > entry[f"penalty_{kind}"] for entry in steps)


def distance(tuned: Tuned, start: dict[str, Tensor]) -> float:
    return math.sqrt(sum((one - start[name]).square().sum().item() for name, one in trained_of(tuned).items()))


def test_a_stronger_anchor_keeps_the_weights_nearer(tiny_base_folder: Path, tmp_path: Path) -> None:
    far = []
    for weight in (None, 0.1, 100.0):
        base = tiny_base(tiny_base_folder)
        tuned = attach_all(base)
        start = {name: one.detach().clone() for name, one in trained_of(tuned).items()}
        options = TrainOptions(epochs=6, batch=4, learning_rate=1e-3, optimizer="adamw", patience=0)
        made = TrainingJob(
            tuned=tuned,
            training=rows(base, 8),
            validation=[],
            options=options,
            pad=2,
            seed=17,
            folder=tmp_path / str(weight),
            versions={},
            regularisers=() if weight is None else (L2SP(tuned, weight),),
        )
        train(made, Silent())
        far.append(distance(tuned, start))
    assert far[0] > far[1] > far[2]


def plain_kl(tuned: Tuned, every: Sequence[TokenRow]) -> Tensor:
    """Mean over supervised places of KL(base || tuned), a row at a time through the model's own forward."""
    total, weights = torch.zeros((), dtype=torch.float64), 0.0
    for row in every:
        tokens = torch.tensor([row.tokens])
        with torch.no_grad(), tuned.untouched():
            base = tuned.model(input_ids=tokens).logits[0].log_softmax(1)
        now = tuned.model(input_ids=tokens).logits[0].log_softmax(1)
        for place, weight in enumerate(row.weights):
            if place and weight > 0:
                total = total + weight * (base[place - 1].exp() * (base[place - 1] - now[place - 1])).sum()
                weights += weight
    return total / weights


@pytest.mark.parametrize("which", list(KlRows))
def test_kl_to_the_base_adds_its_exact_gradient_and_value(which: KlRows, tiny_base_folder: Path) -> None:
    base, tuned = wide(tiny_base_folder)
    every = rows(base, 5)
    general = {row.example_id for row in every[3:]}
    chosen = {KlRows.ALL: every, KlRows.OWN: every[:3], KlRows.GENERAL: every[3:]}[which]
    penalty = KlToBase(tuned, 0.7, which, general)
    engine = Engine(tuned.model, pad=2, dtype=torch.float64)
    engine.self_check(every)
    penalty.begin(engine, Silent())
    value = penalty.backward(engine, every)
    plain = 0.7 * plain_kl(tuned, chosen)
    truth = torch.autograd.grad(plain, list(trained_of(tuned).values()))
    assert value == pytest.approx(plain.item(), rel=1e-11) and value > 0
    largest = max(float(one.abs().max()) for one in truth)
    for one, expected in zip(gradients(tuned).values(), truth, strict=True):
        # Llama's own norm rounds to float32 whatever the model's type, and now and then differently.
        assert float((one - expected).abs().max()) <= 5e-8 * largest


REMEDIES = ("replay", "kl_to_base", "l2_sp", "ewc", "average", "all")


def remedied(kind: str, base: Base, folder: Path, cache: Path, **changes: object) -> TrainingJob:
    """A job with one remedy, or with all."""
    every = rows(base, 30)
    chosen = {"epochs": 2, "batch": 4, "learning_rate": 1e-2, "validate_every": 2, "patience": 0, "keep_checkpoints": 9}
    average = {"decay": 0.6, "last": 2} if kind in ("average", "all") else None
    written = {**chosen, "against_forgetting": {"average": average}, **changes}
    made = job(base, folder, TrainOptions.model_validate(written), training=8)
    general = every[23:]
    penalties: dict[str, Regulariser] = {
        "kl_to_base": KlToBase(made.tuned, 0.5, KlRows.ALL, {row.example_id for row in general}),
        "l2_sp": L2SP(made.tuned, 0.1),
        "ewc": Ewc(made.tuned, 10.0, general[:3], seed=1, cache=cache),
    }
    return replace(
        made,
        replays=(Replay(general, 0.3, 3, "general"),) if kind in ("replay", "all") else (),
        regularisers=tuple(one for name, one in penalties.items() if kind in (name, "all")),
    )


def test_the_table_has_every_remedy() -> None:
    """Rows that the base wrote are replayed like others."""
    assert {*REMEDIES, "self_written"} == {*RemedyOptions.model_fields, "all"}
    assert len(REMEDIES) == 6


@pytest.mark.parametrize("kind", REMEDIES)
def test_what_holds_of_every_remedy(kind: str, tiny_base_folder: Path, tmp_path: Path) -> None:
    """Resumed it ends in the same bits, and how a window is cut into passes changes nothing."""

    def numbers(name: str, **changes: object) -> dict[str, Tensor]:
        made = remedied(kind, tiny_base(tiny_base_folder), tmp_path / name, tmp_path / f"{name}-cache", **changes)
        return load_file(train(made, Silent()).folder / "adapter_model.safetensors")

    whole = numbers("whole")
    shutil.copytree(tmp_path / "whole" / "checkpoint-2", tmp_path / "resumed" / "checkpoint-2")
    resumed = numbers("resumed")
    assert [name for name in whole if not torch.equal(whole[name], resumed[name])] == []
    cut = numbers("cut", tokens_per_pass=16)
    largest = max(float(one.abs().max()) for one in whole.values())
    assert max(float((whole[name] - cut[name]).abs().max()) for name in whole) <= 1e-4 * largest
    off = train(remedied("none", tiny_base(tiny_base_folder), tmp_path / "off", tmp_path), Silent()).folder
    plain = load_file(off / "adapter_model.safetensors")
    if kind != "average":  # which is published only where it is better
        assert any(not torch.equal(whole[name], plain[name]) for name in whole), "it changes something"
