"""Excel workbooks of before 2007 -> the tables on each sheet, numbers and dates as shown."""

from collections.abc import Iterator
from dataclasses import dataclass

from docpipe.parse.office.old_properties import old_properties
from docpipe.parse.office.old_sheets import read_old_sheets
from docpipe.types import Blob, Document


@dataclass(frozen=True, kw_only=True)
class XlsParser:
    """Workbooks of Excel 5 to 2003 (xls, xlt), read as `parse.xlsx` reads the newer ones.

    Hidden sheets, rows and columns, and letters that are white on white or smaller than 2 points, are blocks called
    `hidden` at the end. What lies on a sheet (charts, text boxes), macros, comments and external data are left out.
    """

    VERSION = 1

    def __call__(self, blob: Blob, /) -> Iterator[Document]:
        """One document; each sheet is a page without a size.

        Raises:
            CorruptSource: it is damaged, or no such workbook.
            EncryptedSource: it needs a password.
            SourceTooLarge: it shows more cells or characters than can be held.
        """
        yield read_old_sheets(blob).document(blob.source, old_properties(blob))
