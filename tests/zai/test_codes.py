"""Every row of the platform's tables of errors, in every shape in which it may come."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from docpipe._http.retrying import Complaint, complains, delay, told_by
from docpipe._zai import codes
from docpipe.errors import BadReply, OutOfCredit, RateLimited, Refused, ServiceError, Unauthorized, Unavailable

A, N, S, R, C, W = "account", "wrong", "content", "retry", "slow_down", "wait"

ROWS: list[tuple[str, int, str, type[ServiceError]]] = [
    ("500", 500, R, Unavailable),
    ("1000", 401, A, Unauthorized),
    ("1001", 401, N, Refused),
    ("1002", 401, A, Unauthorized),
    ("1003", 401, A, Unauthorized),
    ("1004", 401, A, Unauthorized),
    ("1005", 401, A, Unauthorized),
    ("1100", 500, R, Unavailable),
    *((code, 429, A, Unauthorized) for code in ("1110", "1111", "1112", "1121")),
    ("1113", 429, A, OutOfCredit),
    ("1120", 429, R, Unavailable),
    ("1200", 500, R, Unavailable),
    *((code, 400, N, Refused) for code in ("1210", "1211", "1212", "1213", "1214", "1215", "1221", "1222")),
    ("1220", 403, A, Unauthorized),
    ("1230", 500, R, Unavailable),
    ("1231", 400, R, Refused),
    ("1234", 500, R, Unavailable),
    ("1261", 400, N, Refused),
    ("1300", 400, S, Refused),
    ("1301", 400, S, Refused),
    ("1302", 429, C, RateLimited),
    ("1303", 429, R, RateLimited),
    ("1304", 429, W, OutOfCredit),
    ("1305", 429, R, RateLimited),
    ("1305", 503, R, RateLimited),
    ("1308", 429, W, OutOfCredit),
    ("1309", 429, A, OutOfCredit),
    ("1310", 429, W, OutOfCredit),
    ("1311", 429, A, Unauthorized),
    ("1312", 429, R, Unavailable),
    ("1313", 429, A, Unauthorized),
    ("1314", 429, A, Unauthorized),
    ("1315", 429, A, Unauthorized),
    *((str(code), 429, W, OutOfCredit) for code in range(1316, 1322)),
    ("1701", 429, C, RateLimited),
    ("1702", 400, A, Unauthorized),
    ("1703", 400, N, Refused),
    ("1098", 401, A, Unauthorized),
    ("1199", 429, A, Unauthorized),
    ("1299", 400, N, Refused),
    ("1299", 500, R, Unavailable),
    ("1399", 429, R, RateLimited),
    ("", 400, N, Refused),
    ("401", 401, A, Unauthorized),
    ("", 401, A, Unauthorized),
    ("", 403, A, Unauthorized),
    ("", 404, N, Refused),
    ("", 408, R, Unavailable),
    ("", 409, R, Unavailable),
    ("", 413, N, Refused),
    ("", 418, N, Refused),
    ("", 425, R, Unavailable),
    ("", 429, R, RateLimited),
    ("", 434, A, Unauthorized),
    ("", 435, N, Refused),
    ("", 500, R, Unavailable),
    ("", 502, R, Unavailable),
    ("", 503, R, Unavailable),
    ("", 504, R, Unavailable),
    ("", 520, R, Unavailable),
    ("", 302, N, Refused),
]
IDS = [f"{code or 'no code'}-{status}" for code, status, _, _ in ROWS]


@pytest.mark.parametrize(("code", "status", "kind", "error"), ROWS, ids=IDS)
def test_each_row_is_one_kind_of_verdict_and_one_of_our_errors(
    code: str, status: int, kind: str, error: type[ServiceError]
) -> None:
    verdict = codes.classify(
        Complaint(service="chat", status=status, code=code, message="As they say.", request_id="r-1")
    )
    assert (verdict.kind, type(verdict.error)) == (kind, error)
    assert verdict.again == (kind in (R, C))
    assert (verdict.error.service, verdict.error.status, verdict.error.code) == ("chat", status, code)
    assert verdict.error.request_id == "r-1"
    assert all(part in str(verdict.error) for part in (code, f"HTTP {status}", "As they say.", "r-1"))
    assert len(verdict.error.remedy) > 10
    assert isinstance(verdict.error, Refused) is (error is Refused)
    assert getattr(verdict.error, "content_policy", False) is (kind == S)


def test_the_table_has_no_row_that_this_test_does_not_know() -> None:
    assert set(codes.CODES) == {code for code, *_ in ROWS if code in codes.CODES}
    assert set(codes.STATUS) <= {status for _, status, *_ in ROWS}


def test_remedies_that_matter_say_what_to_do() -> None:
    remedies = {code: rule.remedy for code, rule in codes.CODES.items()}
    assert "top up" in remedies["1113"]
    assert "`model`" in remedies["1211"]
    assert "`service.concurrency`" in remedies["1302"]
    assert "context_tokens" in remedies["1261"]
    assert "base_url" in remedies["1000"]


SHAPES: list[tuple[str, Any]] = [
    ("nested", {"error": {"code": "1214", "message": "url is wrong"}}),
    ("integer inside", {"error": {"code": 1214, "message": "url is wrong"}}),
    ("flat", {"code": 1214, "message": "url is wrong"}),
    ("flat string", {"code": "1214", "message": "url is wrong"}),
    ("msg", {"code": 1214, "msg": "url is wrong", "success": False}),
    ("beside an id", {"error": {"code": "1214", "message": "url is wrong"}, "request_id": "theirs"}),
]


@pytest.mark.parametrize("payload", [payload for _, payload in SHAPES], ids=[name for name, _ in SHAPES])
def test_a_code_is_found_in_every_shape(payload: dict[str, Any]) -> None:
    code, message, request_id = told_by(payload, json.dumps(payload))
    assert (code, message) == ("1214", "url is wrong")
    assert request_id == payload.get("request_id", "")
    assert complains(payload)


@pytest.mark.parametrize(
    ("payload", "text", "message"),
    [
        ({"timestamp": 1, "status": 404, "error": "Not Found", "path": "/v4/v4/chat"}, "", "Not Found"),
        (None, "<html><head><style>p {}</style><title>502 Bad Gateway</title></head></html>", "502 Bad Gateway"),
        (None, "upstream connect error", "upstream connect error"),
        (None, "", ""),
        ([1, 2], "[1, 2]", "[1, 2]"),
        ({"error": None}, "{}", "{}"),
        ({"error": {"code": True, "message": 7}}, "x", ""),
        (None, "echo: " + "QUJD" * 100, "echo: ..."),
        (None, "a\x1b[31m\x00b\nc", "a [31m b c"),
    ],
    ids=["gateway", "html", "plain text", "nothing", "a list", "null", "odd types", "file bytes", "control characters"],
)
def test_what_has_no_code_still_says_something_readable(payload: Any, text: str, message: str) -> None:
    assert told_by(payload, text) == ("", message, "")


@pytest.mark.parametrize(
    "payload",
    [
        {"choices": [], "error": None},
        {"code": 200, "message": "ok", "data": [1]},
        {"code": 0, "msg": "ok"},
        {"id": "1", "code": 1214, "message": "of a document"},
        {"error": {}},
        {"error": ""},
        {},
    ],
    ids=str,
)
def test_a_good_reply_is_no_complaint(payload: dict[str, Any]) -> None:
    assert not complains(payload)


@pytest.mark.parametrize(
    "message",
    [
        "Usage limit reached for 5 hour. Your limit will reset at 2026-01-18 21:35:41",
        "已达到 5 小时的使用上限。您的限额将在 2026-01-18 21:35:41 重置。",
    ],
    ids=["English", "Chinese"],
)
@pytest.mark.parametrize("code", ["1308", "1310", "1316", "1321"])
def test_a_reset_time_is_eight_hours_east_of_greenwich(code: str, message: str) -> None:
    error = codes.classify(Complaint(service="chat", status=429, code=code, message=message)).error
    assert isinstance(error, OutOfCredit)
    assert error.resets_at == datetime(2026, 1, 18, 13, 35, 41, tzinfo=UTC)
    assert "usable again at 2026-01-18 21:35+08:00" in str(error)


@pytest.mark.parametrize("message", ["", "reset at 2026-13-40 99:99:99", "soon"], ids=["empty", "no date", "words"])
def test_a_message_without_a_time_has_no_reset_time(message: str) -> None:
    assert codes.resets_at(message) is None


def test_overload_may_wait_longer_than_a_limit_of_calls() -> None:
    usual, longer = (codes.classify(Complaint(service="chat", status=429, code=code)) for code in ("1302", "1305"))
    assert [delay(usual, attempt, lambda: 1.0) for attempt in range(1, 7)] == [1, 2, 4, 8, 16, 30]
    assert [delay(longer, attempt, lambda: 1.0) for attempt in range(1, 7)] == [4, 8, 16, 32, 64, 120]


def test_codes_of_limits_are_never_retried_although_they_are_429() -> None:
    never = {"1113", "1304", "1308", "1309", "1310", "1311", "1313"}
    for code in never:
        assert not codes.classify(Complaint(service="chat", status=429, code=code)).again


def test_no_whole_reply_and_one_that_cannot_be_read() -> None:
    broken = codes.classify(Complaint(service="chat", transport="the connection broke off"))
    slow = codes.classify(Complaint(service="chat", transport="silent", timed_out=True))
    odd = codes.classify(Complaint(service="chat", status=200, malformed=True, message="12 bytes"))
    assert [type(verdict.error) for verdict in (broken, slow, odd)] == [Unavailable, Unavailable, BadReply]
    assert [verdict.tries for verdict in (broken, slow, odd)] == [0, 3, 3]


def test_a_certificate_that_is_not_trusted_is_not_asked_again() -> None:
    complaint = Complaint(service="chat", transport="no connection: certificate verify failed")
    verdict = codes.classify(complaint)
    assert not verdict.again
    assert "SSL_CERT_FILE" in verdict.error.remedy


def test_an_error_within_a_stream_or_in_a_200_counts_by_its_code() -> None:
    assert isinstance(codes.classify(Complaint(service="chat", status=200, code="401")).error, Unauthorized)
    assert isinstance(codes.classify(Complaint(service="chat", status=200, code="")).error, Unavailable)


def test_each_code_has_four_digits_or_is_a_status() -> None:
    assert all(re.fullmatch(r"500|1[0-7]\d\d", code) for code in codes.CODES)
