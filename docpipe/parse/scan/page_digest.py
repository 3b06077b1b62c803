"""A PDF's page -> a digest of what is on it, wherever it stands and however the file numbers its objects."""

import hashlib
import re
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pypdf
    from pypdf.generic import DictionaryObject

_NAME = re.compile(rb"/([^\s/<>\[\](){}%]+)")
_ESCAPE = re.compile(rb"#([\da-fA-F]{2})")
_ABOUT_THE_FILE = frozenset({
    "/Parent", "/P", "/StructParent", "/StructParents", "/PieceInfo", "/Metadata", "/LastModified", "/Length", "/Name",
    "/Popup", "/Dest", "/A", "/AA", "/B", "/ProcSet", "/OPI", "/ID", "/Thumb", "/Tabs", "/NM", "/M", "/DL",
})  # fmt: skip
"""Keys that lead out of a page, or say nothing about how it looks."""
_LOOKS = ("/MediaBox", "/CropBox", "/Rotate", "/UserUnit")
_MOST_CONTENT = 30_000_000
"""Bytes of drawing instructions, unpacked, beyond which the page is not told apart from its file."""
_MOST_UNPACKED = 100_000_000
_MOST_OBJECTS = 100_000
_DEEPEST = 60


class TooTangled(ValueError):
    """More objects, or deeper ones, than a page has."""


def used(page: "DictionaryObject") -> tuple["DictionaryObject", bytes]:
    """The resources that a page or form really uses, and its drawing instructions.

    Many writers give all pages one common dictionary with every picture of the file.

    Raises:
        TooTangled: it is too large.
    """
    from pypdf.generic import DictionaryObject, NameObject

    content = _content(page.get("/Contents"))
    names = {_unescaped(name) for name in _NAME.findall(content)}
    resources = page.get("/Resources")
    resources = resources.get_object() if resources is not None else None
    found = DictionaryObject()
    if not isinstance(resources, DictionaryObject):
        return found, content
    for _ in range(3):  # forms without resources of their own draw from the page's
        names |= _of_forms(resources, names)
    for key, entries in resources.items():
        entries = entries.get_object() if entries is not None else None
        if key == "/ProcSet" or not isinstance(entries, DictionaryObject):
            continue
        kept = {NameObject(n): entries.raw_get(n) for n in entries if n[1:].encode("utf-8", "replace") in names}
        if kept:
            found[NameObject(key)] = DictionaryObject(kept)
    return found, content


class PageDigests:
    """Digests of the pages of one open file; objects that pages share are read once."""

    def __init__(self, reader: "pypdf.PdfReader") -> None:
        self._reader = reader
        self._known: dict[tuple[int, int], bytes] = {}
        self._seen = 0

    def of(self, index: int) -> str:
        """32 hexadecimal digits. Law: equal drawings give equal digests, whatever file or position they stand in.

        Raises:
            TooTangled, and whatever pypdf raises: the page cannot be followed.
        """
        page = self._reader.pages[index]
        self._seen = 0
        resources, content = used(page)
        parts = [self._canonical(content, resources)]
        parts += [self._value(page.get(key), 0) for key in _LOOKS]
        parts += [self._value(note, 0) for note in drawn_notes(page)]
        return hashlib.sha256(b"\x1e".join(parts)).hexdigest()[:32]

    def _canonical(self, content: bytes, resources: "DictionaryObject") -> bytes:
        """Drawing instructions with each resource's name replaced by the digest of what it names."""
        names: dict[bytes, bytes] = {}
        for entries in resources.values():
            for name in entries:
                digest = self._value(entries.raw_get(name), 0)
                key = name[1:].encode("utf-8", "replace")
                names[key] = hashlib.sha256(names.get(key, b"") + digest).digest()
        return hashlib.sha256(
            _NAME.sub(lambda match: b"/" + names.get(_unescaped(match.group(1)), match.group(1)), content)
        ).digest()

    def _value(self, value: Any, depth: int) -> bytes:
        from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, StreamObject

        self._seen += 1
        if self._seen > _MOST_OBJECTS or depth > _DEEPEST:
            raise TooTangled(f"the page leads to more than {_MOST_OBJECTS} objects, or {_DEEPEST} levels deep")
        if isinstance(value, IndirectObject):
            return self._indirect(value, depth)
        if isinstance(value, StreamObject):
            data, left = _unpacked(value)
            return _hashed(b"stream", self._entries(value, depth, left_out=left), data)
        if isinstance(value, DictionaryObject):
            return _hashed(b"dictionary", self._entries(value, depth))
        if isinstance(value, ArrayObject):
            return _hashed(b"array", *(self._value(item, depth + 1) for item in value))
        return _hashed(type(value).__name__.encode(), _plain(value))

    def _indirect(self, value: Any, depth: int) -> bytes:
        key = (value.idnum, value.generation)
        if key not in self._known:
            self._known[key] = b"around"
            self._known[key] = self._value(value.get_object(), depth + 1)
        return self._known[key]

    def _entries(self, value: "DictionaryObject", depth: int, left_out: str = "") -> bytes:
        keys = sorted(key for key in value if key not in _ABOUT_THE_FILE and key != left_out)
        return _hashed(*(_plain(key) + b" " + self._value(value.raw_get(key), depth + 1) for key in keys))


