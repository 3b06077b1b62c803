"""Readings that cannot be right are told from readings that only look odd."""

import pytest

from docpipe.parse.scan.health import alike, trouble
from docpipe.parse.scan.layout import Element

PROSE = (
    "The harbour office keeps a ledger of every vessel that enters the bay. Each entry names the master, the cargo and "
    "the hour of arrival. When the tide is low the pilot waits at the outer buoy until the channel is deep enough. "
)


def page(*texts: str) -> list[Element]:
    return [Element("table" if "<table" in text else "text", text, None) for text in texts]


def rows(*cells: str) -> str:
    return "<table>" + "".join(f"<tr>{cell}</tr>" for cell in cells) + "</table>"


ODD = {
    "nothing at all": page(),
    "one phrase for ever": page("The ferry sails. " * 60),
    "a loop at the end": page(PROSE * 2 + "and the tide and the tide " * 40),
    "a word for ever": page("very " * 300),
    "a Chinese loop": page("潮水低时引水员" * 60),
    "a paragraph for ever": page(*["The ferry sails at noon."] * 60),
    "a row for ever": page(rows(*["<td>North pier</td><td>4,380</td>"] * 60)),
    "a table without its end": page("<table><tr><td>North pier</td><td>4,38"),
    "a whole book": page(*[f"{n} {PROSE}" for n in range(400)]),
}
SOUND = {
    "prose": page(PROSE, PROSE.upper()),
    "a table of contents": page("\n".join(f"{n} Chapter {'.' * 60} {n * 7}" for n in range(1, 30))),
    "blanks to fill in": page("Name: " + "_" * 300, "Date: " + "_" * 300),
    "a table of zeros": page(rows(*[f"<td>{year}</td><td>0</td><td>0</td>" for year in range(1980, 2020)])),
    "short cells again and again": page(rows(*["<td>-</td><td>n/a</td>"] * 30)),
    "empty cells": page(rows(*["<td></td><td></td><td></td>"] * 30)),
    "a long number": page("3." + "1415926535" * 3),
    "a picture only": [Element("image", "", None)],
    "a list of like items": page("\n\n".join(f"- Buoy {n} is lit from dusk to dawn" for n in range(25))),
    "a short word": page("7"),
    "zeros": page("0.00 " * 300),
}


@pytest.mark.parametrize("name", ODD)
def test_it_cannot_be_right(name: str) -> None:
    found = trouble(ODD[name], ink=True)
    assert found is not None and not found.usable and found.reason


@pytest.mark.parametrize("name", SOUND)
def test_it_may_well_be_right(name: str) -> None:
    assert trouble(SOUND[name], ink=True) is None


def test_an_empty_page_may_be_empty() -> None:
    assert trouble([], ink=False) is None


@pytest.mark.parametrize(
    "found",
    [page(*["Not applicable"] * 20), page(rows(*["<td>North pier</td><td>closed</td>"] * 20))],
    ids=["a form", "a table"],
)
def test_the_same_a_score_of_times_is_doubted_but_usable(found: list[Element]) -> None:
    doubt = trouble(found, ink=True)
    assert doubt is not None and doubt.usable


def test_a_table_that_falls_off_is_doubted_but_usable() -> None:
    full = "<td>a</td><td>b</td><td>c</td><td>d</td>"
    found = trouble(
        page(rows(full, full, "<td>a</td><td>b</td><td>c</td>", "<td>a</td><td>b</td>", "<td>a</td>")), ink=True
    )
    assert found is not None and found.usable
    assert trouble(page(rows(full, full, full, "<td>a</td>")), ink=True) is None


def test_two_pages_that_say_the_same_are_alike_unless_they_say_little() -> None:
    assert alike(page(PROSE * 2), page((PROSE * 2).replace("harbour", "HARBOUR")))
    assert not alike(page("Page intentionally left blank"), page("Page intentionally left blank"))
    assert not alike(page(PROSE * 2), page(PROSE))
