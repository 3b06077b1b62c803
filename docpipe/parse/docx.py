"""Word documents -> their text in blocks: headings, lists as numbered, tables, equations, notes, text boxes."""

from collections.abc import Iterator
from dataclasses import dataclass

from docpipe.parse.office.package import Package, within_depth
from docpipe.parse.office.properties import core_properties
from docpipe.parse.office.word import WordReader
from docpipe.types import Blob, Document


@dataclass(frozen=True, kw_only=True)
class DocxParser:
    """Word documents (docx, docm, dotx) as they read with all changes accepted.

    Notes stand after the paragraph or table with their mark, text boxes after that with their anchor. Text that is
    hidden, white on white or smaller than 2 points, and comments are blocks of their own at the end, of kind `other`,
    called `hidden`. Macros and deleted text are left out.
    """

    VERSION = 2

    def __call__(self, blob: Blob, /) -> Iterator[Document]:
        """One document, without pages: where they break is decided when it is printed.

        Raises:
            CorruptSource, EncryptedSource, SourceTooLarge: it cannot be unpacked; no link in it is ever followed.
        """
        with Package(blob) as package, within_depth(blob.source):
            document = WordReader(package).read().document(blob.source, core_properties(package))
        yield document
