"""Web reader: an address -> its page as Markdown (POST /reader)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from docpipe._http.addresses import check_url, shown
from docpipe._http.endpoint import Endpoint
from docpipe._http.retrying import Complaint, Verdict
from docpipe._http.service import Capability, service
from docpipe._zai import codes
from docpipe._zai.values import WebPage
from docpipe._zai.web_search import day
from docpipe.errors import BadReply, Refused

_PATH = "reader"
_MARGIN_SECONDS = 15
"""How much longer we wait for the reader than it waits for the page."""
_NETWORK, _UNKNOWN_MODEL = "1234", "1211"
_MOST_METADATA = 50
_LONGEST_VALUE = 1000


def classify(complaint: Complaint) -> Verdict:
    """As everywhere, but that a page which the reader could not open is tried only twice."""
    found = codes.classify(complaint)
    if complaint.code == _NETWORK:
        return replace(found, tries=2)
    if complaint.code == _UNKNOWN_MODEL:
        found.error.remedy = "this account seems to have no web reader: ask the platform, or read pages directly"
    return found


CAPABILITY = Capability(name="reader", classify=classify, concurrency=4, read_seconds=60.0)


class Reader:
    """The platform's reader of web pages. It opens them from its own network."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._service = service(CAPABILITY, endpoint)

    def require_key(self) -> None:
        """Raises: Unauthorized: there is none."""
        self._service.require_key()

    async def read(self, url: str, *, timeout: int = 20, fresh: bool = False) -> WebPage:
        """One page.

        Args:
            timeout: seconds that the reader waits for the page.
            fresh: not from the reader's cache.

        Raises:
            Refused: the address is none of the open internet (nothing was sent), or the reader will not open it.
            BadReply: the page is empty for the reader.
            ServiceError: the reader failed.
        """
        address = check_url(url).url
        asked = body(address, timeout=timeout, fresh=fresh)
        reply = await self._service.post(_PATH, asked, read_seconds=timeout + _MARGIN_SECONDS)
        return page(reply.payload, address)


def body(url: str, *, timeout: int, fresh: bool) -> dict[str, Any]:
    """What is sent: Markdown without pictures is wanted."""
    return {
        "url": url,
        "timeout": timeout,
        "no_cache": fresh,
        "return_format": "markdown",
        "retain_images": False,
    }


def page(payload: Mapping[str, Any], asked: str) -> WebPage:
    """The page, under the address that was asked for unless the reply names another of the open internet.

    Raises:
        BadReply: there is none, or nothing stands on it.
    """
    given = payload.get("reader_result")
    if not isinstance(given, Mapping):
        raise _bad(asked, "gave no page")
    content = given.get("content")
    if not isinstance(content, str) or not content.strip():
        raise _bad(asked, "found nothing on the page")
    return WebPage(
        url=_own_address(given.get("url"), asked),
        title=_text(given.get("title")),
        content=content,
        description=_text(given.get("description")),
        published=day(_text(given.get("publishedTime"))),
        metadata=_metadata(given.get("metadata")),
    )


def _own_address(given: Any, asked: str) -> str:
    try:
        return check_url(given).url if isinstance(given, str) else asked
    except Refused:
        return asked


def _metadata(given: Any) -> dict[str, str]:
    if not isinstance(given, Mapping):
        return {}
    texts = [(str(name)[:100], _text(value)) for name, value in list(given.items())[:_MOST_METADATA]]
    return {name: value for name, value in texts if value}


def _text(value: Any) -> str:
    return value.strip()[:_LONGEST_VALUE] if isinstance(value, str) else ""


def _bad(url: str, what: str) -> BadReply:
    return BadReply(
        f"the web reader {what}: {shown(url)}",
        service=CAPABILITY.name,
        remedy="it may need a login or a browser; give another address, or read it directly",
    )
