"""Rich text (RTF) -> headings, paragraphs, lists, tables, notes."""

from collections.abc import Iterator
from dataclasses import dataclass

from docpipe.errors import CorruptSource, SourceTooLarge
from docpipe.parse.rich_text.marks import TooManyMarks
from docpipe.parse.rich_text.reader import RichTextReader
from docpipe.types import Blob, Document


@dataclass(frozen=True, kw_only=True)
class RtfParser:
    """Rich text with all changes accepted: headings by their style or outline level, numbers of lists as text.

    Notes stand after the paragraph or table with their mark, headers and footers are furniture. Hidden text, white on
    white, letters below 2 points and comments are blocks of kind `other`, called `hidden`. Pictures and objects are
    left out.
    """

    VERSION = 1

    def __call__(self, blob: Blob, /) -> Iterator[Document]:
        """One document, without pages.

        Raises:
            CorruptSource: it does not begin as RTF does.
            SourceTooLarge: it holds millions of marks and hardly a word.
        """
        if b"{\\rtf" not in blob.data[:1024].replace(b"\x00", b""):
            raise CorruptSource(
                "it is no RTF", source=blob.source.uri, remedy="open it in the program that wrote it and save it anew"
            )
        reader = RichTextReader()
        try:
            reader.read(blob.data)
        except TooManyMarks as error:
            raise SourceTooLarge(
                "it holds too many marks to be read", source=blob.source.uri, remedy="save it as docx or PDF"
            ) from error
        yield reader.body.paper.document(blob.source, reader.head.about)
