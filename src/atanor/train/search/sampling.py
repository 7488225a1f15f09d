"""Which values the next trial gets, as a function of the seed, the trial's number and the trials before it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial

from atanor.train.search.space import Parameter, Space, Value


class SeededSampler(BaseSampler):
    """The multivariate tree-structured Parzen estimator (Bergstra et al. 2011; Falkner et al. 2018, arXiv:1807.01774),
    begun anew for every trial from the seed and the trial's number.

    Optuna's own sampler draws on from where its process stands, so that a search that was interrupted would go on
    otherwise than one that was not.

    Args:
        seed: of the search.
        startup: trials after which the estimator takes over from random values.
    """

    def __init__(self, seed: int, startup: int) -> None:
        self.seed = seed
        self.startup = startup
        self._of: dict[int, TPESampler] = {}

    def _sampler(self, trial: FrozenTrial) -> TPESampler:
        if trial.number not in self._of:
            drawn = int(np.random.SeedSequence([self.seed, trial.number]).generate_state(1)[0])
            self._of = {trial.number: TPESampler(seed=drawn, multivariate=True, n_startup_trials=self.startup)}
        return self._of[trial.number]

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return dict(self._sampler(trial).infer_relative_search_space(study, trial))

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return dict(self._sampler(trial).sample_relative(study, trial, search_space))

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self._sampler(trial).sample_independent(study, trial, param_name, param_distribution)


def drawn(trial: Trial, space: Space) -> dict[str, Value]:
    """A trial's values: those it was begun with, or the sampler's."""
    return {one.name: _decoded(one, _suggested(trial, one)) for one in space.parameters}


def encoded(space: Space, values: Mapping[str, Value]) -> dict[str, Any]:
    """Values as the study keeps them: of a list of numbers the place in it, so that the sampler knows its order."""
    return {
        one.name: one.choices.index(values[one.name]) if one.choices and one.ordered else values[one.name]
        for one in space.parameters
    }


def _suggested(trial: Trial, one: Parameter) -> Any:
    if one.choices and one.ordered:
        return trial.suggest_int(one.name, 0, len(one.choices) - 1)
    if one.choices:
        return trial.suggest_categorical(one.name, one.choices)
    if one.whole:
        return trial.suggest_int(one.name, int(one.low), int(one.high), log=one.logarithmic)
    return trial.suggest_float(one.name, one.low, one.high, log=one.logarithmic)


def _decoded(parameter: Parameter, value: Any) -> Value:
    if parameter.choices:
        found: Value = parameter.choices[value] if parameter.ordered else value
        return found
    return value if value == parameter.default else parameter.rounded(float(value))
