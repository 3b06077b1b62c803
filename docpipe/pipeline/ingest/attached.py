"""What a run needs of those around it: its stages, its lease, whoever may stop it, and the history it writes."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from docpipe.pipeline.processes.work import Work
from docpipe.protocols import Chunker, Embedder, Index, Loader, Parser


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


class RunStages(Protocol):
    """The stages a run needs, as `build` makes them."""

    @property
    def loaders(self) -> Sequence[Loader]:
        """Where documents come from."""
        ...

    @property
    def parser(self) -> Parser:
        """Blob -> Document."""
        ...

    @property
    def chunker(self) -> Chunker:
        """Document -> Chunks."""
        ...

    @property
    def embedder(self) -> Embedder:
        """Texts -> vectors."""
        ...

    @property
    def index(self) -> Index:
        """Where the rows go."""
        ...

    @property
    def made_by(self) -> str:
        """The embed stage as JSON, kept beside the vectors; empty where nobody has to make it anew."""
        ...


def work_of(stages: RunStages) -> Work:
    """What workers do for a run."""
    return Work(loaders=tuple(stages.loaders), parser=stages.parser, chunker=stages.chunker)
