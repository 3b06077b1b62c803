"""Event streams, whole, split anywhere and damaged."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe._http.sse import DONE, Events, TooLong, payloads


def read(*pieces: bytes, most: int = 16_000_000) -> list[Any]:
    events = Events(most=most)
    found = [payload for piece in pieces for event in events.feed(piece) for payload in payloads(event)]
    return found + [payload for event in events.finish() for payload in payloads(event)]


@given(
    values=st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=20), min_size=1), max_size=6),
    cuts=st.lists(st.integers(1, 12), max_size=60),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_events_do_not_depend_on_where_the_bytes_were_split(
    values: list[dict[str, str]], cuts: list[int], end: str
) -> None:
    stream = "".join(f": comment{end}data: {json.dumps(value, ensure_ascii=False)}{end}{end}" for value in values)
    data = (stream + f"data: [DONE]{end}{end}").encode("utf-8", "replace")
    pieces, start = [], 0
    for cut in cuts:
        pieces.append(data[start : start + cut])
        start += cut
    whole = read(data)
    assert read(*pieces, data[start:]) == whole
    assert len(whole) == len(values) + 1
    assert whole[-1] == DONE


@pytest.mark.parametrize(
    ("stream", "found"),
    [
        (b'data: {"a": 1}\n\n: ping\n\ndata: {"a": 2}\n\n', [{"a": 1}, {"a": 2}]),
        (b'data:{"a": 1}\n\n', [{"a": 1}]),
        (b'event: message\nid: 7\nretry: 5\ndata: {"a": 1}\n\n', [{"a": 1}]),
        (b'data: {"a":\ndata: 1}\n\n', [{"a": 1}]),
        (b'data: {"a": 1}', [{"a": 1}]),
        (b'data: {"a": {"b\n\ndata: {"a": 2}\n\n', [{"a": 2}]),
        (b'data: {"a": {"b\ndata: {"a": 2}\n\n', [{"a": 2}]),
        (b'data: {"a": 1}\ndata: {"a": 2}\n\ndata: [DONE]\n\n', [{"a": 1}, {"a": 2}, DONE]),
        (b"data: 7\n\ndata: null\n\ndata: []\n\ndata:\n\n", []),
        (b'\xef\xbb\xbf\n{"a": 1}\n\n<html>\n\n', []),
        (b"data: " + b'{"a":' * 100_000 + b"\n\n", []),
        (b"", []),
    ],
    ids=[
        "comments",
        "no blank after the colon",
        "other fields",
        "one object on two lines",
        "no end",
        "broken line",
        "broken line without a blank one after it",
        "missing blank line",
        "no objects",
        "no events",
        "nested",
        "nothing",
    ],
)
def test_what_can_be_read_is_read(stream: bytes, found: list[Any]) -> None:
    assert read(stream) == found


@pytest.mark.parametrize(
    "stream",
    [b"data: " + b"x" * 200, b"data: xxxxxxxxxx\n" * 20, b"data:\n" * 40],
    ids=["a line", "many lines", "empty lines"],
)
def test_an_event_without_end_is_given_up(stream: bytes) -> None:
    with pytest.raises(TooLong, match="longer than 100 bytes"):
        read(*(stream[at : at + 50] for at in range(0, len(stream), 50)), most=100)
