"""HTTP/1.1 by hand, so that answers can be cut, dripped and reset."""

import asyncio
import json
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

LARGEST_BODY = 80 * 2**20
REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


class Gone(Exception):
    """The client closed the connection."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What a client sent. Header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    data: bytes


class Wire:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def request(self) -> Request | None:
        """The next request; None when the client is done."""
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)
        }
        try:
            data = await self._body(headers)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        return Request(method=method, path=unquote(urlsplit(target).path), headers=headers, data=data)

    async def _body(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("expect", "").lower() == "100-continue":
            self._writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return await self._reader.readexactly(int(headers.get("content-length", 0)))
        data = bytearray()
        while size := int((await self._reader.readline()).split(b";")[0], 16):
            data += await self._reader.readexactly(size)
            await self._reader.readexactly(2)
        await self._reader.readexactly(2)
        return bytes(data)

    async def head(self, status: int, headers: Mapping[str, str]) -> None:
        """Send the first line and the headers."""
        lines = [
            f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        await self.send(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    async def send(self, data: bytes) -> None:
        """Send bytes as they are.

        Raises:
            Gone: nobody reads them.
        """
        if self._reader.at_eof() and self._writer.is_closing():
            raise Gone
        try:
            self._writer.write(data)
            await self._writer.drain()
        except ConnectionError as error:
            raise Gone from error

    async def chunk(self, data: bytes) -> None:
        """Send one piece of a chunked body; an empty one ends it."""
        await self.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    async def reply(self, status: int, media_type: str, content: Any, headers: Mapping[str, str] = {}) -> None:
        """Send a whole answer; what is not bytes goes out as JSON."""
        data = content if isinstance(content, bytes) else dumped(content)
        await self.head(status, {"Content-Type": media_type, "Content-Length": str(len(data)), **headers})
        await self.send(data)

    def reset(self) -> None:
        """Break the connection as a crashed peer does (RST)."""
        sock = self._writer.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def gone(self) -> None:
        """Wait until the client closes the connection (it sends nothing while it waits for an answer)."""
        await self._reader.read(1)

    async def close(self) -> None:
        """Close in order."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except (ConnectionError, TimeoutError):
            return


def dumped(content: Any) -> bytes:
    """Compact JSON."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
