"""An index -> one writer at a time, on this machine or any other: a lease in a table beside the chunks.

The row has a counter that its holder raises every ten seconds. Clocks of two machines are never compared to take a
lease over: who wants it watches the counter with its own clock. See docs/decisions/0111-lease.md.
"""

import contextlib
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from docpipe.errors import DocpipeError, RunLocked
from docpipe.pipeline.schedule.holders import Holder, lives, this_process
from docpipe.pipeline.schedule.lock import run_lock
from docpipe.pipeline.schedule.stopping import Stop
from docpipe.protocols import Index, KeyedTable

BEAT = 10.0
"""Seconds between two signs of life."""
LOST = 60.0
"""Seconds without a sign of life after which a holder counts as dead."""
_LOOK = 1.0
"""Seconds between two looks at another's lease."""
_TIDY_EVERY = 30
"""Signs of life after which the table's old versions are dropped."""
TABLE = "lease"
_KEY = "writer"
COLUMNS = {
    "name": "str",
    "token": "str",
    "counter": "int",
    "host": "str",
    "boot": "str",
    "space": "str",
    "pid": "int",
    "started": "str",
    "run": "str",
    "purpose": "str",
    "since": "float",
    "expires": "float",
}
"""Of its table. `token`: one taking; empty while nobody holds it. `since`, `expires`: the holder's clock."""

_log = logging.getLogger("docpipe.schedule")
_held: set[str] = set()
"""Tokens of the leases that threads of this process hold."""


class LeaseLost(RunLocked):
    """Another process took the lease over, because this one gave no sign of life; nothing more may be written."""


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """What a lease sees of the machine it is on."""

    me: Holder = field(default_factory=this_process)
    lives: Callable[[Holder], bool] = lives
    clock: Callable[[], float] = time.monotonic
    """Seconds that only go forward."""
    now: Callable[[], float] = time.time
    """Seconds since 1970, for messages and for guessing; may jump."""
    sleep: Callable[[float], object] = time.sleep


class Guard:
    """Proof that this process is still the one that may write."""

    def __init__(self, lease: "Lease | None" = None) -> None:
        self._lease = lease
        self.remarks: tuple[str, ...] = (lease.remark,) if lease and lease.remark else ()
        """What a report should say: from whom the lease was taken over."""

    def check(self) -> None:
        """Do nothing while the lease is ours; called before every commit.

        Raises:
            LeaseLost: it is somebody else's now.
            IndexFailed: the lease cannot be read.
        """
        if self._lease is not None:
            self._lease.check()


@contextlib.contextmanager
def hold(
    index: Index,
    folder: Path | None,
    *,
    run_id: str,
    purpose: str = "run",
    wait: float = 0.0,
    stop: Stop | None = None,
) -> Iterator[Guard]:
    """Be the only writer of an index while the body runs.

    Args:
        folder: where the index lies on this machine; None for a bucket or memory.
        run_id: of the run that writes, for messages on other machines.
        purpose: what is being done: `run`, `restore`, `doctor --fix`.
        wait: seconds to wait for another holder to finish.
        stop: ends the waiting.

    Raises:
        RunLocked: another process holds it; says which.
        IndexFailed: the index or its folder cannot be written.
    """
    begun, label, stop = time.monotonic(), f"{purpose} {run_id}".strip(), stop or Stop()
    with contextlib.ExitStack() as stack:
        lock = run_lock(folder, index=index.name, label=label, wait=wait, stop=stop) if folder else None
        locked = stack.enter_context(lock) if lock else False
        lease = Lease(index, run_id=run_id, purpose=purpose, locked=locked, stop=stop)
        with lease.held(wait=max(0.0, wait - (time.monotonic() - begun))) as guard:
            yield guard


def holder(index: Index) -> str:
    """Who writes the index at this moment, in words; empty where nobody does.

    Raises:
        IndexFailed: the lease cannot be read.
    """
    row = index.table(TABLE, columns=COLUMNS, key="name").get([_KEY]).get(_KEY)
    return _words(row, time.time()) if row is not None and row["token"] else ""


