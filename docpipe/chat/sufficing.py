"""Question and hits -> whether they are likely to answer it: by local signs, or by what a model says (pure)."""

import json
import re
from collections.abc import Sequence

from docpipe.chat.evidence import gather
from docpipe.chat.judging import judge
from docpipe.types import Hit

__all__ = ["JUDGE", "confidence", "verdict"]

JUDGE = (
    "Do not answer the question. Judge whether the sources and documents above hold the answer to it, or enough of it "
    'to be useful. Reply with JSON only: {"sufficient": true or false, "missing": "what is missing, in a few words"}'
)
SURE = 0.55
"""From this confidence on, no model is asked for its judgement."""
_FENCE = re.compile(r"\A\s*```(?:json)?\s*(.*?)\s*```\s*\Z", re.S)


def confidence(question: str, hits: Sequence[Hit]) -> float:
    """Probability, by words alone, that the hits answer the question; takes some milliseconds."""
    return judge(question, gather(question, hits), reranker=None).confidence if hits else 0.0


def verdict(text: str) -> bool | None:
    """What a model's JSON says; None where it is none of the shape that was asked for."""
    inner = _FENCE.match(text)
    try:
        found = json.loads(inner[1] if inner else text)
    except (ValueError, RecursionError):
        return None
    said = found.get("sufficient") if isinstance(found, dict) else None
    if isinstance(said, str):
        said = {"true": True, "false": False}.get(said.strip().lower())
    return said if isinstance(said, bool) else None
