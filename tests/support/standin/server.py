"""The server: connections, what goes wrong on them, and the face that tests use."""

import asyncio
import hashlib
import json
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from standin import answers, ocr, refusals, selfhosted, spoiling
from standin.answers import BASE, Call, Planned, State, Streamed
from standin.chat import Script
from standin.counting import PromptCache
from standin.faults import Fault
from standin.model import Manner
from standin.refusals import Refusal
from standin.wire import LARGEST_BODY, Gone, Request, Wire, dumped

KEY = "8f2c0b1e5a7d4c39.kJ3mQ9sT2vX7zB1nL5pR8wY0cE4hG6dF"


class StandIn:
    """A platform on 127.0.0.1, in a thread of its own, from `with` to its end."""

    def __init__(
        self,
        *,
        port: int = 0,
        key: str = KEY,
        boxes: ocr.Boxes = "pixels",
        sizes: ocr.Sizes = "both",
        cache_granularity: int = 1,
        shortest_cached: int = 0,
    ) -> None:
        """boxes, sizes: how layout parsing writes boxes, and where it says page sizes; cache_*: in tokens."""
        cache = PromptCache(granularity=cache_granularity, shortest=shortest_cached)
        self._state = State(key=key, cache=cache, boxes=boxes, sizes=sizes)
        self._port = port
        self._failures: list[Exception] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._started = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="standin", daemon=True)
        self._thread.start()
        if not self._started.wait(10):
            raise RuntimeError("the stand-in did not start")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop and self._thread
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)
        if self._failures:
            raise RuntimeError("the stand-in failed") from self._failures[0]

    @property
    def base_url(self) -> str:
        """`http://127.0.0.1:<port>/api/paas/v4`."""
        return f"{self.host_url}{BASE}"

    @property
    def host_url(self) -> str:
        """`http://127.0.0.1:<port>`."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def key(self) -> str:
        """The account's key, `id.secret`."""
        return self._state.key

    @property
    def web(self) -> list[Mapping[str, Any]]:
        """What web search can find: `title`, `content`, `link`, `media`, `publish_date`; change it in place."""
        return self._state.web

    @web.setter
    def web(self, results: Sequence[Mapping[str, Any]]) -> None:
        self._state.web = list(results)

    @property
    def pages(self) -> dict[str, Any]:
        """What the reader can read: address -> Markdown, a whole `reader_result`, or a Refusal; change it in place."""
        return self._state.pages

    @pages.setter
    def pages(self, pages: Mapping[str, Any]) -> None:
        self._state.pages = dict(pages)

    @property
    def windows(self) -> dict[str, int]:
        """Model -> context window in tokens, where it shall be smaller than the model's own."""
        return self._state.windows

    @property
    def reads(self) -> ocr.Reader:
        """What layout parsing reads."""
        return self._state.reader

    def unreadable(self, code: str) -> None:
        """What an unknown address gives the reader: this code, or "" for an empty page."""
        self._state.unreadable = code

    def calls(self, path: str = "") -> list[Call]:
        """What was received so far, oldest first; of one path, as `/chat/completions`, or of all."""
        with self._state.lock:
            return [call for call in self._state.calls if not path or call.path == _slashed(path)]

    def forget(self) -> None:
        """Drop the calls recorded so far."""
        with self._state.lock:
            self._state.calls.clear()

    def allow(self, path: str, concurrency: int) -> None:
        """More calls than this at once are refused with 1302."""
        self._state.limits[_slashed(path)] = concurrency

    def latency(self, path: str, seconds: float, *, event: float = 0.0) -> None:
        """How long an answer takes; `event`: and between two events of a stream."""
        self._state.latency[_slashed(path)] = seconds
        self._state.pace[_slashed(path)] = event

    def fault(self, path: str, fault: Fault, *, times: int = 1, after: int = 0) -> None:
        """The next `times` calls (-1: all) go wrong, once `after` good ones have passed; others do not count."""
        with self._state.lock:
            self._state.faults[_slashed(path)].append(Planned(fault=fault, times=times, after=after))

    def mend(self, path: str = "") -> None:
        """No more faults, of one path or at all."""
        with self._state.lock:
            for name in [_slashed(path)] if path else list(self._state.faults):
                self._state.faults.pop(name, None)

    def script_chat(self, script: Script | None) -> None:
        """How the model answers: body -> text, pieces of a text, `Reply`, raw events, or None for the default model."""
        self._state.script = script

    def spoil(
        self,
        page: int | str,
        kind: spoiling.Kind,
        *,
        ways: Sequence[spoiling.Way] = spoiling.WAYS,
        times: int = -1,
        code: str = "1301",
    ) -> None:
        """OCR reads a page badly: `page` is its printed number (`sheet.number`) or words that stand on it."""
        plan = spoiling.Spoiled(mark=str(page), kind=kind, ways=ways, times=times, code=code)
        with self._state.lock:
            self._state.spoiled.append(plan)

    def behave(self, manner: Manner) -> None:
        """How the default model behaves where no script answers."""
        self._state.manner = manner

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        tasks: set[asyncio.Task[None]] = set()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task
            tasks.add(task)
            try:
                await self._connection(Wire(reader, writer))
            except (Gone, ConnectionError, asyncio.CancelledError):
                pass
            finally:
                tasks.discard(task)
                writer.close()

        server = await asyncio.start_server(connected, "127.0.0.1", self._port, limit=2**20, backlog=1024)
        self._port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._stop.wait()
        server.close()
        for task in list(tasks):
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=5)
        await asyncio.sleep(0)

    async def _connection(self, wire: Wire) -> None:
        while (request := await wire.request()) is not None:
            if request.path == "/health" and request.method == "GET":
                await wire.reply(200, "application/json", {"status": "ok"})
                continue
            path = request.path.removeprefix(BASE) if request.path.startswith(BASE) else request.path
            known = selfhosted.PATHS if path == request.path else answers.PATHS
            if path not in known or request.method != "POST":
                gateway = refusals.body(
                    "", "Not Found", "gateway", status=404, path=request.path.removeprefix("/api/paas")
                )
                await wire.reply(404, *gateway)
                continue
            call = Call(path=path, body=None, headers=request.headers, started=time.monotonic())
            with self._state.lock:
                self._state.calls.append(call)
            try:
                await self._handled(wire, request, call)
            finally:
                call.ended = call.ended or time.monotonic()
            if call.status < 0:
                return

    async def _handled(self, wire: Wire, request: Request, call: Call) -> None:
        entered = False
        try:
            if call.path not in selfhosted.PATHS:
                answers.authorised(self._state, request)
            body = _parsed(request)
            call.body = _shortened(body)
            if call.path not in selfhosted.PATHS:
                call.request_id = self._state.take_id(body)
            self._state.enter(call.path)
            entered = True
            await self._answered(wire, body, call)
        except Refusal as refusal:
            await self._refused(wire, refusal, call)
        except (Gone, ConnectionError):
            raise
        except Exception as error:
            self._failures.append(error)
            await self._refused(wire, Refusal(code="", status=599, message=f"the stand-in failed: {error!r}"), call)
        finally:
            if entered:
                self._state.leave(call.path)

    async def _refused(self, wire: Wire, refusal: Refusal, call: Call) -> None:
        call.status, call.code = refusal.status, refusal.code
        shown = refusals.body(refusal.code, refusal.message, refusal.shape, status=refusal.status, path=call.path)
        call.ended = time.monotonic()
        await wire.reply(refusal.status, *shown, refusal.headers)

    async def _answered(self, wire: Wire, body: dict[str, Any], call: Call) -> None:
        if call.path == "/layout_parsing":
            data, media_type = ocr.file_of(body)
            content: Any = await asyncio.to_thread(answers.layout, self._state, body, call, data, media_type)
        elif call.path in selfhosted.PATHS:
            content = await asyncio.to_thread(answers.hosted, self._state, body, call)
        else:
            content = answers.answer(self._state, call.path, body, call)
        fault = self._state.fault_for(call.path, body)
        if seconds := self._state.latency.get(call.path, 0.0):
            await asyncio.sleep(seconds)
        if fault and (fault.code or fault.status) and fault.body is None:
            raise _as_refusal(fault)
        if isinstance(content, Streamed):
            await self._streamed(wire, content.events, fault, call)
        else:
            await self._whole(wire, content, fault, call)

    async def _whole(self, wire: Wire, content: Any, fault: Fault | None, call: Call) -> None:
        call.status = (fault and fault.status) or 200
        if fault is None:
            call.ended = time.monotonic()  # before the answer leaves: who has it may look at once
            await wire.reply(200, "application/json; charset=UTF-8", content)
            return
        if fault.edit:
            content = fault.edit(content)
        data = dumped(content) if fault.body is None else fault.body
        sent = len(data) // 2 if fault.after_bytes < 0 else fault.after_bytes
        if fault.manner == "truncate":
            data = data[:sent]
        if not fault.manner or fault.manner == "truncate":
            await wire.reply(call.status, fault.media_type, data, fault.headers)
            return
        if sent or fault.manner == "drip":
            await wire.head(call.status, {"Content-Type": fault.media_type, "Content-Length": str(len(data))})
            await wire.send(data[:sent])
        await self._spoiled(wire, data[sent:], fault, call)

    async def _streamed(self, wire: Wire, events: list[Any], fault: Fault | None, call: Call) -> None:
        call.status = 200
        if fault and fault.body is not None:
            await self._whole(wire, None, fault, call)
            return
        if fault and fault.edit:
            events = fault.edit(events)
        if fault and fault.manner in ("reset", "hang") and fault.after_bytes == 0 >= fault.after_events:
            await self._spoiled(wire, b"", fault, call)
            return
        sent = events if fault is None or fault.after_events < 0 else events[: fault.after_events]
        rest = [] if fault is None or fault.after_events < 0 else events[fault.after_events :]
        await wire.head(200, {"Content-Type": "text/event-stream; charset=utf-8", "Transfer-Encoding": "chunked"})
        pace = self._state.pace.get(call.path, 0.0)
        for event in sent:
            await wire.chunk(as_event(event))
            if pace:
                await asyncio.sleep(pace)
        if fault and fault.within and rest:
            half = as_event(rest[0])
            await wire.chunk(half[: len(half) // 2])
        if fault and fault.manner:
            left = b"".join(map(as_event, rest))
            await self._spoiled(wire, f"{len(left):x}\r\n".encode() + left + b"\r\n0\r\n\r\n", fault, call)
            return
        if fault is None or fault.done:
            await wire.chunk(b"data: [DONE]\n\n")
        call.ended = time.monotonic()
        await wire.chunk(b"")

    async def _spoiled(self, wire: Wire, rest: bytes, fault: Fault, call: Call) -> None:
        """The connection is of no use afterwards, unless it only drips."""
        if fault.manner == "drip":
            size = max(1, int(fault.rate / 100))
            for start in range(0, len(rest), size):
                await wire.send(rest[start : start + size])
                await asyncio.sleep(size / fault.rate)
            return
        if fault.manner == "hang":
            await wire.gone()
        elif fault.manner == "reset":
            wire.reset()
        call.status = -1 if fault.manner != "hang" else call.status
        raise Gone


def as_event(event: Any) -> bytes:
    """A value as one event of a stream; bytes as they are."""
    if isinstance(event, bytes):
        return event
    return b"data: " + json.dumps(event, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n\n"


def _as_refusal(fault: Fault) -> Refusal:
    status = fault.status or refusals.TABLE.get(fault.code, (400, ""))[0]
    return Refusal(code=fault.code, status=status, message=fault.message, shape=fault.shape, headers=fault.headers)


def _parsed(request: Request) -> dict[str, Any]:
    if len(request.data) > LARGEST_BODY:
        raise Refusal(code="", status=413, shape="html", message="Request Entity Too Large")
    if request.path == "/glmocr/parse" and request.headers.get("content-type") != "application/json":
        raise Refusal(code="", status=400, shape="string", message="Invalid Content-Type. Expected application/json")
    if not request.headers.get("content-type", "").lower().startswith("application/json"):
        raise Refusal(code="1210", message="Content-Type must be application/json")
    try:
        body = json.loads(request.data)
    except ValueError as error:
        raise Refusal(code="1210", message="the body is not JSON") from error
    if not isinstance(body, dict):
        raise Refusal(code="1210", message="the body is not an object")
    return body


def _shortened(body: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(file := body.get("file"), str):
        return body
    digest = hashlib.sha256(file.encode()).hexdigest()[:16]
    return {**body, "file": f"{file[:40].partition(',')[0]},<{digest}: {len(file)} characters>"}


def _slashed(path: str) -> str:
    return "/" + path.strip("/")


SUPPORT = Path(__file__).parent.parent
"""Folder to put on PYTHONPATH for `python -m standin`."""
