"""Documents and answers -> pages as pictures, with blocks or quotes marked."""

import contextlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docpipe import page_html
from docpipe.errors import CorruptSource, DocpipeError, EncryptedSource
from docpipe.page_html import Picture
from docpipe.parse.scan.image_pages import as_png
from docpipe.pipeline.proofs import Proof
from docpipe.pipeline.single import isolated
from docpipe.types import Answer, Document, PageBox

if TYPE_CHECKING:
    import pymupdf

MAX_PAGES = 200
"""Pages drawn of one document, and most pixels of one picture's longer side."""
MAX_BYTES = 100_000_000
"""Pictures of one HTML file, together."""

_DRAWABLE = ("application/pdf", "image/")
_MARKER = (1.0, 0.91, 0.29)
"""Shares of red, green and blue that a yellow marker lets through."""


@dataclass(frozen=True, kw_only=True)
class Renderer:
    """Bytes of a PDF or an image -> pictures of its pages. Runs in a worker process."""

    width: int = 1000
    """Of a picture, in pixels; a page that is very long gets a narrower one."""

    def pages(self, data: bytes, media_type: str, pages: Sequence[int]) -> list[Picture]:
        """JPEG pictures of these pages (from 1), as they are shown; pages that do not exist or are broken are left out.

        Raises:
            CorruptSource, EncryptedSource: it cannot be opened.
        """
        found, size = [], 0
        with _opened(data, media_type) as document:
            for number in pages:
                if not 1 <= number <= len(document) or size > MAX_BYTES:
                    continue
                with contextlib.suppress(CorruptSource):
                    picture = self._pixels(document, number).tobytes("jpeg", jpg_quality=80)
                    size += len(picture)
                    found.append(Picture(page=number, data=picture, media_type="image/jpeg"))
        return found

    def marked(self, data: bytes, media_type: str, page: int, boxes: Sequence[PageBox]) -> Picture | None:
        """A PNG picture of a page with boxes marked as with a yellow pen; None if there is no such page.

        Raises:
            CorruptSource, EncryptedSource: it cannot be opened, or the page cannot be drawn.
        """
        import numpy as np
        import pymupdf

        with _opened(data, media_type) as document:
            if not 1 <= page <= len(document):
                return None
            pixels = self._pixels(document, page)
        rows = np.frombuffer(pixels.samples, dtype=np.uint8).reshape(pixels.height, pixels.stride)
        image = rows[:, : pixels.width * 3].reshape(pixels.height, pixels.width, 3).copy()
        under = np.zeros(image.shape[:2], dtype=bool)
        for area in _areas(boxes, pixels.width, pixels.height):
            under[area] = True
        image[under] = (image[under] * np.array(_MARKER)).astype(np.uint8)
        drawn = pymupdf.Pixmap(pymupdf.csRGB, pixels.width, pixels.height, image.tobytes(), False)
        return Picture(page=page, data=drawn.tobytes("png"), media_type="image/png")

    def marked_pages(self, proofs: Sequence[Proof]) -> list[list[Picture]]:
        """For each proof, its cited pages with the quote's boxes marked; nothing where the source has no pages."""
        return [self._marked_pages(proof) for proof in proofs]

    def _marked_pages(self, proof: Proof) -> list[Picture]:
        blob, citation, found = proof.blob, proof.citation, []
        if blob is None or not blob.source.media_type.startswith(_DRAWABLE):
            return []
        for page in citation.pages[:MAX_PAGES]:
            boxes = [box for box in citation.boxes if box.page == page]
            picture = self.marked(blob.data, blob.source.media_type, page, boxes)
            found += [picture] if picture is not None else []
        return found

    def _pixels(self, document: "pymupdf.Document", number: int) -> Any:
        import pymupdf

        try:
            page = document[number - 1]
            area = page.rect
            scale = min(self.width / max(1.0, area.width), 3 * self.width / max(1.0, area.height))
            return page.get_pixmap(matrix=pymupdf.Matrix(scale, scale), colorspace=pymupdf.csRGB, alpha=False)
        except Exception as error:  # its error classes have no common root
            raise _undrawable(error) from error


