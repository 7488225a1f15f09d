"""Bias: who is named in the data, in what company, and new rows in which the groups are exchanged.

In: all texts of a batch of rows as one flat `pa.StringArray`; or the `Example`s of the training side. Out: a
`BiasReport`; or `Counterfactuals`: new examples with their parent's id, every row that was not swapped with its reason,
and the reports before and after. English and Spanish; gender, origin, age and religion.

    counter = BiasCounter(options)
    for texts in batches:
        counter.update(texts)
    report = counter.report()

    remedy = counterfactuals(split.train, CounterfactualOptions(), seed=17)
    train = [*split.train, *remedy.examples]
"""

from __future__ import annotations

from atanor.data.bias.counterfactuals import Counterfactuals, Unswapped, counterfactuals
from atanor.data.bias.counting import BiasCounter, bias_report
from atanor.data.bias.options import BiasOptions, CounterfactualOptions, Dimension
from atanor.data.bias.outcome import NotSwapped, Swapped, Why
from atanor.data.bias.report import BiasReport, Difference, DimensionReport, GroupReport, differences, imbalance
from atanor.data.bias.swapping import swap_groups

__all__ = [
    "BiasCounter",
    "BiasOptions",
    "BiasReport",
    "CounterfactualOptions",
    "Counterfactuals",
    "Difference",
    "Dimension",
    "DimensionReport",
    "GroupReport",
    "NotSwapped",
    "Swapped",
    "Unswapped",
    "Why",
    "bias_report",
    "counterfactuals",
    "differences",
    "imbalance",
    "swap_groups",
]
