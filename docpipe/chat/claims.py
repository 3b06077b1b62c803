"""Which sentences of an answer claim anything that a source must say (pure)."""

import re

from docpipe.chat.support import numbers, plain
from docpipe.chat.terms import terms

__all__ = ["is_claim", "is_neutral"]

_LEAST_TERMS, _LEAST_TERMS_BEHIND = 2, 3
"""Content words of a claim: of a whole sentence, and of what stands behind its last marker."""
_SILENCE = re.compile(
    r"\b(?:not|n['’]t|no|nothing|neither|lacks?|unclear|unknown)\b.{0,60}\b(?:sa(?:y|id)|stat|mention|specif|contain|"
    r"provid|giv|includ|describ|availab|information|found|indicat|address|cover|tell|told|detail)"
    r"|(?:未|没有|沒有|无|無|不).{0,10}(?:提及|提到|说明|說明|给出|給出|记载|記載|涉及|包含|提供|说|說|信息|資訊|找到)",
    re.I,
)
_MANNERS = re.compile(
    r"\A(?:sure|certainly|of course|great question|here (?:is|are)|let me know|i hope|feel free|in summary|"
    r"based on|according to the (?:sources|documents)\b[^.]{0,20}\Z|好的|当然|當然|希望|如需|如有|以下|根据|根據)",
    re.I,
)


def is_claim(text: str, *, alone: bool) -> bool:
    """Whether it should have a proof.

    Args:
        alone: it is a whole sentence, not the end of one whose first part has its proof.
    """
    said = plain(text)
    if numbers(said):
        return True
    if text.lstrip().startswith(("#", "|")) or said.endswith(("?", "？", ":", "：")):
        return False
    return len(set(terms(said))) >= (_LEAST_TERMS if alone else _LEAST_TERMS_BEHIND)


def is_neutral(text: str) -> bool:
    """Whether it is said about the sources or to the reader, and so needs none: it gives no number."""
    said = plain(text)
    return not numbers(said) and bool(_MANNERS.search(said) or _SILENCE.search(said))
