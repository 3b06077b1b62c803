"""OpenDocument files (odt, ods, odp) -> text in blocks, tables of sheets, a page for each slide."""

from collections.abc import Iterator
from dataclasses import dataclass

from docpipe.parse.office.open_document import open_properties, read_open_document
from docpipe.parse.office.package import Package, within_depth
from docpipe.types import Blob, Document


@dataclass(frozen=True, kw_only=True)
class OpenDocumentParser:
    """Texts, sheets and slides of LibreOffice and others, as they read with all changes accepted.

    Hidden text, sheets, rows and columns, and comments are blocks of their own at the end, called `hidden`. Macros and
    deleted text are left out.
    """

    VERSION = 2

    def __call__(self, blob: Blob, /) -> Iterator[Document]:
        """One document; slides are pages of their size, sheets pages without one, a text has none.

        Raises:
            CorruptSource, EncryptedSource, SourceTooLarge: it cannot be unpacked; no link in it is ever followed.
        """
        with Package(blob) as package, within_depth(blob.source):
            document = read_open_document(package).document(blob.source, open_properties(package))
        yield document
