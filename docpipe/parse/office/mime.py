"""The bytes of an internet mail -> a letter."""

from email import message_from_bytes
from email.header import decode_header
from email.message import Message
from email.utils import parsedate_to_datetime

from docpipe._encodings import decode, wide_encoding
from docpipe.parse.office.letters import Body, Letter, about, chosen

_SHOWN = ("From", "To", "Cc", "Date")
_LONGEST_HEADER = 4_000
_DEEPEST = 20
_MOST_ATTACHED = 500
_ENCRYPTED = frozenset({"multipart/encrypted", "application/pgp-encrypted"})


def read_mail(data: bytes) -> tuple[Letter, dict[str, str]]:
    """A mail and what it says about itself."""
    wide = wide_encoding(data[:8192]) or _marked(data)
    if wide:
        data = data.decode(wide, "replace").lstrip("\ufeff").encode()
    message = message_from_bytes(data.lstrip(b"\r\n\t "))
    letter = _letter(message, _DEEPEST)
    return letter, {**about(letter, _day(_header(message, "Date"))), "message_id": _header(message, "Message-ID")}


def is_encrypted(data: bytes) -> bool:
    """Whether the body of a mail is for its receivers' keys only."""
    message = message_from_bytes(data[:200_000])
    kind = message.get_content_type()
    enveloped = kind.endswith("pkcs7-mime") and "signed" not in str(message.get_param("smime-type") or "")
    return kind in _ENCRYPTED or enveloped


def _marked(data: bytes) -> str:
    return "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ""


def _letter(message: "Message[str, str]", depth: int) -> Letter:
    letter = Letter(subject=_header(message, "Subject"), headers={name: _header(message, name) for name in _SHOWN})
    letter.bodies = _bodies(message, letter, depth)
    return letter


def _bodies(part: "Message[str, str]", letter: Letter, depth: int) -> list[Body]:
    """The texts of a part in order; attachments and enclosed mails go to the letter."""
    if depth == 0:
        return []
    kind = part.get_content_type()
    inner = part.get_payload()
    if kind == "message/rfc822" and isinstance(inner, list):
        letter.letters.extend(_letter(one, depth - 1) for one in inner if isinstance(one, Message))
        return []
    if isinstance(inner, list):
        groups = [_bodies(one, letter, depth - 1) for one in inner if isinstance(one, Message)]
        found = [body for group in groups for body in group]
        return chosen(found) if kind == "multipart/alternative" else found
    return _leaf(part, kind, letter)


def _leaf(part: "Message[str, str]", kind: str, letter: Letter) -> list[Body]:
    name = _decoded(part.get_filename() or "")
    disposition = str(part.get("Content-Disposition") or "").strip().lower()
    if kind not in ("text/plain", "text/html") or disposition.startswith("attachment"):
        if name and len(letter.attached) < _MOST_ATTACHED:
            letter.attached.append(" ".join(name.split())[:255])
        return []
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return []
    return [Body(decode(data, declared=str(part.get_content_charset() or "")).text, kind == "text/html")]


def _header(message: "Message[str, str]", name: str) -> str:
    """A header in one line; its bytes may be in any encoding."""
    found = (text for key, text in message.raw_items() if key.lower() == name.lower())
    return " ".join(_decoded(str(next(found, ""))[:_LONGEST_HEADER]).split())


def _decoded(text: str) -> str:
    """A header's words, those in other encodings among them."""
    if not text.isascii():
        text = decode(text.encode("utf-8", "surrogateescape")).text
    if "=?" not in text:
        return text
    parts: list[str] = []
    try:
        for piece, charset in decode_header(text):
            parts.append(piece if isinstance(piece, str) else decode(piece, declared=charset or "").text)
    except (ValueError, LookupError):
        return text
    return "".join(parts)


def _day(text: str) -> str:
    try:
        return parsedate_to_datetime(text).isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return ""
