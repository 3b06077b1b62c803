"""Pages that a service has to read: looked up in the memo, asked for once, kept at once."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from docpipe._http import loop
from docpipe.errors import DocpipeError, OutOfCredit, ServiceError, Unauthorized, Unavailable
from docpipe.pipeline.ingest.memo import Memo
from docpipe.protocols import Payload, Recogniser, Wanted

ENDS_THE_RUN = (Unauthorized, OutOfCredit)
"""No other document would fare better."""
MOST_IN_A_ROW = 3
"""Documents, or batches of texts, for which a service failed, before it is taken for gone."""
_RECENT = 4096
"""Pages whose replies stay at hand."""


def tried_again(error: BaseException) -> bool:
    """Whether the next run may fare better with a document: a service may be mended, an option or a key changed."""
    if isinstance(error, ServiceError):
        return not getattr(error, "content_policy", False)
    return isinstance(error, DocpipeError) and error.retryable


type_make = Callable[[tuple[int, ...], str], "Future[Payload]"]
type_done = Callable[[Mapping[str, bytes], BaseException | None], None]
type_told = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class _File:
    """How one file's pages are made, and who is told of them."""

    make: type_make
    told: type_told
    done: type_done


class Recognition:
    """The calls of one run. `begin` is for the run's own thread; the rest happens on the I/O loop."""

    def __init__(self, recogniser: Recogniser, memo: Memo) -> None:
        self._recogniser, self._memo = recogniser, memo
        self._flying: dict[str, asyncio.Future[bytes | None]] = {}
        self._recent: OrderedDict[str, bytes] = OrderedDict()
        """What was read last: a file that had looked in the memo just before finds it here."""
        self._tasks: set[Future[None]] = set()
        self._in_a_row = 0
        self._ended: DocpipeError | None = None
        self.recognised = 0
        """Pages that the service read."""
        self.remembered = 0
        """Pages that were known already."""

    def begin(self, wanted: Sequence[Wanted], *, make: type_make, told: type_told, done: type_done) -> None:
        """Have pages of one file read.

        Args:
            make: pages and the way in which they are sent -> what to send; called on the I/O loop.
            told: how many more pages are read; called on the I/O loop, never after `done`.
            done: is told the replies by key, or why there are none; called on the I/O loop.
        """
        known = self._memo.find([one.key for one in wanted])
        self.remembered += sum(one.key in known for one in wanted)
        missing = [one for one in wanted if one.key not in known]
        task = loop.submit(self._read(known, missing, _File(make, told, done)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Give up what is still being asked."""
        for task in list(self._tasks):
            task.cancel()

    async def _read(self, known: Mapping[str, bytes], missing: Sequence[Wanted], file: _File) -> None:
        found, error = dict(known), None
        try:
            if known:
                file.told(len(known))
            if missing:
                found.update(await self._missing(missing, file))
        except Exception as problem:  # the run decides what it means for the document
            error = problem
        file.done(found, error)

    async def _missing(self, missing: Sequence[Wanted], file: _File) -> Mapping[str, bytes]:
        """The replies; a page that another file has under way is waited for, not asked for again."""
        found = {one.key: self._recent[one.key] for one in missing if one.key in self._recent}
        missing = [one for one in missing if one.key not in found]
        mine = [one for one in missing if one.key not in self._flying]
        theirs = {one.key: self._flying[one.key] for one in missing if one.key in self._flying}
        if found:
            file.told(len(found))
        if mine:
            found.update(await self._asked(mine, file))
        for key, flying in theirs.items():
            reply = await asyncio.shield(flying)
            if reply is not None:
                found[key] = reply
                file.told(1)
        left = [one for one in missing if one.key in theirs and one.key not in found]
        if left:
            found.update(await self._asked(left, file))
        return found

    async def _asked(self, wanted: Sequence[Wanted], file: _File) -> Mapping[str, bytes]:
        if self._ended is not None:
            raise self._ended
        flying = {one.key: asyncio.get_running_loop().create_future() for one in wanted}
        self._flying.update(flying)

        async def made(pages: tuple[int, ...], way: str) -> Payload:
            return await asyncio.wrap_future(file.make(pages, way))

        def kept(replies: Mapping[str, bytes]) -> None:
            self.recognised += len(replies)
            self._memo.keep(replies)
            self._remember(replies)
            file.told(len(replies))
            for key, reply in replies.items():
                if key in flying and not flying[key].done():
                    flying[key].set_result(reply)

        found: Mapping[str, bytes] = {}
        try:
            found = await self._recogniser.recognise(wanted, made, kept)
            self._in_a_row = 0
        except ServiceError as error:
            self._failed(error)
            raise
        finally:
            for key, future in flying.items():
                self._flying.pop(key, None)
                if not future.done():
                    future.set_result(found.get(key))
        return found

    def _remember(self, replies: Mapping[str, bytes]) -> None:
        self._recent.update(replies)
        while len(self._recent) > _RECENT:
            self._recent.popitem(last=False)

    def _failed(self, error: ServiceError) -> None:
        self._in_a_row += 1
        if isinstance(error, ENDS_THE_RUN):
            self._ended = error
        elif self._in_a_row >= MOST_IN_A_ROW:
            self._ended = Unavailable(
                f"{error.service} failed for {self._in_a_row} documents in a row, and was not asked again: "
                f"{error.message}",
                service=error.service,
                status=error.status,
                code=error.code,
                request_id=error.request_id,
                remedy=error.remedy or "run again later: pages that were read are kept",
            )
