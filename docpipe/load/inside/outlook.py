"""A saved Outlook message (msg) -> the files that are attached to it.

Source: [MS-OXMSG] and [MS-OXPROPS] by Microsoft.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from io import BytesIO

from docpipe._encodings import decode
from docpipe.load.inside.mails import SMALL_PICTURE
from docpipe.load.inside.members import Allowed, Member, Named, checked, damaged, stamp, too_large

_ATTACHMENT = re.compile(r"__attach_version1\.0_#[0-9A-F]{8}", re.I)
_MESSAGE = "__substg1.0_3701000D"
"""Where an attachment holds another message."""
_DATA, _LONG_NAME, _SHORT_NAME, _KIND, _CONTENT_ID = "37010102", "3707", "3704", "370E", "3712"
_DEEPEST = 10
_SENT, _DELIVERED = 0x00390040, 0x0E060040
_EPOCH = 11_644_473_600
"""Seconds from 1601 to 1970."""
_DAMAGE = (OSError, ValueError, IndexError, KeyError, TypeError, AttributeError, struct.error, OverflowError)


class OutlookMessage:
    """The attached files of a message, and of messages that are enclosed in it."""

    title = "mail"

    def __init__(self, data: bytes, uri: str, allowed: Allowed) -> None:
        from olefile import OleFileIO

        self._uri, self._allowed = uri, allowed
        self._paths: list[str] = []
        try:
            self._file = OleFileIO(BytesIO(data))
            self.members = tuple(checked(self._found(), allowed, uri))
        except _DAMAGE as error:
            raise damaged(uri, error) from error

    def read(self, member: Member) -> bytes:
        """An attached file."""
        try:
            data: bytes = self._file.openstream(self._paths[member.position]).read()
        except _DAMAGE as error:
            raise damaged(self._uri, error) from error
        return data

    def close(self) -> None:
        """Close it."""
        self._file.close()

    def _found(self) -> Iterator[Member]:
        named, seconds = Named(), self._seconds()
        for number, folder in enumerate(self._folders(), start=1):
            path = f"{folder}/__substg1.0_{_DATA}"
            if not self._file.exists(path):
                continue
            size = self._file.get_size(path)
            problem = too_large(size, self._allowed) if size > self._allowed.largest else None
            data = b"" if problem else self._file.openstream(path).read()
            kind, shown = self._text(folder, _KIND), self._text(folder, _CONTENT_ID)
            if problem is None and (not data or (kind.startswith("image/") and shown and len(data) < SMALL_PICTURE)):
                continue
            own = self._text(folder, _LONG_NAME) or self._text(folder, _SHORT_NAME) or f"part {number}"
            name, bad = named(" ".join(own.split()))
            self._paths.append(path)
            yield Member(
                name=name,
                size=size if problem else len(data),
                modified=stamp(seconds, zlib.crc32(data)),
                position=len(self._paths) - 1,
                problem=bad or problem,
            )

    def _folders(self) -> list[str]:
        """Of all attachments, those of enclosed messages after the ones around them."""
        found = set()
        for path in self._file.listdir(streams=True, storages=True):
            whole = [number for number, part in enumerate(path) if _ATTACHMENT.fullmatch(part)]
            inner = [part for number, part in enumerate(path) if number not in whole]
            if whole and len(whole) <= _DEEPEST and all(part == _MESSAGE for part in inner[: len(whole) - 1]):
                found.add("/".join(path[: whole[-1] + 1]))
        return sorted(found, key=lambda path: (path.count("/"), path))

    def _text(self, folder: str, name: str) -> str:
        for kind, encoding in (("001F", "utf-16-le"), ("001E", "")):
            path = f"{folder}/__substg1.0_{name}{kind}"
            if self._file.exists(path) and self._file.get_size(path) < 65_536:
                data = self._file.openstream(path).read()
                return (data.decode(encoding, "replace") if encoding else decode(data).text).rstrip("\x00").strip()
        return ""

    def _seconds(self) -> float:
        """When it was sent, or else delivered, since 1970; 0 for a draft."""
        path = "__properties_version1.0"
        data = self._file.openstream(path).read() if self._file.exists(path) else b""
        found: dict[int, int] = {}
        for start in range(32, len(data) - 15, 16):
            tag, _, value = struct.unpack_from("<IIQ", data, start)
            found[tag] = value
        ticks = found.get(_SENT) or found.get(_DELIVERED) or 0
        return ticks / 1e7 - _EPOCH if ticks else 0.0
