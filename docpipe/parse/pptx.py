"""PowerPoint presentations -> a page for each slide: titles, lists, tables, charts, speaker notes."""

from collections.abc import Iterator
from dataclasses import dataclass

from docpipe.parse.office.package import Package, within_depth
from docpipe.parse.office.properties import core_properties
from docpipe.parse.office.slides import SlideReader
from docpipe.types import Blob, Document


@dataclass(frozen=True, kw_only=True)
class PptxParser:
    """Presentations (pptx, pptm, ppsx): each slide is a page of its size, its title first, then top down.

    Speaker notes stand at the end of their slide as paragraphs called `notes`; what the master shows on every slide is
    a footer. Text beside the slide or in hidden shapes, letters that nobody sees, and comments are blocks called
    `hidden` at the end. Hidden slides are read; animations are left out.
    """

    VERSION = 2

    def __call__(self, blob: Blob, /) -> Iterator[Document]:
        """One document.

        Raises:
            CorruptSource, EncryptedSource, SourceTooLarge: it cannot be unpacked; no link in it is ever followed.
        """
        with Package(blob) as package, within_depth(blob.source):
            document = SlideReader(package).read().document(blob.source, core_properties(package))
        yield document