def document_html(document: Document, data: bytes, *, pages: set[int] | None = None) -> str:
    """One HTML page that needs nothing else: each page as a picture with its blocks; without pages, the blocks.

    Args:
        pages: only these, from 1.
    """
    wanted = [page.number for page in document.pages if pages is None or page.number in pages]
    drawn, note = wanted[:MAX_PAGES], ""
    pictures: list[Picture] = []
    if drawn and document.source.media_type.startswith(_DRAWABLE):
        try:
            pictures = isolated(Renderer(), "pages", data, document.source.media_type, drawn)
        except DocpipeError as error:
            note = f"the pages cannot be drawn: {error.message}"
    if len(pictures) < len(wanted) and not note:
        note = f"{len(pictures)} of {len(wanted)} pages are drawn"
    return page_html.blocks_page(document, pictures, note=note)


def show_answer(answer: Answer, proofs: Sequence[Proof], folder: Path) -> list[Path]:
    """Write `index.html` and a picture of each cited page; returns the files, `index.html` first.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written, shown = [], []
    drawn = _pictures(proofs)
    for number, (proof, (pictures, remark)) in enumerate(zip(proofs, drawn, strict=True), start=1):
        names = {picture.page: _file_name(number, proof.citation.uri, picture.page) for picture in pictures}
        for picture in pictures:
            _replace_file(folder / names[picture.page], picture.data)
            written.append(folder / names[picture.page])
        remark = "; ".join(part for part in (proof.remark, remark) if part)
        shown.append(page_html.proof(proof.citation, files=names, passage=proof.passage, remark=remark))
    index = folder / "index.html"
    _replace_file(index, page_html.answer_page(answer, shown).encode("utf-8"))
    return [index, *written]


def _pictures(proofs: Sequence[Proof]) -> list[tuple[list[Picture], str]]:
    """For each proof, its cited pages and what went wrong with drawing them: in one process if that goes well."""
    renderer = Renderer(width=1400)
    if not any(proof.blob and proof.blob.source.media_type.startswith(_DRAWABLE) for proof in proofs):
        return [([], "") for _ in proofs]
    try:
        return [(pictures, "") for pictures in isolated(renderer, "marked_pages", list(proofs))]
    except DocpipeError as error:
        if len(proofs) == 1:
            return [([], f"the page cannot be drawn: {error.message}")]
    return [found for proof in proofs for found in _pictures([proof])]


def _opened(data: bytes, media_type: str) -> Any:
    import pymupdf

    pymupdf.TOOLS.mupdf_display_errors(False)
    try:
        if media_type in ("image/webp", "image/heic"):  # kinds that PyMuPDF does not know
            data, media_type = as_png(data), "image/png"
        document = pymupdf.open(stream=data, filetype="pdf" if media_type == "application/pdf" else media_type)
    except Exception as error:  # its error classes have no common root
        raise _undrawable(error) from error
    if document.needs_pass:
        document.close()
        raise EncryptedSource("it needs a password", source="the file", remedy="remove the password, then try again")
    return document


def _undrawable(error: Exception) -> CorruptSource:
    return CorruptSource(f"it cannot be drawn: {error}", source="the file", remedy="open it in a viewer")


def _areas(boxes: Sequence[PageBox], width: int, height: int) -> list[tuple[slice, slice]]:
    """Rows and columns of pixels under the boxes, a little wider than the words."""
    margin = max(1, height // 700)
    return [
        (
            slice(max(0, int(box.top * height) - margin), int(box.bottom * height) + margin),
            slice(max(0, int(box.left * width) - margin), int(box.right * width) + margin),
        )
        for box in boxes
    ]


def _file_name(number: int, uri: str, page: int) -> str:
    """A name of plain letters: `1-annual-report-p3.png`."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", uri.rpartition("/")[2].rpartition(".")[0]).strip("-").lower()
    return f"{number}-{words[:40] or 'page'}-p{page}.png"


def _replace_file(path: Path, data: bytes) -> None:
    """Write a file whole, or not at all; a link that stands there is replaced, not followed."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(data)
    os.replace(partial, path)  # noqa: PTH105
