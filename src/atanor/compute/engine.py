"""Loss and likelihood of weighted token rows under a model: the one door to the network for training and scoring.

The engine grows a forest from the rows it is given, cuts it into passes, runs the transformer's body on each and gives
only the hidden states that predict a supervised token to the vocabulary head. What is above (objectives, metrics) does
not know how rows are laid out. The gradient is the one of one example at a time, whatever is shared and however it is
cut; the self-check before the first step compares both on real rows and falls back where a family computes otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import torch
from peft import PeftModel
from torch import Tensor
from transformers import PreTrainedModel

from atanor.compute import attention, decoding, gating
from atanor.compute.agreement import difference, measured
from atanor.compute.divergence import Matching
from atanor.compute.encoded import Encoded, LogitLoss
from atanor.compute.forest import Prompt, WeightedTokens, grow, worth_copying
from atanor.compute.fusion import Fusion
from atanor.compute.head import Head, KeptHead
from atanor.compute.head_loss import Predictions
from atanor.compute.layout import KeyValue, Layout, cells_filled, lay_out
from atanor.compute.loss_scale import LossScale
from atanor.compute.noise import EmbeddingNoise
from atanor.compute.padded import GroupLoss, Lines, Padded
from atanor.compute.paired import Paired
from atanor.compute.precision import HALVES, autocast_for
from atanor.compute.route import Route, Work
from atanor.compute.schedule import plan
from atanor.compute.sharing import BOTH_WAYS, randomness, refuse_randomness, unshareable
from atanor.compute.supervision import HiddenLoss, Numbering, Supervision
from atanor.compute.teaching import States, Taught, matching_loss, targets_loss
from atanor.compute.window import Trunks, Window
from atanor.errors import ConfigurationError, Problem

TOLERANCE = {torch.float64: 1e-5, torch.float32: 1e-3, torch.float16: 1e-2, torch.bfloat16: 3e-2}
"""Largest relative difference from the model's own loss and gradient that the self-check accepts."""

TOKENS_PER_PASS = {"cpu": 1024, "cuda": 16384}
"""Matrices of this many rows run at the processor's full rate; more only takes memory."""

_SCORED_TOGETHER = 256
"""Rows whose forest is built at once where no optimizer step limits it."""


_CHECKED_AT = 1024.0
"""Loss scale of the self-check in float16, where the gradients of both computations would vanish alike."""


