"""What golden questions say -> the JSON promised to programs (pure). Fields may be added, never renamed."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from docpipe.pipeline.golden.evaluation import Evaluation, form
from docpipe.pipeline.golden.why import Why

Json = dict[str, Any]


def evaluation(found: Evaluation, below: Sequence[str]) -> Json:
    """What `docpipe eval --json` prints.

    Args:
        below: the thresholds that are missed, in words.
    """
    return {**form(found), "below": list(below), "ok": not below}


def why(found: Why) -> Json:
    """What `docpipe why --json` prints. `lost` is the name of the stage that lost the place; null where none did."""
    return {
        "question": found.question,
        "expect": found.expect,
        "where": found.where,
        "lost": found.lost.stage if found.lost else None,
        "verdict": found.verdict,
        "remedies": list(found.remedies),
        "stages": [asdict(look) for look in found.looks],
    }
