"""A list of web addresses -> their pages and files, read directly or by the platform's reader."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from docpipe._encodings import decode
from docpipe._http.addresses import address, check_url, shown
from docpipe._http.endpoint import Endpoint
from docpipe._http.fetch import Fetched, fetch
from docpipe._http.loop import wait
from docpipe._ids import digest
from docpipe._zai.reader import Reader
from docpipe._zai.values import WebPage
from docpipe.errors import (
    DocpipeError,
    OutOfCredit,
    Refused,
    ServiceError,
    SourceError,
    SourceTooLarge,
    Unauthorized,
    UnreadableSource,
    failure,
)
from docpipe.load.media import HEAD_BYTES, is_text, served_media_type
from docpipe.load.stamps import Stamps, stamps
from docpipe.types import Blob, Entry, Failure, Outcome, Source, Status

_AT_ONCE, _AT_ONCE_OF_A_HOST = 32, 4
_LOOK_SECONDS = 20.0
_GONE = (404, 410)
_NO_HEAD = frozenset({400, 401, 403, 405, 406, 409, 418, 429, 501})
"""What servers answer to a HEAD request that they do not like; a GET request decides."""
_UNREAD_KINDS = ("audio/", "video/", "font/", "model/")


@dataclass(frozen=True, kw_only=True)
class WebLoader:
    """The pages of a list of addresses. Identity is the address, in its one spelling."""

    VERSION = 1
    fetches = True

    urls: tuple[str, ...] = ()
    """Addresses, `https://...`."""
    path: str = ""
    """A file with more of them, one a line; empty lines and lines that begin with # are left out."""
    via: Literal["direct", "reader"] = "direct"
    """Read pages from their own servers, or by the platform's reader, which gives Markdown without a page's frame.
    Proxies of the environment are used for the reader only."""
    service: Endpoint = Endpoint()
    """Where the reader is."""
    refresh: Literal["changed", "always", "never"] = "changed"
    """Read a page again when its server says that it changed, or on every run, or never."""
    max_mb: float = 50.0
    """Larger files are refused."""
    timeout: int = 60
    """Seconds that one page may take."""
    allow_private: bool = False
    """Whether addresses of private networks may be read, for an intranet. Whoever writes the list can then read from
    your network whatever this computer may."""

    def __post_init__(self) -> None:
        if isinstance(self.urls, str):
            raise ValueError(f"urls must be a list of addresses, got the text {self.urls!r}")
        if not self.urls and not self.path:
            raise ValueError("urls is missing: give addresses, or with `path` a file of addresses")
        if self.max_mb <= 0:
            raise ValueError(f"max_mb must be above 0, got {self.max_mb:g}")
        if self.timeout < 1:
            raise ValueError(f"timeout must be at least 1, got {self.timeout}")
        if self.allow_private and self.via == "reader":
            raise ValueError("allow_private needs `via: direct`: the platform's reader cannot see a private network")

    def entries(self) -> Iterator[Entry | Outcome]:
        """Every page of the list, in its order, asked for changes many at once.

        A page that is gone (404, 410) is ignored, so that a run removes it from the index; one that cannot be asked
        now failed, and stays as it is.

        Raises:
            SourceError: the file of addresses cannot be read.
            Unauthorized: the reader needs a key, and there is none.
        """
        if self.via == "reader":
            Reader(self.service).require_key()
        yield from wait(self._looked_at(list(dict.fromkeys(self._listed()))))

    def read(self, entry: Entry, /) -> Blob:
        """A page's bytes, or its Markdown where the reader reads it.

        Raises:
            SourceTooLarge: above `max_mb`.
            UnreadableSource: it is not there, or cannot be had now; the message says why.
            Unauthorized, OutOfCredit: the reader's account cannot be used.
        """
        try:
            return self._by_reader(entry) if self.via == "reader" else self._direct(entry)
        except (Unauthorized, OutOfCredit):  # no other page would fare better: the run ends
            raise
        except ServiceError as error:
            raise UnreadableSource(error.message, source=entry.uri, remedy=error.remedy) from error
        except SourceTooLarge as error:
            raise SourceTooLarge(
                error.message, source=entry.uri, remedy="raise `max_mb`, or take it from the list"
            ) from error

    def _listed(self) -> Iterator[str]:
        """Addresses as they are written, the spelling made one where they can be read."""
        for url in (*self.urls, *self._lines()):
            try:
                yield address(url).url
            except Refused:
                yield url

    def _lines(self) -> Iterator[str]:
        if not self.path:
            return
        try:
            text = Path(self.path).expanduser().read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise SourceError(
                f"the list of addresses {self.path!r} cannot be read: {reason}",
                source=self.path,
                remedy="set `path` to a text file with one address a line; it is relative to the pipeline file",
            ) from error
        for line in map(str.strip, text.splitlines()):
            if line and not line.startswith("#"):
                yield line

    async def _looked_at(self, urls: Sequence[str]) -> list[Entry | Outcome]:
        everywhere = asyncio.Semaphore(_AT_ONCE)
        hosts: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_AT_ONCE_OF_A_HOST))

        async def one(url: str) -> Entry | Outcome:
            try:
                found = address(url) if self.allow_private else check_url(url)
            except Refused as error:
                return _outcome(shown(url).strip("'"), failure(error, stage="load"))
            async with hosts[found.host], everywhere:
                return await self._look(url)

        return list(await asyncio.gather(*map(one, urls)))

    async def _look(self, url: str) -> Entry | Outcome:
        """Whether a page is there, and which state of it."""
        if self.refresh == "never":
            return _entry(url, Stamps(size=0, modified=0))
        try:
            reply = await self._head(url)
        except DocpipeError as error:
            if self.via == "reader" and error.retryable:  # the reader may get where this computer does not
                return _entry(url, None)
            return _outcome(url, failure(error, stage="load"))
        return self._told(url, reply)

    async def _head(self, url: str) -> Fetched:
        """What a HEAD request says; where it says that nothing is there, a GET request has to say so, too."""
        seconds = min(_LOOK_SECONDS, float(self.timeout))
        reply = await fetch(url, method="HEAD", max_bytes=0, seconds=seconds, allow_private=self.allow_private)
        if reply.status not in _GONE:
            return reply
        return await self._get(url)

    async def _get(self, url: str) -> Fetched:
        limit = int(self.max_mb * 1_000_000)
        return await fetch(url, max_bytes=limit, seconds=self.timeout, allow_private=self.allow_private)

    def _told(self, url: str, reply: Fetched) -> Entry | Outcome:
        if reply.status in _GONE:
            return _outcome(url, _problem("SourceError", f"the page is gone ({reply.status})", _GONE_REMEDY), gone=True)
        if self.via == "reader" and reply.status >= 300:
            return _entry(url, None)
        if reply.status in _NO_HEAD:
            return _entry(url, None)
        if reply.status >= 300:
            why = f"its server answers with an error ({reply.status})"
            return _outcome(url, _problem("UnreadableSource", why, "run again later", retryable=True))
        if reply.media_type.startswith(_UNREAD_KINDS):
            why = f"it is {reply.media_type}, which holds no text"
            return _outcome(url, _problem("UnsupportedMedia", why, "take it from the list"), gone=True)
        return _entry(url, stamps(reply.headers) if self.refresh == "changed" else None)

    def _direct(self, entry: Entry) -> Blob:
        reply = wait(self._get(entry.location))
        if not 200 <= reply.status < 300:
            why = "it is gone" if reply.status in _GONE else "its server does not give it"
            raise UnreadableSource(
                f"{why} ({reply.status})",
                source=entry.uri,
                remedy=_STATUS_REMEDIES.get(reply.status, "run again later"),
            )
        media = served_media_type(
            reply.data[:HEAD_BYTES], reply.media_type, address(reply.url).target.partition("?")[0]
        )
        return _blob(entry, _as_utf8(reply) if is_text(media) else reply.data, media)

    def _by_reader(self, entry: Entry) -> Blob:
        page = wait(Reader(self.service).read(entry.location, timeout=self.timeout, fresh=True))
        data = _markdown(page).encode("utf-8", "replace")
        if len(data) > self.max_mb * 1_000_000:
            message = f"the reader gave {len(data):,} bytes, more than max_mb = {self.max_mb:g}"
            raise SourceTooLarge(
                message, source=entry.uri, remedy="raise `max_mb` of load.web, or take it from the list"
            )
        return _blob(entry, data, "text/markdown")


