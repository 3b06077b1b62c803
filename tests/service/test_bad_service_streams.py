"""Answers that break off on their way: whole, or said to be cut; a marker is shown whole or not at all."""

import asyncio
import re
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import pytest
from standin import StandIn, faults

from docpipe.errors import ServiceError
from docpipe.pipeline.pipe import AsyncPipe
from docpipe.types import Answer, Citation, TextPiece

pytestmark = pytest.mark.usefixtures("quick_retries")

CHAT = "/chat/completions"
BUILT = "When was the Brill lighthouse built?"
SENTENCE = "The Brill lighthouse was built in 1911 by Oda Linnet. [1]"
HALF_A_MARKER = re.compile(r"[\[［【][^\]］】]*\Z|N[O_]?[A-Z_]*\Z")


def directly(pipe: Any) -> list[Any]:
    return list(pipe.stream(BUILT))


def on_a_loop(pipe: Any) -> list[Any]:
    async def pieces() -> list[Any]:
        return [piece async for piece in AsyncPipe(pipe).astream(BUILT)]

    return asyncio.run(pieces())


@pytest.fixture(params=[directly, on_a_loop], ids=["directly", "on a loop"])
def stream(request: pytest.FixtureRequest) -> Any:
    return request.param


def checked(pieces: Sequence[Any]) -> Answer:
    """The answer, which is what was shown on the way, at no time with half a marker."""
    *shown, answer = pieces
    assert isinstance(answer, Answer)
    texts = [piece.text for piece in shown if isinstance(piece, TextPiece)]
    for so_far in accumulate(texts):
        assert not HALF_A_MARKER.search(so_far), so_far
    assert "".join(texts) == answer.text
    assert tuple(piece for piece in shown if isinstance(piece, Citation)) == answer.citations
    assert set(re.findall(r"\[\d+\]", answer.text)) == {one.marker for one in answer.citations}
    return answer


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(faults.no_done(), id="without [DONE]"),
        pytest.param(faults.null_choices(), id="null choices first"),
        pytest.param(faults.null_choices(at=4), id="null choices within"),
        pytest.param(faults.broken_line(at=2), id="a broken line"),
        pytest.param(faults.comments(at=3), id="comments"),
        pytest.param(faults.usage_everywhere(), id="usage everywhere"),
        pytest.param(faults.no_usage(), id="no usage"),
        pytest.param(faults.last_words_in_final_event(), id="words in the last event"),
    ],
)
def test_an_odd_stream_is_read_all_the_same(opened: Any, platform: StandIn, stream: Any, fault: faults.Fault) -> None:
    platform.fault(CHAT, fault, times=1)
    answer = checked(stream(opened()))
    assert (answer.text, answer.origin, answer.partial) == (SENTENCE, "documents", False)
    assert len(platform.calls(CHAT)) == 1


@pytest.mark.parametrize("after", range(0, 26, 2))
@pytest.mark.parametrize("manner", ["close", "reset", "in an event", "[DONE]"])
def test_a_stream_may_be_cut_anywhere(opened: Any, platform: StandIn, after: int, manner: str) -> None:
    fault = faults.cut_stream(
        after_events=after, within=manner == "in an event", by_reset=manner == "reset", done=manner == "[DONE]"
    )
    platform.fault(CHAT, fault, times=1)
    answer = checked(directly(opened()))
    calls = len(platform.calls(CHAT))
    if answer.partial:
        assert calls == 1
        assert any("cut off" in remark for remark in answer.remarks)
        assert answer.text.removesuffix(" [1]").removesuffix(" [unsupported]") in SENTENCE
    else:
        assert answer.text == SENTENCE
        assert calls in (1, 2)


LETTER_BY_LETTER = f"{SENTENCE[:-4]} 【1†source】 Its lamp reaches 19.5 miles [Source 1]."


@pytest.mark.parametrize("after", range(50, len(LETTER_BY_LETTER) + 2))
def test_a_marker_that_was_cut_is_not_shown(opened: Any, platform: StandIn, after: int) -> None:
    platform.script_chat(lambda body: [*LETTER_BY_LETTER])
    platform.fault(CHAT, faults.cut_stream(after_events=after), times=1)
    answer = checked(directly(opened()))
    assert answer.text.startswith(SENTENCE[:40])
    assert not HALF_A_MARKER.search(answer.text)
    assert "†" not in answer.text


@pytest.mark.parametrize("code", ["1234", "1301", "1302", "1113"])
@pytest.mark.parametrize("at", [0, 8])
def test_an_error_within_a_stream_counts_by_its_code(
    opened: Any, platform: StandIn, stream: Any, code: str, at: int
) -> None:
    platform.fault(CHAT, faults.error_event(code, at=at), times=1)
    pipe = opened()
    if at == 8:
        answer = checked(stream(pipe))
        assert answer.partial
        assert any(code in remark for remark in answer.remarks)
        assert len(platform.calls(CHAT)) == 1
    elif code in ("1234", "1302"):
        assert checked(stream(pipe)).text == SENTENCE
        assert len(platform.calls(CHAT)) == 2
    else:
        with pytest.raises(ServiceError) as caught:
            stream(pipe)
        assert caught.value.code == code
        assert len(platform.calls(CHAT)) == 1


@pytest.mark.parametrize("after", [0, 8])
def test_a_stream_that_falls_silent_is_left(opened: Any, platform: StandIn, stream: Any, after: int) -> None:
    platform.fault(CHAT, faults.hang(after_events=after), times=1)
    answer = checked(stream(opened("service: {read_seconds: 0.3}")))
    assert answer.partial is (after == 8)
    assert answer.text == SENTENCE or answer.remarks


def test_a_reader_who_leaves_ends_the_call(opened: Any, platform: StandIn) -> None:
    platform.latency(CHAT, 0.0, event=0.05)
    pipe = opened()
    pieces = pipe.stream(BUILT)
    assert isinstance(next(pieces), TextPiece)
    pieces.close()
    platform.latency(CHAT, 0.0, event=0.0)
    assert checked(directly(pipe)).text == SENTENCE


def test_a_cut_answer_is_remembered_as_it_was_shown(opened: Any, platform: StandIn) -> None:
    session = opened().session()
    platform.fault(CHAT, faults.cut_stream(after_events=6), times=1)
    first = checked(list(session.stream(BUILT)))
    assert first.partial
    assert len(session.history) == 1
    assert checked(list(session.stream(BUILT))).text.startswith("The Brill lighthouse was built in 1911")