class Engine:
    """Computes on one model, whichever of its adapters is active.

    Args:
        model: a causal language model or one of an encoder and a decoder, with or without PEFT adapters.
        pad: token id that fills up a line where rows cannot share; its value never matters.
        tokens_per_pass: most tokens a forward pass computes; None takes what fills the device's arithmetic units.
        dtype: arithmetic of the linear layers; a wider type of the weights themselves is kept only for float32.
        share: False computes every row on its own, which dropout and noise on embeddings need.
        compile: compile the elementwise part of the feed-forward blocks.
        noise: on embeddings in training; every row is then computed on its own.

    Attributes:
        dtype: arithmetic of the linear layers, in force.
        loss_scale: what every loss is multiplied by before its gradient; the losses returned are not.

    Raises:
        ConfigurationError: the model draws random numbers in training (dropout, NEFTune) and `share` is on.
    """

    def __init__(
        self,
        model: PreTrainedModel | PeftModel,
        *,
        pad: int,
        tokens_per_pass: int | None = None,
        dtype: torch.dtype = torch.float32,
        share: bool = True,
        compile: bool = False,
        noise: EmbeddingNoise | None = None,
    ) -> None:
        self.network: PreTrainedModel = model.get_base_model() if isinstance(model, PeftModel) else model
        trains = any(parameter.requires_grad for parameter in self.network.parameters())
        random = randomness(self.network) if trains else []
        alone = unshareable(self.network)
        paired = bool(self.network.config.is_encoder_decoder)
        if share and alone != BOTH_WAYS and not paired:
            refuse_randomness(random)
        weight = next(self.network.parameters())
        arithmetic = dtype if dtype in HALVES else weight.dtype
        self.device = weight.device
        self.share = share
        self.tokens_per_pass = tokens_per_pass or TOKENS_PER_PASS[self.device.type]
        self.tolerance = TOLERANCE[arithmetic]
        self.work = Work()
        prompted = isinstance(model, PeftModel) and model.active_peft_config.is_prompt_learning
        self.reason = "dropout is drawn for each of them" if random and alone != BOTH_WAYS else alone
        if prompted:
            self.reason = "virtual tokens that PEFT puts before each of them"
        if noise is not None:
            self.reason = "noise is drawn for each of them (NEFTune)"
        self.dtype = arithmetic
        self.noise = noise
        self.loss_scale = LossScale()
        self.route = Route.SEPARATE if self.reason else Route.FOREST
        self._autocast = autocast_for(dtype)
        if paired and noise is not None:
            raise _no_noise()
        lines = Lines(pad, self.tokens_per_pass, noise)
        separate = Paired if paired else Padded
        self._padded = separate(model if prompted else self.network, lines, self._autocast, self.loss_scale)
        self._encoded = Encoded(self.network, self._padded) if alone == BOTH_WAYS else None
        self._fusion = Fusion(self.network, arithmetic, gating.compiled() if compile else gating.Eager())
        self._arithmetic = arithmetic
        self._head = Head(self.network, arithmetic)

    def backward(self, window: Sequence[WeightedTokens], smoothing: float = 0.0) -> float:
        """Adds the gradient of the window's mean loss to the parameters' and returns that loss in nats.

        The loss is sum(weight * nll) / sum(weight) over all supervised tokens of the window.

        Args:
            window: the rows of one optimizer step.
            smoothing: share e of a target that is spread evenly over the vocabulary: nll is then (1 - e) times itself
                and e times the mean over the vocabulary (Szegedy et al. 2016, arXiv:1512.00567).
        """
        whole = total_weight(window)
        if self.route is Route.SEPARATE:
            self._count(window)
            return self._padded.backward(window, whole, smoothing)

        def loss(at: Layout, hidden_Ud: Tensor) -> Tensor:
            return self._head.weighted(hidden_Ud, _at(at), at.weights_E / whole, smoothing)

        return self._run(window, loss, None)

    def backward_groups(self, groups: Sequence[Sequence[WeightedTokens]], loss: GroupLoss) -> float:
        """The same for a loss that is a function of the likelihoods of a few rows at a time, such as a preference pair.

        The rows of a group are computed in one pass; rows of all groups share what they have in common.

        Args:
            groups: rows that belong together.
            loss: gets numbers of groups and, for each, the unweighted nll of its rows in nats, (rows,), and returns
                their summed loss. It is called once a pass.
        """
        rows = [row for group in groups for row in group]
        if self.route is Route.SEPARATE:
            self._count(rows)
            return self._padded.backward_groups(groups, loss)
        owner = [number for number, group in enumerate(groups) for _ in group]
        first = [owner.index(number) for number in range(len(groups))] + [len(rows)]

        def step(layout: Layout, hidden_Ud: Tensor) -> Tensor:
            nll_R = self._row_nll(layout, hidden_Ud, len(rows)).requires_grad_()
            row_at, prediction_at = layout.owners
            numbers = sorted({owner[row] for row in row_at.tolist()})
            value = loss(numbers, [nll_R[first[number] : first[number + 1]] for number in numbers])
            (weights_R,) = torch.autograd.grad(value, nll_R)
            weights_E = torch.zeros_like(layout.weights_E).index_add_(0, prediction_at, weights_R[row_at])
            # Equal to the objective in value, and in gradient to the sum that is linear in the likelihoods.
            linear = self._head.weighted(hidden_Ud, _at(layout), weights_E)
            return linear - linear.detach() + value.detach()

        return self._run(rows, step, owner)

    def likelihoods(self, rows: Sequence[WeightedTokens]) -> Iterator[tuple[int, float]]:
        """(row number, unweighted nll in nats summed over its supervised tokens), every row once, as they are done."""
        if self.route is Route.SEPARATE:
            yield from self._padded.likelihoods(rows)
            return
        for start in range(0, len(rows), _SCORED_TOGETHER):
            part = rows[start : start + _SCORED_TOGETHER]
            nll_R = torch.zeros(len(part), dtype=torch.float64, device=self.device)

            def collect(layout: Layout, hidden_Ud: Tensor, nll_R: Tensor = nll_R) -> Tensor:
                nll_R += self._row_nll(layout, hidden_Ud, len(nll_R))
                return nll_R.sum()

            self._run(part, collect, None, gradient=False)
            yield from ((start + number, float(nll)) for number, nll in enumerate(nll_R))

    def mean_loss(self, rows: Sequence[WeightedTokens]) -> float:
        """sum(weight * nll) / sum(weight) over all rows, without a gradient."""
        total = 0.0
        for start in range(0, len(rows), _SCORED_TOGETHER):
            part = rows[start : start + _SCORED_TOGETHER]
            if self.route is Route.SEPARATE:
                total += self._padded.loss(part)
            else:
                total += self._run(
                    part,
                    lambda at, hidden: at.weights_E @ self._head.nll(hidden, _at(at)).double(),
                    None,
                    gradient=False,
                )
        return total / total_weight(rows)

    def kept_head(self) -> KeptHead:
        """The vocabulary head as it is now, which training does not change."""
        return self._head.kept()

    def states(self, rows: Sequence[WeightedTokens]) -> Tensor:
        """Last hidden states that predict the supervised tokens, without a gradient, (S, d), row after row."""
        collect = States(Numbering(rows, self.device).supervised)
        self._over(rows, collect, gradient=False)
        return torch.zeros(0, 0, device=self.device) if collect.states_Sd is None else collect.states_Sd

    def backward_matching(self, window: Sequence[WeightedTokens], taught: Taught, how: Matching) -> float:
        """Adds the gradient of the window's mean distance from a teacher; returns it in nats.

        The loss is sum(weight * `how`) / sum(weight) over all supervised tokens of the window.

        Args:
            window: rows to learn from.
            taught: what the teacher says about these very rows.
            how: the divergence, and what the rows' own tokens count beside it.
        """
        return self._over(window, matching_loss(self._head, taught, how, total_weight(window)))

    def mean_matching(self, rows: Sequence[WeightedTokens], taught: Taught, how: Matching) -> float:
        """The same without a gradient."""
        return self._over(rows, matching_loss(self._head, taught, how, total_weight(rows)), gradient=False)

    def backward_targets(self, window: Sequence[WeightedTokens], targets_Sk: Tensor, how: Matching) -> float:
        """As `backward_matching` with tokens drawn from the teacher instead of its distributions (`Taught.draw`).

        The divergence is estimated by the mean negative log-likelihood of the drawn tokens: that is the forward KL
        divergence and the teacher's entropy, which has no gradient.

        Args:
            window: rows to learn from.
            targets_Sk: k tokens for each supervised token of the window, row after row.
            how: its weights; the divergence has to be forward and the temperature 1.
        """
        numbering = Numbering(window, self.device)
        return self._over(window, targets_loss(self._head, numbering, targets_Sk, how, total_weight(window)))

    def mean_targets(self, rows: Sequence[WeightedTokens], targets_Sk: Tensor, how: Matching) -> float:
        """The same without a gradient."""
        numbering = Numbering(rows, self.device)
        loss = targets_loss(self._head, numbering, targets_Sk, how, total_weight(rows))
        return self._over(rows, loss, gradient=False)

    def backward_logits(self, rows: Sequence[WeightedTokens], loss: LogitLoss) -> float:
        """As `backward` for a loss that is a function of the logits that predict each row's last token: of its class.

        Args:
            rows: each with a weight on its last token and on no other; of a classifier that token is a class.
            loss: gets numbers of rows and their logits, (rows, V), and returns their summed loss, called once a pass.
        """
        return self._over(
            rows, lambda here, hidden: loss(here.numbers_O.tolist(), self._head.logits(hidden[here.index_O]))
        )

    @torch.no_grad()
    def logits(self, rows: Sequence[WeightedTokens]) -> Tensor:
        """The logits that predict each row's last token, (rows, V), without a gradient."""
        return self._head.logits(self.states(rows))

    def prefill(self, prompts: Sequence[tuple[int, ...]]) -> dict[int, KeyValue]:
        """Keys and values of every prompt but its last token, computed once for what prompts have in common.

        Args:
            prompts: token ids, each at least one.

        Returns:
            For each layer two (B, groups, T - 1, d) with T the longest prompt, filled from the right: the cache from
            which a generation that pads on the left goes on with the last tokens. What is left of a prompt is zero.
        """
        assert self.route is not Route.SEPARATE
        width = max(map(len, prompts)) - 1
        cache: dict[int, KeyValue] = {}

        def keep(layout: Layout, hidden_Ud: Tensor) -> Tensor:
            assert layout.captured is not None
            place, row, column = cells_filled(layout, prompts, width)
            for layer, pair in layout.captured.items():
                if layer not in cache:
                    key, value = (one.new_zeros(len(prompts), one.shape[1], width, one.shape[3]) for one in pair)
                    cache[layer] = (key, value)
                for stored, stream in zip(cache[layer], pair, strict=True):
                    stored.transpose(1, 2)[row, column] = stream[0].transpose(0, 1)[place]
            return hidden_Ud.new_zeros(())

        rows = [Prompt(prompt) for prompt in prompts]
        self._run(rows, keep, None, gradient=False, keeps_keys=True)
        return cache

    @contextmanager
    def decoding(self, store: decoding.KeyValueStore) -> Iterator[Callable[[Tensor], Tensor]]:
        """Within this context a function continues every sequence of the store by one token.

        It takes the tokens, (B,), and returns the logits of what follows each, (B, V), in float32 or wider.
        """
        assert self.route is not Route.SEPARATE

        def step(tokens_B: Tensor) -> Tensor:
            with self._autocast():
                output = self.network.get_decoder()(
                    input_ids=tokens_B[:, None],
                    position_ids=store.begin_step(self.device),
                    use_cache=False,
                    decoding=store,
                )
            return self._head.logits(output.last_hidden_state[:, 0])

        with torch.no_grad(), self._computing(decoding.NAME):
            yield step

    def self_check(self, rows: Sequence[WeightedTokens]) -> float:
        """Relative difference of loss and gradient from the model's own computation, one row at a time.

        Above the tolerance the engine takes the next route, and the one after, until it agrees. Gradients in the model
        are left as they were.

        Args:
            rows: a few, some of them with a common prefix.

        Returns:
            The difference found on the fastest route; 0 where only one exists.
        """
        if self.route is Route.SEPARATE:
            return 0.0
        before, self.loss_scale.value = self.loss_scale.value, _CHECKED_AT if self.dtype == torch.float16 else 1.0
        trained = [parameter for parameter in self.network.parameters() if parameter.requires_grad]
        kept = [parameter.grad for parameter in trained]
        truth = measured(trained, lambda: self._padded.backward(rows, total_weight(rows)))
        differences: list[float] = []
        for route in (Route.FOREST, Route.PLAIN_LAYERS):
            self.route = route
            differences.append(difference(measured(trained, lambda: self.backward(rows)), truth))
            if differences[-1] <= self.tolerance:
                break
        else:
            self.route = Route.SEPARATE
            self._head = Head(self.network, self._arithmetic, own=True)
        for parameter, gradient in zip(trained, kept, strict=True):
            parameter.grad = gradient
        self.loss_scale.value = before
        return differences[0]

    def _over(self, rows: Sequence[WeightedTokens], loss: HiddenLoss, gradient: bool = True) -> float:
        """Sum of a loss of hidden states over the passes of the rows, whatever the route."""
        numbering = Numbering(rows, self.device)
        if self.route is Route.SEPARATE:
            self._count(rows)
            return (self._encoded or self._padded).over(rows, numbering, loss, gradient=gradient)

        def of_pass(layout: Layout, hidden_Ud: Tensor) -> Tensor:
            row_O, prediction_O = layout.owners
            numbers_O = numbering(row_O, layout.owned_O)
            here = Supervision(_at(layout), layout.weights_E, layout.index_E[prediction_O], numbers_O)
            return loss(here, hidden_Ud)

        return self._run(rows, of_pass, None, gradient=gradient)

    def _run(
        self,
        rows: Sequence[WeightedTokens],
        loss: Callable[[Layout, Tensor], Tensor],
        groups: Sequence[int] | None,
        gradient: bool = True,
        keeps_keys: bool = False,
    ) -> float:
        """Sum of `loss(layout, hidden states that predict something)` over the passes of the rows' forest."""
        # A group is never cut, so neither are its nodes.
        limit = None if groups else self.tokens_per_pass
        copied = worth_copying(self.tokens_per_pass)
        forest = grow(rows, groups=groups, share=self.share, longest_node=limit, copied=copied)
        passes = plan(forest, self.tokens_per_pass, groups, copied=2 * copied)
        self._count(rows, forest.tokens)

        def of_pass(layout: Layout) -> Tensor:
            hidden_Ud = self._hidden(layout)
            return loss(layout, hidden_Ud) if len(hidden_Ud) or keeps_keys else hidden_Ud.new_zeros(())

        window = Window(
            lambda part: lay_out(forest, part, rows, self.device),
            of_pass,
            self.tokens_per_pass,
            keeps_keys,
            self.loss_scale,
        )
        step = window.backward if gradient else window.forward
        with self._computing(attention.NAME):
            return sum(step(part, Trunks()) for part in passes)

    @contextmanager
    def _computing(self, attention_name: str) -> Iterator[None]:
        """Within this context the network attends so and computes with the hand-written layers."""
        before = self.network.config._attn_implementation
        with ExitStack() as stack:
            if self.route is Route.FOREST:
                stack.enter_context(self._fusion.active())
            self.network.set_attn_implementation(attention_name)
            stack.callback(self.network.set_attn_implementation, before)
            yield

    def _hidden(self, layout: Layout) -> Tensor:
        """Hidden states of the places that predict something, (U, d)."""
        with self._autocast():
            output = self.network.get_decoder()(
                input_ids=layout.tokens_N[None],
                position_ids=layout.positions_N[None],
                use_cache=False,
                forest=layout,
            )
        hidden_Nd: Tensor = output.last_hidden_state[0]
        pruned = self.route is Route.FOREST and self._fusion.prunes
        return hidden_Nd if pruned else hidden_Nd.index_select(0, layout.places_U)

    def _row_nll(self, layout: Layout, hidden_Ud: Tensor, rows: int) -> Tensor:
        """nll of every row's supervised tokens in this pass, (rows,), float64, without a gradient."""
        row_at, prediction_at = layout.owners
        nll_E = self._head.nll(hidden_Ud.detach(), _at(layout)).double()
        return nll_E.new_zeros(rows).index_add_(0, row_at, nll_E[prediction_at])

    def _count(self, rows: Sequence[WeightedTokens], executed: int | None = None) -> None:
        logical = sum(len(row.tokens) for row in rows)
        supervised = sum(1 for row in rows for weight in row.weights[1:] if weight > 0)
        self.work = Work(logical, logical if executed is None else executed, supervised)


def _no_noise() -> ConfigurationError:
    problem = Problem(
        "what the encoder reads and what the decoder reads pass through one embedding, and NEFTune is about the first",
        field="neftune",
        fix="Remove it, or use a base without an encoder",
    )
    return ConfigurationError("noise on embeddings is for decoders", [problem])


def total_weight(rows: Sequence[WeightedTokens]) -> float:
    """Sum of the weights of all predicted tokens: what a window's loss is divided by."""
    return sum(sum(row.weights[1:]) for row in rows)


def _at(layout: Layout) -> Predictions:
    return Predictions(layout.index_E, layout.targets_E)
