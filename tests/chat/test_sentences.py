"""What a chunk says, one quotable statement at a time."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe import tables
from docpipe.chat.grounding import locate
from docpipe.chat.sentences import statements
from docpipe.types import Chunk

PROSE = st.text(st.sampled_from("ab 漢字。.!?, ；\n0"), max_size=200)


def texts(chunk: Chunk) -> list[str]:
    return [statement.text for statement in statements(chunk)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("It rose. It fell, e.g. by 3.5 m.", ["It rose.", "It fell, e.g. by 3.5 m."], id="English"),
        pytest.param("漏损率为8.7％。去年更高！为何？", ["漏损率为8.7％。", "去年更高！", "为何？"], id="Chinese"),
        pytest.param("- boots\n- a pole with a clamp", ["- boots", "- a pole with a clamp"], id="list"),
        pytest.param("One paragraph\n\nand another", ["One paragraph", "and another"], id="paragraphs"),
        pytest.param("---\n\n* * *", [], id="rules say nothing"),
        pytest.param("", [], id="empty"),
    ],
)
def test_prose_is_said_in_sentences(chunk: Callable[..., Chunk], text: str, said: list[str]) -> None:
    assert texts(chunk(text)) == said


def test_a_short_line_of_its_own_above_more_text_is_a_heading(chunk: Callable[..., Chunk]) -> None:
    said = statements(chunk("5.1 Calendar\n\nGrease the bearings.\n\nNot a heading"))
    assert [statement.is_heading for statement in said] == [True, False, False]


def test_a_row_is_told_with_the_names_of_its_columns_and_quoted_in_its_own_cells(chunk: Callable[..., Chunk]) -> None:
    html = tables.write(
        tables.grid([["Code", "Meaning", ""], ["E23", "Phase & N missing", "x"], ["", "Silent", ""]])
    ).html
    before, row, last, after = statements(chunk(f"The codes.\n\n{html}\n\nThe end."))
    assert (before.text, after.text) == ("The codes.", "The end.")
    assert row.told == "Code: E23; Meaning: Phase & N missing; x"
    assert row.text == "E23 | Phase & N missing | x"
    assert last.text == "Silent"


def test_a_table_that_goes_on_takes_its_header_from_the_context(chunk: Callable[..., Chunk]) -> None:
    header = "<tr><th>Code</th><th>Meaning</th></tr>\n"
    (row,) = statements(chunk("<tr><td>E31</td><td>Silent</td></tr>\n</table>", context=header))
    assert row.told == "Code: E31; Meaning: Silent"


def test_a_row_that_does_not_fit_its_header_is_told_as_it_is(chunk: Callable[..., Chunk]) -> None:
    rows = "<table>\n<tr><th>Code</th></tr>\n<tr><td>E31</td><td>Silent</td></tr>\n</table>"
    assert [row.told for row in statements(chunk(rows))] == ["E31 | Silent"]


def test_a_very_long_sentence_is_cut_at_its_clauses(chunk: Callable[..., Chunk]) -> None:
    text = ", ".join(f"clause number {number} goes on" for number in range(60)) + "."
    said = statements(chunk(text), longest=120)
    assert all(len(statement.text) <= 120 for statement in said)
    assert all(statement.text.endswith((",", ".")) for statement in said)
    assert " ".join(statement.text for statement in said) == text


@given(text=PROSE)
def test_every_statement_is_a_place_of_the_text_and_none_overlap(text: str) -> None:
    from docpipe.types import BlockKind, Source, Span

    source = Source(uri="u", media_type="text/plain", digest="", size=0, modified=0)
    chunk = Chunk(
        id="c",
        document_id="d",
        source=source,
        span=Span(0, len(text)),
        text=text,
        context="",
        headings=(),
        block_ids=(),
        kind=BlockKind.PARAGRAPH,
        pages=(),
        boxes=(),
        token_count=0,
        position=0,
    )
    at = 0
    for statement in statements(chunk, longest=40):
        assert statement.span.start >= at
        assert 0 < statement.span.end - statement.span.start <= 40
        assert statement.text == " ".join(statement.span.of(text).split())
        assert locate(statement.text, text) is not None or statement.text[0] == "0" or statement.text[-1] == "0"
        at = statement.span.end
