"""Drafts: blocks become spans of one text."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from docpipe import _ids
from docpipe.parse.draft import Draft, clean, folded, known, unwrapped, with_language
from docpipe.tables import Cell, Table, grid, read
from docpipe.types import Blob, BlockKind

KINDS = st.sampled_from([BlockKind.PARAGRAPH, BlockKind.LIST_ITEM, BlockKind.HEADING, BlockKind.CODE])
ANY_TEXT = st.text(st.characters() | st.sampled_from("\n\r\t \x00\ud800"), max_size=20)


@given(parts=st.lists(st.tuples(KINDS, ANY_TEXT), max_size=8))
def test_blocks_tile_the_text_but_for_line_breaks(parts: list[tuple[BlockKind, str]]) -> None:
    draft = Draft()
    for kind, text in parts:
        draft.add(kind, text)
    text, at = draft.text, 0
    for block in draft.blocks:
        assert set(text[at : block.span.start]) <= {"\n"}
        assert block.span.of(text).strip() and "\x00" not in block.span.of(text)
        at = block.span.end
    assert at == len(text)
    text.encode("utf-8")
    kept = [clean(part) for _, part in parts if clean(part).strip()]
    assert [block.span.of(text).strip() for block in draft.blocks] == [part.strip() for part in kept]


def test_a_document_has_the_identity_of_its_uri_and_only_known_metadata(make_blob: Callable[..., Blob]) -> None:
    draft = Draft()
    draft.add(BlockKind.HEADING, "Part", level=2, label="h2")
    document = draft.document(make_blob(b"", uri="a.md").source, {"title": " A\n title ", "author": ""})
    assert document.id == _ids.document_id("a.md")
    assert document.metadata == {"title": "A title"}
    assert (document.blocks[0].level, document.blocks[0].native_label) == (2, "h2")


def test_items_of_one_list_stand_on_lines_that_follow_each_other() -> None:
    draft = Draft()
    for kind, text in [(BlockKind.PARAGRAPH, "p"), (BlockKind.LIST_ITEM, "a"), (BlockKind.LIST_ITEM, "b")]:
        draft.add(kind, text)
    assert draft.text == "p\n\na\nb"


def test_code_keeps_its_indentation() -> None:
    draft = Draft()
    draft.add(BlockKind.CODE, "\n    a\n  b\n\n")
    assert draft.text == "    a\n  b"


def test_a_table_is_written_in_the_canonical_form_and_an_empty_one_is_dropped() -> None:
    draft, table = Draft(), grid([["a", "b<c"], ["1", "2"]])
    draft.add_table(Table(((Cell(" "),),)))
    draft.add_table(table)
    assert len(draft) == 1 and read(draft.text) == table


def test_the_title_is_the_first_of_the_highest_headings() -> None:
    draft = Draft()
    assert draft.title() == ""
    for level, text in [(2, "early"), (1, "high"), (1, "late")]:
        draft.add(BlockKind.HEADING, text, level=level)
    assert draft.title() == "high"


def test_wrapped_lines_are_joined_as_the_script_asks_for() -> None:
    assert unwrapped("one\n  two") == "one two"
    assert unwrapped("第一行\n第二行") == "第一行第二行"
    assert unwrapped("第一行\nEnglish") == "第一行 English"
    assert folded(" a \t b \n  c ") == "a b\nc"


def test_a_declared_language_gives_way_to_what_the_words_plainly_are() -> None:
    english = "This is a text of the kind that is written in the English language and in no other. " * 3
    assert with_language({"language": "en-GB"}, english)["language"] == "en-GB"
    assert with_language({"language": "zh-CN"}, english)["language"] == "en"
    assert with_language({"language": "la"}, "xyz")["language"] == "la"
    assert known(with_language({}, "xyz")) == {}
