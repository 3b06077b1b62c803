"""Pages of search results: a main part of links with some words below each."""

from typing import Any

from docpipe.parse.html import HtmlParser


def test_all_results_are_kept_although_each_is_short(parse: Any) -> None:
    results = "".join(
        f"<li><h2><a href=https://example.org/{number}>Harbour number {number} and its ledger</a></h2>"
        f"<p>Ships of the year 19{number} came in with the tide, and the pilot wrote down where each had been.</p></li>"
        for number in range(10, 20)
    )
    page = f"<body><nav><a href=/>Home</a> <a href=/more>More</a></nav><main><ol>{results}</ol></main></body>"
    text = parse(HtmlParser(), page).text
    assert all(f"Harbour number {number}" in text and f"the year 19{number}" in text for number in range(10, 20))
    assert "More" not in text