def drawn_notes(page: "DictionaryObject") -> list["DictionaryObject"]:
    """Annotations that show something on the page: stamps, filled fields, free text."""
    from pypdf.generic import ArrayObject, DictionaryObject

    notes = page.get("/Annots")
    notes = notes.get_object() if notes is not None else None
    if not isinstance(notes, ArrayObject):
        return []
    found = [note.get_object() for note in notes[:5000]]
    return [note for note in found if isinstance(note, DictionaryObject) and "/AP" in note]


def _content(contents: Any) -> bytes:
    from pypdf.generic import ArrayObject, StreamObject

    contents = contents.get_object() if contents is not None else None
    streams = [part.get_object() for part in contents] if isinstance(contents, ArrayObject) else [contents]
    found, total = [], 0
    for stream in streams:
        if isinstance(stream, StreamObject):
            found.append(stream.get_data())
            total += len(found[-1])
            if total > _MOST_CONTENT:
                raise TooTangled(f"the page has more than {_MOST_CONTENT} bytes of drawing instructions")
    return b"\n".join(found)


def _of_forms(resources: "DictionaryObject", names: set[bytes]) -> set[bytes]:
    from pypdf.generic import DictionaryObject, StreamObject

    forms = resources.get("/XObject")
    forms = forms.get_object() if forms is not None else None
    found: set[bytes] = set()
    if not isinstance(forms, DictionaryObject):
        return found
    for name in forms:
        if name[1:].encode("utf-8", "replace") not in names:
            continue
        form = forms[name].get_object()
        if isinstance(form, StreamObject) and form.get("/Subtype") == "/Form" and "/Resources" not in form:
            found |= {_unescaped(name) for name in _NAME.findall(form.get_data())}
    return found


def _unescaped(name: bytes) -> bytes:
    return _ESCAPE.sub(lambda match: bytes([int(match.group(1), 16)]), name) if b"#" in name else name


def _unpacked(stream: Any) -> tuple[bytes, str]:
    """A stream's bytes, and the key that no longer tells anything: writers pack streams, and pack them again."""
    raw = bytes(stream._data)
    packing = stream.get("/Filter")
    if packing is None:
        return raw, ""
    packing = packing.get_object()
    if isinstance(packing, list) and len(packing) == 1:
        packing = packing[0].get_object()
    if packing != "/FlateDecode":
        return raw, ""
    unpacking = zlib.decompressobj()
    try:
        data = unpacking.decompress(raw, _MOST_UNPACKED)
    except zlib.error:
        return raw, ""
    return (raw, "") if unpacking.unconsumed_tail else (data, "/Filter")


def _plain(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return str(value).encode("utf-8", "surrogatepass")


def _hashed(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).digest()
