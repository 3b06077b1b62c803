"""JSON, JSON lines, YAML, TOML, XML and feeds: readable paths, tables, values as they are written."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe import tables
from docpipe.parse.structured import StructuredParser
from docpipe.types import Blob, BlockKind, Document, Source

JSON, LINES, YAML = "application/json", "application/x-ndjson", "application/yaml"
TOML, XML = "application/toml", "application/xml"


def read(data: str | bytes, media: str) -> Document:
    data = data.encode() if isinstance(data, str) else data
    source = Source(uri="folder/file", media_type=media, digest="", size=len(data), modified=0)
    (document,) = StructuredParser()(Blob(source=source, data=data))
    return document


def lines(document: Document) -> list[str]:
    return [line for block in document.blocks for line in block.span.of(document.text).split("\n")]


def cells(document: Document) -> list[list[str]]:
    (block,) = [block for block in document.blocks if block.kind is BlockKind.TABLE]
    return [[cell.text for cell in row] for row in tables.read(block.span.of(document.text)).rows]


ORDER = (
    '{"orders": [{"id": 3, "customer": {"name": "Li", "tags": ["a", "b"]}, "total": 1.10, "paid": true, "by": null}]}'
)


def test_a_value_is_read_with_its_path(parse: Any) -> None:
    document = parse(StructuredParser(), ORDER, media=JSON)
    assert lines(document) == [
        "orders[0].id: 3",
        "orders[0].customer.name: Li",
        "orders[0].customer.tags: a, b",
        "orders[0].total: 1.10",
        "orders[0].paid: true",
        "orders[0].by: null",
    ]


@pytest.mark.parametrize(
    "number", ["1.10", "12345678901234567890.000000000000000001", "1E+400", "-0.0", "0.1", "100000000000000000000000"]
)
def test_numbers_stand_as_they_are_written(number: str) -> None:
    assert lines(read(f'{{"a": {number}}}', JSON)) == [f"a: {number}"]
    assert lines(read(f"a: {number}", YAML)) == [f"a: {number}"]
    assert lines(read(f"<x><a>{number}</a><b>1</b></x>", XML))[0] == f"x.a: {number}"


def test_like_records_are_a_table_with_every_name_as_a_column(outline: Any) -> None:
    document = read('{"people": [{"name": "Li", "age": 3}, {"name": "Bo", "town": "Rome"}]}', JSON)
    assert outline(document)[0] == (BlockKind.HEADING, 1, "people")
    assert cells(document) == [["name", "age", "town"], ["Li", "3", ""], ["Bo", "", "Rome"]]


def test_large_parts_stand_below_headings_by_their_depth(outline: Any) -> None:
    inner = {f"key{number}": number for number in range(9)}
    document = read(json.dumps({"a": {"b": inner, "c": "x"}, "first": 1}), JSON)
    found = outline(document)
    assert [(level, text) for kind, level, text in found if kind is BlockKind.HEADING] == [(1, "a"), (2, "a.b")]
    assert found[0] == (BlockKind.PARAGRAPH, 0, "first: 1")
    assert "a.b.key8: 8" in document.text


def test_long_texts_are_paragraphs(outline: Any) -> None:
    text = "One sentence after the other. " * 10
    found = outline(read(json.dumps({"body": text + "\n\nSecond part.", "n": 1}), JSON))
    assert [words[:12] for _, _, words in found] == ["body: One se", "Second part.", "n: 1"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('{"a.b": {"c d": 1}}', '"a.b".c d: 1'),
        ('{"a": 1, "a": 2}', "a: 2"),
        ('{"a": []}', "a: []"),
        ('[["x", "y, z"]]', "[0][1]: y, z"),
        ('"only"', "only"),
        ('{"名字": "李"}', "名字: 李"),
    ],
)
def test_names_and_empty_values(text: str, line: str) -> None:
    assert line in lines(read(text, JSON))


def test_long_lists_of_scalars_share_lines_that_say_where_they_stand() -> None:
    found = lines(read(json.dumps({"a": {"x": list(range(45)), "y": {str(n): n for n in range(9)}}}), JSON))
    assert found[1].startswith("a.x: 0, 1, 2") and found[1].endswith("43, 44")
    assert lines(read(json.dumps(list(range(45))), JSON))[1] == "[20..39]: " + ", ".join(map(str, range(20, 40)))


def test_the_title_is_the_entry_of_that_name() -> None:
    assert read('{"Title": "The report", "a": 1}', JSON).metadata["title"] == "The report"
    assert "title" not in read('{"a": 1}', JSON).metadata


class TestJsonLines:
    def test_like_lines_are_one_table(self) -> None:
        assert cells(read('{"a":1,"b":2}\n\n{"a":3,"b":"x"}\n', LINES)) == [["a", "b"], ["1", "2"], ["3", "x"]]

    def test_a_broken_line_is_kept_and_the_rest_goes_on(self) -> None:
        document = read('{"a":{"n":1}}\n{"a": bro\n{"a":{"n":2}}\n', LINES)
        assert lines(document) == ["line 1", "a.n: 1", 'line 2 is no JSON: {"a": bro', "line 3", "a.n: 2"]

    def test_they_are_known_under_the_name_of_json_too(self) -> None:
        assert cells(read('{"a":1,"b":2}\n{"a":3,"b":4}', JSON))[1:] == [["1", "2"], ["3", "4"]]


class TestYaml:
    def test_values_are_text_aliases_are_told_and_every_document_is_read(self) -> None:
        text = "base: &b {on: no, day: 2020-01-01}\ncopy: *b\nmore: {<<: *b, x: 0o17}\n"
        text += "---\n- !!python/object:os.system x\n"
        assert lines(read(text, YAML)) == [
            "base.on: no", "base.day: 2020-01-01", "copy.on: no", "copy.day: 2020-01-01", "more.on: no",
            "more.day: 2020-01-01", "more.x: 0o17", "[0]: x",
        ]  # fmt: skip

    def test_what_refers_to_itself_ends(self) -> None:
        assert "[1]: *a" in lines(read("&a [x, *a]", YAML)) or read("&a [x, *a]", YAML).text


def test_toml_keeps_digits_and_dates() -> None:
    text = 'title = "T"\n[a.b]\nx = 1.50\nd = 2020-01-01\n[[p]]\nn = 1\nm = true\n[[p]]\nn = 2\nm = false\n'
    document = read(text, TOML)
    assert {"a.b.x: 1.50", "a.b.d: 2020-01-01"} <= set(lines(document))
    assert cells(document) == [["n", "m"], ["1", "true"], ["2", "false"]]


class TestXml:
    def test_fields_have_paths_and_attributes(self) -> None:
        orders = '<order n="1"><who><n>Li</n></who></order><order n="2"><who><n>Bo</n></who></order>'
        text = f'<s:shop xmlns:s="urn:x" id="3">{orders}</s:shop>'
        assert lines(read(text, XML)) == [
            "shop.@id: 3", "shop.order[0].@n: 1", "shop.order[0].who.n: Li", "shop.order[1].@n: 2",
            "shop.order[1].who.n: Bo",
        ]  # fmt: skip

    def test_a_text_with_marks_is_prose(self, outline: Any) -> None:
        text = (
            "<article><title>Ducks</title><section><title>Food</title><para>They eat <b>bread</b> and <i>corn</i> and "
            "<u>peas</u>.</para><list><item>one</item><item>two <b>bold</b> words</item></list>"
            "<programlisting>x = 1\n  y</programlisting>"
            "<table><thead><row><entry>a</entry></row></thead><row><entry>1</entry></row></table></section></article>"
        )
        assert outline(read(text, XML)) == [
            (BlockKind.HEADING, 1, "Ducks"),
            (BlockKind.HEADING, 1, "Food"),
            (BlockKind.PARAGRAPH, 0, "They eat bread and corn and peas."),
            (BlockKind.LIST_ITEM, 1, "one"),
            (BlockKind.LIST_ITEM, 1, "two bold words"),
            (BlockKind.CODE, 0, "x = 1\n  y"),
            (BlockKind.TABLE, 0, "<table>\n<tr><th>a</th></tr>\n<tr><td>1</td></tr>\n</table>"),
        ]

    def test_entities_of_the_file_are_neither_read_nor_expanded(self, tmp_path: Any) -> None:
        secret = tmp_path / "secret"
        secret.write_text("the secret")
        outside = f'<!DOCTYPE a [<!ENTITY x SYSTEM "{secret.as_uri()}">]><a><b>&x;</b><c>1</c></a>'
        assert "the secret" not in read(outside, XML).text

    @pytest.mark.parametrize("kind", ["rss", "atom"])
    def test_a_feed_gives_its_entries(self, outline: Any, kind: str) -> None:
        rss = (
            "<rss><channel><title>News</title><language>en</language><link>https://example.org/</link>"
            "<item><title>One</title><link>https://example.org/1</link><pubDate>Mon, 01 Jan 2024 10:00:00 GMT</pubDate>"
            "<description>&lt;p&gt;First &lt;b&gt;words&lt;/b&gt;.&lt;/p&gt;</description></item></channel></rss>"
        )
        atom = (
            '<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title><link href="https://example.org/"/>'
            '<entry><title>One</title><link href="https://example.org/1"/><updated>2024-01-01T10:00:00Z</updated>'
            '<content type="html">&lt;p&gt;First &lt;b&gt;words&lt;/b&gt;.&lt;/p&gt;</content></entry></feed>'
        )
        document = read(rss if kind == "rss" else atom, XML)
        assert outline(document) == [
            (BlockKind.HEADING, 1, "News"),
            (BlockKind.HEADING, 2, "One"),
            (BlockKind.PARAGRAPH, 0, "2024-01-01T10:00:00Z"),
            (BlockKind.PARAGRAPH, 0, "First words."),
        ]
        assert document.metadata["title"] == "News" and document.metadata["url"] == "https://example.org/"
        assert [(link.text, link.url) for link in document.links] == [("One", "https://example.org/1")]


BOMB = '<!DOCTYPE a [<!ENTITY x0 "haha">' + "".join(
    f'<!ENTITY x{number} "{f"&x{number - 1};" * 10}">' for number in range(1, 12)
)
HOSTILE = {
    "json deep lists": (JSON, "[" * 100_000),
    "json deep objects": (JSON, '{"a":' * 100_000),
    "json cut": (JSON, ORDER[:40]),
    "json long names": (JSON, '{"%s": [%s 1]}' % ("K" * 100_000, '{"a": 1, "q": {"z": 2}},' * 10_000)),  # noqa: UP031
    "json one line": (JSON, '["' + "x" * 20_000_000 + '"]'),
    "json too large": (JSON, '"' + "x" * 50_000_000 + '"'),
    "json wrong encoding": (JSON, b'{"a": "\xff\xfe\xfd", "b": 1}'),
    "lines of nothing": (LINES, "}\n" * 20_000),
    "yaml deep lists": (YAML, "[" * 100_000),
    "yaml deep blocks": (YAML, "- " * 100_000),
    "yaml laughs": (YAML, "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{f'*a{n - 1}, ' * 9}]\n" for n in range(1, 12))),
    "yaml chain": (YAML, "a0: &a0 x\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 5_000))),
    "yaml broken": (YAML, "a: b: c: d\n\t- x"),
    "toml deep": (TOML, "a = " + "[" * 100_000),
    "toml dots": (TOML, "a." * 50_000 + "b = 1"),
    "toml broken": (TOML, "a = = 1"),
    "xml deep": (XML, "<a>" * 100_000),
    "xml cut": (XML, "<a><b>words"),
    "xml laughs": (XML, BOMB + "]><a>&x11;</a>"),
    "xml laughs in an attribute": (XML, BOMB + ']><a b="&x11;">words</a>'),
    "xml many": (XML, "<a>x" + "<b>1</b>y" * 100_000 + "</a>"),
    "xml nothing": (XML, "<?xml version='1.0'?>"),
}  # fmt: skip


@pytest.mark.parametrize(("media", "data"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_give_their_text_within_bounds(media: str, data: str | bytes) -> None:
    document = read(data, media)
    document.text.encode("utf-8")
    assert len(document.text) <= 12 * len(data) + 200_000


def test_a_file_that_breaks_its_rules_is_its_text_with_the_reason(parse: Any) -> None:
    document = parse(StructuredParser(), '{"a": 1,\n oops', media=JSON)
    assert document.text == '{"a": 1,\n oops'
    assert "line 2" in document.metadata["not_valid"]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=30,
)


@given(values)
def test_every_scalar_of_a_json_value_is_in_the_text(value: Any) -> None:
    document = read(json.dumps(value), JSON)
    shown = " ".join(tables.without_tags(document.text).split())
    for scalar in scalars(value):
        words = " ".join(scalar.replace("\x00", "\ufffd").split())
        assert words in shown


def scalars(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [found for child in value.values() for found in scalars(child)]
    if isinstance(value, list):
        return [found for child in value for found in scalars(child)]
    if isinstance(value, str):
        return [value.encode("utf-8", "replace").decode()]
    return [json.dumps(value)]
