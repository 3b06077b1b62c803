"""What is sent -> the elements of its pages, whichever service reads them."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol

from docpipe._http.endpoint import Endpoint
from docpipe.parse.scan.content import from_markdown
from docpipe.parse.scan.layout import Element, elements
from docpipe.protocols import Payload

if TYPE_CHECKING:
    from docpipe._zai.layout_parsing import LayoutReply
    from docpipe.parse.scan.payloads import Crop

_LABELS = {"text": "text", "heading": "paragraph_title", "table": "table", "formula": "formula", "figure": "image"}
_REGIONS = 4
"""Of a page, at least, on most pages: so many pages fewer are in flight than calls."""
type_pages = list[list[Element]]


class Reader(Protocol):
    """Asks one kind of service."""

    @property
    def width(self) -> int:
        """How many calls it may have in flight."""
        ...

    async def read(self, payload: Payload, /) -> type_pages:
        """The elements of each page, in order; fewer or more pages than were sent where the service is mistaken.

        Raises:
            ServiceError: it does not answer, or not usefully.
        """
        ...


def cloud(endpoint: Endpoint, *, model: str, crops: bool) -> Reader:
    """What asks the platform. `crops`: for addresses of figures' pictures too."""
    return CloudReader(endpoint, model=model, crops=crops)


def selfhosted(endpoint: Endpoint, *, api: Literal["glmocr", "openai", "ollama"], model: str) -> Reader:
    """What asks a server of one's own."""
    return ServerReader(endpoint) if api == "glmocr" else RegionsReader(endpoint, api=api, model=model)


class CloudReader:
    """The platform's layout parsing: PDF pieces and images."""

    def __init__(self, endpoint: Endpoint, *, model: str, crops: bool) -> None:
        from docpipe._zai.layout_parsing import CAPABILITY, LayoutParsing

        self._service, self._crops = LayoutParsing(endpoint, model=model), crops
        self.width = endpoint.concurrency or CAPABILITY.concurrency

    async def read(self, payload: Payload, /) -> type_pages:
        """Pages with boxes."""
        reply = await self._service.parse(payload.data, payload.media_type, crops=self._crops)
        return from_reply(reply, len(payload.pages))


def from_reply(reply: "LayoutReply", sent: int) -> type_pages:
    """The pages of a layout reply; its Markdown where a single page came without any details."""
    pages = [elements(page, size) for page, size in zip(reply.pages, reply.sizes, strict=True)]
    if sent == 1 and not any(pages) and reply.markdown.strip():
        return [from_markdown(reply.markdown)]
    return pages


class ServerReader:
    """The glmocr server: images of pages."""

    def __init__(self, endpoint: Endpoint) -> None:
        from docpipe._zai.selfhosted import SERVER_CAPABILITY, GlmocrServer

        self._service = GlmocrServer(endpoint)
        self.width = endpoint.concurrency or SERVER_CAPABILITY.concurrency

    async def read(self, payload: Payload, /) -> type_pages:
        """One page with boxes."""
        return from_reply(await self._service.parse([(payload.data, payload.media_type)]), len(payload.pages))


class RegionsReader:
    """A model server (vLLM, SGLang, Ollama): pictures of regions that we found ourselves."""

    def __init__(self, endpoint: Endpoint, *, api: Literal["openai", "ollama"], model: str) -> None:
        from docpipe._zai.selfhosted import REGION_CAPABILITY, RegionReader

        self._service = RegionReader(endpoint, api=api, model=model)
        self.width = max(2, (endpoint.concurrency or REGION_CAPABILITY.concurrency) // _REGIONS)

    async def read(self, payload: Payload, /) -> type_pages:
        """One page, its regions read all at once."""
        crops: Sequence[Crop] = payload.regions
        texts = await asyncio.gather(*map(self._read, crops))
        return [
            [
                element
                for crop, text in zip(crops, texts, strict=True)
                for element in (
                    from_markdown(text) if crop.box is None else [Element(_LABELS[crop.kind], text, crop.box)]
                )
            ]
        ]

    async def _read(self, crop: "Crop") -> str:
        if crop.kind == "figure":
            return ""
        return await self._service.read(crop.jpeg, "text" if crop.kind == "heading" else crop.kind)
