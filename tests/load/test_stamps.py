"""The headers of a page tell whether it changed."""

import pytest

from docpipe.load.stamps import Stamps, stamps

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
SECONDS = 784_111_777


def test_a_date_counts_in_seconds() -> None:
    assert stamps({"last-modified": DATE, "content-length": "12"}) == Stamps(size=12, modified=SECONDS * 10**9)


def test_a_tag_stands_in_the_fraction_of_a_second() -> None:
    found = stamps({"last-modified": DATE, "etag": '"a"'})
    assert found is not None
    assert found.modified // 10**9 == SECONDS
    assert found.modified % 10**9 > 0
    assert found != stamps({"last-modified": DATE, "etag": '"b"'})
    assert found == stamps({"last-modified": DATE, "etag": 'W/"a"'})
    only = stamps({"etag": '"a"'})
    assert only is not None
    assert 0 < only.modified < 10**9


@pytest.mark.parametrize(
    "headers",
    [{}, {"content-length": "12"}, {"last-modified": "yesterday"}, {"last-modified": "Sun, 06 Nov 1594 08:49:37 GMT"},
     {"last-modified": "Sun, 06 Nov 9999 08:49:37 GMT"}, {"last-modified": "0"}],
)  # fmt: skip
def test_without_them_nothing_is_known(headers: dict[str, str]) -> None:
    assert stamps(headers) is None


@pytest.mark.parametrize("length", ["-1", "x", "1" * 30, "１２", ""])
def test_an_odd_length_is_none(length: str) -> None:
    found = stamps({"etag": "a", "content-length": length})
    assert found is not None
    assert found.size == 0