class Lease:
    """One attempt to be an index's only writer.

    Args:
        locked: whether the lock of the index's folder is ours: then no process of this machine holds the lease.
        stop: ends the waiting for another one's.
        beat: seconds between two signs of life.
    """

    def __init__(
        self,
        index: Index,
        *,
        run_id: str,
        purpose: str,
        locked: bool = False,
        stop: Stop | None = None,
        world: World | None = None,
        beat: float = BEAT,
    ) -> None:
        self._index, self._locked, self._beat = index, locked, beat
        self._table: KeyedTable = index.table(TABLE, columns=COLUMNS, key="name")
        self._stop = stop or Stop()
        self._world = world or World(sleep=self._stop.wait)
        self._token = secrets.token_hex(8)
        self._purpose, self._run_id = purpose, run_id
        self._since = self._world.now()
        self._counter = 0
        self._seen = 0.0
        self._turn = threading.Lock()
        self._lost: LeaseLost | None = None
        self.remark = ""

    @contextlib.contextmanager
    def held(self, *, wait: float = 0.0) -> Iterator[Guard]:
        """Take it, show life while the body runs, give it back.

        Raises:
            RunLocked: somebody else holds it, still after `wait` seconds.
        """
        _held.add(self._token)  # before it is taken: another thread must not find it without its holder
        try:
            self._take(wait)
            over = threading.Event()
            heart = threading.Thread(target=self._show_life, args=(over,), name="docpipe-lease", daemon=True)
            heart.start()
            try:
                yield Guard(self)
            finally:
                over.set()
                heart.join(self._beat)
                self._give_back()
        finally:
            _held.discard(self._token)

    def check(self) -> None:
        """Do nothing while it is ours.

        Raises:
            LeaseLost: it is not.
        """
        with self._turn:
            row = self._read()
            if self._lost is None and (row is None or row["token"] != self._token):
                self._lost = self._loss(row)
            if self._lost is not None:
                raise self._lost
            if self._world.clock() - self._seen > LOST / 2:  # nobody may have seen a sign of life for long
                self._raise_counter()

    def _take(self, wait: float) -> None:
        clock = self._world.clock
        row, begun, moved = self._read(), clock(), False
        still = begun
        while not self._try(row, still_for=clock() - still):
            over = clock() - begun >= wait and row is not None and (moved or self._in_its_time(row))
            if row is not None and row["token"] and (over or self._stop.reason):
                raise RunLocked(index=self._index.name, holder=_words(row, self._world.now()))
            self._world.sleep(_LOOK)
            before, row = row, self._read()
            if _sign(row) != _sign(before):
                still, moved = clock(), True

    def _try(self, row: Mapping[str, Any] | None, *, still_for: float) -> bool:
        """Take a lease that nobody has, or whose holder is dead; whether that could be done."""
        if row is None or not row["token"]:
            return self._swap(row)
        dead = self._is_dead(row)
        if not (dead or still_for >= LOST) or not self._swap(row):
            return False
        how = "which has died" if dead else f"which gave no sign of life for {LOST:.0f} seconds"
        self.remark = f"took the index over from {_name(row)}, {how}; it had worked since {_local(row['since'])}"
        _log.warning("%s", self.remark)
        return True

    def _is_dead(self, row: Mapping[str, Any]) -> bool:
        """Whether the holder is certainly no more."""
        holder, me = _holder(row), self._world.me
        if me.sees(holder):
            mine = (holder.pid, holder.started) == (me.pid, me.started)
            return row["token"] not in _held if mine else not self._world.lives(holder)
        return self._locked and me.shares_kernel(holder)

    def _in_its_time(self, row: Mapping[str, Any]) -> bool:
        """Whether the lease runs by this machine's clock. Where not, holder or clock is wrong: its counter tells."""
        return bool(0 < row["expires"] - self._world.now() <= LOST)

    def _swap(self, row: Mapping[str, Any] | None) -> bool:
        expected = None if row is None else {"token": row["token"], "counter": row["counter"]}
        with self._turn:
            self._counter = 1 if row is None else row["counter"] + 1
            return self._put(expected)

    def _put(self, expected: dict[str, Any] | None) -> bool:
        """Write our row where this is what stands there."""
        now = self._world.now()
        row = {
            "name": _KEY,
            "token": self._token,
            "counter": self._counter,
            **asdict(self._world.me),
            "run": self._run_id,
            "purpose": self._purpose,
            "since": self._since,
            "expires": now + LOST,
        }
        begun = self._world.clock()
        if not self._table.swap(_KEY, expected, row):
            # A bucket may have done it and lost the answer; asked again, it finds our own row in the way.
            there = self._read()
            if there is None or (there["token"], there["counter"]) != (self._token, self._counter):
                return False
        self._seen = begun
        if self._counter % _TIDY_EVERY == 0:
            self._tidy()
        return True

    def _tidy(self) -> None:
        try:
            self._table.tidy()
        except DocpipeError as error:  # who comes next tidies
            _log.debug("the table of the lease was not tidied: %s", error.message)

    def _read(self) -> Mapping[str, Any] | None:
        return self._table.get([_KEY]).get(_KEY)

    def _show_life(self, over: threading.Event) -> None:
        while not over.wait(self._beat):
            try:
                with self._turn:
                    self._raise_counter()
            except LeaseLost:
                return
            except DocpipeError as error:  # a bucket that is away for a while
                _log.warning("the index's lease could not be renewed: %s", error.message)

    def _raise_counter(self) -> None:
        """Show life."""
        self._counter += 1
        if not self._put({"token": self._token}):
            self._lost = self._loss(self._read())
            _log.error("%s", self._lost.message)
            raise self._lost

    def _loss(self, row: Mapping[str, Any] | None) -> LeaseLost:
        holder = (
            _words(row, self._world.now())
            if row is not None and row["token"]
            else "somebody who has finished meanwhile"
        )
        lost = LeaseLost(index=self._index.name, holder=holder)
        lost.add_note(f"this process gave no sign of life for {LOST:.0f} seconds, so the other one took its place")
        return lost

    def _give_back(self) -> None:
        """Free it, if it is still ours; who cannot leaves it to be found dead."""
        try:
            with self._turn:
                row = self._read()
                if row is not None and row["token"] == self._token:
                    free = {**row, "token": "", "counter": row["counter"] + 1, "expires": 0.0}
                    self._table.swap(_KEY, {"token": self._token}, free)
        except DocpipeError as error:
            _log.warning("the index's lease could not be given back: %s", error.message)


def _sign(row: Mapping[str, Any] | None) -> tuple[str, int]:
    """What changes with every sign of life."""
    return ("", 0) if row is None else (row["token"], row["counter"])


def _words(row: Mapping[str, Any], now: float) -> str:
    left = row["expires"] - now
    until = f"its lease expires in {left:.0f} seconds" if 0 < left <= LOST else "its lease has expired"
    return f"{_name(row)}, since {_local(row['since'])}; {until}"


def _name(row: Mapping[str, Any]) -> str:
    label = f"{row['purpose']} {row['run']}".strip()
    return f"{_holder(row).words} ({label})"


def _holder(row: Mapping[str, Any]) -> Holder:
    return Holder(**{name: row[name] for name in ("host", "boot", "space", "pid", "started")})


def _local(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
