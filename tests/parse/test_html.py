"""HTML: what a reader sees, in blocks, the page's frame left out."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe import tables
from docpipe.parse.html import HtmlParser
from docpipe.tables import Cell
from docpipe.types import Blob, BlockKind, Source

HEADING, PARAGRAPH, ITEM, TABLE = BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.LIST_ITEM, BlockKind.TABLE
SENTENCE = "The committee met on {} and agreed that the old bridge over the river must be rebuilt before winter. "
ARTICLE = "".join(f"<p>{SENTENCE.format(day) * 3}</p>" for day in ("Monday", "Tuesday", "Friday", "Sunday"))
MENU = "".join(f'<li><a href="/{word}">{word}</a></li>' for word in ("Home", "News", "Sport", "Weather", "Contact"))


def page(body: str) -> str:
    return (
        f"<html lang=en><head><title>T</title><script>var x = 1;</script></head><body><nav><ul>{MENU}</ul></nav>"
        f"<main><article><h1>Bridge to be rebuilt</h1>{body}</article></main>"
        f"<aside><h3>Most read</h3><ul>{MENU}</ul></aside>"
        "<footer><p>Copyright 2024 Example. All rights reserved. Subscribe to our newsletter.</p></footer>"
    )


class TestStructure:
    def test_headings_paragraphs_and_entities(self, parse: Any, outline: Any) -> None:
        text = "<h1>A &amp; B</h1><p>one\n  two <b>three</b>&nbsp;four<br>five</p>loose <i>words</i><h3>C</h3>"
        assert outline(parse(HtmlParser(), text)) == [
            (HEADING, 1, "A & B"),
            (PARAGRAPH, 0, "one two three four\nfive"),
            (PARAGRAPH, 0, "loose words"),
            (HEADING, 3, "C"),
        ]

    def test_lists_have_depths_numbers_and_their_paragraphs(self, parse: Any, outline: Any) -> None:
        text = "<ul><li>a<ol start=3><li>b</li><li><p>c</p><p>d</p></li></ol>after</li><li value=9>e</li></ul>"
        assert outline(parse(HtmlParser(), text)) == [
            (ITEM, 1, "a"),
            (ITEM, 2, "3. b"),
            (ITEM, 2, "4. c\nd"),
            (ITEM, 1, "after"),
            (ITEM, 1, "e"),
        ]

    def test_tables_keep_spans_and_headers(self, parse: Any) -> None:
        text = (
            "<table><caption>Figures</caption><thead><tr><td colspan=2>Head</td></tr></thead><tbody>"
            "<tr><th rowspan=2>Row</th><td>1 <sup>a</sup></td></tr><tr><td><ul><li>x</li><li>y</li></ul></td></tr>"
            "</tbody></table>"
        )
        document = parse(HtmlParser(), text)
        caption, table = document.blocks
        assert (caption.kind, caption.span.of(document.text)) == (BlockKind.CAPTION, "Figures")
        assert tables.read(table.span.of(document.text)).rows == (
            (Cell("Head", header=True, colspan=2),),
            (Cell("Row", header=True, rowspan=2), Cell("1 a")),
            (Cell("x y"),),
        )

    def test_a_table_within_a_cell_is_text_of_the_cell(self, parse: Any) -> None:
        inner = "<table><tr><td>1</td><td>2</td></tr></table>"
        document = parse(HtmlParser(), f"<table><tr><td>a</td><td>{inner}</td></tr></table>")
        assert tables.read(document.text).rows == ((Cell("a"), Cell("1 2")),)

    def test_a_table_that_only_places_things_is_no_table(self, parse: Any, outline: Any) -> None:
        text = f"<table><tr><td><h2>Head</h2>{ARTICLE}</td><td>side</td></tr></table>"
        found = outline(parse(HtmlParser(), text))
        assert [kind for kind, _, _ in found] == [HEADING, *[PARAGRAPH] * 4, PARAGRAPH]

    def test_code_keeps_its_lines(self, parse: Any) -> None:
        text = '<pre><code class="language-python">def f():\n    <b>pass</b>\n</code></pre><pre>a<br>  b</pre>'
        document = parse(HtmlParser(), text)
        assert [block.span.of(document.text) for block in document.blocks] == ["def f():\n    pass", "a\n  b"]
        assert [block.native_label for block in document.blocks] == ["python", "pre"]

    def test_what_nobody_sees_is_left_out(self, parse: Any) -> None:
        text = (
            "<p>seen</p><script>no</script><style>no</style><p hidden>no</p><div style='display: none'><p>no</p></div>"
            "<p aria-hidden=true>no</p><span class='x sr-only'>no</span><template>no</template><!-- no -->"
            "<select><option>no</select><button>no</button><table><tr><td>a</td><td hidden>no</td></tr>"
            "<tr><td>b<script>no</script></td><td style='visibility:hidden'>no</td></tr></table>"
            "<noscript>no</noscript><svg><text>no</text></svg><div style=display:none>no"
        )
        assert "no" not in parse(HtmlParser(), text).text

    def test_definition_lists_quotations_and_figures(self, parse: Any) -> None:
        text = (
            "<dl><dt>Term</dt><dd>What it means</dd></dl><blockquote>said</blockquote>"
            "<figure><img alt='A chart of the sales by year'><figcaption>Sales</figcaption></figure>"
        )
        document = parse(HtmlParser(), text)
        assert [(block.kind, block.native_label) for block in document.blocks] == [
            (PARAGRAPH, "dt"),
            (PARAGRAPH, "dd"),
            (PARAGRAPH, "blockquote"),
            (BlockKind.FIGURE, "img"),
            (BlockKind.CAPTION, "figcaption"),
        ]


class TestMainContent:
    def test_an_article_loses_menus_and_footers(self, parse: Any) -> None:
        text = parse(HtmlParser(), page(ARTICLE)).text
        assert text.count("bridge over the river") == 12
        for word in ("Weather", "Most read", "Copyright", "newsletter"):
            assert word not in text

    def test_its_headings_lists_tables_and_code_stay(self, parse: Any, outline: Any) -> None:
        figures = "<table><tr><th>Year</th><th>Cost</th></tr><tr><td>2023</td><td>14</td></tr></table>"
        steps = "<ol><li>Close the road to all traffic by night.</li><li>Take down the old arches one by one.</li></ol>"
        body = f"{ARTICLE}<h2>What follows</h2>{steps}<h2>Cost</h2>{figures}<pre>make bridge</pre>{ARTICLE}"
        found = outline(parse(HtmlParser(), page(body)))
        assert (HEADING, 2, "What follows") in found and (HEADING, 2, "Cost") in found
        assert (ITEM, 1, "2. Take down the old arches one by one.") in found
        assert any(kind is TABLE for kind, _, _ in found)
        assert (BlockKind.CODE, 0, "make bridge") in found

    def test_a_plain_document_is_kept_whole(self, parse: Any) -> None:
        rows = "".join(f"<tr><td>{n}</td><td>{n * n}</td></tr>" for n in range(9))
        text = f"<h1>Report</h1><p>Short.</p><table><tr><th>n</th><th>square</th></tr>{rows}</table><p>End.</p>"
        document = parse(HtmlParser(), text)
        assert [block.kind for block in document.blocks] == [HEADING, PARAGRAPH, TABLE, PARAGRAPH]

    def test_a_manual_keeps_all_of_its_declared_main_part(self, parse: Any) -> None:
        entry = "<h3>impl Read for Pipe{0}</h3><h4>fn read(&self)</h4><p>Reads <code>{0}</code> bits.</p><pre>r()</pre>"
        body = "".join(entry.format(number) for number in range(9))
        text = parse(HtmlParser(), page(body)).text
        assert all(f"impl Read for Pipe{number}" in text for number in range(9)) and text.count("fn read(&self)") == 9
        assert "Weather" not in text and "Copyright" not in text

    def test_an_index_of_chapters_is_content(self, parse: Any) -> None:
        chapters = "".join(f"<li><a href=/{n}>Chapter {n} of the long handbook</a></li>" for n in range(20))
        text = parse(HtmlParser(), page(f"<p>All chapters, one by one, in order.</p><ul>{chapters}</ul>")).text
        assert text.count("of the long handbook") == 20 and "Weather" not in text

    def test_what_stands_outside_of_the_declared_main_part_is_left_out(self, parse: Any) -> None:
        notice = f"<div><p>{SENTENCE.format('every day').replace('bridge', 'cookie')}</p></div>"
        text = parse(HtmlParser(), page(ARTICLE).replace("<main>", f"{notice}<main>")).text
        assert "bridge" in text and "cookie" not in text

    def test_a_page_of_links_is_kept(self, parse: Any) -> None:
        assert "Weather" in parse(HtmlParser(), f"<nav><ul>{MENU}</ul></nav>").text

    def test_everything_is_kept_where_asked_for(self, parse: Any) -> None:
        text = parse(HtmlParser(main_content=False), page(ARTICLE)).text
        assert "Weather" in text and "Copyright" in text

    def test_an_article_that_only_the_linked_data_holds_is_given(self, parse: Any) -> None:
        import json

        body = " ".join(SENTENCE.format(day) for day in ("Monday", "Tuesday", "Friday", "Sunday") * 3)
        data = json.dumps({"@type": "NewsArticle", "articleBody": body})
        text = (
            f"<nav><a href=a>x</a></nav><script type='application/ld+json'>{data}</script><p>Please enable scripts</p>"
        )
        assert "bridge over the river" in parse(HtmlParser(), text).text


class TestLinks:
    def test_addresses_are_left_out_unless_asked_for(self, parse: Any) -> None:
        text = (
            "<p>See <a href='https://x.y/a'>the plan</a> or <a href=/b>that</a>, <a href='javascript:x()'>not this</a>."
        )
        assert parse(HtmlParser(), text).text == "See the plan or that, not this."
        shown = parse(HtmlParser(link_targets=True), text).text
        assert shown == "See the plan <https://x.y/a> or that, not this."

    def test_addresses_do_not_change_what_is_found_to_be_the_article(self, parse: Any) -> None:
        body = ARTICLE.replace("the old bridge", "<a href=https://x.y/bridge>the old bridge</a>")
        plain, shown = (parse(HtmlParser(link_targets=targets), page(body)) for targets in (False, True))
        assert len(plain.blocks) == len(shown.blocks)
        assert shown.text.replace(" <https://x.y/bridge>", "") == plain.text


class TestMetadata:
    def test_title_author_date_and_language(self, parse: Any) -> None:
        head = (
            "<meta name=keywords content='ships, sails'><meta name=keywords content='sails, rope'>"
            "<meta property=article:modified_time content=2024/6/2><meta name=date content=2020>"
            "<title>Old title - Site</title><meta property=og:title content='New &amp; better'>"
            "<meta name=author content='A. Writer'><meta property=article:published_time content=2024-05-01T10:00:00Z>"
            "<link rel=canonical href=https://example.org/a>"
        )
        document = parse(HtmlParser(), f"<html lang=en-GB><head>{head}</head><body>{ARTICLE}</body></html>")
        expected = {
            "title": "New & better",
            "authors": "A. Writer",
            "created": "2024-05-01T10:00:00Z",
            "modified": "2024-06-02",
            "keywords": "ships, sails, rope",
            "language": "en-GB",
            "url": "https://example.org/a",
            "encoding": "utf-8",
        }
        assert document.metadata == expected

    def test_linked_data_is_used_where_the_head_says_nothing(self, parse: Any) -> None:
        data = (
            '{"@graph": [{"@type": "Article", "headline": "H", "datePublished": "2024-05-01", '
            '"author": [{"name": "A"}, "B"]}]}'
        )
        document = parse(HtmlParser(), f"<script type=application/ld+json>{data}</script><p>x</p>")
        assert (document.metadata["title"], document.metadata["authors"]) == ("H", "A; B")
        assert document.metadata["created"] == "2024-05-01"

    @pytest.mark.parametrize("data", ["{", "[1, null, []]", '{"datePublished": 5, "author": {"name": 3}}', "[" * 9999])
    def test_broken_linked_data_is_passed_over(self, parse: Any, data: str) -> None:
        document = parse(HtmlParser(), f"<script type=application/ld+json>{data}</script><h1>Head</h1>")
        assert document.metadata["title"] == "Head"

    def test_the_encoding_is_what_the_page_says(self, parse: Any) -> None:
        text = "<html><head><meta charset=gb2312></head><body><p>用户可以在这里找到说明</p></body></html>"
        document = parse(HtmlParser(), text.encode("gbk"))
        assert document.text == "用户可以在这里找到说明" and document.metadata["encoding"] == "gb18030"
        old = '<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-2"><p>ąę</p>'
        assert parse(HtmlParser(), old.encode("iso-8859-2")).text == "ąę"


class TestBadPages:
    @pytest.mark.parametrize(
        "data", [b"", b" \n", b"<!-- -->", b"<html></html>", b"<", b"\x00", b"<?xml?>", b"<!DOCTYPE"]
    )
    def test_a_page_that_shows_nothing_is_an_empty_document(self, parse: Any, data: bytes) -> None:
        assert len(parse(HtmlParser(), data).blocks) <= 1

    def test_deep_nesting_loses_no_word(self, parse: Any) -> None:
        assert "deep words" in parse(HtmlParser(), "<div>" * 100_000 + "deep words").text

    def test_no_entity_is_expanded_from_elsewhere(self, parse: Any) -> None:
        text = '<!DOCTYPE html [<!ENTITY x SYSTEM "file:///etc/passwd">]><html><body><p>a &x; b</p></body></html>'
        assert "root:" not in parse(HtmlParser(), text).text

    @pytest.mark.parametrize(
        "unit",
        [
            "<table><tr><td>a",
            "<ul><li>a",
            "<p><a href='",
            "<",
            "<!--",
            "<b>x</b> ",
            "&lt;",
            " ",
            "<nav><p>a</p>",
            "<br>",
        ],
    )
    def test_time_grows_with_length_only(self, parse: Any, unit: str) -> None:
        start = time.process_time()
        parse(HtmlParser(), unit * (400_000 // len(unit)))
        assert time.process_time() - start < 5

    def test_no_attribute_of_a_page_confuses_the_reading(self, parse: Any, outline: Any) -> None:
        text = "<ul><li data-docpipe-done=1>a<script>x</script></li></ul><p>b\ufdd0c\ufdd1</p>"
        assert [kind for kind, _, _ in outline(parse(HtmlParser(), text))] == [ITEM, PARAGRAPH]

    def test_a_huge_table_span_is_bounded(self, parse: Any) -> None:
        document = parse(HtmlParser(), "<table><tr><td colspan=999999999>a</td><td rowspan=-5>b</td></tr></table>")
        assert [(cell.colspan, cell.rowspan) for cell in tables.read(document.text).rows[0]] == [(1000, 1), (1, 1)]


TAGS = st.sampled_from(
    ["p", "div", "ul", "li", "table", "tr", "td", "h2", "a", "nav", "pre", "br", "b", "ol", "dl", "dt"]
)
PARTS = st.one_of(
    TAGS.map("<{}>".format),
    TAGS.map("</{}>".format),
    st.sampled_from([" ", "\n", "&amp;", "<p hidden>"]),
    st.text("ab "),
)


@given(parts=st.lists(PARTS, max_size=30))
def test_any_soup_is_read_and_no_visible_letter_is_lost(parts: list[str]) -> None:
    from lxml import html

    text = "".join(part for part in parts if "hidden" not in part)
    data = text.encode()
    source = Source(uri="a", media_type="text/html", digest="", size=len(data), modified=0)
    (document,) = HtmlParser(main_content=False)(Blob(source=source, data=data))
    shown = tables.without_tags(document.text)
    expected = html.document_fromstring(f"<i></i>{text}").text_content()
    for letter in "ab":
        assert shown.count(letter) >= expected.count(letter) - _outside_rows(text, letter)


def _outside_rows(text: str, letter: str) -> int:
    """Letters that stand in a table but in none of its cells may go."""
    return text.count(letter) if "<table" in text else 0
