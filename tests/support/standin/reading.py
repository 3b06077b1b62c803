"""Files -> what stands on their pages; its own process (`python -m standin.reading`), PyMuPDF has no threads."""

import hashlib
import pickle
import struct
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from standin import regions, strip, truths

Element = dict[str, Any]
"""label, native_label, content, box: fractions of the page, origin top left; lines: (content, box) each, if known."""
Page = dict[str, Any]
"""width, height: pixels, a PDF's at 240 dpi; elements; mark: the printed number, else a digest; way; total: pages of
the file."""
Way = Literal["pdf", "image", "half"]


def pages(data: bytes, media_type: str, first: int = 1, last: int = 0) -> list[Page]:
    """What stands on each page of a file.

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
            return [_image(data)]
        return [{**_page(document, document[number]), "total": total} for number in numbers]


def region(data: bytes, kind: regions.Kind) -> tuple[str, int, int]:
    """What a picture of a region says, and its width and height.

    Raises:
        ValueError: not an image.
    """
    import pymupdf

    try:
        pixmap = pymupdf.Pixmap(data)
    except Exception as error:
        raise ValueError("image cannot be read") from error
    grey = _grey(pymupdf.Pixmap(pymupdf.csGRAY, pixmap) if pixmap.colorspace.n > 1 else pixmap)
    return regions.read(grey, kind), pixmap.width, pixmap.height


def _page(document: Any, page: Any) -> Page:
    width, height = round(page.rect.width / 72 * 240), round(page.rect.height / 72 * 240)
    if number := _number_beside(document, page):
        return _printed(number, width, height, "pdf")
    if elements := _text_layer(page):
        return {"width": width, "height": height, "elements": elements, "mark": _digest(elements), "way": "pdf"}
    return _seen(_grey(page.get_pixmap(dpi=110, colorspace="gray")), width, height, "pdf")


def _number_beside(document: Any, page: Any) -> int:
    """The number that is written beside the picture of a printed page: quicker than looking; 0 for none."""
    images = page.get_images()
    if len(images) != 1 or page.rotation:
        return 0
    kind, value = document.xref_get_key(images[0][0], "StandinNumber")
    return int(value) if kind == "int" else 0


def _image(data: bytes) -> Page:
    import pymupdf

    pixmap = pymupdf.Pixmap(data)
    grey = _grey(pymupdf.Pixmap(pymupdf.csGRAY, pixmap) if pixmap.colorspace.n > 1 else pixmap)
    return {**_seen(grey, pixmap.width, pixmap.height, "image"), "total": 1}


def _grey(pixmap: Any) -> Any:
    import numpy

    rows = numpy.frombuffer(pixmap.samples, dtype=numpy.uint8).reshape(pixmap.height, pixmap.stride)
    return rows[:, : pixmap.width * pixmap.n : pixmap.n]


def _seen(grey: Any, width: int, height: int, way: Way) -> Page:
    """A page by its strips: of one half only one is there."""
    top, bottom = strip.read(grey)
    number = top if top is not None else bottom
    truth = None if number is None else truths.of(number)
    if number is None or truth is None:
        return {"width": width, "height": height, "elements": [], "mark": _digest(grey.tobytes()), "way": way}
    share = min(1.0, (height / width) / (truth["height"] / truth["width"]))
    if share > 0.97 or (top is not None and bottom is not None):
        return _printed(number, width, height, way)
    start = 0.0 if top is not None else 1 - share
    elements = [part for element in truth["elements"] if (part := _within(element, start, share))]
    return {"width": width, "height": height, "elements": elements, "mark": str(number), "way": "half"}


def _printed(number: int, width: int, height: int, way: Way) -> Page:
    truth = truths.of(number)
    elements = [{**element, "box": tuple(element["box"])} for element in truth["elements"]] if truth else []
    return {"width": width, "height": height, "elements": elements, "mark": str(number), "way": way}


def _within(element: Element, start: float, share: float) -> Element | None:
    """What a half of a page shows of an element: the lines whose middle it has."""

    def visible(box: Sequence[float]) -> bool:
        return start <= (box[1] + box[3]) / 2 <= start + share

    x0, y0, x1, y1 = element["box"]
    box = tuple(min(1.0, max(0.0, value)) for value in (x0, (y0 - start) / share, x1, (y1 - start) / share))
    if y1 <= start or y0 >= start + share:
        return None
    if start <= y0 and y1 <= start + share:
        return {**element, "box": box}
    lines = [line for line, place in element["lines"] if visible(place)]
    if element["lines"] and not lines:
        return None
    return {**element, "box": box, "content": _joined(element, lines)}


def _joined(element: Element, lines: Sequence[str]) -> str:
    if element["label"] == "table":
        return f'<table border="1">{"".join(lines)}</table>'
    if element["label"] == "formula":
        return f"$$\n{' '.join(lines)}\n$$"
    return joined(lines)


def joined(lines: Iterable[str]) -> str:
    """Lines as one text: a blank between them, none between Chinese characters."""
    text = ""
    for line in lines:
        text += line if not text or (text[-1] > "\u2e80" and line[:1] > "\u2e80") else f" {line}"
    return text


def _digest(content: Any) -> str:
    data = content if isinstance(content, bytes) else repr(content).encode("utf-8", "surrogatepass")
    return hashlib.sha256(data).hexdigest()[:12]


def _text_layer(page: Any) -> list[Element]:
    blocks = [block for block in page.get_text("dict", sort=True)["blocks"] if block["type"] == 0]
    sizes = sorted(span["size"] for block in blocks for line in block["lines"] for span in line["spans"])
    body = sizes[len(sizes) // 2] if sizes else 10
    return [element for block in blocks if (element := _element(block, page.rect, body))]


def _element(block: Mapping[str, Any], rect: Any, body: float) -> Element | None:
    lines = ["".join(span["text"] for span in line["spans"]).strip() for line in block["lines"]]
    text = joined(line for line in lines if line)
    if not text:
        return None
    x0, y0, x1, y1 = block["bbox"]
    box = (x0 / rect.width, y0 / rect.height, x1 / rect.width, y1 / rect.height)
    size = max(span["size"] for line in block["lines"] for span in line["spans"])
    label, native = _labels(text, box, size / body, len(lines))
    marks = {"doc_title": "# ", "paragraph_title": "## "}.get(native, "")
    return {"label": label, "native_label": native, "content": marks + text, "box": box, "lines": []}


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
            answer: Any = region(**request) if "kind" in request else pages(**request)
        except ValueError as error:
            answer = str(error)
        data = pickle.dumps(answer)
        sys.stdout.buffer.write(struct.pack("!Q", len(data)) + data)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    serve()
