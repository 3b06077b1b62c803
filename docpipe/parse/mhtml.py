"""Web pages saved with all their parts (MHTML) -> the page, by the parser of HTML."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message

from docpipe._dates import iso_date
from docpipe._encodings import decode
from docpipe.errors import CorruptSource
from docpipe.parse.draft import known
from docpipe.parse.html import HtmlParser
from docpipe.parse.office.package import within_depth
from docpipe.types import Blob, Document, Source

_MOST_PARTS = 10_000
_LONGEST_HEADER = 4_000


@dataclass(frozen=True, kw_only=True)
class MhtmlParser:
    """The saved page itself; pictures, styles and frames are left out, and nothing is fetched."""

    VERSION = 1

    html: HtmlParser = field(default_factory=HtmlParser)
    """How the page is read."""

    def __call__(self, blob: Blob, /) -> Iterator[Document]:
        """One document.

        Raises:
            CorruptSource: there is no page in it.
        """
        with within_depth(blob.source):
            message = message_from_bytes(blob.data.lstrip(b"\r\n\t "))
            page = _page(message)
        if page is None:
            raise _without_page(blob.source)
        for document in self.html(replace(blob, data=codecs.BOM_UTF8 + _markup(page).encode("utf-8", "replace"))):
            saved = {
                "title": _header(message, "Subject"),
                "url": _header(message, "Snapshot-Content-Location") or _header(page, "Content-Location"),
                "saved": iso_date(_header(message, "Date")),
            }
            yield replace(document, metadata={**known(saved), **document.metadata})


def _page(message: "Message[str, str]") -> "Message[str, str] | None":
    """The first part that is HTML: saved pages begin with it."""
    for number, part in enumerate(message.walk()):
        if number > _MOST_PARTS:
            break
        if part.get_content_type() in ("text/html", "application/xhtml+xml") and not part.is_multipart():
            return part
    return None


def _markup(page: "Message[str, str]") -> str:
    data = page.get_payload(decode=True)
    return decode(data if isinstance(data, bytes) else b"", declared=str(page.get_content_charset() or "")).text


def _header(message: "Message[str, str]", name: str) -> str:
    """A header with its words in other encodings; as it stands where these are wrong."""
    text = str(message.get(name) or "")[:_LONGEST_HEADER]
    try:
        return str(make_header(decode_header(text)))
    except (ValueError, LookupError):
        return text


def _without_page(source: Source) -> CorruptSource:
    return CorruptSource("it holds no web page", source=source.uri, remedy="save the page again, or save it as HTML")
