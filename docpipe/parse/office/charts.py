"""A chart or a diagram inside a document -> its text and its numbers (pure)."""

import re
from typing import TYPE_CHECKING

from docpipe.parse.office.names import A, C, local, number, value
from docpipe.parse.office.paper import Paper
from docpipe.tables import Table, grid
from docpipe.types import BBox, BlockKind

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_MOST_POINTS = 2_000
_KIND = re.compile(r"([a-z]+?)(?:3D)?Chart")


def add_chart(chart: "Element", paper: Paper, *, box: BBox | None = None) -> None:
    """Append a chart: its title, what kind of chart it is, its numbers as a table."""
    paper.add(BlockKind.CAPTION, chart_title(chart), label="chart", box=box)
    paper.add(BlockKind.CAPTION, chart_kind(chart), label="chart", box=box)
    paper.add_table(chart_table(chart), label="chart", box=box)


def chart_kind(chart: "Element") -> str:
    """What it is called, `Bar chart`; nothing where several kinds are drawn into one."""
    area = chart.find(f".//{C}plotArea")
    kinds = {match[1] for child in (area if area is not None else ()) if (match := _KIND.fullmatch(local(child)))}
    return f"{kinds.pop().capitalize()} chart" if len(kinds) == 1 else ""


def chart_title(chart: "Element") -> str:
    """What stands above a chart."""
    title = chart.find(f".//{C}title")
    return "" if title is None else " ".join("".join(part.text or "" for part in title.iter(A + "t")).split())


def chart_table(chart: "Element") -> Table:
    """A chart's numbers: a row for each category, a column for each series; no rows where it holds none."""
    columns: list[tuple[str, dict[int, str]]] = []
    categories: dict[int, str] = {}
    for series in chart.iter(C + "ser"):
        name = " ".join(_points(series.find(C + "tx")).values())
        categories = categories or _points(series.find(C + "cat")) or _points(series.find(C + "xVal"))
        values = series.find(C + "val")
        columns.append((name, _points(values if values is not None else series.find(C + "yVal"))))
    places = sorted({place for _, points in columns for place in points} | set(categories))[:_MOST_POINTS]
    if not places or not columns:
        return Table(())
    head = ["", *(name for name, _ in columns)]
    rows = [[categories.get(place, ""), *(points.get(place, "") for _, points in columns)] for place in places]
    return grid([head, *rows])


def _points(element: "Element | None") -> dict[int, str]:
    """Cached values by their place; a bare value stands at 0."""
    if element is None:
        return {}
    points = {number(value(point, "idx"), 0): _plain(point.findtext(C + "v") or "") for point in element.iter(C + "pt")}
    bare = _plain(element.findtext(C + "v") or "")
    return points or ({0: bare} if bare else {})


def _plain(text: str) -> str:
    """A number without the noise of its binary form."""
    try:
        return f"{float(text):.12g}" if len(text) > 12 and "." in text else text.strip()
    except ValueError:
        return text.strip()


def diagram_lines(data: "Element") -> list[str]:
    """The texts of a diagram's nodes, one line each."""
    lines = ("".join(part.text or "" for part in paragraph.iter(A + "t")) for paragraph in data.iter(A + "p"))
    return [line.strip() for line in lines if line.strip()]
