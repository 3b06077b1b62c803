"""What a run needs of those around it: the lease it works under, whoever may stop it, and the history it writes."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Guard(Protocol):
    """Whether this process may still write."""

    def check(self) -> None:
        """Asked before every commit.

        Raises:
            LeaseLost: another process took the lease over.
        """
        ...


class Stopping(Protocol):
    """Whether somebody asked the run to end."""

    @property
    def reason(self) -> str:
        """Why; nothing while nobody asked."""
        ...


class Keeps(Protocol):
    """What is remembered of the documents that a run replaces."""

    def begin(self, started: float, *, base: bool) -> None:
        """The run begins (seconds since 1970). `base`: nothing was indexed before."""
        ...

    def note(self, pairs: Sequence[tuple[str, str]], ledger_rows: Mapping[str, Mapping[str, Any]]) -> None:
        """These sources (uri, document id) are about to be written; the ledger's rows are given where there are any."""
        ...

    def kept_digests(self) -> set[str]:
        """Of the sources that can still be restored."""
        ...

    def last_run(self) -> dict[str, Any]:
        """The report of the last run that came to its end, as JSON; empty before the first."""
        ...


class Unattended:
    """Nobody shares the index, nobody stops the run, and nothing is remembered of what it replaces."""

    reason = ""

    def check(self) -> None:
        """The index is nobody else's."""

    def begin(self, started: float, *, base: bool) -> None:
        """Nothing is remembered."""

    def note(self, pairs: Sequence[tuple[str, str]], ledger_rows: Mapping[str, Mapping[str, Any]]) -> None:
        """Nothing is remembered."""

    def kept_digests(self) -> set[str]:
        """Nothing can be restored."""
        return set()

    def last_run(self) -> dict[str, Any]:
        """No run is remembered."""
        return {}
