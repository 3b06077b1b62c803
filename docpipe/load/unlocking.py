"""The bytes of a locked file, and passwords -> its bytes without the lock."""

import struct
from collections.abc import Sequence
from io import BytesIO

from docpipe._passwords import spellings
from docpipe.errors import EncryptedSource
from docpipe.load.inside.members import locked, needs_extra

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LOCKED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_MESSAGE = "__properties_version1.0".encode("utf-16-le")


def unlocked(data: bytes, uri: str, passwords: Sequence[str]) -> bytes:
    """The file as it is without its lock; the same bytes where it has none that asks for a password to be read.

    PDFs and files of Office. Where no password is given, its parser says that it needs one.

    Raises:
        EncryptedSource: none of the passwords fits, or what opens such files is not installed.
    """
    if not passwords:
        return data
    if b"%PDF-" in data[:1029] and b"/Encrypt" in data:
        return _pdf(data, uri, passwords)
    if data.startswith(_OLE) and _MESSAGE not in data:
        return _office(data, uri, passwords)
    return data


def _pdf(data: bytes, uri: str, passwords: Sequence[str]) -> bytes:
    import pymupdf

    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    try:
        with pymupdf.open(stream=data, filetype="pdf") as document:
            if not document.needs_pass:
                return data
            for password in passwords:
                if any(document.authenticate(spelling) for spelling in spellings(password)):
                    without: bytes = document.tobytes()
                    return without
    except (RuntimeError, ValueError, TypeError, IndexError, KeyError, OverflowError, pymupdf.mupdf.FzErrorBase):
        return data  # damaged: its parser says how
    raise locked(uri, tried=True)


def _office(data: bytes, uri: str, passwords: Sequence[str]) -> bytes:
    try:
        import msoffcrypto
        from msoffcrypto import exceptions
    except ImportError as error:
        if _LOCKED_PACKAGE not in data:
            return data
        raise needs_extra(uri) from error
    try:
        if not msoffcrypto.OfficeFile(BytesIO(data)).is_encrypted():
            return data
    except (*_DAMAGE, exceptions.FileFormatError, exceptions.ParseError):
        return data
    odd: Exception | None = None
    for password in passwords:
        file, opened = msoffcrypto.OfficeFile(BytesIO(data)), BytesIO()
        try:
            file.load_key(password=password, **({"verify_password": True} if file.format == "ooxml" else {}))
            file.decrypt(opened)
        except exceptions.InvalidKeyError:
            continue
        except (*_DAMAGE, exceptions.DecryptionError, exceptions.ParseError) as error:
            odd = error
            continue
        return opened.getvalue()
    raise _unknown_lock(uri, odd) if odd is not None else locked(uri, tried=True)


def _unknown_lock(uri: str, error: Exception) -> EncryptedSource:
    return EncryptedSource(
        f"its lock is of a kind that is not opened here, whatever the password: {error}",
        source=uri,
        remedy="open it in its program and save it without a password, or leave it out with `exclude`",
    )


_DAMAGE = (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, struct.error)
