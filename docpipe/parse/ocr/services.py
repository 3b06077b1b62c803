"""What is sent -> the elements of its pages, whichever service reads them."""

from typing import TYPE_CHECKING, Protocol

from docpipe._http.endpoint import Endpoint
from docpipe.parse.ocr.content import from_markdown
from docpipe.parse.ocr.layout import Element, elements
from docpipe.protocols import Payload

if TYPE_CHECKING:
    from docpipe._zai.layout_parsing import LayoutReply

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


def reader(endpoint: Endpoint, *, model: str) -> Reader:
    """What asks the service of these options."""
    return CloudReader(endpoint, model=model)


class CloudReader:
    """The platform's layout parsing: PDF pieces and images."""

    def __init__(self, endpoint: Endpoint, *, model: str) -> None:
        from docpipe._zai.layout_parsing import CAPABILITY, LayoutParsing

        self._service = LayoutParsing(endpoint, model=model)
        self.width = endpoint.concurrency or CAPABILITY.concurrency

    async def read(self, payload: Payload, /) -> type_pages:
        """Pages with boxes."""
        reply = await self._service.parse(payload.data, payload.media_type)
        return from_reply(reply, len(payload.pages))


def from_reply(reply: "LayoutReply", sent: int) -> type_pages:
    """The pages of a layout reply; its Markdown where a single page came without any details."""
    pages = [elements(page, size) for page, size in zip(reply.pages, reply.sizes, strict=True)]
    if sent == 1 and not any(pages) and reply.markdown.strip():
        return [from_markdown(reply.markdown)]
    return pages
