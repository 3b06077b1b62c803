"""Wanted pages -> their readings: in pieces, all at once, each page looked at and healed where it came out wrong."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from docpipe.errors import BadReply, CorruptSource, DocpipeError, Refused, ServiceError
from docpipe.parse.scan.health import Trouble, alike, trouble
from docpipe.parse.scan.layout import Element
from docpipe.parse.scan.reply import packed
from docpipe.parse.scan.services import Reader
from docpipe.protocols import Payload, Wanted
from docpipe.types import BBox

WHOLE, IMAGE, UPPER, LOWER = "whole", "image", "upper", "lower"
"""The ways in which pages are sent: as they are; drawn anew; the two halves of that."""

type_make = Callable[[tuple[int, ...], str], Awaitable[Payload]]
type_keep = Callable[[Mapping[str, bytes]], None]

_PREFETCHED = 2
"""Pieces that are made while all calls are in flight."""
_MOST_REFUSALS = 30
"""In a row, without any page read between: then it is not the pages that are wrong."""
_ABOUT_THE_CALL = frozenset({"1001", "1211", "1212", "1215", "1220", "1221", "1222", "1231"})
"""Codes of refusals that no other page would change."""

_log = logging.getLogger("docpipe.parse")


@dataclass
class _Run:
    """What the files of one run share."""

    slots: asyncio.Semaphore
    refusals: int = 0


@dataclass(frozen=True, kw_only=True)
class PageRecogniser:
    """Has pages read. Made once for a run; several files may be under way at once."""

    reader: Reader
    piece_pages: int
    halves: bool = True
    """Whether the service can read an image of half a page."""
    _runs: dict[asyncio.AbstractEventLoop, _Run] = field(default_factory=dict, repr=False, compare=False)

    async def recognise(self, wanted: Sequence[Wanted], make: type_make, keep: type_keep) -> Mapping[str, bytes]:
        """Readings by key. A page that cannot be read by any way has none: it stays as the parser read it itself.

        Raises:
            ServiceError: of the first call that failed for good; what was in flight then was still kept.
            BadReply: no usable reply came for a page, in whatever way it was sent; all others were kept.
        """
        loop = asyncio.get_running_loop()
        run = self._runs.setdefault(loop, _Run(asyncio.Semaphore(self.reader.width + _PREFETCHED)))
        keys: dict[int, str] = {}
        seen: set[str] = set()
        for item in wanted:
            if item.key not in seen:
                keys[item.page] = item.key
                seen.add(item.key)
        job = _Job(self, run, keys, make, keep)
        size = max(1, min(self.piece_pages, -(-len(keys) // self.reader.width)))
        pages = tuple(keys)
        await job.all([pages[at : at + size] for at in range(0, len(pages), size)])
        return job.found


class _Job:
    """The pages of one file."""

    def __init__(
        self, parent: PageRecogniser, run: _Run, keys: Mapping[int, str], make: type_make, keep: type_keep
    ) -> None:
        self._parent, self._run, self._keys = parent, run, keys
        self._make, self._keep = make, keep
        self._failed: BaseException | None = None
        self._unusable: BadReply | None = None
        """Of a page for which no usable reply came in any way: that is the service's fault, and may pass."""
        self.found: dict[str, bytes] = {}

    async def all(self, pieces: Sequence[tuple[int, ...]]) -> None:
        """Read these pieces. After a failure no new call is made, but those in flight are waited for."""
        await self._together([self._piece(piece) for piece in pieces])
        failed = self._failed or self._unusable
        if failed is not None:
            raise failed

    async def _together(self, works: Sequence[Awaitable[None]]) -> None:
        results = await asyncio.gather(*map(self._guarded, works), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _guarded(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception as error:
            self._failed = self._failed or error

    async def _piece(self, pages: tuple[int, ...]) -> None:
        """Read some pages in one call, and see to those that came out wrong."""
        if self._failed is not None:
            return
        try:
            payload, replies = await self._call(pages, WHOLE)
        except (Refused, BadReply, CorruptSource) as error:
            await self._refused(pages, error)
            return
        rest = tuple(page for page in pages if page not in payload.pages) if payload.pages else ()
        again, sick = self._sorted_out(payload, replies)
        del payload, replies  # what was sent is not held while pages are healed
        works = [self._piece(rest)] if rest else []
        works += [self._piece((page,)) for page in again]
        works += [self._healed(page, *why) for page, why in sick.items()]
        await self._together(works)

    async def _call(self, pages: tuple[int, ...], way: str) -> tuple[Payload, list[list[Element]]]:
        async with self._run.slots:
            if self._failed is not None:
                raise self._failed
            payload = await self._make(pages, way)
            try:
                replies = await self._parent.reader.read(payload)
            except (Refused, BadReply) as error:
                self._count(error)
                raise
        self._run.refusals = 0
        return payload, replies

    def _count(self, error: ServiceError) -> None:
        """Give up where it is the call rather than the page that is refused."""
        self._run.refusals += 1
        if str(error.code) in _ABOUT_THE_CALL or error.status in (404, 405) or self._run.refusals >= _MOST_REFUSALS:
            self._failed = self._failed or error

    def _sorted_out(
        self, payload: Payload, replies: list[list[Element]]
    ) -> tuple[list[int], dict[int, tuple[Trouble, list[Element]]]]:
        """Keep the good pages; which pages to ask for again by themselves, and which came out wrong."""
        placed = _placed(payload, replies)
        sick: dict[int, tuple[Trouble, list[Element]]] = {}
        good: dict[int, list[Element]] = {}
        again = [page for page in payload.pages if page not in placed]
        for page, ink in zip(payload.pages, payload.ink, strict=True):
            reading = placed.get(page)
            if reading is None:
                continue
            if any(other != page and alike(reading, theirs) for other, theirs in placed.items()):
                again.append(page)
            elif why := trouble(reading, ink=ink):
                sick[page] = (why, reading)
            else:
                good[page] = reading
        self._keep_pages(good)
        return again, sick

    def _keep_pages(self, readings: Mapping[int, list[Element]]) -> None:
        finished = {self._keys[page]: packed(reading) for page, reading in readings.items()}
        if finished:
            self.found.update(finished)
            self._keep(finished)

    async def _refused(self, pages: tuple[int, ...], error: DocpipeError) -> None:
        """Halve until the page that the service does not like, or that cannot be taken out, is alone."""
        if self._failed is not None:
            raise self._failed
        if len(pages) > 1:
            middle = len(pages) // 2
            await self._together([self._piece(pages[:middle]), self._piece(pages[middle:])])
        elif getattr(error, "content_policy", False):
            _log.warning("page %d is not read: %s", pages[0], error.message)
        else:
            await self._healed(pages[0], Trouble(error.message), [])
            if isinstance(error, BadReply) and self._keys[pages[0]] not in self.found:
                self._unusable = error

    async def _healed(self, page: int, why: Trouble, reading: list[Element]) -> None:
        """Read a page in other ways; where none gives more, it stays unread."""
        better = await self._drawn_anew(page)
        if better is None and self._parent.halves:
            better = await self._by_halves(page)
        if better is None and why.usable:
            better = reading
        if better is None:
            _log.warning("page %d cannot be read, as an image and by halves neither: %s", page, why.reason)
            return
        self._keep_pages({page: better})

    async def _drawn_anew(self, page: int) -> list[Element] | None:
        return await self._part(page, IMAGE)

    async def _by_halves(self, page: int) -> list[Element] | None:
        halves = await asyncio.gather(self._part(page, UPPER), self._part(page, LOWER))
        if halves[0] is None or halves[1] is None:
            return None
        return [*halves[0], *halves[1]]

    async def _part(self, page: int, way: str) -> list[Element] | None:
        """A page, or half of it, sent as an image; None where that came out wrong as well."""
        try:
            payload, replies = await self._call((page,), way)
        except (Refused, BadReply, CorruptSource):
            if self._failed is not None:
                raise
            return None
        reading = replies[0] if replies else []
        if trouble(reading, ink=payload.ink[0]):
            return None
        shown = next((region for region in payload.regions if isinstance(region, BBox)), None)
        return reading if shown is None else [element._replace(box=_moved(element.box, shown)) for element in reading]


def _placed(payload: Payload, replies: list[list[Element]]) -> dict[int, list[Element]]:
    """Which page each reading is of. Empty pages may be left out of a reply: after the first of them, nobody knows."""
    if len(payload.pages) == 1:
        return {payload.pages[0]: replies[0] if replies else []}
    if len(replies) == len(payload.pages):
        return dict(zip(payload.pages, replies, strict=True))
    if len(replies) > len(payload.pages):
        return {}
    inked = [page for page, ink in zip(payload.pages, payload.ink, strict=True) if ink]
    if len(replies) == len(inked):
        empty: dict[int, list[Element]] = {page: [] for page in payload.pages if page not in inked}
        return empty | dict(zip(inked, replies, strict=True))
    sure = next((n for n, ink in enumerate(payload.ink) if not ink), len(payload.pages))
    return dict(zip(payload.pages[:sure], replies[:sure], strict=False))


def _moved(box: BBox | None, shown: BBox) -> BBox | None:
    """A box of a part of the page, on the whole page."""
    if box is None:
        return None
    width, height = shown.right - shown.left, shown.bottom - shown.top
    return BBox(
        shown.left + box.left * width,
        shown.top + box.top * height,
        shown.left + box.right * width,
        shown.top + box.bottom * height,
    )
