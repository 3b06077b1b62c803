"""The limiter against a service with a limit of its own, in virtual time."""

import asyncio
import random
from dataclasses import dataclass, field

import pytest
import virtual_time

from docpipe._http.limiter import Limiter


@dataclass
class Busy:
    """A service that refuses what is over its limit, quickly."""

    allowed: int
    seconds: tuple[float, float] = (1.0, 3.0)
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    running: int = 0
    refused: int = 0
    served: int = 0
    worked: float = 0.0
    most: int = 0

    async def call(self) -> bool:
        await asyncio.sleep(0.02)
        if self.running >= self.allowed:
            self.refused += 1
            return False
        self.running += 1
        self.most = max(self.most, self.running)
        seconds = self.chance.uniform(*self.seconds)
        await asyncio.sleep(seconds)
        self.running -= 1
        self.worked += seconds
        self.served += 1
        return True


async def client(limiter: Limiter, service: Busy) -> None:
    again = False
    while True:
        ticket = await limiter.acquire(again=again)
        well = await service.call()
        if not well:
            limiter.slow_down(ticket)
        limiter.release(ticket, well=well)
        if well:
            return
        again = True
        await asyncio.sleep(service.chance.uniform(0.75, 1.0))


async def batch(limiter: Limiter, service: Busy, calls: int) -> float:
    begun = asyncio.get_running_loop().time()
    await asyncio.gather(*(client(limiter, service) for _ in range(calls)))
    return asyncio.get_running_loop().time() - begun


@pytest.mark.parametrize(
    ("start", "allowed"), [(4, 4), (8, 8), (16, 16), (8, 5), (8, 4), (16, 4), (8, 2), (4, 1), (2, 8), (32, 8), (32, 20)]
)
def test_the_service_is_kept_busy_and_hardly_ever_refuses(start: int, allowed: int) -> None:
    limiter, service = Limiter(start), Busy(allowed)
    seconds = virtual_time.run(batch(limiter, service, 1000))
    assert service.served == 1000
    assert service.worked / seconds >= 0.95 * min(start, allowed)
    assert service.refused < 0.02 * (service.served + service.refused) + start


def test_after_the_first_burst_less_than_two_percent_are_refused() -> None:
    async def both() -> tuple[int, int]:
        limiter, service = Limiter(16), Busy(5)
        await batch(limiter, service, 50)
        early = service.refused
        await batch(limiter, service, 1000)
        return early, service.refused - early

    early, later = virtual_time.run(both())
    assert early <= 16
    assert later <= 12


def test_what_was_taken_away_comes_back_when_the_service_has_more_room() -> None:
    async def growing() -> int:
        limiter, service = Limiter(8), Busy(2)
        await batch(limiter, service, 300)
        service.allowed = 8
        await batch(limiter, service, 700)
        return limiter.limit

    assert virtual_time.run(growing()) == 8


def test_calls_that_failed_together_halve_the_limit_once() -> None:
    async def storm() -> int:
        limiter = Limiter(8)
        tickets = [await limiter.acquire() for _ in range(8)]
        for ticket in tickets[:2]:
            limiter.slow_down(ticket)
            limiter.release(ticket)
        return limiter.limit

    assert virtual_time.run(storm()) == 4


def test_a_storm_leaves_one_place_at_least() -> None:
    async def storm() -> int:
        limiter = Limiter(3)
        for _ in range(20):
            ticket = await limiter.acquire()
            limiter.slow_down(ticket)
            limiter.release(ticket)
        return limiter.limit

    assert virtual_time.run(storm()) == 1


def test_first_come_first_served_but_who_tries_again_goes_first() -> None:
    async def order() -> list[str]:
        limiter, done = Limiter(1), []
        first = await limiter.acquire()

        async def late(name: str, again: bool) -> None:
            ticket = await limiter.acquire(again=again)
            done.append(name)
            limiter.release(ticket, well=True)

        tasks = [asyncio.create_task(late(name, name == "again")) for name in ("a", "b", "again")]
        await asyncio.sleep(0)
        limiter.release(first, well=True)
        await asyncio.gather(*tasks)
        return done

    assert virtual_time.run(order()) == ["again", "a", "b"]


@pytest.mark.parametrize("granted", [False, True], ids=["waiting", "just admitted"])
def test_who_is_cancelled_leaves_no_place_taken(granted: bool) -> None:
    async def cancelled() -> tuple[int, int]:
        limiter = Limiter(1)
        first = await limiter.acquire()
        waiting = asyncio.create_task(limiter.acquire())
        await asyncio.sleep(0)
        if granted:
            limiter.release(first)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        if not granted:
            limiter.release(first)
        ticket = await asyncio.wait_for(limiter.acquire(), 1)
        limiter.release(ticket)
        return limiter.running, limiter.limit

    assert virtual_time.run(cancelled()) == (0, 1)
