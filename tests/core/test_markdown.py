"""Documents as Markdown."""

from docpipe.markdown import to_markdown
from docpipe.types import HIDDEN, NOTES, Block, BlockKind, Document, Source, Span

SOURCE = Source(uri="a.pdf", media_type="application/pdf", digest="0", size=0, modified=0)


def labelled(text: str, label: str) -> Document:
    """One block that is called so."""
    block = Block(id="b0", kind=BlockKind.PARAGRAPH, span=Span(0, len(text)), page=1, native_label=label)
    return Document(id="d", source=SOURCE, text=text, pages=(), blocks=(block,))


def document(*parts: tuple[str, BlockKind, int, int, str]) -> Document:
    """Blocks as (text, kind, level, page, what stands before it)."""
    text, blocks = "", []
    for number, (words, kind, level, page, before) in enumerate(parts):
        text += before
        span = Span(len(text), len(text) + len(words))
        blocks.append(Block(id=f"b{number}", kind=kind, span=span, page=page, level=level))
        text += words
    return Document(id="d", source=SOURCE, text=text, pages=(), blocks=tuple(blocks))


def test_each_kind_is_written_in_its_way() -> None:
    written = to_markdown(
        document(
            ("Ships", BlockKind.TITLE, 1, 1, ""),
            ("Their\nsails", BlockKind.HEADING, 2, 1, "\n\n"),
            ("• Rope", BlockKind.LIST_ITEM, 1, 1, "\n\n"),
            ("• Thin rope", BlockKind.LIST_ITEM, 2, 1, "\n\n"),
            ("1. First", BlockKind.LIST_ITEM, 1, 1, "\n\n"),
            ("sail()\n  ```", BlockKind.CODE, 0, 1, "\n\n"),
            ("<table>\n<tr><td>a</td></tr>\n</table>", BlockKind.TABLE, 0, 1, "\n\n"),
            ("", BlockKind.FIGURE, 0, 1, ""),
            ("Figure 1: A ship.", BlockKind.CAPTION, 0, 1, "\n\n"),
            ("7", BlockKind.PAGE_NUMBER, 0, 1, "\n\n"),
        )
    )
    assert written == (
        "# Ships\n\n## Their sails\n\n- Rope\n  - Thin rope\n1. First\n\n````\nsail()\n  ```\n````\n\n"
        "<table>\n<tr><td>a</td></tr>\n</table>\n\nFigure 1: A ship.\n"
    )


def test_a_paragraph_that_goes_on_is_one_paragraph() -> None:
    parted = document(("It goes", BlockKind.PARAGRAPH, 0, 1, ""), ("on.", BlockKind.PARAGRAPH, 0, 2, " "))
    assert to_markdown(parted) == "It goes on.\n"


def test_pages_and_furniture_are_chosen() -> None:
    two = document(("One", BlockKind.PARAGRAPH, 0, 1, ""), ("Head", BlockKind.HEADER, 0, 2, "\n\n"))
    assert to_markdown(two, pages={2}, furniture=True) == "Head\n"
    assert to_markdown(two, pages={2}) == ""


def test_notes_are_comments_of_a_line_that_their_words_cannot_end() -> None:
    assert to_markdown(labelled("Say --> this.\n\nNow --!>.", NOTES)) == (
        "<!-- notes: Say - -> this. -->\n<!-- notes: Now - ->. -->\n"
    )


def test_hidden_text_is_given_with_furniture_only() -> None:
    assert to_markdown(labelled("Unseen", HIDDEN)) == ""
    assert to_markdown(labelled("Unseen", HIDDEN), furniture=True) == "Unseen\n"
