"""Calls against a service that misbehaves on the wire, byte for byte."""

import asyncio
import gzip
import json
import logging
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from quick_retries import quick_retries as quick_retries
from raw_service import Act, RawService, hang, pieces, reply, reset

from docpipe._http import loop, meter
from docpipe._http.endpoint import Endpoint
from docpipe._http.service import Capability, Service, service
from docpipe._zai import codes
from docpipe.errors import (
    BadReply,
    BudgetSpent,
    ConfigError,
    OutOfCredit,
    RateLimited,
    Refused,
    ServiceError,
    Unauthorized,
    Unavailable,
)

pytestmark = pytest.mark.usefixtures("quick_retries")

KEY = "name0123.topsecret0123"
GOOD = {"id": "1", "usage": {"prompt_tokens": 5, "completion_tokens": 2}}
BODY = {"model": "m", "messages": [{"role": "user", "content": "contract text"}]}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_SERVICE_KEY", KEY)
    monkeypatch.delenv("ZAI_BASE_URL", raising=False)


def made(raw: RawService, **options: Any) -> Service:
    capability = Capability(name="chat", classify=codes.classify)
    return service(capability, Endpoint(**{"base_url": raw.base_url, "key": "TEST_SERVICE_KEY", **options}))


def post(raw: RawService, **options: Any) -> Any:
    return loop.wait(made(raw, **options).post("chat/completions", BODY))


def listen(raw: RawService, **options: Any) -> list[Any]:
    return list(loop.iterate(made(raw, **options).events("chat/completions", BODY)))


def error(code: str, status: int, message: str = "", **headers: str) -> Act:
    return reply({"error": {"code": code, "message": message}}, status=status, headers=headers)


def test_a_call_carries_the_key_a_new_id_and_our_own_name() -> None:
    with RawService([reply(GOOD)]) as raw:
        answer = post(raw)
        post(raw)
    first = raw.asked[0]
    assert answer.payload == GOOD
    assert answer.request_id == first.body["request_id"]
    assert (first.method, first.path) == ("POST", "/chat/completions")
    assert first.headers["authorization"] == f"Bearer {KEY}"
    assert first.headers["user-agent"].startswith("docpipe/")
    assert first.headers["accept-language"] == "en-US,en"
    assert first.headers["content-type"] == "application/json"
    assert {**first.body, "request_id": ""} == {**BODY, "request_id": ""}
    ids = [asked.body["request_id"] for asked in raw.asked]
    assert len(set(ids)) == 2
    assert all(6 <= len(value) <= 64 for value in ids)


def test_an_endpoint_without_a_key_gets_none_and_no_id_where_it_knows_none() -> None:
    capability = Capability(name="regions", needs_key=False, request_ids=False, base_url_variable="")
    with RawService([reply(GOOD)]) as raw:
        client = service(capability, Endpoint(base_url=raw.base_url, key=""))
        loop.wait(client.post("v1/chat/completions", BODY))
    assert "authorization" not in raw.asked[0].headers
    assert raw.asked[0].body == BODY


