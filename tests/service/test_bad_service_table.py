"""Every row of the platform's error table, met by whoever asks a question."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from service_rows import ROWS, WITH_RESET_TIME, Row
from standin import StandIn, faults

from docpipe.errors import OutOfCredit, Refused, ServiceError
from docpipe.pipeline.pipe import AsyncPipe
from docpipe.types import Answer

pytestmark = pytest.mark.usefixtures("quick_retries")

CHAT = "/chat/completions"
BUILT = "When was the Brill lighthouse built?"
SENTENCE = "The Brill lighthouse was built in 1911 by Oda Linnet. [1]"
PASSES = [row for row in ROWS if row.kind == "again"]


def complaint(row: Row) -> faults.Fault:
    return faults.error(row.code) if row.code else faults.http_error(row.status)


def whole(pipe: Any) -> Answer:
    answer: Answer = pipe.ask(BUILT)
    return answer


def streamed(pipe: Any) -> Answer:
    answer: Answer = list(pipe.stream(BUILT))[-1]
    return answer


def awaited(pipe: Any) -> Answer:
    return asyncio.run(AsyncPipe(pipe).aask(BUILT))


def awaited_stream(pipe: Any) -> Answer:
    async def last() -> Answer:
        pieces = [piece async for piece in AsyncPipe(pipe).astream(BUILT)]
        assert isinstance(pieces[-1], Answer)
        return pieces[-1]

    return asyncio.run(last())


FACES = [whole, streamed, awaited, awaited_stream]


ONE_OF_A_KIND = list({(row.kind, row.error): row for row in reversed(ROWS)}.values())


@pytest.mark.parametrize("row", ONE_OF_A_KIND, ids=lambda row: row.name)
@pytest.mark.parametrize("face", FACES[2:])
def test_an_event_loop_is_told_the_same(opened: Any, platform: StandIn, row: Row, face: Any) -> None:
    pipe = opened()
    platform.fault(CHAT, complaint(row), times=-1)
    with pytest.raises(ServiceError) as caught:
        face(pipe)
    check(caught.value, row, platform)
    platform.mend()
    assert face(pipe).text == SENTENCE


@pytest.mark.parametrize("row", PASSES, ids=lambda row: row.name)
@pytest.mark.parametrize("face", FACES[:2])
def test_what_may_pass_is_asked_again_and_answered(opened: Any, platform: StandIn, row: Row, face: Any) -> None:
    platform.fault(CHAT, complaint(row), times=1)
    answer = face(opened())
    assert (answer.text, answer.origin, answer.partial) == (SENTENCE, "documents", False)
    assert len(platform.calls(CHAT)) == 2


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("face", FACES[:2])
def test_what_does_not_pass_is_told_in_full(opened: Any, platform: StandIn, row: Row, face: Any) -> None:
    platform.fault(CHAT, complaint(row), times=-1)
    with pytest.raises(ServiceError) as caught:
        face(opened())
    check(caught.value, row, platform)
    calls = platform.calls(CHAT)
    assert len(calls) == (2 if row.code == "1261" else row.calls)
    assert len({call.request_id for call in calls}) == len(calls)


def check(error: ServiceError, row: Row, platform: StandIn) -> None:
    """It is one of ours, says what the service said and what to do, and no key."""
    assert type(error) is row.error
    assert (error.service, error.code) == ("chat", row.code)
    assert error.status == (row.status or platform.calls(CHAT)[-1].status)
    assert error.request_id and error.request_id in str(error)
    assert len(error.remedy) > 10 and error.remedy in str(error)
    assert row.code in str(error)
    assert platform.key not in f"{error} {error!r}"
    assert isinstance(error, Refused) and error.content_policy if row.kind == "content" else True
    if isinstance(error, OutOfCredit):
        assert (error.resets_at is not None) is (row.code in WITH_RESET_TIME)
        assert error.resets_at is None or error.resets_at.utcoffset() == timedelta(hours=8)
