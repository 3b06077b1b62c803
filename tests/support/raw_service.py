"""A server that does exactly what a test says, byte for byte: for replies that no library would send."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from docpipe._http import loop


@dataclass
class Asked:
    """A request that came."""

    method: str
    path: str
    headers: Mapping[str, str]
    data: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.data)


Act = Callable[[asyncio.StreamWriter, Asked], Awaitable[None]]


def reply(
    data: bytes | str | Mapping[str, Any],
    *,
    status: int = 200,
    media_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Act:
    """A whole reply."""
    raw = json.dumps(data).encode() if isinstance(data, Mapping) else data.encode() if isinstance(data, str) else data

    async def act(writer: asyncio.StreamWriter, asked: Asked) -> None:
        lines = {"Content-Type": media_type, "Content-Length": str(len(raw)), **(headers or {})}
        head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        writer.write(head.encode() + b"\r\n" + raw)
        await writer.drain()

    return act


def pieces(
    *parts: bytes,
    media_type: str = "text/event-stream",
    pause: float = 0.0,
    end: str = "well",
    length: int = 0,
) -> Act:
    """A reply in pieces; `end`: "well", "reset" (no last chunk), "hang". `length`: announced and not kept."""

    async def act(writer: asyncio.StreamWriter, asked: Asked) -> None:
        framing = f"Content-Length: {length}" if length else "Transfer-Encoding: chunked"
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\n{framing}\r\n\r\n".encode())
        for part in parts:
            writer.write(part if length else b"%x\r\n%s\r\n" % (len(part), part))
            await writer.drain()
            await asyncio.sleep(pause)
        if end == "hang":
            await asyncio.sleep(60)
        if end == "reset":
            writer.transport.abort()
        elif length:
            writer.close()
        else:
            writer.write(b"0\r\n\r\n")

    return act


async def hang(writer: asyncio.StreamWriter, asked: Asked) -> None:
    """Never an answer."""
    await asyncio.sleep(60)


async def reset(writer: asyncio.StreamWriter, asked: Asked) -> None:
    """The connection breaks before an answer."""
    writer.transport.abort()


@dataclass
class RawService:
    """Does the acts in order, the last one for ever; keeps what it was asked."""

    acts: list[Act]
    asked: list[Asked] = field(default_factory=list)

    def __enter__(self) -> "RawService":
        self._server = loop.wait(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.base_url = f"http://127.0.0.1:{self.port}"
        self._tasks: set[asyncio.Task[Any]] = set()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        loop.wait(self._stop())

    async def _stop(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            while (head := await reader.readuntil(b"\r\n\r\n")) and not writer.is_closing():
                first, *lines = head.decode("latin-1").strip().split("\r\n")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
                data = await reader.readexactly(int(headers.get("content-length", "0")))
                method, path, _ = first.split(" ")
                asked = Asked(method, path, headers, data)
                self.asked.append(asked)
                act = self.acts.pop(0) if len(self.acts) > 1 else self.acts[0]
                await act(writer, asked)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
