"""First bytes and name of a file -> its media type (pure)."""

import re
import zlib
from struct import Struct

from docpipe._encodings import wide_encoding

HEAD_BYTES = 65536
"""How many first bytes are worth handing over."""

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"\x1f\x8b", "application/gzip"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"SQLite format 3\x00", "application/vnd.sqlite3"),
    (b"PAR1", "application/vnd.apache.parquet"),
    (b"\x7fELF", "application/x-elf"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "application/ogg"),
    (b"fLaC", "audio/flac"),
    (b"{\\rtf", "application/rtf"),
    (b"%!PS", "application/postscript"),
)

_OFFICE = "application/vnd.openxmlformats-officedocument."
_DOCX = _OFFICE + "wordprocessingml.document"
_PPTX = _OFFICE + "presentationml.presentation"
_XLSX = _OFFICE + "spreadsheetml.sheet"
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
_OLE = "application/x-ole-storage"

_ZIP_FOLDERS = ((b"word/", _DOCX), (b"ppt/", _PPTX), (b"xl/", _XLSX))
_ZIP_EXTENSIONS = {
    "docx": _DOCX, "docm": _DOCX, "dotx": _DOCX, "pptx": _PPTX, "pptm": _PPTX, "ppsx": _PPTX, "xlsx": _XLSX,
    "xlsm": _XLSX, "xltx": _XLSX, "potx": _PPTX, "odt": _OPEN_DOCUMENT + "text", "ods": _OPEN_DOCUMENT + "spreadsheet",
    "odp": _OPEN_DOCUMENT + "presentation", "epub": "application/epub+zip",
}  # fmt: skip
_ZIP_SIGNS = frozenset({
    b"[Content_Types].xml", b"_rels/.rels", b"mimetype", b"META-INF/manifest.xml", b"META-INF/container.xml",
})  # fmt: skip
"""Members of Office files and books: what these are is said by their names then."""
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,120}", re.A)
_DEFLATED = 8
_OLE_EXTENSIONS = {
    "doc": "application/msword", "dot": "application/msword", "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint", "pps": "application/vnd.ms-powerpoint",
    "msg": "application/vnd.ms-outlook",
}  # fmt: skip
_OLE_STREAMS = (
    ("WordDocument", "application/msword"),
    ("Workbook", "application/vnd.ms-excel"),
    ("PowerPoint Document", "application/vnd.ms-powerpoint"),
    ("__properties_version1.0", "application/vnd.ms-outlook"),
)
_TEXT_EXTENSIONS = {
    "md": "text/markdown", "markdown": "text/markdown", "mdown": "text/markdown", "mkd": "text/markdown",
    "mdx": "text/markdown", "html": "text/html", "htm": "text/html", "xhtml": "text/html", "shtml": "text/html",
    "csv": "text/csv", "tsv": "text/tab-separated-values", "tab": "text/tab-separated-values",
    "json": "application/json", "geojson": "application/json", "jsonl": "application/x-ndjson",
    "ndjson": "application/x-ndjson", "yaml": "application/yaml", "yml": "application/yaml", "toml": "application/toml",
    **dict.fromkeys(("xml", "rss", "atom", "opml", "kml", "gpx", "xsd", "xsl", "dbk"), "application/xml"),
    "rst": "text/x-rst", "rest": "text/x-rst", "srt": "application/x-subrip", "vtt": "text/vtt",
    "mht": "multipart/related", "mhtml": "multipart/related",
    "svg": "image/svg+xml", "eml": "message/rfc822", "ipynb": "application/x-ipynb+json",
    **{extension: f"text/x-{language}" for language, extensions in {
        "python": "py pyi pyw", "javascript": "js mjs cjs jsx", "typescript": "ts tsx mts cts", "java": "java",
        "kotlin": "kt kts", "scala": "scala", "c": "c h", "c++": "cc cpp cxx hpp hh hxx", "csharp": "cs", "go": "go",
        "rust": "rs", "swift": "swift", "ruby": "rb", "php": "php", "perl": "pl pm", "lua": "lua", "r": "r",
        "sh": "sh bash zsh", "powershell": "ps1 psm1", "sql": "sql", "css": "css scss less",
    }.items() for extension in extensions.split()},
}  # fmt: skip
_BINARY_EXTENSIONS = {
    "pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "tif": "image/tiff",
    "tiff": "image/tiff", "webp": "image/webp", "gif": "image/gif", "bmp": "image/bmp", "rtf": "application/rtf",
    "heic": "image/heic", "heif": "image/heic", "avif": "image/heic",
    "zip": "application/zip", "gz": "application/gzip", "tar": "application/x-tar",
    **_ZIP_EXTENSIONS, **_OLE_EXTENSIONS,
}  # fmt: skip
_TEMPLATES = frozenset({"php", "jinja", "j2", "vue", "svelte", "erb", "ejs", "hbs", "tmpl", "jsp", "asp", "aspx"})

