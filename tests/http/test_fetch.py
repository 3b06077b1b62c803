"""Pages are fetched from the address that was checked, in bounded time and memory."""

import asyncio
import gzip
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from little_web import LittleWeb, Shown

from docpipe._http import fetch as fetching
from docpipe._http.fetch import Fetched, fetch
from docpipe.errors import BadReply, DocpipeError, Refused, SourceTooLarge, Unavailable


@pytest.fixture
def web() -> Iterator[LittleWeb]:
    with LittleWeb() as web:
        yield web


def get(url: str, **options: Any) -> Fetched:
    chosen = {"allow_private": True, "max_bytes": 100_000, "seconds": 5.0, **options}
    return asyncio.run(fetch(url, **chosen))


def names(**known: Sequence[str]) -> Any:
    async def resolve(host: str, port: int) -> Sequence[str]:
        if host not in known:
            raise OSError("unknown name")
        return known[host]

    return resolve


def test_a_page_comes_with_its_type_and_headers(web: LittleWeb) -> None:
    web.pages["/a?b=c"] = Shown(body=b"<p>Hello", headers={"content-type": "Text/HTML; charset=utf-8", "X-Y": "z"})
    page = get(f"{web.url}/a?b=c#d", headers={"If-None-Match": '"1"'})
    assert (page.status, page.data, page.media_type) == (200, b"<p>Hello", "text/html")
    assert page.headers["x-y"] == "z"
    assert page.url == f"{web.url}/a?b=c"
    sent = web.asked[0].headers
    assert sent["if-none-match"] == '"1"'
    assert sent["host"] == f"127.0.0.1:{web.port}"
    assert sent["user-agent"].startswith("docpipe/")
    assert "cookie" not in sent
    assert "authorization" not in sent


def test_errors_and_heads_have_no_body(web: LittleWeb) -> None:
    web.pages["/gone"] = Shown(body=b"x" * 1_000_000, status=410)
    web.pages["/head"] = Shown(body=b"x" * 10, headers={"last-modified": "Sun, 06 Nov 1994 08:49:37 GMT"})
    assert (get(f"{web.url}/gone").status, get(f"{web.url}/gone").data) == (410, b"")
    head = get(f"{web.url}/head", method="HEAD")
    assert (head.status, head.data, head.headers["content-length"]) == (200, b"", "10")


def test_private_addresses_are_refused_before_anything_is_sent(web: LittleWeb) -> None:
    for url in (web.url, f"http://localhost:{web.port}/", f"http://2130706433:{web.port}/"):
        with pytest.raises(Refused) as caught:
            get(url, allow_private=False)
        assert caught.value.code == "address"
    assert web.asked == []


@pytest.mark.parametrize(
    "ips", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::1"], ["fe80::1%eth0"], ["::ffff:127.0.0.1"]]
)
def test_a_public_name_of_a_private_address_is_refused(web: LittleWeb, ips: list[str]) -> None:
    with pytest.raises(Refused, match="leads into a private or reserved network"):
        get(f"http://docs.example.com:{web.port}/", allow_private=False, resolve=names(**{"docs.example.com": ips}))
    assert web.asked == []


