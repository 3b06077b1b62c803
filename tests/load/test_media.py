"""Media types: what a file holds is stronger than its name."""

import io
import time
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe.load.media import HEAD_BYTES, is_text, media_type

OFFICE = "application/vnd.openxmlformats-officedocument."
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000)


def packed(*names: str, first: tuple[str, str] | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        if first:
            archive.writestr(*first)
        for name in names:
            archive.writestr(name, "x" * 50, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("head", "name", "media"),
    [
        (b"%PDF-1.7\n", "a.pdf", "application/pdf"),
        (b"\n" * 900 + b"%PDF-1.7\n", "a.txt", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n....", "scan.pdf", "image/png"),
        (b"\xff\xd8\xff\xe0....", "a", "image/jpeg"),
        (b"II*\x00....", "a.tif", "image/tiff"),
        (b"MM\x00*....", "a.tif", "image/tiff"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "a", "image/webp"),
        (b"GIF89a....", "a.gif", "image/gif"),
        (b"BM\x10\x10\x00\x00\x00\x00\x00\x00\x36\x00", "a.bmp", "image/bmp"),
        (b"\x1f\x8b\x08....", "a.pdf", "application/gzip"),
        (bytes(257) + b"ustar\x0000", "a", "application/x-tar"),
        (b"{\\rtf1\\ansi}", "a.doc", "application/rtf"),
        (packed("_rels/.rels", "word/document.xml"), "a.pdf", OFFICE + "wordprocessingml.document"),
        (packed("[Content_Types].xml", "ppt/presentation.xml"), "a", OFFICE + "presentationml.presentation"),
        (packed("[Content_Types].xml", "xl/workbook.xml"), "a.md", OFFICE + "spreadsheetml.sheet"),
        (packed("[Content_Types].xml"), "a.docx", OFFICE + "wordprocessingml.document"),
        (packed("x.txt"), "a.docx", "application/zip"),
        (packed("a", first=("mimetype", "application/epub+zip")), "a", "application/epub+zip"),
        (
            packed("a", first=("mimetype", "application/vnd.oasis.opendocument.text")),
            "a.zip",
            "application/vnd.oasis.opendocument.text",
        ),
        (OLE + "WordDocument".encode("utf-16-le"), "a.xls", "application/msword"),
        (OLE, "a.xls", "application/vnd.ms-excel"),
        (OLE, "a", "application/x-ole-storage"),
        (b"<!DOCTYPE html><p>x", "a.docx", "text/html"),
        (b"\xef\xbb\xbf  <!-- saved --><html lang=en>", "a.txt", "text/html"),
        (b'<?xml version="1.0"?><!DOCTYPE html ...><html>', "a.xml", "text/html"),
        (b'<?xml version="1.0"?><note/>', "a", "application/xml"),
        (b"<html><?php ?>", "a.php", "text/x-php"),
        (b"# Title\n", "README.MD", "text/markdown"),
        (b"a,b\n1,2\n", "a.csv", "text/csv"),
        (b"a\tb\n", "a.tsv", "text/tab-separated-values"),
        (b"{}", "a.json", "application/json"),
        (b"Received: from x\nTo: y\n", "a", "message/rfc822"),
        (b"plain words", "notes", "text/plain"),
        (b"plain words", "a.pdf", "text/plain"),
        ("中文".encode("gb18030"), "a.txt", "text/plain"),
        ("words".encode("utf-16"), "a.txt", "text/plain"),
        ("more plain words".encode("utf-16-be"), "a.txt", "text/plain"),
        (bytes(range(256)), "a.txt", "application/octet-stream"),
        (b"\x00\x00\x01\x00junk 5 0 obj<<>>", "a.pdf", "application/pdf"),
        (b"", "a.pdf", "application/pdf"),
        (b"", "a.md", "text/markdown"),
        (b"", "a", "text/plain"),
    ],
)  # fmt: skip
def test_a_file_is_what_it_holds(head: bytes, name: str, media: str) -> None:
    assert media_type(head, name) == media


def test_half_a_document_is_still_one() -> None:
    data = packed("[Content_Types].xml", "_rels/.rels", "word/document.xml")
    assert media_type(data[: len(data) // 2], "a").endswith("wordprocessingml.document")


@given(head=st.binary(max_size=300), name=st.text(max_size=12))
def test_any_bytes_have_a_type(head: bytes, name: str) -> None:
    assert "/" in media_type(head, name)


@given(text=st.text(st.characters(min_codepoint=32, max_codepoint=0x9FFF, exclude_categories=["Cs"]), min_size=1))
def test_text_is_never_taken_for_binary(text: str) -> None:
    assert media_type(text.encode("utf-8"), "a.txt") != "application/octet-stream"


@pytest.mark.parametrize("unit", [b"<!---->", b"<!-- ", b"PK\x03\x04", b"\x00 ", b"Received: x\n", b"<?xml "])
def test_hostile_heads_take_no_time(unit: bytes) -> None:
    head = (unit * HEAD_BYTES)[:HEAD_BYTES]
    start = time.process_time()
    media_type(head, "a")
    assert time.process_time() - start < 1


def test_text_types_are_those_an_editor_shows() -> None:
    assert is_text("text/html") and is_text("application/json")
    assert not is_text("application/pdf") and not is_text("image/png")


@pytest.mark.parametrize(
    ("head", "name", "media"),
    [
        (b'{"a": [1]}', "data", "application/json"),
        (b'[{"a": 1}]', "a.txt", "application/json"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code"}], "nbformat_minor": 5}', "a", "application/x-ipynb+json"),
        (b"[see above] {and below}", "a.txt", "text/plain"),
        (b"WEBVTT\n\n", "a.txt", "text/vtt"),
        (b"1\r\n00:00:01,000 --> 00:00:02,000\r\nx", "a", "application/x-subrip"),
        (b"#!/usr/bin/env python3\n", "tool", "text/x-python"),
        (b"#!/bin/bash\n", "tool", "text/x-sh"),
        (b"\xef\xbb\xbf{\\rtf1 x}", "a.txt", "application/rtf"),
        (b"a: 1\n", "a.yml", "application/yaml"),
        (b"def f(): ...\n", "a.PY", "text/x-python"),
        ("这是一份说明书，请仔细阅读。".encode("utf-16-le"), "a.txt", "text/plain"),
    ],
)
def test_data_programs_and_subtitles_are_known_by_how_they_begin(head: bytes, name: str, media: str) -> None:
    assert media_type(head, name) == media


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_declared_type_is_read_though_it_is_packed(packing: int) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", packing) as file:
        file.writestr("mimetype", "application/epub+zip")
    assert media_type(stream.getvalue(), "book") == "application/epub+zip"