_HTML = re.compile(rb"\s*(?:<!--(?:(?!-->).){0,4000}-->\s*)*<(?:!doctype\s+html|html|head|body)[\s>]", re.I | re.S)
_PDF_OBJECT = re.compile(rb"\d \d+ obj\b")
_XML = re.compile(rb"\s*<\?xml\s")
_MAIL = re.compile(
    rb"(?:Received|Return-Path|Delivered-To|MIME-Version|Message-ID|X-Original-To): ?[^\n]*\n[\w-]+:", re.I
)
_SAVED_PAGE = re.compile(rb"^(?:snapshot-content-location:|from:\s*\"?<saved by )", re.I | re.M)
_OPENINGS = (
    (re.compile(rb"WEBVTT(?:\s|$)"), "text/vtt"),
    (re.compile(rb"\d{1,6}\s*\r?\n\d{1,3}:\d\d:\d\d[,.]\d{1,3} --> \d"), "application/x-subrip"),
    (re.compile(rb"%YAML \d"), "application/yaml"),
    (re.compile(rb"#![^\n]{0,80}\bpython"), "text/x-python"),
    (re.compile(rb"#![^\n]{0,80}\b(?:ba|z|da|k)?sh\b"), "text/x-sh"),
    (re.compile(rb"\{\s*\"(?:[^\"\\\n]|\\.){0,200}\"\s*:\s*[\[{\"\d\-tfn]"), "application/json"),
    (re.compile(rb"\[\s*\{\s*\"(?:[^\"\\\n]|\\.){0,200}\"\s*:"), "application/json"),
)
"""How files without a telling name begin."""
_CONTROL = bytes(set(range(32)) - {7, 8, 9, 10, 11, 12, 13, 27})
_LOCAL_HEADER = Struct("<4sHHHHHIIIHH")


def media_type(head: bytes, name: str) -> str:
    """What a file is, by what it holds first and by its name second.

    Args:
        head: its first bytes, up to `HEAD_BYTES`; nothing for an empty file, which is then what its name says.
        name: with its extension; letter case does not count.

    Returns:
        An IANA media type; `text/plain` for text of no known kind. Bytes of no known kind are what the name
        says (a damaged PDF stays a PDF), and `application/octet-stream` where it says nothing.
    """
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    if not head:
        return _TEXT_EXTENSIONS.get(extension) or _BINARY_EXTENSIONS.get(extension, "text/plain")
    return _by_magic(head, extension) or _by_text(head, extension)


def served_media_type(head: bytes, declared: str, path: str) -> str:
    """What a page or file of the web is, by what it holds first, by what its server declares second, by its name third.

    Args:
        head: its first bytes, up to `HEAD_BYTES`.
        declared: the media type of the server's `Content-Type`; it may be empty or wrong.
        path: of its address.
    """
    name = path.rpartition("/")[2]
    made = name.rpartition(".")[2].lower() in _TEMPLATES  # by such a program: what is sent is its page
    return media_type(head, f"page.{_DECLARED[declared]}" if declared in _DECLARED else "" if made else name)


_DECLARED = {
    "text/html": "html", "application/xhtml+xml": "html", "text/markdown": "md", "text/x-markdown": "md",
    "text/csv": "csv", "text/tab-separated-values": "tsv", "application/json": "json", "application/xml": "xml",
    "text/xml": "xml", "application/pdf": "pdf", "message/rfc822": "eml", "application/x-ndjson": "jsonl",
    "application/yaml": "yaml", "application/x-yaml": "yaml", "text/yaml": "yaml", "application/toml": "toml",
    "application/rss+xml": "xml", "application/atom+xml": "xml", "text/x-rst": "rst", "text/vtt": "vtt",
    "application/x-subrip": "srt", "multipart/related": "mhtml", "application/x-ipynb+json": "ipynb",
}  # fmt: skip
"""Types that a server declares on purpose -> the extension of such files; `text/plain` it says of many."""


def is_text(media: str) -> bool:
    """Whether files of this type are text that a person could read in an editor."""
    return media.startswith("text/") or media in _TEXTS


