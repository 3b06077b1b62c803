"""What golden questions say -> the JSON promised to programs (pure). Fields may be added, never renamed."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from docpipe.pipeline.golden.evaluation import Evaluation, Moved, Verdict, form
from docpipe.pipeline.golden.why import Why

Json = dict[str, Any]


def evaluation(found: Evaluation, below: Sequence[str]) -> Json:
    """What `docpipe eval --json` prints.

    Args:
        below: the thresholds that are missed, in words.
    """
    return {**form(found), "below": list(below), "ok": not below}


def verdict(reached: Verdict) -> Json:
    """What a staged run's report says: the evaluation of what it made, and how that differs from what readers see."""
    changes = {"worse": reached.worse, "better": reached.better, "moved": reached.moved}
    return {
        **form(reached.after),
        "below": list(reached.below),
        "ok": reached.holds,
        "reasons": list(reached.reasons),
        **{name: [_moved(one) for one in some] for name, some in changes.items()},
    }


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


def _moved(one: Moved) -> Json:
    return one._asdict() | {"lost": one.lost}
