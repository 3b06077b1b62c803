"""Filters: no value can become syntax, and the two readings of a filter agree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe.errors import InvalidOption
from docpipe.index import filters
from docpipe.index.filters import All, Comparison, Not, Some, literal, matches, parse, quoted, where
from docpipe.testing import chunk

TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)
COMPARISONS = st.one_of(
    st.builds(
        lambda field, operator, value: f"{field} {operator} {quoted(value)}",
        st.sampled_from(
            ["uri", "title", "meta.language", "media_type", "document_id", "authors", "meta.subject", "meta.x"]
        ),
        st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "~"]),
        TEXTS,
    ),
    st.builds(
        lambda operator, value: f"page {operator} {value}",
        st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
        st.integers(0, 9),
    ),
    st.builds(
        lambda field, operator, year, month: f"{field} {operator} {year}-{month:02}",
        st.sampled_from(["modified", "created", "meta.modified"]),
        st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
        st.integers(2023, 2025),
        st.integers(1, 12),
    ),
    st.builds(lambda values: f"uri in ({', '.join(map(quoted, values))})", st.lists(TEXTS, min_size=1, max_size=3)),
)
FILTERS = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=6,
)


@given(value=TEXTS)
def test_a_quoted_value_comes_back_as_it_is(value: str) -> None:
    assert parse(f"uri = {quoted(value)}") == Comparison("uri", "=", (value,))
    double = '"' + value.replace('"', '""') + '"'
    assert parse(f"uri={double}") == Comparison("uri", "=", (value,))


@given(value=TEXTS)
def test_a_value_never_ends_its_sql_literal(value: str) -> None:
    written = literal(value)
    assert written[0] == written[-1] == "'"
    assert written[1:-1].replace("''", "") == value.replace("'", "")
    assert written[1:-1].count("'") == 2 * value.count("'")


@given(value=TEXTS)
def test_a_value_changes_nothing_of_the_sql_around_it(value: str) -> None:
    sql = where(parse(f"title = {quoted(value)} and page < 3"))
    assert sql == f"((title = {literal(value)}) AND (first_page > 0 AND first_page < 3))"


@given(value=TEXTS)
def test_a_pattern_without_wildcards_matches_itself_only(value: str) -> None:
    plain = value.replace("*", "").replace("?", "")
    wanted = parse(f"uri ~ {quoted(plain)}")
    assert matches(wanted, chunk("x", uri=plain))
    assert not matches(wanted, chunk("x", uri=plain + "x"))


@given(text=st.text(max_size=60))
def test_any_text_is_read_or_refused_with_a_remedy(text: str) -> None:
    try:
        where(parse(text))
    except InvalidOption as error:
        assert error.remedy


@given(text=FILTERS)
def test_not_turns_every_answer_round(text: str) -> None:
    one = chunk("x", uri="a.md", page=2)
    assert matches(parse(text), one) != matches(parse(f"not ({text})"), one)


def test_and_binds_closer_than_or() -> None:
    a, b, c = (Comparison("page", "=", (n,)) for n in (1, 2, 3))
    assert parse("page=1 or page=2 and page=3") == Some((a, All((b, c))))
    assert parse("(page=1 or page=2) AND NOT page=3") == All((Some((a, b)), Not(c)))


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("language=en", True),
        ("language = EN", False),
        ("page = 3", True),
        ("page < 3", True),
        ("page > 3", False),
        ("page != 2", False),
        ("page in (3, 9)", True),
        ("kind = paragraph", True),
        ("uri ~ reports/*.md", True),
        ("uri ~ '*/20?4.md'", True),
        ("uri ~ '*.pdf'", False),
        ("modified = 2024-05-01", True),
        ("modified = 2024", True),
        ("modified >= 2024-06", False),
        ("created = 2024-05-31", True),
        ("created > 2024-05", False),
        ("created <= 2024-05", True),
        ("created in (2023, 2024)", True),
        ("authors ~ 'Ann *'", True),
        ("meta.Subject = '100%_x'", True),
        ("meta.subject ~ '1?0%*'", True),
        ("meta.subject = nothing", False),
        ("meta.language = ''", True),
        ("meta.modified != 2024", True),
        ("meta.modified >= 1900", False),
        ("keywords = ''", True),
        ("modified >= 2024-05-01", True),
        ("modified > 2024-05-01", False),
        ("modified < 2024-05-02", True),
        ("modified <= '2024-05-01 00:00:00+00:00'", True),
        ("modified < '2024-05-01T02:00:00+02:00'", False),
        ("size >= 7 and size < 8", True),
        ("media_type in (text/html, 'text/markdown')", True),
    ],
)
def test_a_chunk_fits_or_not(text: str, fits: bool) -> None:
    assert matches(parse(text), chunk("x", uri="reports/2024.md", page=2)) is fits


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ("lang = zh", "'lang' is not a field", "did you mean 'language'?"),
        ("colour = red", "'colour' is not a field", "fields are uri, media_type"),
        ("meta. = red", "'meta.' is not a field", "and meta.KEY"),
        ("language = zh-Hant", "is a primary one, as 'zh'", "what whole documents say is meta.language"),
        ("created = soon", "'created' is compared with a date, not with 'soon'", "2024-05-31"),
        ("meta.modified ~ 2024", "`~` compares texts", ""),
        ("meta.modified in (2024, x)", "'meta.modified' is compared with a date", "2024-05-31"),
        ("", "a field is missing", "fields are uri"),
        ("page = three", "'page' is compared with a whole number", ""),
        ("page ~ 3", "`~` compares texts", ""),
        ("modified > yesterday", "compared with a date", "2024-05-31"),
        ("kind = tabel", "not a kind of block", "did you mean 'table'?"),
        ("uri = my file.pdf", "'file.pdf' is not expected", "join comparisons"),
        ("uri = 'open", "cannot read", "quote values"),
        ("(page = 1", "')' is missing", ""),
        ("page 1", "'1' is not an operator", "operators are ="),
        ("page = 1;", "whole number", ""),
        ("(" * 50 + "page = 1", "too many brackets", "at most"),
        (" or ".join(["page = 1"] * 500), "too many comparisons", "at most"),
        ("uri = " + "x" * 200_000, "200006 characters", "shorter"),
    ],
    ids=lambda value: value[:20],
)
def test_a_wrong_filter_says_what_and_what_to_try(text: str, message: str, remedy: str) -> None:
    with pytest.raises(InvalidOption) as caught:
        parse(text)
    assert message in caught.value.message
    assert (remedy or "write it as in") in caught.value.remedy
    assert caught.value.where == "where"


def test_every_field_can_be_asked_for() -> None:
    values = {"text": "table", "number": "1", "time": "2024-01-01"}
    for field, kind in filters.FIELDS.items():
        assert field.split("_")[0] in where(parse(f"{field} = {values[kind]}")) or field == "page"
