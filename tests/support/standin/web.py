"""POST /web_search and /reader: a small web that a test writes."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

from standin import fields
from standin.fields import FLAG, Field
from standin.refusals import Refusal, invalid
from standin.small import overlap

ENGINES = (
    "search-prime",
    "search_prime",
    "search_pro_jina",
    "search-std",
    "search_std",
    "search_pro",
    "search_pro_sogou",
    "search_pro_quark",
)
RECENCY = {"oneDay": 1, "oneWeek": 7, "oneMonth": 31, "oneYear": 366, "noLimit": 0}
SEARCH = {
    "search_engine": fields.one_of(*ENGINES, required=True),
    "search_query": Field(types=(str,), required=True, shortest=1),
    "search_intent": FLAG,
    "count": fields.whole(1, 50),
    "search_domain_filter": Field(types=(str,)),
    "search_recency_filter": fields.one_of(*RECENCY),
    "content_size": fields.one_of("medium", "high"),
    "request_id": fields.REQUEST_ID,
    "user_id": fields.USER_ID,
    "include_image": FLAG,
    "sensitive_word_check": Field(types=(dict,)),
}
READER = {
    "url": Field(types=(str,), required=True, shortest=1),
    "timeout": fields.whole(1, 300),
    "no_cache": FLAG,
    "return_format": fields.one_of("markdown", "text"),
    "retain_images": FLAG,
    "no_gfm": FLAG,
    "keep_img_data_url": FLAG,
    "with_images_summary": FLAG,
    "with_links_summary": FLAG,
    "request_id": fields.REQUEST_ID,
    "user_id": fields.USER_ID,
}
MAINLAND = ("search_std", "search_pro", "search_pro_sogou", "search_pro_quark")
_IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)[^)]*\)\n*")
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)[^)]*\)")


def search(body: dict[str, Any], web: Sequence[Mapping[str, Any]], *, today: date) -> dict[str, Any]:
    """Results that share words with the query, best first; none is a normal outcome."""
    fields.check(body, SEARCH)
    if body["search_engine"] in MAINLAND and len(body["search_query"]) > 70:
        raise invalid("search_query must be at most 70 characters")
    if body["search_engine"] == "search_pro_sogou" and (body.get("count") or 10) % 10:
        raise invalid("count must be 10, 20, 30, 40 or 50")
    domain = (body.get("search_domain_filter") or "").removeprefix("www.")
    days = RECENCY[body.get("search_recency_filter") or "noLimit"]
    found = [
        (overlap(body["search_query"], f"{page.get('title', '')} {page.get('content', '')}"), number, page)
        for number, page in enumerate(web)
        if _in_domain(str(page.get("link", "")), domain) and _recent(str(page.get("publish_date", "")), days, today)
    ]
    ranked = sorted((hit for hit in found if hit[0] > 0), key=lambda hit: (-hit[0], hit[1]))[: body.get("count") or 10]
    reply: dict[str, Any] = {"search_result": [_result(page, n) for n, (_, _, page) in enumerate(ranked, start=1)]}
    if body["search_engine"] in MAINLAND:
        words = " ".join(body["search_query"].split()[:4])
        reply["search_intent"] = [{"query": body["search_query"], "intent": "SEARCH_ALL", "keywords": words}]
    return reply


def _in_domain(link: str, domain: str) -> bool:
    host = (urlsplit(link).hostname or "").removeprefix("www.")
    return not domain or host == domain or host.endswith(f".{domain}")


def _recent(published: str, days: int, today: date) -> bool:
    if not days:
        return True
    return bool(published) and date.fromisoformat(published) >= today - timedelta(days=days)


def _result(page: Mapping[str, Any], number: int) -> dict[str, Any]:
    defaults = {"title": "", "content": "", "link": "", "media": "", "icon": "", "publish_date": ""}
    return {**defaults, **page, "refer": f"ref_{number}"}


def read(body: dict[str, Any], pages: Mapping[str, Any], *, unreadable: str) -> dict[str, Any]:
    """A page as Markdown or text.

    Args:
        pages: address -> Markdown, or a whole `reader_result`, or a Refusal.
        unreadable: what an unknown address gives: a code, or "" for an empty page.
    """
    fields.check(body, READER)
    url = body["url"]
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise invalid("url is not an address")
    page = pages.get(url)
    if isinstance(page, Refusal):
        raise page
    if page is None and unreadable:
        raise Refusal(code=unreadable)
    result = dict(page) if isinstance(page, Mapping) else _page(url, page or "")
    return {"model": "web-reader", "reader_result": _shaped(result, body)}


def _page(url: str, content: str) -> dict[str, Any]:
    title = content.lstrip("# ").split("\n", 1)[0] if content else ""
    return {
        "title": title,
        "description": "",
        "url": url,
        "content": content,
        "metadata": {},
        "external": {"stylesheet": {}},
    }


def _shaped(result: dict[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    content = str(result.get("content") or "")
    if body.get("with_images_summary"):
        result["images"] = {f"Image {n}: {m[1]}": m[2] for n, m in enumerate(_IMAGE.finditer(content), start=1)}
    if body.get("with_links_summary"):
        result["links"] = {m[1]: m[2] for m in _LINK.finditer(content)}
    if body.get("retain_images") is False:
        content = _IMAGE.sub("", content)
    if body.get("return_format") == "text":
        content = _LINK.sub(r"\1", re.sub(r"^#+ |\*\*", "", content, flags=re.MULTILINE))
    return {**result, "content": content} if "content" in result else result
