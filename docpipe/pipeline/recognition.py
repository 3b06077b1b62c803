"""Pages that a service has to read: looked up in the memo, asked for once, kept at once."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future

from docpipe._http import loop
from docpipe.errors import DocpipeError, OutOfCredit, ServiceError, Unauthorized, Unavailable
from docpipe.pipeline.memo import Memo
from docpipe.protocols import Payload, Recogniser, Wanted

ENDS_THE_RUN = (Unauthorized, OutOfCredit)
"""No other document would fare better."""
_MOST_IN_A_ROW = 3
"""Documents for which a service did not answer, before it is taken for gone."""

type_make = Callable[[tuple[int, ...], str], "Future[Payload]"]
type_done = Callable[[Mapping[str, bytes], BaseException | None], None]


class Recognition:
    """The calls of one run. `begin` is for the run's own thread; the rest happens on the I/O loop."""

    def __init__(self, recogniser: Recogniser, memo: Memo) -> None:
        self._recogniser, self._memo = recogniser, memo
        self._flying: dict[str, asyncio.Future[bytes | None]] = {}
        self._tasks: set[Future[None]] = set()
        self._in_a_row = 0
        self._ended: DocpipeError | None = None
        self.recognised = 0
        """Pages that the service read."""
        self.remembered = 0
        """Pages that were known already."""

    def begin(self, wanted: Sequence[Wanted], make: type_make, done: type_done) -> None:
        """Have pages of one file read.

        Args:
            make: pages and the way in which they are sent -> what to send; called on the I/O loop.
            done: is told the replies by key, or why there are none; called on the I/O loop.
        """
        known = self._memo.find([one.key for one in wanted])
        self.remembered += sum(one.key in known for one in wanted)
        missing = [one for one in wanted if one.key not in known]
        task = loop.submit(self._read(known, missing, make, done))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Give up what is still being asked."""
        for task in list(self._tasks):
            task.cancel()

    async def _read(
        self, known: Mapping[str, bytes], missing: Sequence[Wanted], make: type_make, done: type_done
    ) -> None:
        found, error = dict(known), None
        try:
            if missing:
                found.update(await self._missing(missing, make))
        except Exception as problem:  # the run decides what it means for the document
            error = problem
        done(found, error)

    async def _missing(self, missing: Sequence[Wanted], make: type_make) -> Mapping[str, bytes]:
        """The replies; a page that another file has under way is waited for, not asked for again."""
        mine = [one for one in missing if one.key not in self._flying]
        theirs = {one.key: self._flying[one.key] for one in missing if one.key in self._flying}
        found = dict(await self._asked(mine, make)) if mine else {}
        for key, flying in theirs.items():
            reply = await asyncio.shield(flying)
            if reply is not None:
                found[key] = reply
        left = [one for one in missing if one.key in theirs and one.key not in found]
        if left:
            found.update(await self._asked(left, make))
        return found

    async def _asked(self, wanted: Sequence[Wanted], make: type_make) -> Mapping[str, bytes]:
        if self._ended is not None:
            raise self._ended
        flying = {one.key: asyncio.get_running_loop().create_future() for one in wanted}
        self._flying.update(flying)

        async def made(pages: tuple[int, ...], way: str) -> Payload:
            return await asyncio.wrap_future(make(pages, way))

        found: Mapping[str, bytes] = {}
        try:
            found = await self._recogniser.recognise(wanted, made, self._kept)
            self._in_a_row = 0
        except ServiceError as error:
            self._failed(error)
            raise
        finally:
            for key, future in flying.items():
                self._flying.pop(key, None)
                with contextlib.suppress(asyncio.InvalidStateError):
                    future.set_result(found.get(key))
        return found

    def _kept(self, replies: Mapping[str, bytes]) -> None:
        self.recognised += len(replies)
        self._memo.keep(replies)

    def _failed(self, error: ServiceError) -> None:
        self._in_a_row += 1
        if isinstance(error, ENDS_THE_RUN):
            self._ended = error
        elif error.retryable and self._in_a_row >= _MOST_IN_A_ROW:
            self._ended = Unavailable(
                f"{error.service} did not answer for {self._in_a_row} documents in a row, and was not asked again: "
                f"{error.message}",
                service=error.service,
                status=error.status,
                code=error.code,
                remedy="run again later: pages that were read are kept",
            )
