"""Files -> what stands on their pages; its own process (`python -m standin.reading`), PyMuPDF has no threads."""

import pickle
import struct
import sys
from collections.abc import Mapping, Sequence
from typing import Any

Element = dict[str, Any]
"""label, native_label, content, box: fractions of the page, origin top left."""


def pages(data: bytes, media_type: str, first: int = 1, last: int = 0) -> list[dict[str, Any]]:
    """-> for each page `width`, `height` (pixels, a PDF's at 240 dpi), `elements`, `mark` (number or digest), `way`.

    Raises:
        ValueError: not a file that can be read; the message says why.
    """
    import pymupdf

    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    try:
        document = pymupdf.open(stream=data, filetype="pdf" if media_type == "application/pdf" else "png")
    except Exception as error:
        raise ValueError("file cannot be read") from error
    with document:
        if document.needs_pass:
            raise ValueError("file is encrypted")
        total = document.page_count
        if total > 100:
            raise ValueError("file has more than 100 pages")
        numbers = range(first - 1, min(last or total, total))
        if media_type != "application/pdf":
            return [_image(document, data)]
        return [{**_page(document, document[number]), "total": total} for number in numbers]


def _page(document: Any, page: Any) -> dict[str, Any]:
    width, height = round(page.rect.width / 72 * 240), round(page.rect.height / 72 * 240)
    elements = _text_layer(page)
    mark = _digest(" ".join(element["content"] for element in elements))
    return {"width": width, "height": height, "elements": elements, "mark": mark, "way": "pdf"}


def _image(document: Any, data: bytes) -> dict[str, Any]:
    import pymupdf

    pixmap = pymupdf.Pixmap(data)
    return {
        "width": pixmap.width,
        "height": pixmap.height,
        "elements": [],
        "mark": _digest(data.hex()),
        "way": "image",
        "total": 1,
    }


def _digest(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _text_layer(page: Any) -> list[Element]:
    blocks = [block for block in page.get_text("dict", sort=True)["blocks"] if block["type"] == 0]
    sizes = sorted(span["size"] for block in blocks for line in block["lines"] for span in line["spans"])
    body = sizes[len(sizes) // 2] if sizes else 10
    return [element for block in blocks if (element := _element(block, page.rect, body))]


def _element(block: Mapping[str, Any], rect: Any, body: float) -> Element | None:
    lines = ["".join(span["text"] for span in line["spans"]).strip() for line in block["lines"]]
    text = " ".join(line for line in lines if line)
    if not text:
        return None
    x0, y0, x1, y1 = block["bbox"]
    box = (x0 / rect.width, y0 / rect.height, x1 / rect.width, y1 / rect.height)
    size = max(span["size"] for line in block["lines"] for span in line["spans"])
    label, native = _labels(text, box, size / body, len(lines))
    marks = {"doc_title": "# ", "paragraph_title": "## "}.get(native, "")
    return {"label": label, "native_label": native, "content": marks + text, "box": box}


def _labels(text: str, box: Sequence[float], size: float, lines: int) -> tuple[str, str]:
    if box[3] < 0.06:
        return "header", "header"
    if box[1] > 0.94:
        return ("number", "number") if len(text) < 6 else ("footer", "footer")
    if size > 1.6 and lines < 3:
        return "text", "doc_title"
    if size > 1.15 and lines < 3:
        return "text", "paragraph_title"
    return "text", "text"


def serve() -> None:
    """Answer requests from standard input: a length of 8 bytes, then a pickle; the same way back."""
    sys.modules["pymupdf.layout"] = None  # type: ignore[assignment]  # its models are not needed
    while head := sys.stdin.buffer.read(8):
        request = pickle.loads(sys.stdin.buffer.read(struct.unpack("!Q", head)[0]))
        try:
            answer: Any = pages(**request)
        except ValueError as error:
            answer = str(error)
        data = pickle.dumps(answer)
        sys.stdout.buffer.write(struct.pack("!Q", len(data)) + data)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    serve()
