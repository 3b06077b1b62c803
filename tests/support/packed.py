"""Archives, mailboxes and mails for tests, made of names and bytes."""

import gzip
import io
import os
import struct
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from pathlib import Path

THEN = (2024, 5, 6, 7, 8, 10)
"""When the files of archives were changed."""


def zipped(files: Mapping[str, bytes | str] | Sequence[tuple[str, bytes | str]], *, store: bool = False) -> bytes:
    """A zip file; the same bytes for the same files."""
    pairs = files.items() if isinstance(files, Mapping) else files
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED if store else zipfile.ZIP_DEFLATED) as archive:
        for name, data in pairs:
            archive.writestr(zipfile.ZipInfo(name, THEN), data, compress_type=archive.compression)
    return made.getvalue()


def with_zip_names(archive: bytes, names: Mapping[bytes, bytes]) -> bytes:
    """The zip with names of equal length put in place of others, wherever they stand, not marked as UTF-8."""
    for old, new in names.items():
        assert len(old) == len(new)
        archive = archive.replace(old, new)
    return archive


def tarred(files: Mapping[str, bytes | str], *, mode: str = "w") -> bytes:
    """A tar file; `mode` as for `tarfile.open`: `w:gz` and so on."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            data = data.encode() if isinstance(data, str) else data
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), 1_700_000_000
            archive.addfile(info, io.BytesIO(data))
    return made.getvalue()


def gzipped(data: bytes) -> bytes:
    """A gzip stream."""
    return gzip.compress(data, mtime=0)


def mail(text: str, attached: Mapping[str, bytes] | None = None, *, subject: str = "News", number: int = 1) -> bytes:
    """A mail in text with attached files."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Ann <ann@example.org>", "bob@example.org", subject
    message["Date"], message["Message-ID"] = "Mon, 06 May 2024 07:08:10 +0000", f"<{number}@example.org>"
    message.set_content(text)
    for name, data in (attached or {}).items():
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    boundary = {"boundary": f"==={number}==="} if attached else {}
    for key, value in boundary.items():
        message.set_param(key, value)
    return message.as_bytes()


def mailbox(*mails: bytes) -> bytes:
    """An mbox file."""
    quoted = (one.replace(b"\nFrom ", b"\n>From ") for one in mails)
    return b"\n".join(b"From ann@example.org Mon May  6 07:08:10 2024\n" + one for one in quoted)


def put(path: Path, data: bytes | str, *, seconds: int) -> None:
    """Write a file that was changed then, in seconds since 1970."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    os.utime(path, (seconds, seconds))


def overlapping_zip(count: int) -> bytes:
    """A zip in which all files are the same bytes (the idea of D. Fifield's bombs)."""
    archive = zipped([("a.txt", b"x" * 100_000)])
    start = archive.index(b"PK\x01\x02")
    stop = archive.index(b"PK\x05\x06")
    entry = archive[start:stop]
    entries = b"".join(entry.replace(b"a.txt", f"{number:05}".encode()) for number in range(count))
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(entries), start, 0)
    return archive[:start] + entries + end
