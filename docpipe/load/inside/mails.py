"""A mail (eml) -> the files that are attached to it."""

import mimetypes
import zlib
from collections.abc import Iterator
from email import message_from_bytes
from email.header import decode_header
from email.message import Message
from email.utils import parsedate_to_datetime

from docpipe._encodings import decode, wide_encoding
from docpipe.load.inside.members import Allowed, Member, Named, checked, stamp

SMALL_PICTURE = 10_000
"""Bytes; pictures inside the text of a mail below this are logos and the like: they are left out."""
_DEEPEST = 20
_SIGNATURES = frozenset({"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"})
_SEALED = "multipart/encrypted"


class Mail:
    """The attached files of a mail, and of mails that are enclosed in it. Its own text is not among them."""

    title = "mail"

    def __init__(self, data: bytes, uri: str, allowed: Allowed) -> None:
        message = message_from_bytes(_narrow(data).lstrip(b"\r\n\t "))
        self._files: list[bytes] = []
        self.members = tuple(checked(self._found(message), allowed, uri))

    def read(self, member: Member) -> bytes:
        """An attached file."""
        return self._files[member.position]

    def close(self) -> None:
        """Nothing is held open."""

    def _found(self, message: "Message[str, str]") -> Iterator[Member]:
        named, seconds = Named(), _seconds(message)
        for number, part in enumerate(_attached(message, _DEEPEST), start=1):
            data = part.get_payload(decode=True)
            if not isinstance(data, bytes) or _is_decoration(part, data):
                continue
            name, problem = named(_file_name(part) or _unnamed(part, number))
            self._files.append(data)
            yield Member(
                name=name,
                size=len(data),
                modified=stamp(seconds, zlib.crc32(data)),
                position=len(self._files) - 1,
                problem=problem,
            )


def _narrow(data: bytes) -> bytes:
    """A mail that somebody saved in a wide encoding, in UTF-8."""
    marked = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ""
    wide = wide_encoding(data[:8192]) or marked
    return data.decode(wide, "replace").lstrip("\ufeff").encode() if wide else data


def _attached(part: "Message[str, str]", depth: int) -> Iterator["Message[str, str]"]:
    """The parts that are no text of a mail, in order."""
    inner = part.get_payload()
    if part.get_content_type() == _SEALED:
        return  # for its receivers' keys only: the mail itself says so
    if isinstance(inner, list):
        if depth:
            for one in inner:
                if isinstance(one, Message):
                    yield from _attached(one, depth - 1)
        return
    kind = part.get_content_type()
    disposition = str(part.get("Content-Disposition") or "").strip().lower()
    is_text = kind in ("text/plain", "text/html") and not disposition.startswith("attachment")
    if not is_text and kind not in _SIGNATURES:
        yield part


def _is_decoration(part: "Message[str, str]", data: bytes) -> bool:
    """Whether it is a small picture that the text of the mail shows."""
    shown = bool(part.get("Content-ID")) or str(part.get("Content-Disposition") or "").lower().startswith("inline")
    return not data or (part.get_content_maintype() == "image" and shown and len(data) < SMALL_PICTURE)


def _file_name(part: "Message[str, str]") -> str:
    try:
        name = part.get_filename() or ""
    except (ValueError, LookupError, TypeError):
        return ""
    return _decoded(name)


def _decoded(name: str) -> str:
    """A name's words, those in other encodings among them."""
    if not name.isascii():
        name = decode(name.encode("utf-8", "surrogateescape")).text
    if "=?" in name:
        try:
            pieces = [
                piece if isinstance(piece, str) else decode(piece, declared=charset or "").text
                for piece, charset in decode_header(name)
            ]
        except (ValueError, LookupError):
            return name
        name = "".join(pieces)
    return " ".join(name.split())


def _unnamed(part: "Message[str, str]", number: int) -> str:
    kind = part.get_content_type()
    return f"part {number}{mimetypes.guess_extension(kind) or ''}"


def _seconds(message: "Message[str, str]") -> float:
    try:
        return parsedate_to_datetime(str(message.get("Date"))).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return 0.0
