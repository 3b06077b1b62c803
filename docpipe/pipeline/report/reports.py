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


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanItem:
    """One document and what a run would do with it."""

    uri: str
    action: str
    """`added`, `changed`, `rechunked`, `retried`, `unchanged`, `failed`, `ignored` or `deleted`."""
    why: str


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
