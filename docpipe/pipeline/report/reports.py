"""What a pipeline did, would do, holds: values to show to a person or a program (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from docpipe.protocols import IndexStats
from docpipe.types import Failure, Outcome

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One step of a run, as it happens.

    `found`: the source was listed (`total` documents to work on); `started`: work on `uri` began; `outcome`: it
    ended (`outcome`, with `count` of `total` done); `embedded`: `count` texts; `committed`: `count` documents;
    `reading`: of the `total` pages of `uri` that a service has to read, `count` are read; `maintenance`: the index is
    looked after.
    """

    kind: Literal["found", "started", "reading", "outcome", "embedded", "committed", "maintenance"]
    uri: str = ""
    count: int = 0
    total: int = 0
    outcome: Outcome | None = None
    seconds: float = 0.0
    """How long it took, where it is over and was measured."""


class PagesOf(NamedTuple):
    """Pages of one document, numbered from 1."""

    uri: str
    pages: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class RunReport:
    """What a run did: counts of documents, unless their name says otherwise."""

    pipeline: str
    indexed: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    failed: int = 0
    ignored: int = 0
    pages: int = 0
    """Pages parsed."""
    ocr_pages: int = 0
    """Pages that need OCR and gave no text."""
    chunks: int = 0
    """Chunks written."""
    embedded: int = 0
    """Texts the embedder was given."""
    reused: int = 0
    """Chunks whose vector was there already."""
    seconds: float = 0.0
    version: int = 0
    """Version of the index after the run."""
    cost_usd: float = 0.0
    """What services cost, as far as their prices are known."""
    requests: int = 0
    """Calls to services that were answered."""
    tokens: int = 0
    """Tokens that services read and wrote."""
    failures: tuple[Outcome, ...] = ()
    """The documents that failed."""
    left_out: tuple[Outcome, ...] = ()
    """What was found and not indexed, each with its reason."""
    needs_ocr: tuple[PagesOf, ...] = ()
    recognised: int = 0
    """Pages that a service read in this run."""
    remembered: int = 0
    """Pages that it had read before: known by what is on them, and not paid for again."""
    remarks: tuple[str, ...] = ()
    """What else to know: costs that are in no sum, say."""
    stage_seconds: Mapping[str, float] = field(default_factory=lambda: _NOTHING)
    """CPU seconds by stage, where measured."""
    run_id: str = ""
    """Names the run, and the version that it made: `20261121T021500-7f3a`."""
    started: float = 0.0
    """Seconds since 1970 (UTC)."""
    ended: float = 0.0
    """The same."""
    renamed: int = 0
    """Of the updated: files that have another name now; nothing of them was parsed again."""
    touched: int = 0
    """Of the unchanged: files with another time of change, and the same bytes."""
    stale: int = 0
    """Of the failed: documents of which an older version stays searchable."""
    waiting: int = 0
    """Documents that this run did not come to: `--limit`, a stop, or a service that cannot be used."""
    stopped: str = ""
    """Why the run ended early and will go on next time; nothing where it did not."""
    account: "Account" = field(default_factory=lambda: Account())
    slowest: tuple[Outcome, ...] = ()
    """The documents that took longest, at most ten."""
    upkeep: tuple[str, ...] = ()
    """What was done to keep the index quick, and what was left out and why."""
    published: bool = True
    """Whether readers see this run's version."""
    staged: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    """Of a staged run: what the golden questions say (the JSON of an evaluation), and which of them got worse."""
    holds: "Holds" = field(default_factory=lambda: Holds())
    ended_by: Failure | None = None
    """The error that ended the run; nothing where it came to its end."""
    page: str = ""
    """The file with this report as a page to look at, if one was written."""

    @property
    def failing(self) -> bool:
        """Whether somebody has to look: something failed, is accounted for nowhere, ended the run, or holds it back."""
        held_back = not self.published and not self.stopped
        return bool(self.failed or self.ended_by) or not self.account.closed or held_back


