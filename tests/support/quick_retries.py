"""A fixture that makes the delays between attempts small: use it where a service fails on purpose."""

import pytest

from docpipe._http import retrying


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousandth of the delays."""
    monkeypatch.setattr(retrying, "PACE", 0.001)
