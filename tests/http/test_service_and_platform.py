"""Calls against the stand-in of the platform: its codes, shapes and limits."""

import asyncio
from typing import Any, get_args

import pytest
from quick_retries import quick_retries as quick_retries
from standin import StandIn, faults
from standin.refusals import Shape

from docpipe._http import loop
from docpipe._http.endpoint import Endpoint
from docpipe._http.service import Capability, Service, service
from docpipe._zai import codes
from docpipe.errors import OutOfCredit, ServiceError

pytestmark = pytest.mark.usefixtures("quick_retries")

PATH = "/chat/completions"
BODY = {"model": "glm-4.6", "messages": [{"role": "user", "content": "hello"}], "thinking": {"type": "disabled"}}


def made(**options: Any) -> Service:
    return service(Capability(name="chat", classify=codes.classify), Endpoint(**options))


def post(**options: Any) -> Any:
    return loop.wait(made(**options).post(PATH, BODY))


@pytest.mark.parametrize("code", codes.CODES)
def test_a_code_that_may_pass_is_tried_again_and_no_other(code: str, platform: StandIn) -> None:
    platform.fault(PATH, faults.error(code), times=1)
    if codes.CODES[code].kind in ("retry", "slow_down"):
        assert post().attempts == 2
    else:
        with pytest.raises(ServiceError) as caught:
            post()
        assert caught.value.code == code
        assert len(platform.calls(PATH)) == 1


@pytest.mark.parametrize("shape", get_args(Shape))
@pytest.mark.parametrize("status", [0, 200], ids=["as an error", "as a success"])
def test_arrears_are_understood_in_every_shape(shape: Shape, status: int, platform: StandIn) -> None:
    platform.fault(PATH, faults.error("1113", shape=shape, status=status), times=9)
    expected = OutOfCredit if shape in ("nested", "flat", "integer", "msg") else ServiceError
    with pytest.raises(expected):
        post(attempts=2)


@pytest.mark.parametrize(
    "fault",
    [faults.reset(), faults.reset(after_bytes=0), faults.short_body(), faults.truncated(), faults.malformed(),
     faults.http_error(502), faults.http_error(503, shape="plain")],
    ids=["reset", "reset at once", "short", "truncated", "malformed", "proxy page", "plain text"],
)  # fmt: skip
def test_what_was_damaged_on_the_way_is_asked_for_again(fault: faults.Fault, platform: StandIn) -> None:
    platform.fault(PATH, fault, times=1)
    assert post().attempts == 2


def test_a_signed_token_is_accepted(platform: StandIn) -> None:
    assert post(auth="jwt").attempts == 1


def test_every_attempt_has_an_id_of_its_own_or_the_platform_would_refuse(platform: StandIn) -> None:
    platform.fault(PATH, faults.error("1234"), times=3)
    post()
    ids = [call.request_id for call in platform.calls(PATH)]
    assert len(set(ids)) == 4


@pytest.mark.parametrize(("wanted", "allowed"), [(4, 4), (12, 5)], ids=["as allowed", "too many"])
def test_the_platform_is_kept_busy_and_hardly_ever_refuses(wanted: int, allowed: int, platform: StandIn) -> None:
    async def batch(client: Service) -> None:
        await asyncio.gather(*(client.post(PATH, BODY) for _ in range(400)))

    platform.allow(PATH, concurrency=allowed)
    platform.latency(PATH, 0.01)
    loop.wait(batch(made(concurrency=wanted)))
    calls = platform.calls(PATH)
    refused = sum(call.code == "1302" for call in calls)
    assert len(calls) - refused == 400
    assert refused <= max(0, wanted - allowed) + 0.02 * len(calls)
