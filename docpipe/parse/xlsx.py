"""Excel workbooks -> the tables on each sheet, numbers and dates as shown."""

from collections.abc import Iterator
from dataclasses import dataclass

from docpipe.parse.office.package import Package, within_depth
from docpipe.parse.office.properties import core_properties
from docpipe.parse.office.sheets import SheetReader
from docpipe.types import Blob, Document


@dataclass(frozen=True, kw_only=True)
class XlsxParser:
    """Workbooks (xlsx, xlsm, xltx): cells that touch each other are a table, one that stands alone is a paragraph.

    Formulas give the value that was saved with them. Each sheet stands under its name, with the texts and charts that
    lie on it. Hidden sheets, rows and columns, letters that are white on white or smaller than 2 points, and comments
    are blocks called `hidden` at the end. Macros and external data are left out.
    """

    VERSION = 2

    def __call__(self, blob: Blob, /) -> Iterator[Document]:
        """One document; each sheet is a page without a size.

        Raises:
            CorruptSource, EncryptedSource, SourceTooLarge: it cannot be unpacked; no link in it is ever followed.
        """
        with Package(blob) as package, within_depth(blob.source):
            document = SheetReader(package).read().document(blob.source, core_properties(package))
        yield document
