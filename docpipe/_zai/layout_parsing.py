"""Layout parsing (GLM-OCR): a PDF or an image -> the elements of its pages, as the service names and places them."""

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from docpipe._http.endpoint import Endpoint
from docpipe._http.service import Capability, service
from docpipe._zai.chat import tokens
from docpipe._zai.codes import classify
from docpipe._zai.values import Tokens
from docpipe.errors import BadReply

CAPABILITY = Capability(name="layout_parsing", classify=classify, concurrency=2, read_seconds=300.0)
_PATH = "layout_parsing"

type_size = tuple[float, float] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class LayoutReply:
    """What the service read. Boxes are still in whatever scale it used."""

    pages: tuple[tuple[Mapping[str, Any], ...], ...]
    """The elements of each page, in reading order. May be fewer pages than were sent."""
    sizes: tuple[type_size, ...]
    """Width and height of each page in the scale of the boxes; None where the reply does not tell."""
    markdown: str
    """All pages together, without marks between them."""
    tokens: Tokens = Tokens()
    request_id: str = ""


class LayoutParsing:
    """Layout parsing at one endpoint. The call runs on the I/O loop."""

    def __init__(self, endpoint: Endpoint, *, model: str = "glm-ocr") -> None:
        self._service = service(CAPABILITY, endpoint)
        self._model = model

    def require_key(self) -> None:
        """Raises: Unauthorized: the variable with the key is not set."""
        self._service.require_key()

    async def parse(self, data: bytes, media_type: str, *, crops: bool = False) -> LayoutReply:
        """Read a PDF of at most 100 pages, a JPEG or a PNG.

        Raises:
            ServiceError: after all attempts that make sense.
        """
        sent = await self._service.post(_PATH, body(data, media_type, model=self._model, crops=crops))
        return reply(sent.payload, request_id=sent.request_id)


def body(data: bytes, media_type: str, *, model: str = "glm-ocr", crops: bool = False) -> dict[str, Any]:
    """What is sent: the file as a data URI."""
    form: dict[str, Any] = {"model": model, "file": f"data:{media_type};base64,{base64.b64encode(data).decode()}"}
    if crops:
        form["return_crop_images"] = True
    return form


def reply(payload: Mapping[str, Any], *, request_id: str = "") -> LayoutReply:
    """A reply's value, whichever of its fields are there.

    Raises:
        BadReply: it has neither elements nor Markdown, nor says that it is about layout at all.
    """
    details, markdown = payload.get("layout_details"), payload.get("md_results")
    if details is None and markdown is None:
        raise BadReply(
            "the reply holds neither `layout_details` nor `md_results`",
            service=CAPABILITY.name,
            remedy="check `service.base_url` and `mode`; try again",
        )
    pages = _pages(details)
    told = _told_sizes(payload.get("data_info"))
    sizes = tuple(told[at] if at < len(told) else None for at in range(len(pages)))
    found = payload.get("request_id")
    return LayoutReply(
        pages=pages,
        sizes=sizes,
        markdown=markdown if isinstance(markdown, str) else "",
        tokens=tokens(payload.get("usage")) or Tokens(),
        request_id=found if isinstance(found, str) and found else request_id,
    )


def _pages(details: object) -> tuple[tuple[Mapping[str, Any], ...], ...]:
    """Pages of elements; a flat list of elements is one page."""
    rows = details if isinstance(details, list) else []
    if rows and all(isinstance(row, Mapping) for row in rows):
        rows = [rows]
    return tuple(_ordered(row) for row in rows)


def _ordered(page: object) -> tuple[Mapping[str, Any], ...]:
    """By `index` where every element has one, else as they stand."""
    found: Sequence[Mapping[str, Any]] = [
        element for element in (page if isinstance(page, list) else []) if isinstance(element, Mapping)
    ]
    if all(_is_number(element.get("index")) for element in found):
        found = sorted(found, key=lambda element: element["index"])
    return tuple(found)


def _told_sizes(info: object) -> list[type_size]:
    pages = info.get("pages") if isinstance(info, Mapping) else None
    return [_size(page) for page in pages] if isinstance(pages, list) else []


def _size(page: object) -> type_size:
    if not isinstance(page, Mapping):
        return None
    width, height = page.get("width"), page.get("height")
    if _is_number(width) and _is_number(height) and width > 0 and height > 0:
        return float(width), float(height)
    return None


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
