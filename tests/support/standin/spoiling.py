"""Pages that OCR reads badly, on demand (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from standin.refusals import Refusal

Kind = Literal["loop", "empty", "cut_table", "absurd", "missing", "refused", "other_page", "no_boxes"]
Way = Literal["pdf", "image", "half"]
WAYS: tuple[Way, ...] = ("pdf", "image", "half")


@dataclass(kw_only=True)
class Spoiled:
    """A page that is to be read badly."""

    mark: str
    """Of the page (its printed number), or words that stand on it."""
    kind: Kind
    ways: Sequence[Way]
    """Sent in such a way: within a PDF, as an image of the whole page, as an image of a half."""
    times: int
    """How often; -1: always."""
    code: str
    """Of the refusal."""

    def meets(self, page: Mapping[str, Any]) -> bool:
        """Whether this page is meant."""
        if not self.times or page["way"] not in self.ways:
            return False
        return self.mark == page["mark"] or any(self.mark in (e["content"] or "") for e in page["elements"])


def spoil(pages: Sequence[Mapping[str, Any]], plans: Sequence[Spoiled]) -> list[Mapping[str, Any]]:
    """The pages as they are told.

    Raises:
        Refusal: one of them is to be refused.
    """
    told: list[Mapping[str, Any]] = []
    for number, page in enumerate(pages):
        plan = next((plan for plan in plans if plan.meets(page)), None)
        if plan is None:
            told.append(page)
            continue
        plan.times -= plan.times > 0
        if plan.kind == "refused":
            raise Refusal(code=plan.code)
        if plan.kind != "missing":
            other = pages[(number + 1) % len(pages)]
            told.append({**page, "elements": _spoiled(page["elements"], plan.kind, other["elements"])})
    return told


def _spoiled(elements: Sequence[Mapping[str, Any]], kind: Kind, others: Sequence[Mapping[str, Any]]) -> list[Any]:
    match kind:
        case "empty":
            return []
        case "other_page":
            return list(others)
        case "no_boxes":
            return [{**element, "box": None} for element in elements]
        case "cut_table":
            return [_cut(element) for element in elements]
    longest = max(elements, key=lambda element: len(element["content"] or ""), default=None)
    if longest is None:
        return []
    words = " ".join((longest["content"] or "the").split()[:4])
    noise = f"{words} " * 800 if kind == "loop" else "".join(chr(97 + (n * n + n // 7) % 26) for n in range(60_000))
    return [{**element, "content": noise} if element is longest else element for element in elements]


def _cut(element: Mapping[str, Any]) -> Mapping[str, Any]:
    content = element["content"] or ""
    return {**element, "content": content[: len(content) * 2 // 3]} if element["label"] == "table" else element
