"""docpipe: folders of documents in, answers with proof out.

    pipe = docpipe.open("pipelines/quickstart.yaml")
    pipe.run()
    answer = pipe.ask("What does the warranty cover?")

Importing this module loads nothing heavy; each name is fetched when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docpipe.errors import (
        ConfigError,
        DocpipeError,
        IndexFailed,
        IndexMismatch,
        RunLocked,
        ServiceError,
        SourceError,
        StageError,
    )
    from docpipe.pipeline.pipe import AsyncPipe, Pipe, aopen, open
    from docpipe.pipeline.report.reports import Event, FailureRow, Plan, PlanItem, RunReport, StatusReport
    from docpipe.pipeline.talk import Session, SessionReport
    from docpipe.types import (
        Answer,
        BBox,
        Blob,
        Block,
        BlockKind,
        Chunk,
        Citation,
        Document,
        Exchange,
        Failure,
        Hit,
        Link,
        Outcome,
        OutlineEntry,
        Page,
        PageBox,
        Query,
        ReasoningPiece,
        Source,
        Span,
        Status,
        TextPiece,
        Usage,
    )

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "AsyncPipe",
    "BBox",
    "Blob",
    "Block",
    "BlockKind",
    "Chunk",
    "Citation",
    "ConfigError",
    "DocpipeError",
    "Document",
    "Event",
    "Exchange",
    "Failure",
    "FailureRow",
    "Hit",
    "IndexFailed",
    "IndexMismatch",
    "Link",
    "Outcome",
    "OutlineEntry",
    "Page",
    "PageBox",
    "Pipe",
    "Plan",
    "PlanItem",
    "Query",
    "ReasoningPiece",
    "RunLocked",
    "RunReport",
    "ServiceError",
    "Session",
    "SessionReport",
    "Source",
    "SourceError",
    "Span",
    "StageError",
    "Status",
    "StatusReport",
    "TextPiece",
    "Usage",
    "aopen",
    "open",
]

_MODULES = {
    "docpipe.errors": (
        "ConfigError",
        "DocpipeError",
        "IndexFailed",
        "IndexMismatch",
        "RunLocked",
        "ServiceError",
        "SourceError",
        "StageError",
    ),
    "docpipe.pipeline.pipe": ("AsyncPipe", "Pipe", "aopen", "open"),
    "docpipe.pipeline.report.reports": ("Event", "FailureRow", "Plan", "PlanItem", "RunReport", "StatusReport"),
    "docpipe.pipeline.talk": ("Session", "SessionReport"),
}
"""Where a public name is found, if not in `docpipe.types`."""
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'docpipe' has no attribute {name!r}")
    value = getattr(import_module(_HOMES.get(name, "docpipe.types")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
