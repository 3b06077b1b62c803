"""Fixtures for tests that talk to the platform."""

from collections.abc import Iterator

import pytest

from standin import StandIn


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """A fresh stand-in; `ZAI_API_KEY` and `ZAI_BASE_URL` point to it."""
    with StandIn() as standin:
        monkeypatch.setenv("ZAI_API_KEY", standin.key)
        monkeypatch.setenv("ZAI_BASE_URL", standin.base_url)
        yield standin
