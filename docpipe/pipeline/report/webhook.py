"""A run in which something failed -> a word of it to the address that the pipeline's owner chose."""

import asyncio
import json
import logging
from typing import Any
from urllib.parse import urlsplit

from docpipe._http import loop
from docpipe._http.endpoint import Endpoint
from docpipe._http.exchange import Broken, Limits, TooLarge, exchange
from docpipe._http.service import open_client
from docpipe.pipeline.report import json_forms
from docpipe.pipeline.report.reports import RunReport

_log = logging.getLogger("docpipe.webhook")
_LISTED = 20
TRIES = 3
_SECONDS = 10.0
_TRIED_AGAIN = frozenset({408, 425, 429})


def message(report: RunReport) -> dict[str, Any]:
    """What is told of a run; `text` is a line for chat rooms, the rest is for programs."""
    form = json_forms.run(report)
    names = ("pipeline", "run_id", "failed", "stale", "waiting", "stopped", "published", "started", "seconds")
    return {
        "text": headline(report),
        **{name: form[name] for name in names},
        "failures": form["failures"][:_LISTED],
        "gaps": form["account"]["gaps"][:_LISTED],
        "report": report.page,
        "error": form["ended_by"],
    }


def headline(report: RunReport) -> str:
    """What is wrong with a run, in one line."""
    files = report.account.files.gap
    wrong = [
        f"ended by {report.ended_by.type}: {report.ended_by.message}" if report.ended_by else "",
        f"documents failed: {report.failed:,}" if report.failed else "",
        f"gaps in its account: {len(report.account.gaps) or files:,}" if not report.account.closed else "",
        "its version is not published" if not report.published else "",
    ]
    return f"docpipe {report.pipeline}, run {report.run_id}: {'; '.join(part for part in wrong if part) or 'ok'}"


def tell(address: str, told: dict[str, Any], *, seconds: float = _SECONDS, wait: float = 1.0) -> str:
    """Send it, at most three times.

    Args:
        address: may lie in the own network, and hold a secret: messages name its host only.
        seconds: what one try may take.
        wait: seconds before the second try; the third waits twice as long.

    Returns:
        What went wrong; empty where it was told.
    """
    body = json.dumps(told).encode("ascii")
    fault = loop.wait(_told(address, body, seconds=seconds, wait=wait))
    if not fault:
        return ""
    host = _host(address)
    _log.warning("the webhook at %s was not told: %s", host, fault)
    return f"the webhook at {host} was not told: {fault}"


async def _told(address: str, body: bytes, *, seconds: float, wait: float) -> str:
    fault = ""
    for tried in range(TRIES):
        if tried:
            await asyncio.sleep(wait * tried)
        fault, again = await _try(address, body, seconds)
        if not fault or not again:
            break
    return fault


async def _try(address: str, body: bytes, seconds: float) -> tuple[str, bool]:
    """What went wrong, and whether another try makes sense. Redirects are not followed: they could lead anywhere."""
    import httpx

    limits = Limits(connect=seconds, silence=seconds)
    try:
        async with asyncio.timeout(seconds), open_client(Endpoint(), address) as client:
            headers = {"Content-Type": "application/json"}
            async with exchange(client, address, data=body, headers=headers, limits=limits) as answer:
                again = answer.status >= 500 or answer.status in _TRIED_AGAIN
                return ("" if 200 <= answer.status < 300 else f"it answered {answer.status}"), again
    except TimeoutError:
        return f"no answer in {seconds:g} s", True
    except (Broken, TooLarge) as error:
        return str(error), True
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError, ValueError):
        return "it is not an address that can be asked", False


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or "(no host)"
    except ValueError:
        return "(no host)"
