"""How many calls may be in flight at once: learned from a service's complaints. Lives on one event loop; no locks."""

import asyncio
from collections import deque
from dataclasses import dataclass


@dataclass(slots=True)
class Ticket:
    """The right to have one call in flight."""

    round: int
    """How often the limit had been cut when the call began."""


class Limiter:
    """First come, first served, at most `limit` at once; 1 <= limit <= most.

    A complaint halves the limit, once for all calls that were in flight together, and shows how many were too many (the
    ceiling). The limit grows back by one for every `limit` successes, and beyond the ceiling only now and then: after
    100 successes, then twice as many each time that it is refused again. A step up that is refused is only taken back.
    """

    PATIENCE = 50
    LONGEST_PATIENCE = 3200

    def __init__(self, most: int) -> None:
        if most < 1:
            raise ValueError(f"at least one call must be allowed at once, got {most}")
        self.most = self.limit = most
        self.running = 0
        self._ceiling = most
        self._patience = self.PATIENCE
        self._successes = 0
        self._grown = False
        self._round = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def acquire(self, *, again: bool = False) -> Ticket:
        """Wait for a place; `again`: a call that had one before goes to the head of the queue."""
        if self.running < self.limit and (again or not self._waiting):
            self.running += 1
            return Ticket(self._round)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        (self._waiting.appendleft if again else self._waiting.append)(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()
            elif turn in self._waiting:
                self._waiting.remove(turn)
            raise
        return Ticket(self._round)

    def release(self, ticket: Ticket, *, well: bool = False) -> None:
        """Give the place back; `well`: the service served the call."""
        if well:
            self._succeed()
        self._leave()

    def slow_down(self, ticket: Ticket) -> None:
        """The service says that too many calls are in flight. The call still holds its place."""
        self._ceiling = max(1, min(self._ceiling, self.running - 1))
        if ticket.round == self._round:
            self._round += 1
            self.limit = self.limit - 1 if self._grown else self.limit // 2
            self._grown = False
            self._patience = min(self._patience * 2, self.LONGEST_PATIENCE)
        self.limit = max(1, min(self.limit, self._ceiling))
        self._successes = 0

    def _succeed(self) -> None:
        self._successes += 1
        at_ceiling = self._ceiling < self.most and self.limit >= self._ceiling
        if self.limit >= self.most or self._successes < (self._patience if at_ceiling else self.limit):
            return
        if at_ceiling:
            self._ceiling = self.most
        elif self._grown and self._ceiling == self.most:
            self._patience = self.PATIENCE
        self._successes = 0
        self._grown = True
        self.limit += 1
        self._admit()

    def _leave(self) -> None:
        self.running -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self.running < self.limit:
            turn = self._waiting.popleft()
            if not turn.done():
                self.running += 1
                turn.set_result(None)
