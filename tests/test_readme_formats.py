"""The README's table of formats is true: a file of each format is parsed, and each cell looked at."""

import re
from pathlib import Path

import pytest
from format_samples import GONE, SAMPLES

from docpipe._ids import digest
from docpipe._metadata import settled
from docpipe.load.media import media_type
from docpipe.parse.auto import AutoParser
from docpipe.types import Blob, BlockKind, Document, Source

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
SETTLED = {"title", "authors", "created", "modified", "keywords"}
NONE = "–"
UNTESTED = {"scans in PDFs, PNG, JPEG, WEBP, TIFF, GIF, BMP, HEIC"}
"""Needs models to be read: the tests of `parse.ocr` are about them."""


def rows() -> dict[str, dict[str, str]]:
    table = README.partition("### What is kept of each format")[2].partition("\n\nWord and PowerPoint")[0]
    lines = [re.split(r" \| ", line.strip().strip("|").strip()) for line in table.split("\n") if line.startswith("| ")]
    names, _, *found = lines
    return {cells[0]: dict(zip(names, cells, strict=True)) for cells in found}


ROWS = rows()


def parsed(row: str) -> Document:
    name, make = SAMPLES[row]
    data = make()
    source = Source(uri=name, media_type=media_type(data, name), digest=digest(data), size=len(data), modified=0)
    (document,) = AutoParser()(Blob(source=source, data=data))
    return document


def test_every_row_has_a_sample_and_every_sample_a_row() -> None:
    assert set(ROWS) - UNTESTED == set(SAMPLES)


@pytest.mark.parametrize("row", SAMPLES)
def test_a_row_says_what_is_kept(row: str) -> None:
    cells, document = ROWS[row], parsed(row)
    kinds = {block.kind for block in document.blocks if block.is_content}
    notes = BlockKind.FOOTNOTE in kinds or any(block.native_label == "notes" for block in document.blocks)
    said = cells["captions, notes"]
    kept = {
        "headings": bool(kinds & {BlockKind.HEADING, BlockKind.TITLE}),
        "lists": BlockKind.LIST_ITEM in kinds,
        "tables": BlockKind.TABLE in kinds,
        "nearest to a page": bool(document.pages),
    }
    assert {name: not cells[name].startswith(NONE) for name in kept} == kept
    assert ("captions" in said, "notes" in said) == (BlockKind.CAPTION in kinds, notes)
    told = set() if cells["metadata"] == NONE else set(cells["metadata"].split(", "))
    assert told == SETTLED & set(settled(document.metadata))


@pytest.mark.parametrize("row", SAMPLES)
def test_what_is_left_out_reaches_no_chunk(row: str) -> None:
    document = parsed(row)
    text = "\n".join(block.span.of(document.text) for block in document.blocks if block.is_content)
    assert GONE not in text
    assert "one" in text.lower() or "words" in text.lower()
