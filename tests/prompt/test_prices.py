from dataclasses import dataclass

import pytest

from docpipe.prompt import prices
from docpipe.types import Usage


@dataclass(frozen=True)
class Tally:
    requests: int = 1
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0


def test_cached_tokens_cost_what_the_table_says() -> None:
    usage = Usage(prompt_tokens=1_000_000, cached_tokens=400_000, completion_tokens=10_000)
    assert prices.cost("glm-4.6", usage) == pytest.approx(0.6 * 0.6 + 0.4 * 0.11 + 0.01 * 2.2)


def test_a_service_that_reports_more_cached_than_read_does_not_earn_us_money() -> None:
    usage = Usage(prompt_tokens=1_000_000, cached_tokens=9_000_000)
    assert prices.cost("glm-4.6", usage) == pytest.approx(0.11)


def test_names_of_models_are_taken_in_any_case() -> None:
    assert prices.price("GLM-4.6") == prices.price("glm-4.6")
    assert prices.window("GLM-4.6") == 200_000


def test_what_is_not_known_is_not_guessed() -> None:
    assert prices.price("glm-9") is None
    assert prices.cost("glm-9", Usage(prompt_tokens=5)) is None
    assert prices.window("glm-9") == prices.most_output("glm-9") == 0


def test_a_bill_adds_tokens_and_calls_and_names_what_has_no_price() -> None:
    found = prices.bill(
        {
            ("chat", "glm-4.6"): Tally(prompt_tokens=1_000_000),
            ("layout_parsing", "glm-ocr"): Tally(prompt_tokens=500_000, completion_tokens=500_000),
            ("web_search", "search-prime"): Tally(requests=3),
            ("selfhosted", "glm-ocr"): Tally(prompt_tokens=10**9),
            ("embeddings", "embedding-3"): Tally(prompt_tokens=1000),
            ("reader", ""): Tally(),
            ("chat", "my-own"): Tally(prompt_tokens=10),
            ("chat", "not-called"): Tally(requests=0),
        }
    )
    assert found.usd == pytest.approx(0.60 + 0.03 + 0.03)
    assert dict(found.unpriced) == {
        "my-own": "its price is not known",
        "embedding-3": "0.50 CNY per million tokens on the mainland platform",
        "reader": "no price is listed",
    }


@pytest.mark.parametrize("name", prices.MODELS)
def test_a_model_of_the_table_makes_sense(name: str) -> None:
    model = prices.MODELS[name]
    assert name == name.lower()
    assert 0 <= model.price.cached <= model.price.input <= model.price.output
    assert model.most_output <= (model.window or model.most_output)