@pytest.mark.parametrize(
    ("bad", "kind", "attempts"),
    [
        (error("1302", 429), RateLimited, 5),
        (error("1305", 503), RateLimited, 5),
        (error("1113", 429), OutOfCredit, 1),
        (error("1308", 429, "reset at 2026-01-18 21:35:41"), OutOfCredit, 1),
        (error("1000", 401), Unauthorized, 1),
        (error("1003", 401), Unauthorized, 1),
        (error("1214", 400), Refused, 1),
        (error("1301", 400), Refused, 1),
        (error("1231", 400), Refused, 2),
        (error("1100", 500), Unavailable, 2),
        (error("1234", 500), Unavailable, 5),
        (reply("<html><title>502 Bad Gateway</title></html>", status=502, media_type="text/html"), Unavailable, 5),
        (reply("no", status=429, media_type="text/plain"), RateLimited, 5),
        (reply({"timestamp": 1, "status": 404, "error": "Not Found", "path": "/v4/v4"}, status=404), Refused, 1),
        (reply({"code": 500, "msg": "oops", "success": False}, status=500), Unavailable, 5),
        (reply({"error": {"code": "1113", "message": "no balance"}}), OutOfCredit, 1),
        (reply({"error": "out of memory"}), Unavailable, 5),
        (reply('{"id": "1", "choi'), BadReply, 3),
        (reply("<html>log in here</html>", media_type="text/html"), BadReply, 3),
        (reply("[1, 2]"), BadReply, 3),
        (reply(""), BadReply, 3),
        (reply('{"a":' * 100_000), BadReply, 3),
        (reply("moved", status=302, headers={"Location": "http://127.0.0.1:1/"}), Refused, 1),
        (reset, Unavailable, 5),
        (pieces(b'{"id": ', media_type="application/json", end="reset"), Unavailable, 5),
        (pieces(b'{"id": ', media_type="application/json", length=500), Unavailable, 5),
        (reply(b"not gzip", headers={"Content-Encoding": "gzip"}), Unavailable, 5),
    ],
    ids=[
        "concurrency", "overload", "arrears", "limit", "key", "expired", "field", "content", "used id", "hiccup",
        "network", "proxy page", "plain 429", "gateway 404", "msg", "error in 200", "error text in 200", "cut JSON",
        "HTML in 200", "a list", "nothing", "nested", "redirect", "reset", "reset in the body", "short body",
        "not packed",
    ],
)  # fmt: skip
def test_a_bad_reply_is_tried_as_often_as_it_makes_sense(bad: Act, kind: type[ServiceError], attempts: int) -> None:
    with RawService([bad]) as raw, pytest.raises(kind) as caught:
        post(raw)
    assert type(caught.value) is kind
    assert len(raw.asked) == attempts
    ids = [asked.body["request_id"] for asked in raw.asked]
    assert len(set(ids)) == attempts
    assert caught.value.request_id == ids[-1]
    assert caught.value.service == "chat"
    assert caught.value.remedy


@pytest.mark.parametrize(
    "bad",
    [
        error("1302", 429), error("1231", 400), error("1234", 500), reset, reply('{"id": "1", "choi'),
        reply("", status=502),
    ],
    ids=["concurrency", "used id", "network", "reset", "cut JSON", "gateway"],
)  # fmt: skip
def test_a_call_that_failed_once_ends_well(bad: Act) -> None:
    with RawService([bad, reply(GOOD)]) as raw:
        answer = post(raw)
    assert (answer.payload, answer.attempts) == (GOOD, 2)


def test_silence_ends_with_the_read_timeout_and_is_not_asked_five_times() -> None:
    begun = time.monotonic()
    with RawService([hang]) as raw, pytest.raises(Unavailable, match=r"silent for 0\.1 seconds") as caught:
        post(raw, read_seconds=0.1)
    assert len(raw.asked) == 3
    assert "service.read_seconds" in caught.value.remedy
    assert time.monotonic() - begun < 5


def test_a_reply_that_drips_ends_with_the_whole_calls_limit() -> None:
    drops = pieces(*([b" "] * 200), media_type="application/json", pause=0.04)
    with RawService([drops]) as raw, pytest.raises(Unavailable, match="not whole after 1 seconds"):
        post(raw, read_seconds=0.1, attempts=1)
    assert len(raw.asked) == 1


def test_a_reply_that_unpacks_to_more_than_we_hold_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("docpipe._http.exchange.LARGEST_REPLY", 100_000)
    bomb = reply(gzip.compress(b" " * 10_000_000), headers={"Content-Encoding": "gzip"})
    with RawService([bomb]) as raw, pytest.raises(BadReply, match="more than 100,000 bytes"):
        post(raw, attempts=1)


def test_nothing_listens_there() -> None:
    with RawService([reply(GOOD)]) as raw:
        pass
    with pytest.raises(Unavailable, match="no connection") as caught:
        post(raw, attempts=2)
    assert "base_url" in caught.value.remedy


def test_a_missing_key_names_its_variable_and_the_way_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_SERVICE_KEY")
    with RawService([reply(GOOD)]) as raw, pytest.raises(Unauthorized, match="TEST_SERVICE_KEY is not set") as caught:
        post(raw)
    assert "pipelines/quickstart.yaml" in caught.value.remedy
    assert not raw.asked


