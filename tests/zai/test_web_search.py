"""Web search: what is sent, and how replies of any form are read."""

from typing import Any

import pytest
from quick_retries import quick_retries as quick_retries
from standin import StandIn, faults

from docpipe._http.endpoint import Endpoint
from docpipe._http.loop import wait
from docpipe._zai.values import WebResult
from docpipe._zai.web_search import WebSearch, body, day, results, shortened
from docpipe.errors import BadReply, OutOfCredit, RateLimited, Unauthorized


def entry(number: int, **changes: Any) -> dict[str, Any]:
    link = f"https://www.example.com/{number}"
    return {"title": f"Hull cleaning {number}", "content": "A clean hull saves fuel.", "link": link, **changes}


def test_the_examples_of_the_contract_are_read() -> None:
    payload = {
        "id": "1", "created": 1, "request_id": "1",
        "search_result": [
            {"title": "Hull cleaning and fuel use", "content": "A clean hull lowers drag.", "media": "Example Maritime",
             "link": "https://www.example.com/hull-cleaning-ferries", "icon": "", "refer": "ref_1",
             "publish_date": "2025-11-03"},
        ],
        "search_intent": [{"query": "x", "intent": "SEARCH_ALL", "keywords": "x"}],
    }  # fmt: skip
    assert results(payload) == [
        WebResult(
            title="Hull cleaning and fuel use",
            link="https://www.example.com/hull-cleaning-ferries",
            content="A clean hull lowers drag.",
            media="Example Maritime",
            published="2025-11-03",
        )
    ]


def test_results_that_lead_nowhere_or_inside_are_left_out() -> None:
    links = ["", None, 7, "http://10.0.0.1/", "http://localhost/x", "file:///etc/passwd", "http://a@example.com/"]
    payload = {
        "search_result": [*(entry(0, link=link) for link in links), "text", None, entry(1), {"title": "no link"}]
    }
    assert [one.link for one in results(payload)] == ["https://www.example.com/1"]


def test_a_page_counts_once_at_its_best_place() -> None:
    payload = {"search_result": [entry(2), entry(1), entry(2, link="HTTPS://www.example.com:443/2#x", title="again")]}
    assert [one.title for one in results(payload)] == ["Hull cleaning 2", "Hull cleaning 1"]


@pytest.mark.parametrize("payload", [{}, {"search_result": None}, {"search_result": []}, {"search_intent": []}])
def test_no_results_are_a_normal_outcome(payload: dict[str, Any]) -> None:
    assert results(payload) == []


def test_missing_and_odd_fields_become_empty() -> None:
    found = results({"search_result": {"link": "https://example.com", "title": None, "content": 3, "publish_date": []}})
    assert found == [WebResult(title="", link="https://example.com/", content="")]


def test_another_form_is_a_bad_reply() -> None:
    with pytest.raises(BadReply, match="search_result"):
        results({"search_result": "none"})


@pytest.mark.parametrize(
    ("text", "found"),
    [("2025-11-03", "2025-11-03"), ("2025-11-03T08:00:00Z", "2025-11-03"), ("Report (2024.2.9)", "2024-02-09"),
     ("2023年1月5日 报告", "2023-01-05"), ("2025-02-30", ""), ("12025-01-011", ""), ("", ""), ("version 2.3.4", "")],
)  # fmt: skip
def test_dates_are_found_where_they_hide(text: str, found: str) -> None:
    assert day(text) == found


def test_a_long_query_is_cut_between_words() -> None:
    words = "how much fuel does a ferry save when its hull is cleaned every spring before the season"
    assert shortened(words, 70) == "how much fuel does a ferry save when its hull is cleaned every spring"
    assert shortened("词" * 100, 70) == "词" * 70
    assert shortened("  two\n words ", 70) == "two words"


def test_each_platforms_engines_get_what_they_take() -> None:
    common = {"count": 12, "domain": "", "recency": "noLimit"}
    assert body("x " * 60, engine="search-prime", **common) == {
        "search_engine": "search-prime", "search_query": "x " * 59 + "x", "count": 12,
    }  # fmt: skip
    mainland = body("x " * 60, engine="search_pro_sogou", **common)
    assert len(mainland["search_query"]) <= 70
    assert mainland["search_intent"] is False
    assert mainland["count"] == 20
    narrow = body("x", engine="search-prime", count=1, domain="example.com", recency="oneWeek")
    assert (narrow["search_domain_filter"], narrow["search_recency_filter"]) == ("example.com", "oneWeek")


def test_the_platform_is_asked(platform: StandIn) -> None:
    platform.web.extend([entry(1), entry(2, link="https://other.example.org/2"), entry(3, link="http://192.168.0.1/")])
    search = WebSearch(Endpoint())
    found = wait(search.search("hull cleaning", count=5))
    assert [one.link for one in found] == ["https://www.example.com/1", "https://other.example.org/2"]
    assert [one.link for one in wait(search.search("hull", domain="other.example.org"))] == [
        "https://other.example.org/2"
    ]
    assert wait(search.search("zebra")) == []
    assert wait(search.search(" \n")) == []
    sent = platform.calls("/web_search")[0].body
    assert sent["search_engine"] == "search-prime"
    assert len(platform.calls("/web_search")) == 3


@pytest.mark.parametrize("engine", ["search_std", "search_pro", "search_pro_sogou", "search_pro_quark"])
def test_long_questions_pass_the_mainland_platforms_limit(platform: StandIn, engine: str) -> None:
    platform.web.append(entry(1))
    assert wait(WebSearch(Endpoint()).search("hull cleaning " * 20, engine=engine, count=3))


def test_the_base_url_chooses_the_usual_engine(platform: StandIn) -> None:
    wait(WebSearch(Endpoint(base_url=platform.base_url.replace("api", "./bigmodel.cn/../api"))).search("x"))
    wait(WebSearch(Endpoint()).search("x"))
    assert [call.body["search_engine"] for call in platform.calls("/web_search")] == ["search_std", "search-prime"]


def test_no_valid_data_is_an_empty_result(platform: StandIn) -> None:
    platform.fault("/web_search", faults.error("1703"), times=1)
    assert wait(WebSearch(Endpoint()).search("hull")) == []
    assert len(platform.calls("/web_search")) == 1


def test_too_many_searches_are_tried_again(platform: StandIn, quick_retries: None) -> None:
    platform.web.append(entry(1))
    platform.fault("/web_search", faults.error("1701"), times=2)
    assert len(wait(WebSearch(Endpoint()).search("hull"))) == 1
    platform.fault("/web_search", faults.error("1701"), times=9)
    with pytest.raises(RateLimited):
        wait(WebSearch(Endpoint(attempts=2)).search("hull"))


@pytest.mark.parametrize(("code", "kind"), [("1702", Unauthorized), ("1113", OutOfCredit), ("1000", Unauthorized)])
def test_what_only_the_operator_can_mend_is_not_tried_again(platform: StandIn, code: str, kind: type) -> None:
    platform.fault("/web_search", faults.error(code), times=9)
    with pytest.raises(kind) as caught:
        wait(WebSearch(Endpoint()).search("hull"))
    assert caught.value.code == code
    assert caught.value.remedy
    assert len(platform.calls("/web_search")) == 1


def test_a_missing_key_is_told_before_anything_is_sent(platform: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZAI_API_KEY")
    with pytest.raises(Unauthorized, match="ZAI_API_KEY"):
        WebSearch(Endpoint()).require_key()
    assert platform.calls("/web_search") == []
