"""Whether a role's test items stand in what its candidates learned from: the run's own rows, and their parents'."""

from __future__ import annotations

from functools import cached_property

from atanor.data.sides import Side
from atanor.data.workshop.dataset import Dataset, find_dataset
from atanor.errors import NotFoundError, StoreError
from atanor.evaluate.contamination.leaks import ContaminationSection, Leak
from atanor.evaluate.contamination.search import TrainedOn, find_leaks, strongest
from atanor.evaluate.report import Report
from atanor.project.dataset import RoleData
from atanor.project.sources import DATASETS
from atanor.store import Store


class Contamination:
    """The search for one role's test items; its own rows are looked at once, whatever the number of candidates.

    Args:
        data: of the role.
        policy: what becomes of items that were learned, as in `EvaluationOptions.contaminated`.
        store: knows what earlier candidates were trained on.
    """

    def __init__(self, data: RoleData, policy: str, store: Store) -> None:
        self._data = data
        self._policy = policy
        self._store = store

    @property
    def in_words(self) -> str | None:
        """What there is to say before anything is trained; None where no item stands in the run's own rows."""
        learned = sum(leak.learned for leak in self._own_leaks)
        if not learned:
            return None
        counted = "do not count in the verdict" if self._policy == "exclude" else "count, as the project asks"
        return f"{learned} of {len(self._data.test)} items stand in the training rows and {counted}"

    def of(self, parent: str | None) -> ContaminationSection:
        """What was found for a candidate.

        Args:
            parent: what its training began from, a candidate's id or a folder; None where it began afresh.
        """
        versions, unknown = self._before(parent)
        return ContaminationSection(
            policy=self._policy,
            items=len(self._data.test),
            looked_at=[f"{one.name} ({len(one.examples):,} rows)" for one in (self._own, *versions)],
            unknown=unknown,
            leaks=strongest(self._data.test, [*self._own_leaks, *find_leaks(self._data.test, versions)]),
        )

    @cached_property
    def _own(self) -> TrainedOn:
        return TrainedOn("the training rows", tuple(self._data.training.examples.values()))

    @cached_property
    def _own_leaks(self) -> list[Leak]:
        return find_leaks(self._data.test, [self._own])

    def _before(self, parent: str | None) -> tuple[list[TrainedOn], list[str]]:
        """The rows of every candidate this one came from, nearest first, and what is not known of them."""
        versions: list[TrainedOn] = []
        seen = {self._data.section.dataset_sha}
        while parent is not None:
            try:
                report = self._report(parent)
                if report.data.dataset_sha not in seen:
                    seen.add(report.data.dataset_sha)
                    examples = self._dataset(report).examples(Side.TRAIN)
                    versions.append(TrainedOn(f"what {report.candidate} was trained on", examples))
            except (NotFoundError, StoreError):
                return versions, [f"It is not known what `{parent}`, which training began from, was trained on"]
            parent = report.parent
        return versions, []

    def _report(self, candidate: str) -> Report:
        """The report on a candidate.

        Raises:
            NotFoundError: there is no such candidate here.
            StoreError: its report is gone.
        """
        path = self._store.folder / self._store.candidate(candidate).folder / "report.json"
        if not path.is_file():
            raise StoreError(f"there is no report on {candidate}")
        return Report.model_validate_json(path.read_text(encoding="utf-8"))

    def _dataset(self, report: Report) -> Dataset:
        return find_dataset(self._store.folder / DATASETS, report.data.dataset)