def test_the_connection_goes_to_the_address_that_was_checked(web: LittleWeb, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads to another address when it is asked again (DNS rebinding) is asked once."""
    web.pages["/"] = Shown(body=b"here")
    asked = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    monkeypatch.setattr(fetching, "is_public", lambda ip: str(ip) == "127.0.0.1")
    page = get(f"http://docs.example.com:{web.port}/", allow_private=False, resolve=resolve)
    assert page.data == b"here"
    assert asked == ["docs.example.com"]
    assert web.asked[0].headers["host"] == f"docs.example.com:{web.port}"


@pytest.mark.parametrize(
    "location",
    [
        "http://10.0.0.1/",
        "http://localhost/",
        "//169.254.169.254/latest",
        "file:///etc/passwd",
        "http://x@example.com/",
    ],
)
def test_each_redirect_is_checked_again(web: LittleWeb, location: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "is_public", lambda ip: True)
    web.pages["/"] = Shown(status=302, headers={"location": location})
    with pytest.raises(Refused) as caught:
        get(
            f"http://docs.example.com:{web.port}/",
            allow_private=False,
            resolve=names(**{"docs.example.com": ["127.0.0.1"]}),
        )
    assert caught.value.code == "address"
    assert len(web.asked) == 1


def test_redirects_are_followed_five_times(web: LittleWeb) -> None:
    for number in range(7):
        web.pages[f"/{number}"] = Shown(status=301 + number % 3, headers={"location": f"{number - 1}"})
    web.pages["/0"] = Shown(body=b"there")
    page = get(f"{web.url}/5")
    assert (page.data, page.url) == (b"there", f"{web.url}/0")
    with pytest.raises(Refused, match="leads on more than 5 times"):
        get(f"{web.url}/6")


def test_reading_stops_at_the_limit(web: LittleWeb) -> None:
    web.pages["/said"] = Shown(body=b"x" * 100_001)
    web.pages["/bomb"] = Shown(body=gzip.compress(bytes(50_000_000)), headers={"content-encoding": "gzip"})

    def endless(out: Any) -> None:
        out.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            out.write(b"x" * 65536)

    web.pages["/endless"] = Shown(raw=lambda out: ignoring(endless, out))
    for path in ("/said", "/bomb", "/endless"):
        with pytest.raises(SourceTooLarge, match="more than 100,000 bytes"):
            get(web.url + path)


def ignoring(work: Any, out: Any) -> None:
    try:
        work(out)
    except OSError:
        return


def test_a_packed_page_is_unpacked(web: LittleWeb) -> None:
    web.pages["/"] = Shown(body=gzip.compress(b"words " * 1000), headers={"content-encoding": "gzip"})
    assert get(web.url).data == b"words " * 1000
    web.pages["/"] = Shown(body=b"plain", headers={"content-encoding": "br"})
    with pytest.raises(BadReply, match="cannot be unpacked"):
        get(web.url)


def test_a_page_that_drips_ends_in_time(web: LittleWeb) -> None:
    def drip(out: Any) -> None:
        out.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(200):
            out.write(b"x")
            time.sleep(0.02)

    web.pages["/"] = Shown(raw=lambda out: ignoring(drip, out))
    begun = time.monotonic()
    with pytest.raises(Unavailable, match=r"within 0.3 s"):
        get(web.url, seconds=0.3)
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"no HTTP at all\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 50_000,
    ],
    ids=["nothing", "no HTTP", "cut", "broken chunks", "endless headers"],
)  # fmt: skip
def test_what_is_no_whole_reply_may_be_tried_again(web: LittleWeb, answer: bytes) -> None:
    web.pages["/"] = Shown(raw=lambda out: ignoring(lambda o: o.write(answer), out))
    with pytest.raises(Unavailable) as caught:
        get(web.url)
    assert caught.value.retryable


def test_unknown_names_and_closed_ports_say_what_is_wrong() -> None:
    with pytest.raises(Unavailable, match="name that is not known") as caught:
        get("http://nowhere.example/", resolve=names())
    assert caught.value.code == "name"
    with pytest.raises(Unavailable, match="cannot be reached"):
        get("http://127.0.0.1:1/")


def test_the_next_address_of_a_name_is_tried(web: LittleWeb) -> None:
    web.pages["/"] = Shown(body=b"here")
    known = names(**{"docs.example.com": ["::1", "127.0.0.1"]})
    assert get(f"http://docs.example.com:{web.port}/", resolve=known).data == b"here"


def test_proxies_of_the_environment_are_not_used(web: LittleWeb, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    web.pages["/"] = Shown(body=b"direct")
    assert get(web.url).data == b"direct"


def test_messages_tell_no_queries(web: LittleWeb) -> None:
    for url in (f"{web.url}/x?token=secret", "http://127.0.0.1:1/?token=secret"):
        web.pages["/x?token=secret"] = Shown(body=b"x" * 200_000)
        with pytest.raises(DocpipeError) as caught:
            get(url)
        assert "secret" not in str(caught.value)


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, list[str]]]:
    """A TLS server that has a certificate for docs.example.com only, and notes the names it is asked for."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=docs.example.com", "-addext", "subjectAltName=DNS:docs.example.com",
         "-keyout", str(key), "-out", str(certificate)],
        capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("openssl cannot make a certificate here")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    fetching._tls.cache_clear()
    asked: list[str] = []
    with LittleWeb() as web:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.sni_callback = lambda _, name, __: asked.append(name)
        web.pages["/"] = Shown(body=b"sealed")
        web._server.socket = context.wrap_socket(web._server.socket, server_side=True)
        web._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        yield web.port, asked
    fetching._tls.cache_clear()


def test_tls_asks_for_the_name_and_checks_its_certificate(tls: tuple[int, list[str]]) -> None:
    port, asked = tls
    known = names(**{"docs.example.com": ["127.0.0.1"], "evil.example.com": ["127.0.0.1"]})
    assert get(f"https://docs.example.com:{port}/", resolve=known).data == b"sealed"
    with pytest.raises(Unavailable, match="certificate is not valid"):
        get(f"https://evil.example.com:{port}/", resolve=known)
    assert asked == ["docs.example.com", "evil.example.com"]
    with pytest.raises(Unavailable, match="certificate is not valid"):
        get(f"https://127.0.0.1:{port}/")


def test_cancelling_closes_the_connection(web: LittleWeb) -> None:
    closed = threading.Event()

    def hang(out: Any) -> None:
        out.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            for _ in range(200):
                out.write(b"x")
                time.sleep(0.02)
        except OSError:
            closed.set()

    web.pages["/"] = Shown(raw=hang)

    async def run() -> None:
        task = asyncio.create_task(fetch(web.url, allow_private=True, max_bytes=1000, seconds=5))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert closed.wait(3)
