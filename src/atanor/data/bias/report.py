"""What the bias report says, and how two of them differ."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from atanor.data.bias.associations import WordNear
from atanor.data.bias.lexicon import FEMALE, MALE
from atanor.data.bias.options import Dimension
from atanor.data.bias.sentiment import Sentiment


@dataclass(frozen=True)
class GroupReport:
    """One group.

    Attributes:
        group: its name, the same in every language.
        rows: rows that name it.
        mentions: how often it is named.
        share: its part of all mentions of the dimension, from 0 to 1.
        roles: mentions by the role of the text they stand in, where roles were given.
        words: words that stand near it more often than near the others, the surest first.
        sentiment: how friendly what stands near it is; None where nothing does.
        examples: excerpts around mentions.
    """

    group: str
    rows: int
    mentions: int
    share: float
    roles: Mapping[str, int]
    words: tuple[WordNear, ...]
    sentiment: Sentiment | None
    examples: tuple[str, ...]


@dataclass(frozen=True)
class DimensionReport:
    """One dimension.

    Attributes:
        dimension: which.
        rows: rows that name any of its groups.
        groups: those that are named, the most frequent first.
    """

    dimension: Dimension
    rows: int
    groups: tuple[GroupReport, ...]

    @property
    def mentions(self) -> int:
        """Mentions of all groups."""
        return sum(group.mentions for group in self.groups)

    @property
    def evenness(self) -> float | None:
        """1 where all groups named are named equally often, near 0 where one is named alone (Pielou 1966)."""
        if len(self.groups) < 2:
            return None
        return -sum(one.share * math.log(one.share) for one in self.groups) / math.log(len(self.groups))

    def group(self, name: str) -> GroupReport | None:
        """The group of this name, or None where it is not named."""
        return next((one for one in self.groups if one.group == name), None)


@dataclass(frozen=True, slots=True)
class OccupationRow:
    """How often an occupation stands with each gender, by its form or by a word near it."""

    occupation: str
    female: int
    male: int


@dataclass(frozen=True)
class BiasReport:
    """Who is in the texts, and in what company.

    Attributes:
        texts: texts read.
        rows: rows they belong to.
        dimensions: one report each, in the order of the options.
        occupations: those that stand with a gender, the most frequent first.
        warnings: what a person should look at, a sentence each.
    """

    texts: int
    rows: int
    dimensions: tuple[DimensionReport, ...]
    occupations: tuple[OccupationRow, ...]
    warnings: tuple[str, ...]

    def dimension(self, name: Dimension) -> DimensionReport:
        """The report of a dimension that was counted.

        Raises:
            KeyError: it was not counted.
        """
        for one in self.dimensions:
            if one.dimension is name:
                return one
        raise KeyError(f"{name} was not counted; it is one of the option `dimensions`")


@dataclass(frozen=True, slots=True)
class Difference:
    """One group before and after.

    Attributes:
        dimension: its dimension.
        group: its name.
        mentions_before: mentions before.
        mentions_after: mentions after.
        share_before: part of the dimension's mentions before, from 0 to 1.
        share_after: part after.
        sentiment_before: mean sentiment before, or None.
        sentiment_after: mean sentiment after, or None.
    """

    dimension: Dimension
    group: str
    mentions_before: int
    mentions_after: int
    share_before: float
    share_after: float
    sentiment_before: float | None
    sentiment_after: float | None


def differences(before: BiasReport, after: BiasReport) -> tuple[Difference, ...]:
    """Both reports side by side: every group that either names, by dimension and frequency before."""
    table = []
    for old in before.dimensions:
        new = after.dimension(old.dimension)
        names = dict.fromkeys([*(one.group for one in old.groups), *(one.group for one in new.groups)])
        table += [_difference(old.dimension, name, old.group(name), new.group(name)) for name in names]
    return tuple(table)


def imbalance(report: BiasReport, dimension: Dimension, groups: Collection[str] = ()) -> float:
    """How far the mentions are from even: half the sum of the distances of shares, 0 where they are equal.

    Args:
        report: a report that counted the dimension.
        dimension: which.
        groups: more groups that should be named as often; those the report names always are, and both genders.
    """
    shares = {one.group: one.share for one in report.dimension(dimension).groups}
    everyone = {*shares, *groups, *((FEMALE, MALE) if dimension is Dimension.GENDER else ())}
    if not shares:
        return 0.0
    return sum(abs(shares.get(group, 0.0) - 1 / len(everyone)) for group in sorted(everyone)) / 2


def warnings_of(
    dimensions: tuple[DimensionReport, ...], occupations: tuple[OccupationRow, ...], lowest_count: int
) -> tuple[str, ...]:
    """A sentence for each thing that stands out and has counts enough."""
    found = []
    for one in dimensions:
        gender = one.dimension is Dimension.GENDER and one.mentions >= lowest_count and one.groups
        if gender and one.groups[0].share > _UNEVEN:
            found.append(f"{one.groups[0].share:.0%} of the words for a gender are {one.groups[0].group}")
        found += [
            _sentiment_warning(one, group) for group in one.groups if group.sentiment and group.sentiment.stands_out
        ]
    found += [_occupation_warning(row) for row in occupations if _one_sided(row, lowest_count)]
    return tuple(found)


_UNEVEN = 0.6
"""Share of one gender's mentions from which a person should look."""
_ONE_SIDED = 0.9
"""Share of one gender with an occupation from which a person should look."""


def _one_sided(row: OccupationRow, lowest_count: int) -> bool:
    total = row.female + row.male
    return total >= lowest_count and max(row.female, row.male) / total >= _ONE_SIDED


def _occupation_warning(row: OccupationRow) -> str:
    gender, count = (FEMALE, row.female) if row.female > row.male else (MALE, row.male)
    return f"{count} of {row.female + row.male} mentions of {row.occupation} with a gender are {gender}"


def _sentiment_warning(dimension: DimensionReport, group: GroupReport) -> str:
    sentiment = group.sentiment
    assert sentiment is not None
    how = "friendlier" if sentiment.difference > 0 else "less friendly"
    return (
        f"what stands near {group.group} is {how} than near the {dimension.dimension} groups together "
        f"({sentiment.difference:+.2f}, interval {sentiment.difference_low:+.2f} to {sentiment.difference_high:+.2f}, "
        f"{sentiment.rows} rows)"
    )


def _difference(dimension: Dimension, name: str, old: GroupReport | None, new: GroupReport | None) -> Difference:
    return Difference(
        dimension=dimension,
        group=name,
        mentions_before=old.mentions if old else 0,
        mentions_after=new.mentions if new else 0,
        share_before=old.share if old else 0.0,
        share_after=new.share if new else 0.0,
        sentiment_before=old.sentiment.mean if old and old.sentiment else None,
        sentiment_after=new.sentiment.mean if new and new.sentiment else None,
    )
