"""What every test gets: no network but loopback, no key, and hypothesis without a clock."""

import socket
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import settings
from standin.fixtures import platform as platform

settings.register_profile("docpipe", deadline=None, max_examples=100)
settings.load_profile("docpipe")

_connect = socket.socket.connect


def _loopback_only(self: socket.socket, address: Any) -> None:
    host = address[0] if isinstance(address, tuple) else "127.0.0.1"
    if host not in ("127.0.0.1", "::1", "localhost"):
        raise AssertionError(f"a test opened a connection to {host}")
    _connect(self, address)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", _loopback_only)
    monkeypatch.delenv("ZAI_API_KEY", raising=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What was printed or logged goes to another process as UTF-8; names of files may hold what is not."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report
