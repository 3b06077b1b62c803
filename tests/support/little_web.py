"""A web server on loopback, for tests of what reads pages."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a path gives. `raw` replaces everything: it gets the open socket's file."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str = ""
    raw: Callable[[Any], None] | None = None


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]


class LittleWeb:
    """Paths and what they give; change `pages` at any time."""

    def __init__(self) -> None:
        self.pages: dict[str, Shown] = {}
        self.asked: list[Asked] = []
        self.head_allowed = True
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web._answer(self)

            def do_HEAD(self) -> None:
                web._answer(self)

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "LittleWeb":
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def calls(self, method: str, path: str = "") -> list[Asked]:
        """Requests with this method, in order."""
        return [one for one in self.asked if one.method == method and path in ("", one.path)]

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.asked.append(Asked(method=handler.command, path=handler.path, headers=headers))
        page = self.pages.get(handler.path, Shown(status=404, body=b"no such page"))
        if page.raw is not None:
            page.raw(handler.wfile)
            handler.close_connection = True
            return
        if handler.command == "HEAD" and not self.head_allowed:
            page = Shown(status=405)
        if page.etag and headers.get("if-none-match") == page.etag:
            page = Shown(status=304, etag=page.etag)
        handler.send_response(page.status)
        for name, value in {
            **({"etag": page.etag} if page.etag else {}),
            "content-length": str(len(page.body)),
            **page.headers,
        }.items():
            handler.send_header(name, value)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(page.body)
