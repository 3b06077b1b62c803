"""What a doctor found -> the JSON promised to programs (pure). Fields may be added, never renamed."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docpipe.pipeline.care.findings import Examination


def examination(found: "Examination") -> dict[str, Any]:
    """What `docpipe doctor --json` prints."""
    return {
        "pipeline": found.pipeline,
        "ok": found.ok,
        "done": list(found.done),
        "findings": [{**asdict(finding), "items": list(finding.items)} for finding in found.findings],
    }