_GONE_REMEDY = "take it from the list, or correct its address"
_STATUS_REMEDIES = {
    **dict.fromkeys(
        (401, 403, 407), "it needs a login, or refuses programs: take it from the list, or save it as a file"
    ),
    **dict.fromkeys(_GONE, _GONE_REMEDY),
}


def _entry(url: str, told: Stamps | None) -> Entry:
    """A page to be read if these facts are not those of the last time; without facts, always."""
    facts = told or Stamps(size=0, modified=time.time_ns())
    return Entry(uri=url, location=url, size=facts.size, modified=facts.modified)


def _outcome(url: str, problem: Failure, *, gone: bool = False) -> Outcome:
    return Outcome(uri=url, status=Status.IGNORED if gone else Status.FAILED, error=problem)


def _problem(kind: str, message: str, remedy: str, *, retryable: bool = False) -> Failure:
    return Failure(stage="load", type=kind, message=message, remedy=remedy, retryable=retryable)


def _blob(entry: Entry, data: bytes, media: str) -> Blob:
    """Size and time are the listing's, so that the next listing can be compared with them."""
    source = Source(uri=entry.uri, media_type=media, digest=digest(data), size=entry.size, modified=entry.modified)
    return Blob(source=source, data=data)


def _as_utf8(reply: Fetched) -> bytes:
    """A text in UTF-8, where its server declares another encoding and it is in none that shows by itself."""
    read = decode(reply.data, declared=reply.charset)
    if not reply.charset or read.encoding.startswith("utf-"):
        return reply.data
    return b"\xef\xbb\xbf" + read.text.encode("utf-8", "replace")


def _markdown(page: WebPage) -> str:
    """The page with its title in front, where the text itself does not begin with one."""
    facts = {"title": page.title, "published": page.published, "description": page.description}
    lines = [f"{name}: {' '.join(value.split())}" for name, value in facts.items() if value.strip()]
    content = page.content.lstrip("\ufeff \n")
    return "---\n" + "\n".join(lines) + f"\n---\n\n{content}" if lines else content
