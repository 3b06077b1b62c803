"""HTML -> its main content in blocks, the page's frame left out, hidden words labelled."""

from collections.abc import Iterator
from dataclasses import dataclass

from docpipe._encodings import decode
from docpipe.parse.asides import Asides
from docpipe.parse.draft import Draft, clean, with_language
from docpipe.parse.web import head as page_metadata
from docpipe.parse.web import hiding, main_content, markup
from docpipe.types import Blob, Document


@dataclass(frozen=True, kw_only=True)
class HtmlParser:
    """A saved page: an article loses menus, adverts and comments; a plain document (manual, report) is kept whole."""

    VERSION = 2

    main_content: bool = True
    """Whether menus, adverts and comments of web pages are left out."""

    link_targets: bool = False
    """Whether a link's address follows its text, as `text <https://...>`; not in tables and headings."""

    def __call__(self, blob: Blob, /) -> Iterator[Document]:
        """One document; a page that shows nothing gives an empty one. There is no invalid HTML."""
        read = decode(blob.data, declared=page_metadata.declared_encoding(blob.data))
        text = clean(read.text)
        tree = markup.parse(text)
        draft, asides = Draft(), Asides()
        metadata = {"encoding": read.encoding, "encoding_errors": str(read.errors) if read.errors else ""}
        if tree is not None:
            metadata = {**page_metadata.of(tree), **metadata}
            for words in hiding.unseen(tree, text):
                asides.add(words)
            found = markup.pieces(tree, targets=self.link_targets)
            markup.append(main_content.select(found, tree) if self.main_content else found, draft)
        metadata["title"] = metadata.get("title") or draft.title()
        asides.write(draft)
        yield draft.document(blob.source, with_language(metadata, draft.text))