@pytest.mark.parametrize("bad", ["name secret0", "näme.secret0", "name.se\ncret0"], ids=["blank", "no ASCII", "line"])
def test_a_key_that_cannot_be_one_is_not_sent_and_not_shown(bad: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_SERVICE_KEY", bad)
    with RawService([reply(GOOD)]) as raw, pytest.raises(Unauthorized, match="characters that no key has") as caught:
        post(raw)
    assert not raw.asked
    assert bad not in str(caught.value)


def test_a_signed_token_is_renewed_once_when_it_is_refused() -> None:
    with RawService([error("1003", 401), reply(GOOD)]) as raw:
        assert post(raw, auth="jwt").attempts == 2
    tokens = [asked.headers["authorization"] for asked in raw.asked]
    assert all(token.startswith("Bearer ey") and KEY not in token for token in tokens)
    with RawService([error("1003", 401)]) as raw, pytest.raises(Unauthorized):
        post(raw, auth="jwt")
    assert len(raw.asked) == 2


def test_a_key_without_a_secret_cannot_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_SERVICE_KEY", "plainkey0123")
    with RawService([reply(GOOD)]) as raw, pytest.raises(Unauthorized, match=r"id\.secret") as caught:
        post(raw, auth="jwt")
    assert "auth: bearer" in caught.value.remedy
    assert "plainkey" not in str(caught.value)


def test_neither_key_nor_content_are_in_errors_logs_and_reprs(caplog: pytest.LogCaptureFixture) -> None:
    echo = reply({"error": {"code": "1214", "message": f"bad: {KEY} {json.dumps(BODY)} " + "QUJD" * 100}}, status=400)
    with caplog.at_level(logging.DEBUG), RawService([reset, echo]) as raw, pytest.raises(Refused) as caught:
        post(raw)
    assert "docpipe.http" in {record.name for record in caplog.records}
    ours = "\n".join(record.getMessage() for record in caplog.records)
    assert "chat chat/completions: no reply" in ours
    assert "chat chat/completions: HTTP 400, code 1214, docpipe-" in ours
    for text in (ours, str(caught.value), repr(caught.value), repr(made(raw)), repr(caught.value.__dict__)):
        assert "topsecret0123" not in text
        assert "QUJDQUJD" not in text
    assert "contract text" not in ours


def test_a_service_may_say_how_long_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("docpipe._http.retrying.PACE", 0.01)
    begun = time.monotonic()
    with RawService([error("1302", 429, **{"Retry-After": "20"}), reply(GOOD)]) as raw:
        post(raw)
    assert time.monotonic() - begun >= 0.2
    with RawService([error("1302", 429, **{"Retry-After": "7200"})]) as raw, pytest.raises(RateLimited) as caught:
        post(raw)
    assert (len(raw.asked), caught.value.retry_after) == (1, 7200.0)


def test_a_budget_of_requests_counts_every_attempt() -> None:
    with RawService([reply(GOOD), error("1234", 500)]) as raw:
        post(raw, max_requests=3)
        with pytest.raises(BudgetSpent, match=r"3 of service\.max_requests = 3") as caught:
            post(raw, max_requests=3)
    assert len(raw.asked) == 3
    assert "service.max_requests" in caught.value.remedy


def test_a_budget_of_tokens_counts_in_and_out() -> None:
    with RawService([reply(GOOD)]) as raw:
        post(raw, max_tokens=14)
        post(raw, max_tokens=14)
        with pytest.raises(BudgetSpent, match=r"14 of service\.max_tokens = 14"):
            post(raw, max_tokens=14)
    assert len(raw.asked) == 2


def test_figures_are_kept_by_service_and_by_model() -> None:
    before = meter.totals()
    with RawService([error("1234", 500), reply(GOOD)]) as raw:
        post(raw)
        assert made(raw).tally == meter.Tally(requests=1, attempts=2, prompt_tokens=5, completion_tokens=2)
    assert meter.difference(meter.totals(), before) == {("chat", "m"): made(raw).tally}


def test_equal_endpoints_share_one_service_and_a_base_url_may_come_from_outside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with RawService([reply(GOOD)]) as raw:
        assert made(raw) is made(raw)
        assert made(raw) is not made(raw, attempts=2)
        monkeypatch.setenv("ZAI_BASE_URL", raw.base_url + "/api/")
        client = service(Capability(name="chat"), Endpoint(key="TEST_SERVICE_KEY"))
        loop.wait(client.post("/chat/completions", BODY))
        monkeypatch.setenv("TEST_SERVICE_KEY", "another.key0123")
        assert service(Capability(name="chat"), Endpoint(key="TEST_SERVICE_KEY")) is not client
    assert raw.asked[0].path == "/api/chat/completions"


def test_no_more_calls_are_in_flight_than_allowed_and_they_are_many_without_threads() -> None:
    flying = {"now": 0, "most": 0}

    async def slow(writer: asyncio.StreamWriter, asked: Any) -> None:
        flying["now"] += 1
        flying["most"] = max(flying["most"], flying["now"])
        await asyncio.sleep(0.005)
        flying["now"] -= 1
        await reply(GOOD)(writer, asked)

    async def many(client: Service) -> int:
        calls = [asyncio.create_task(loop.arrive(client.post("x", BODY))) for _ in range(100)]
        await asyncio.sleep(0.02)
        threads = threading.active_count()
        await asyncio.gather(*calls)
        return threads

    with RawService([slow]) as raw:
        client = made(raw, concurrency=7)
        loop.wait(client.post("x", BODY))
        before = threading.active_count()
        assert asyncio.run(many(client)) == before
    assert flying["most"] == 7


def test_a_cancelled_call_gives_its_place_back() -> None:
    async def impatient(client: Service) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(loop.arrive(client.post("x", BODY)), 0.1)

    with RawService([hang, reply(GOOD)]) as raw:
        client = made(raw, concurrency=1)
        asyncio.run(impatient(client))
        assert loop.wait(client.post("x", BODY)).payload == GOOD
        assert client.limiter.running == 0


def event(value: Any) -> bytes:
    return b"data: " + (value if isinstance(value, bytes) else json.dumps(value).encode()) + b"\n\n"


ONE, TWO = {"n": 1}, {"n": 2, "usage": {"prompt_tokens": 5, "completion_tokens": 2}}


@pytest.mark.parametrize(
    "good",
    [
        pieces(event(ONE), event(TWO), event(b"[DONE]")),
        pieces(event(ONE), event(TWO)),
        pieces(*(bytes([byte]) for byte in event(ONE) + event(TWO) + event(b"[DONE]"))),
        pieces(event(ONE), event(b'{"n": 1'), b": ping\n\n", event(TWO), event(b"[DONE]"), event({"n": 9})),
        pieces(event(ONE), event(TWO), event(b"[DONE]"), end="reset"),
        pieces(event(ONE), event(TWO), event(b"[DONE]"), end="hang"),
    ],
    ids=["whole", "without DONE", "byte by byte", "broken line", "reset after DONE", "open after DONE"],
)
def test_a_stream_gives_its_events(good: Act) -> None:
    with RawService([good]) as raw:
        assert listen(raw) == [ONE, TWO]
        assert made(raw).tally == meter.Tally(requests=1, attempts=1, prompt_tokens=5, completion_tokens=2)
        assert made(raw).limiter.running == 0


@pytest.mark.parametrize(
    "bad",
    [
        error("1302", 429),
        reset,
        pieces(end="reset"),
        pieces(),
        pieces(event(b"[DONE]")),
        pieces(event({"error": {"code": "1234", "message": "network"}})),
        reply({"choices": []}),
        reply({"error": {"code": "1305", "message": "busy"}}),
    ],
    ids=["refused", "reset", "cut", "nothing", "only DONE", "error event", "no stream", "error in 200"],
)
def test_a_stream_that_did_not_begin_is_asked_for_again(bad: Act) -> None:
    with RawService([bad, pieces(event(ONE), event(TWO))]) as raw:
        assert listen(raw) == [ONE, TWO]
    assert len(raw.asked) == 2


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        (pieces(event(ONE), end="reset"), Unavailable),
        (pieces(event(ONE), end="hang"), Unavailable),
        (pieces(event(ONE), event({"error": {"code": "1301", "message": "sensitive"}})), Refused),
        (pieces(event(ONE), event({"error": {"code": "1234", "message": "network"}})), Unavailable),
        (pieces(event(ONE), b"data: " + b"x" * 200_000), BadReply),
        (pieces(event(ONE), *([b": ping\n"] * 200), pause=0.04), Unavailable),
    ],
    ids=["reset", "silence", "content", "error event", "endless line", "drip"],
)
def test_a_stream_that_breaks_off_is_an_error_and_is_not_asked_for_again(
    bad: Act, kind: type[ServiceError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("docpipe._http.exchange.LARGEST_EVENT", 100_000)
    came = []
    with RawService([bad]) as raw, pytest.raises(kind):
        for payload in loop.iterate(made(raw, read_seconds=0.15).events("x", BODY)):
            came.append(payload)
    assert came == [ONE]
    assert len(raw.asked) == 1
    assert (made(raw, read_seconds=0.15).tally.requests, made(raw, read_seconds=0.15).tally.attempts) == (0, 1)
    assert made(raw).limiter.running == 0


def test_a_stream_that_breaks_before_what_matters_is_asked_for_again() -> None:
    role = {"role": "assistant"}
    cut = pieces(event(role), end="reset")
    with RawService([cut, pieces(event(role), event(ONE))]) as raw:
        stream = made(raw).events("x", BODY, begins=lambda payload: "n" in payload)
        assert list(loop.iterate(stream)) == [role, ONE]
    assert len(raw.asked) == 2


def test_a_reader_who_leaves_closes_the_stream() -> None:
    def two(stream: Iterator[Any]) -> None:
        next(stream)
        stream.close()  # type: ignore[attr-defined]

    with RawService([pieces(event(ONE), event(TWO), end="hang")]) as raw:
        client = made(raw, concurrency=1)
        two(loop.iterate(client.events("x", BODY)))
        two(loop.iterate(client.events("x", BODY)))
        assert client.limiter.running == 0


def test_a_question_without_a_body() -> None:
    with RawService([reply({"status": "ok"})]) as raw:
        assert loop.wait(made(raw).get("health")) == {"status": "ok"}
    assert (raw.asked[0].method, raw.asked[0].path, raw.asked[0].data) == ("GET", "/health", b"")


def test_http2_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("docpipe._http.service.find_spec", lambda name: None)
    with RawService([reply(GOOD)]) as raw, pytest.raises(ConfigError, match="h2") as caught:
        post(raw, http2=True)
    assert "httpx[http2]" in caught.value.remedy


@pytest.mark.parametrize(
    ("base_url", "fault"),
    [
        ("api.z.ai", "must begin with http"),
        ("ftp://example.org", "must begin with http"),
        ("http://", "must name a host"),
        ("http://exam ple.org/v4", "without blanks"),
        ("http://example.org:99999/v4", "a port that no address has"),
        ("https://example.org/v4?key=1", "must end before"),
        ("https://me:secret@example.org/v4", "must not hold a user or a password"),
    ],
)
def test_an_address_that_cannot_be_used_is_found_before_it_is_called(
    base_url: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match=fault) as caught:
        Endpoint(base_url=base_url)
    assert "secret" not in str(caught.value)
    monkeypatch.setenv("ZAI_BASE_URL", base_url)
    with pytest.raises(ConfigError, match=f"ZAI_BASE_URL.*{fault}") as outside:
        service(Capability(name="chat"), Endpoint())
    assert "secret" not in str(outside.value)


def test_a_base_url_holds_no_password() -> None:
    with pytest.raises(ValueError, match="must not hold a user or a password"):
        Endpoint(base_url="https://me:secret@example.org/v4")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_of_a_fork_leaves_the_connections_of_its_parent_alone() -> None:
    """A service that was used before, as with servers that load an application and then fork their workers."""
    with RawService([reply(GOOD)] * 3) as raw:
        used = made(raw)
        assert loop.wait(used.post("x", BODY)).payload == GOOD
        child = os.fork()
        if child == 0:
            os._exit(0 if loop.wait(used.post("x", BODY)).payload == GOOD else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert loop.wait(used.post("x", BODY)).payload == GOOD
