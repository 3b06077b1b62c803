"""What runs cost: expected before, counted after."""

import math

import pytest

from docpipe import console
from docpipe._http import meter
from docpipe._http.endpoint import Endpoint
from docpipe._http.meter import Tally
from docpipe.embed.http import HttpEmbedder
from docpipe.errors import InvalidOption
from docpipe.parse.auto import AutoParser
from docpipe.parse.glm_ocr import GlmOcrParser
from docpipe.parse.pdf import PdfParser
from docpipe.pipeline.ingest.pricing import Spending, check_cost, cost, expected_cost
from docpipe.pipeline.report import json_forms
from docpipe.pipeline.report.reports import PagesOf, Plan, RunReport

LOCAL = object()
"""A stage that asks no service."""


def test_pages_are_priced_by_the_tokens_that_they_will_take() -> None:
    found = expected_cost(GlmOcrParser(piece_pages=8), LOCAL, pages=[20, 1, 0], tokens=1000)
    assert found.requests == 4, "three pieces of twenty pages, and one"
    assert 21 * 1700 < found.tokens < 21 * 4000
    assert found.usd == pytest.approx(found.tokens * 0.03 / 1e6)
    assert found.remarks == ()


def test_a_parser_within_another_is_found() -> None:
    alone = expected_cost(GlmOcrParser(), LOCAL, pages=[5], tokens=0)
    inside = expected_cost(AutoParser(pdf=GlmOcrParser()), LOCAL, pages=[5], tokens=0)  # type: ignore[arg-type]
    assert inside == alone


def test_what_needs_no_service_costs_nothing() -> None:
    assert expected_cost(AutoParser(), LOCAL, pages=[], tokens=10**9) == cost({})


def test_a_server_of_ones_own_costs_nothing_whatever_its_model_is_called() -> None:
    parser = GlmOcrParser(mode="selfhosted", service=Endpoint(base_url="http://127.0.0.1:8000", key=""))
    embedder = HttpEmbedder(model="bge-m3", dimensions=1024, service=Endpoint(base_url="http://127.0.0.1:1", key=""))
    found = expected_cost(parser, embedder, pages=[100], tokens=10**6)
    assert (found.usd, found.remarks) == (0.0, ())
    assert found.requests > 100


def test_a_price_that_is_not_known_is_said_and_not_taken_for_nothing() -> None:
    found = expected_cost(PdfParser(), HttpEmbedder(), pages=[], tokens=10**6)
    assert found.usd == 0
    assert found.requests == math.ceil(10**6 / HttpEmbedder().batch_tokens)
    (remark,) = found.remarks
    assert "embedding-3" in remark
    assert "CNY" in remark


def test_pages_of_a_parser_that_tells_no_price_are_said() -> None:
    (remark,) = expected_cost(LOCAL, LOCAL, pages=[3, 4], tokens=0).remarks
    assert "7 pages" in remark


def test_what_a_run_spent_leaves_out_questions_and_what_was_before() -> None:
    meter.add("layout_parsing", "glm-ocr", Tally(requests=1, prompt_tokens=10**6))
    spending = Spending()
    meter.add("layout_parsing", "glm-ocr", Tally(requests=2, prompt_tokens=2_000_000, completion_tokens=1_000_000))
    meter.add("chat", "glm-4.6", Tally(requests=1, prompt_tokens=10**6))
    spent = spending.so_far()
    assert (spent.requests, spent.tokens) == (2, 3_000_000)
    assert spent.usd == pytest.approx(0.09)


def test_a_run_above_its_limit_is_refused_with_both_amounts() -> None:
    with pytest.raises(InvalidOption, match=r"about 1\.2346 USD, more than the 1\.0000 USD"):
        check_cost(Plan(cost_usd=1.23456), 1.0)
    check_cost(Plan(cost_usd=1.0), 1.0)
    check_cost(Plan(), 0)


@pytest.mark.parametrize("amount", [-0.01, math.nan, math.inf])
def test_a_limit_that_is_no_amount_of_money_is_refused(amount: float) -> None:
    with pytest.raises(InvalidOption, match="max_cost must be"):
        check_cost(Plan(), amount)


def test_a_plan_says_calls_cost_and_what_is_not_in_it() -> None:
    made = Plan(ocr_pages=12, requests=3, cost_usd=0.01234, remarks=("the cost of X is not in the sum: unknown",))
    shown = console.plan_text(made)
    assert "12 of them by OCR" in shown
    assert "0.0123 USD for 3 calls" in shown
    assert "note: the cost of X is not in the sum: unknown" in shown
    assert json_forms.plan(made)["remarks"] == list(made.remarks)


def test_a_report_says_which_pages_a_service_could_not_read() -> None:
    report = RunReport(pipeline="x", recognised=3, needs_ocr=(PagesOf("a.pdf", (2, 3, 4)),))
    assert "could not be read" in console.run_text(report)
    assert "a.pdf: 2-4" in console.run_text(report)
    assert json_forms.run(report)["recognised"] == 3
