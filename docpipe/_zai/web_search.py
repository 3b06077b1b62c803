"""Web search: a query -> results (POST /web_search)."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Literal

from docpipe._http.addresses import check_url
from docpipe._http.endpoint import Endpoint
from docpipe._http.service import Capability, service
from docpipe._zai.codes import classify
from docpipe._zai.values import WebResult
from docpipe.errors import BadReply, Refused

CAPABILITY = Capability(name="web_search", classify=classify, concurrency=4, read_seconds=30.0)

Recency = Literal["oneDay", "oneWeek", "oneMonth", "oneYear", "noLimit"]
MOST_RESULTS = 50

_PATH = "web_search"
_ENGINE, _MAINLAND_ENGINE = "search-prime", "search_std"
_MAINLAND = re.compile("search_(?:std|pro|pro_sogou|pro_quark)")
"""Engines of open.bigmodel.cn."""
_LONGEST_QUERY = 70
"""Characters that they take."""
_NO_RESULT = "1703"
_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)(?:[-/.年])(\d{1,2})(?:[-/.月])(\d{1,2})(?!\d)")
_LONGEST_CONTENT = 20_000
_LONGEST_TITLE = 500


class WebSearch:
    """The platform's search engines."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._service = service(CAPABILITY, endpoint)

    def require_key(self) -> None:
        """Raises: Unauthorized: there is none."""
        self._service.require_key()

    async def search(
        self, query: str, *, engine: str = "", count: int = 10, domain: str = "", recency: Recency = "noLimit"
    ) -> list[WebResult]:
        """What is found, best first; nothing is a normal outcome.

        Args:
            engine: empty: the platform's usual one.
            count: 1 to 50; fewer results than that are normal.
            domain: only pages of this site; empty: of any.

        Raises:
            ServiceError: the search failed.
        """
        chosen = engine or (_MAINLAND_ENGINE if "bigmodel.cn" in self._service.base_url else _ENGINE)
        if not query.strip():
            return []
        asked = body(query, engine=chosen, count=count, domain=domain, recency=recency)
        try:
            reply = await self._service.post(_PATH, asked)
        except Refused as error:
            if error.code == _NO_RESULT:
                return []
            raise
        return results(reply.payload)


def body(query: str, *, engine: str, count: int, domain: str, recency: str) -> dict[str, Any]:
    """What is sent. Engines of the mainland platform take short queries, and one of them whole tens of results."""
    asked: dict[str, Any] = {"search_engine": engine, "search_query": " ".join(query.split()), "count": count}
    if _MAINLAND.fullmatch(engine):
        asked["search_query"] = shortened(query, _LONGEST_QUERY)
        asked["search_intent"] = False
    if engine == "search_pro_sogou":
        asked["count"] = min(MOST_RESULTS, -(-count // 10) * 10)
    if domain:
        asked["search_domain_filter"] = domain
    if recency != "noLimit":
        asked["search_recency_filter"] = recency
    return asked


def shortened(query: str, longest: int) -> str:
    """At most so many characters, cut between words where there are any."""
    line = " ".join(query.split())
    if len(line) <= longest:
        return line
    begin = line[: longest + 1].rpartition(" ")[0]
    return begin if len(begin) * 2 > longest else line[:longest]


def results(payload: Mapping[str, Any]) -> list[WebResult]:
    """The results that lead to a page of the open internet, each page once, in the order given.

    Raises:
        BadReply: the reply has another form than any that is known.
    """
    given = payload.get("search_result")
    if given is None:
        return []
    if isinstance(given, Mapping):  # so the official client describes it
        given = [given]
    if not isinstance(given, list):
        raise BadReply(
            "web_search: `search_result` is no list", service=CAPABILITY.name, remedy="try later, or another engine"
        )
    found: dict[str, WebResult] = {}
    for result in _usable(given[:MOST_RESULTS]):
        found.setdefault(result.link, result)
    return list(found.values())


def _usable(given: list[Any]) -> Iterator[WebResult]:
    for one in given:
        link = one.get("link") if isinstance(one, Mapping) else None
        if not isinstance(link, str):
            continue
        try:
            url = check_url(link).url
        except Refused:
            continue
        title = _text(one, "title")[:_LONGEST_TITLE]
        yield WebResult(
            title=title,
            link=url,
            content=_text(one, "content")[:_LONGEST_CONTENT],
            media=_text(one, "media")[:_LONGEST_TITLE],
            published=day(_text(one, "publish_date")) or day(title),
        )


def day(text: str) -> str:
    """The first date in a text, as `YYYY-MM-DD`; empty where there is none."""
    for found in _DATE.finditer(text[:_LONGEST_TITLE]):
        try:
            return date(*map(int, found.groups())).isoformat()
        except ValueError:
            continue
    return ""


def _text(one: Mapping[str, Any], name: str) -> str:
    value = one.get(name)
    return value.strip() if isinstance(value, str) else ""
