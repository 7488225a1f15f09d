"""What a project as Python code can do about searching options."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

from atanor.project.events import Unwatched, Watcher
from atanor.project.file import LoadedProject
from atanor.store import Store

if TYPE_CHECKING:
    from atanor.project.write_back import Written
    from atanor.train.search.outcome import Search


class Tunes(ABC):
    """Part of `Project`: `atanor tune`."""

    loaded: LoadedProject
    store: Store

    @abstractmethod
    def _one_role(self, role: str | None) -> str:
        """The role that is meant, once the project was checked."""

    def tune(
        self,
        role: str | None = None,
        *,
        method: str | None = None,
        trials: int | None = None,
        minutes: float | None = None,
        storage: str | None = None,
        workers: int = 1,
        watcher: Watcher | None = None,
    ) -> Search:
        """Search a method's options by trials on the role's validation rows. Interrupted, the same call goes on.

        Args:
            role: which; it may be left out where there is only one.
            method: which of its methods; what the role's `search` says by default, and so of trials and minutes.
            trials: how many in all, those of an interrupted search included.
            minutes: after which no trial begins.
            storage: address of a database that workers on several machines share; a file of the project by default.
            workers: processes that train at a time.
            watcher: sees stages and progress; nobody by default.

        Raises:
            AtanorError: see `run`; nothing can be searched, or the storage cannot be used.
        """
        name = self._one_role(role)
        from atanor.project.search_workers import tune
        from atanor.project.searching import searching

        asked = searching(self.loaded, name, method, trials=trials, minutes=minutes, storage=storage)
        return tune(self.loaded, asked, watcher or Unwatched(), workers)

    def tune_page(self, found: Search) -> Path:
        """Write the HTML report of a search below the project's store; returns its path."""
        from atanor.project.search_page import write_page

        return write_page(found, self.store.folder / "searches")

    def write_winner(self, found: Search) -> Written | None:
        """Write the best trial's values into the project file; None where they stand there already.

        Raises:
            ConfigurationError: the file has changed since, or cannot be changed by text; the fix says what to write.
        """
        from atanor.project.write_back import write_winner

        return write_winner(self.loaded, found)