_TEXTS = frozenset({
    "application/json", "application/x-ndjson", "application/yaml", "application/toml", "application/xml",
    "application/x-ipynb+json", "application/x-subrip",
})  # fmt: skip


def _by_magic(head: bytes, extension: str) -> str:
    for magic, media in _MAGIC:
        if head.startswith(magic):
            return media
    if b"%PDF-" in head[:1029]:  # readers accept up to 1 KB of junk before it
        return "application/pdf"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _by_zip_members(head, extension)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _by_ole_streams(head, extension)
    return _by_container(head)


def _by_container(head: bytes) -> str:
    """Formats whose mark is not the first thing in them."""
    if head[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(head[8:12], "application/octet-stream")
    if head[4:8] == b"ftyp":
        return "image/heic" if head[8:12] in (b"heic", b"heix", b"mif1", b"avif") else "video/mp4"
    if head[:2] == b"BM" and head[6:10] == b"\x00\x00\x00\x00":
        return "image/bmp"
    if head[257:262] == b"ustar":
        return "application/x-tar"
    return ""


def _by_zip_members(head: bytes, extension: str) -> str:
    """A zip is known by the names in its first local headers; `mimetype` comes first where a format demands it."""
    names, at = [], 0
    while (at := head.find(b"PK\x03\x04", at)) >= 0 and at + _LOCAL_HEADER.size <= len(head):
        _, _, _, method, *_, packed, _, length, extra = _LOCAL_HEADER.unpack_from(head, at)
        start = at + _LOCAL_HEADER.size
        name = head[start : start + length]
        if name == b"mimetype":
            declared = _declared(head[start + length + extra :][:packed], method)
            if declared:
                return declared.removesuffix("-template")
        names.append(name)
        at = start + length
    for folder, media in _ZIP_FOLDERS:
        if any(name.startswith(folder) for name in names):
            return media
    office = any(name in _ZIP_SIGNS for name in names)
    return _ZIP_EXTENSIONS.get(extension, "application/zip") if office else "application/zip"


def _declared(data: bytes, method: int) -> str:
    """The media type in a member called `mimetype`, which some programs pack though they must not."""
    if method == _DEFLATED:
        try:
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, 200)
        except zlib.error:
            return ""
    declared = data.decode("ascii", "replace").strip()
    return declared if _MEDIA_TYPE.fullmatch(declared) else ""


def _by_ole_streams(head: bytes, extension: str) -> str:
    for stream, media in _OLE_STREAMS:
        if stream.encode("utf-16-le") in head:
            return media
    return _OLE_EXTENSIONS.get(extension) or _ZIP_EXTENSIONS.get(extension, _OLE)  # with a password, docx is OLE too


def _by_text(head: bytes, extension: str) -> str:
    if extension == "pdf" and _PDF_OBJECT.search(head):
        return "application/pdf"  # its first line is lost: readers mend that
    if not _looks_like_text(head):
        return _BINARY_EXTENSIONS.get(extension, "application/octet-stream")
    start = _as_ascii(head)
    if _XML.match(start):
        if re.search(rb"<(?:!doctype\s+)?html[\s>]", start[:4096], re.I):
            return "text/html"
        return _TEXT_EXTENSIONS.get(extension, "application/xml")
    if _HTML.match(start) and extension not in _TEMPLATES:
        return "text/html"
    if _SAVED_PAGE.search(start[:4096]) and b"multipart/related" in start[:8192].lower():
        return "multipart/related"
    if extension in _TEXT_EXTENSIONS:
        return _TEXT_EXTENSIONS[extension]
    if _MAIL.match(start):
        return "message/rfc822"
    if start.startswith(b"{\\rtf"):
        return "application/rtf"
    known = next((media for opening, media in _OPENINGS if opening.match(start)), "text/plain")
    notebook = known == "application/json" and b'"cell_type"' in start and b'"nbformat' in start
    return "application/x-ipynb+json" if notebook else known


def _looks_like_text(head: bytes) -> bool:
    """Hardly any control characters, or the pattern of zero bytes that UTF-16 and UTF-32 leave."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")):
        return True
    sample = head[:8192]
    if b"\x00" in sample:
        return wide_encoding(sample) != ""
    controls = len(sample) - len(sample.translate(None, _CONTROL))
    return controls * 50 <= len(sample) or wide_encoding(sample) != ""


def _as_ascii(head: bytes) -> bytes:
    """The head as single bytes, marks of the byte order and zero bytes of wide encodings taken out."""
    for mark in (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"):
        head = head.removeprefix(mark)
    return head.replace(b"\x00", b"").lstrip()