@dataclass(frozen=True, kw_only=True, slots=True)
class Holds:
    """What the index holds after a run."""

    documents: int = 0
    chunks: int = 0
    bytes: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Sums:
    """Where some units (files, pages) went. Law: `found` is the sum of all others."""

    found: int = 0
    indexed: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    failed: int = 0
    ignored: int = 0
    waiting: int = 0

    @property
    def gap(self) -> int:
        """What is accounted for nowhere: 0, or something was lost."""
        spent = (self.indexed, self.updated, self.unchanged, self.deleted, self.failed, self.ignored, self.waiting)
        return self.found - sum(spent)


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """The account that a run closes: nothing that was found is lost."""

    files: Sums = field(default_factory=Sums)
    pages: Sums = field(default_factory=Sums)
    """Of failed and left-out files the pages are counted where they are known."""
    characters: int = 0
    """Code points, blanks left out, of the texts of all indexed documents."""
    covered: int = 0
    """Of these, in at least one chunk."""
    left_out: Mapping[str, int] = field(default_factory=lambda: _NOTHING)
    """Of these, left out on purpose, by kind of block: `header`, `footer`, `page_number`, `hidden`, `suspicious`."""
    gaps: tuple[str, ...] = ()
    """What is accounted for nowhere, each named: a file, or a document with the code points that no chunk covers."""

    @property
    def closed(self) -> bool:
        """Whether everything is accounted for."""
        return not self.gaps and not self.files.gap and not self.pages.gap


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanItem:
    """One document and what a run would do with it."""

    uri: str
    action: str
    """`add`, `change`, `rename`, `retry`, `keep`, `ignore` or `delete`."""
    why: str
    pages: int = 0
    """To parse."""
    tokens: int = 0
    """To embed, about."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a run would do: counts of documents, unless their name says otherwise."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    pages: int = 0
    """Pages to parse."""
    ocr_pages: int = 0
    """Pages that a service would read; without one, those that are known to need OCR."""
    embed_tokens: int = 0
    """Tokens to embed; an estimate."""
    cost_usd: float = 0.0
    """What services would cost, about and rather too much, as far as their prices are known."""
    requests: int = 0
    """Calls to services, about."""
    remarks: tuple[str, ...] = ()
    """What else to know: costs that are in no sum, say."""
    items: tuple[PlanItem, ...] = ()
    """What would be worked on, and what is left out with a reason."""
    renamed: int = 0
    """Documents that have another name now; nothing of them is parsed again."""
    touched: int = 0
    """Of the unchanged: files with another time of change, and the same bytes."""
    waiting: int = 0
    """Documents that failed and are not tried this time."""
    minutes: float = 0.0
    """How long the run would take, about, going by the last ones."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusReport:
    """What an index holds."""

    name: str
    """The pipeline's."""
    index: str
    """Where the index is."""
    version: int
    documents: int
    chunks: int
    failed: int
    """Documents that failed and wait for another try."""
    stats: IndexStats
    last_run: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    """Facts of the last run; empty before the first."""
    stale: int = 0
    """Of the failed: documents of which an older version stays searchable."""
    waiting: int = 0
    """Of the failed: documents that are not tried again before a time of their own."""
    next_try: float = 0.0
    """The first of these times, in seconds since 1970 (UTC); 0 where none waits."""
    pages: int = 0
    """Pages of the documents that are indexed."""
    characters: int = 0
    """Code points of their texts, blanks left out."""
    covered: int = 0
    """Of these, in at least one chunk."""
    left_out: Mapping[str, int] = field(default_factory=lambda: _NOTHING)
    """Of these, left out on purpose, by kind of block."""
    gaps: tuple[str, ...] = ()
    """The documents of whose text some is in no chunk, though it should be."""
    published: int = 0
    """The version that readers see; 0: the newest."""
    runs: tuple[Mapping[str, Any], ...] = ()
    """The last runs, newest first, each as its report's JSON has it."""
    lease: str = ""
    """Who writes to the index at this moment, in words; nothing where nobody does."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FailureRow:
    """A document that failed, as the ledger remembers it."""

    uri: str
    stage: str
    error: Failure
    attempts: int
    first: float
    """Seconds since 1970 (UTC) of the first failure; 0 where unknown."""
    last: float
    """The same of the last one."""
