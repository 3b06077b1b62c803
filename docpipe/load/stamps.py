"""Headers of a page -> the facts by which the next run knows that it did not change (pure)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

_SECOND = 1_000_000_000
_LATEST = 4_000_000_000
"""Seconds since 1970: what is later is no date that a server means."""
_LONGEST_NUMBER = 15


@dataclass(frozen=True, kw_only=True, slots=True)
class Stamps:
    """Size and time of a page, as an Entry has them."""

    size: int
    modified: int


def stamps(headers: Mapping[str, str]) -> Stamps | None:
    """Facts that differ when the page does; None where its server says nothing of the kind.

    The time is that of `Last-Modified` in whole seconds; its fraction of a second stands for the `ETag`, where there is
    one. A page with a tag and no date seems to be of 1970.

    Args:
        headers: names in lower case.
    """
    seconds, tag = _seconds(headers.get("last-modified", "")), headers.get("etag", "").strip()
    if not seconds and not tag:
        return None
    length = headers.get("content-length", "")
    size = int(length) if length.isascii() and length.isdigit() and len(length) <= _LONGEST_NUMBER else 0
    return Stamps(size=size, modified=seconds * _SECOND + (_fraction(tag) if tag else 0))


def _seconds(text: str) -> int:
    try:
        found = parsedate_to_datetime(text).timestamp() if text else 0
    except (ValueError, TypeError, OverflowError):
        return 0
    return int(found) if 0 < found < _LATEST else 0


def _fraction(tag: str) -> int:
    """1 to 999,999,999. Weak and strong tags of one value are alike."""
    short = hashlib.sha256(tag.removeprefix("W/").encode("utf-8", "replace")).digest()[:8]
    return int.from_bytes(short) % (_SECOND - 1) + 1
