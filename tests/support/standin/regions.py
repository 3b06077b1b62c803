"""Pictures of parts of printed pages -> what is written there, by likeness with the lines that were printed lately."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

from standin import strip, truths

Kind = Literal["text", "table", "formula"]
_SHAPE = (14, 120)
"""Rows and columns of a signature."""
_LIKE = 0.68
"""Least likeness (cosine) of a line; in [-1, 1]."""
_DPI = 150
_NEWEST = 200
"""Pages that are searched, the latest printed."""


def read(grey: Any, kind: Kind) -> str:
    """What a picture of a region says; empty where it is like nothing that was printed."""
    if whole := _whole_page(grey):
        return whole
    ink = _ink(grey)
    if kind == "table":
        content, likeness = _best(_trimmed(ink), "table")
        return content if likeness > 0.5 else ""
    lines = [_best(line, kind) for line in _lines(ink)]
    text = "\n".join(content for content, likeness in lines if likeness >= _LIKE)
    return text.removeprefix("$$\n").removesuffix("\n$$") if kind == "formula" else text


def _whole_page(grey: Any) -> str:
    top, bottom = strip.read(grey)
    truth = truths.of(top) if top is not None and top == bottom else None
    return "\n\n".join(element["content"] for element in truth["elements"] if element["content"]) if truth else ""


def _ink(grey: Any) -> Any:
    import numpy

    values = grey.astype(numpy.float32)
    dark, light = float(values.min()), float(values.max())
    if light - dark < 40:
        return numpy.zeros_like(values)
    return numpy.clip((light - values) / (light - dark), 0, 1)


def _trimmed(ink: Any) -> Any:
    rows, columns = (ink > 0.4).any(axis=1).nonzero()[0], (ink > 0.4).any(axis=0).nonzero()[0]
    if not len(rows):
        return ink[:0, :0]
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _lines(ink: Any) -> Iterator[Any]:
    """The lines of a text, cut at rows without ink; a dot above an i belongs to its line."""
    filled = (ink > 0.4).any(axis=1)
    runs: list[list[int]] = []
    for row in filled.nonzero()[0]:
        if runs and row == runs[-1][1]:
            runs[-1][1] = row + 1
        else:
            runs.append([row, row + 1])
    tallest = max((end - start for start, end in runs), default=0)
    merged: list[list[int]] = []
    for start, end in runs:
        if (
            merged
            and start - merged[-1][1] <= tallest * 0.15
            and min(end - start, merged[-1][1] - merged[-1][0]) < tallest * 0.4
        ):
            merged[-1][1] = end
        else:
            merged.append([start, end])
    for start, end in merged:
        yield _trimmed(ink[start:end])


def _signature(ink: Any) -> Any:
    """A picture as a vector of unit length: its ink in a fixed grid, and how wide it is for its height."""
    import numpy

    height, width = ink.shape
    rows, columns = _SHAPE
    down = numpy.linspace(0, height, rows + 1)
    across = numpy.linspace(0, width, columns + 1)
    summed = numpy.pad(ink.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    corners = _between(_between(summed, down, 0), across, 1)
    cells = numpy.diff(numpy.diff(corners, axis=0), axis=1) / (height * width / rows / columns)
    vector = cells.ravel() - cells.mean()
    length = numpy.linalg.norm(vector) or 1.0
    return vector / length


def _between(values: Any, at: Any, axis: int) -> Any:
    """Values at places between rows (or columns), linearly."""
    import numpy

    low = numpy.minimum(at.astype(int), values.shape[axis] - 2)
    share = (at - low).reshape((-1, 1) if axis == 0 else (1, -1))
    return values.take(low, axis=axis) * (1 - share) + values.take(low + 1, axis=axis) * share


def _best(ink: Any, kind: Kind) -> tuple[str, float]:
    """The most alike of what was printed, and how alike it is."""
    import numpy

    if ink.size == 0:
        return "", 0.0
    contents, aspects, signatures = _known(tuple(truths.newest(_NEWEST)), "table" if kind == "table" else "line")
    if not contents:
        return "", 0.0
    aspect = numpy.log(ink.shape[1] / ink.shape[0])
    likeness = signatures @ _signature(ink) - 1.5 * numpy.abs(aspects - aspect).clip(0.04) + 0.06
    at = int(likeness.argmax())
    return contents[at], float(likeness[at])


@lru_cache(maxsize=4)
def _known(numbers: tuple[int, ...], what: Literal["line", "table"]) -> tuple[list[str], Any, Any]:
    import numpy

    found = [entry for number in numbers for entry in _of_page(number) if entry[0] == what]
    if not found:
        return [], None, None
    return (
        [entry[1] for entry in found],
        numpy.array([entry[2] for entry in found]),
        numpy.stack([entry[3] for entry in found]),
    )


@lru_cache(maxsize=512)
def _of_page(number: int) -> Sequence[tuple[str, str, float, Any]]:
    """`(line or table, content, log of width by height, signature)` of everything on a page."""
    truth = truths.of(number)
    return truths.remembered(number, lambda: _entries(truth)) if truth else []


def _entries(truth: Mapping[str, Any]) -> list[tuple[str, str, float, Any]]:
    import numpy

    ink = _ink(_drawn(truth))
    entries = []
    for element in truth["elements"]:
        whole = [("table", element["content"], element["box"])] if element["label"] == "table" else []
        lines = [("line", content, box) for content, box in element["lines"]] if not whole else []
        for what, content, box in [*whole, *lines]:
            part = _trimmed(_cut(ink, box))
            if part.size:
                entries.append((what, content, float(numpy.log(part.shape[1] / part.shape[0])), _signature(part)))
    return entries


def _cut(ink: Any, box: Sequence[float]) -> Any:
    height, width = ink.shape
    reach = 2
    top, bottom = int(box[1] * height) - reach, int(box[3] * height) + reach
    return ink[max(0, top) : bottom, max(0, int(box[0] * width) - reach) : int(box[2] * width) + reach]


def _drawn(truth: Mapping[str, Any]) -> Any:
    import numpy
    import pymupdf

    with pymupdf.open() as document:
        page = document.new_page(width=truth["width"], height=truth["height"])
        draw(page, truth)
        pixmap = page.get_pixmap(dpi=_DPI, colorspace=pymupdf.csGRAY)
        rows = numpy.frombuffer(pixmap.samples, dtype=numpy.uint8).reshape(pixmap.height, pixmap.stride)
        return rows[:, : pixmap.width].copy()


def draw(page: Any, truth: Mapping[str, Any]) -> None:
    """Draw a page's texts, rules and filled boxes on a PyMuPDF page."""
    for text, x, y, size, font in truth["texts"]:
        page.insert_text((x, y), text, fontsize=size, fontname=font)
    shape = page.new_shape()
    for x0, y0, x1, y1 in truth["rules"]:
        shape.draw_line((x0, y0), (x1, y1))
    if truth["rules"]:
        shape.finish(width=0.8)
    for x0, y0, x1, y1, grey in truth["fills"]:
        shape.draw_rect((x0, y0, x1, y1))
        shape.finish(color=None, fill=(grey, grey, grey))
    shape.commit()
