"""Files of data (JSON, JSON lines, YAML, TOML, XML, feeds) -> paths with their values, tables, headings."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from docpipe._encodings import decode
from docpipe.parse.data import outline
from docpipe.parse.data.feeds import is_feed, write_feed
from docpipe.parse.data.json_text import Line, are_lines, read_json, read_lines
from docpipe.parse.data.toml_values import toml_value
from docpipe.parse.data.values import Value, scalar
from docpipe.parse.data.xml_text import is_prose, read_xml, value_of, write_prose
from docpipe.parse.data.yaml_text import read_yaml
from docpipe.parse.draft import Draft, clean, known, with_language
from docpipe.parse.text import TextParser
from docpipe.types import Blob, BlockKind, Document

_JSON, _LINES, _XML = "application/json", "application/x-ndjson", "application/xml"
_YAML, _TOML = "application/yaml", "application/toml"
_LARGEST = 24_000_000
"""Bytes; what is larger is read as the text that it is. Files of JSON lines have no such bound."""
_LONGEST_TOML, _MOST_DOTS = 4_000_000, 2_000
"""Its reader takes time by the square of the parts of a key."""
_AT_ONCE = 5_000
"""Lines of JSON that are held as values at one time."""


@dataclass(frozen=True, kw_only=True)
class StructuredParser:
    """Data as a person reads it: `orders[3].customer.name: Li`, a list of like records as a table, names as headings.

    Numbers, dates and words stand as the file has them. A file that breaks the rules of its format is read as text,
    with the reason in `metadata["not_valid"]`; a broken line of JSON lines is a paragraph, and the rest goes on.
    """

    VERSION = 1

    def __call__(self, blob: Blob, /) -> Iterator[Document]:
        """One document, whatever the file holds: no entity is expanded, no address followed, no type constructed."""
        try:
            yield self._document(blob)
        except ValueError as error:
            (plain,) = TextParser(headings=False)(blob)
            yield replace(plain, metadata={**plain.metadata, **known({"not_valid": str(error)})})

    def _document(self, blob: Blob) -> Document:
        kind = blob.source.media_type
        if kind != _LINES and len(blob.data) > _LARGEST:
            raise ValueError(f"it is larger than {_LARGEST:,} bytes")
        draft = Draft()
        metadata: dict[str, str] = {}
        if kind == _XML:
            metadata = _write_xml(blob.data, draft)
        else:
            read = decode(blob.data)
            metadata = {"encoding": read.encoding, "encoding_errors": str(read.errors) if read.errors else ""}
            metadata["title"] = _write(clean(read.text), kind, draft)
        metadata["title"] = metadata.get("title") or _title(draft)
        return draft.document(blob.source, with_language(metadata, draft.text))


def _write(text: str, kind: str, draft: Draft) -> str:
    """Append a file's values; its title, if it names one."""
    if kind == _LINES or (kind == _JSON and are_lines(text)):
        _write_lines(text, draft)
        return ""
    if kind == _YAML:
        values = read_yaml(text)
        for value in values:
            outline.write(value, draft, size=len(text))
        return scalar(values[0], "title") if values else ""
    value = _toml(text) if kind == _TOML else read_json(text)
    outline.write(value, draft, size=len(text))
    return scalar(value, "title")


def _toml(text: str) -> Value:
    if len(text) > _LONGEST_TOML or any(line.count(".") > _MOST_DOTS for line in text.split("\n")):
        raise ValueError("it is no file of settings: too long, or a line has too many dots")
    try:
        return toml_value(tomllib.loads(text, parse_float=str))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _write_lines(text: str, draft: Draft) -> None:
    """Append lines of JSON: like records that follow each other are tables, others stand below their number."""
    for _, batch in groupby(read_lines(text), key=lambda line: line.number // _AT_ONCE):
        for stretch in _stretches(list(batch)):
            if len(stretch) > 1 and outline.is_flat(stretch[0].value):
                outline.write_rows([line.value for line in stretch], draft, label="jsonl")
            else:
                for line in stretch:
                    _write_line(line, draft)


def _stretches(lines: list[Line]) -> Iterator[list[Line]]:
    at = 0
    for stretch in outline.same_columns(line.value for line in lines):
        yield lines[at : at + len(stretch)]
        at += len(stretch)


def _write_line(line: Line, draft: Draft) -> None:
    if line.broken:
        draft.add(BlockKind.PARAGRAPH, f"line {line.number} is no JSON: {line.value}", label="broken")
        return
    draft.add(BlockKind.HEADING, f"line {line.number}", level=1, label="line")
    outline.write(line.value, draft, size=line.size, level=2)


def _write_xml(data: bytes, draft: Draft) -> dict[str, str]:
    """Append a feed, a text with marks, or fields; what it says of itself."""
    root = read_xml(data)
    if is_feed(root):
        return write_feed(root, draft)
    if is_prose(root):
        write_prose(root, draft)
    else:
        outline.write(value_of(root), draft, size=len(data))
    return {}


def _title(draft: Draft) -> str:
    first = draft.blocks[:1]
    return draft.title() if first and first[0].kind is BlockKind.HEADING and first[0].native_label == "xml" else ""
