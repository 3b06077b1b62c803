"""reStructuredText -> headings, paragraphs, lists, tables, code, notes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from docpipe._encodings import decode
from docpipe.parse.draft import Draft, clean, known, with_language
from docpipe.parse.rst_nodes import RstWriter, read_tree
from docpipe.parse.text import TextParser
from docpipe.types import Blob, Document

_LONGEST, _LONGEST_LINE = 600_000, 20_000
"""Code points; its reader takes a second for 60,000 of them."""
_MOST_EFFORT = 20_000_000
"""Signs of marked words in a paragraph, squared, summed over all paragraphs: its reader takes time by that."""
_SIGN = re.compile(r"[`*]|\|(?=\S)")
_DEEPEST_LINE = 400
"""Blanks before a line; each level of nesting needs some, and its reader calls itself for each."""


@dataclass(frozen=True, kw_only=True)
class RestructuredTextParser:
    """reStructuredText as it reads: roles and directives of Sphinx, which are unknown here, give the words in them.

    Files that it includes or that it draws on are not opened, and raw HTML is left out. What cannot be read as
    reStructuredText is read as text, with the reason in `metadata["not_valid"]`.
    """

    VERSION = 1

    def __call__(self, blob: Blob, /) -> Iterator[Document]:
        """One document."""
        read = decode(blob.data)
        text = clean(read.text)
        draft = Draft()
        try:
            about = self._write(text, draft)
        except ValueError as error:
            (plain,) = TextParser()(blob)
            yield replace(plain, metadata={**plain.metadata, **known({"not_valid": str(error)})})
            return
        metadata = {"encoding": read.encoding, "encoding_errors": str(read.errors) if read.errors else "", **about}
        metadata["title"] = metadata.get("title") or draft.title()
        yield draft.document(blob.source, with_language(metadata, draft.text))

    def _write(self, text: str, draft: Draft) -> dict[str, str]:
        _refuse_endless(text)
        writer = RstWriter(draft)
        try:
            writer.write(read_tree(text))
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
        return writer.about


def _refuse_endless(text: str) -> None:
    """Raise ValueError where docutils would take minutes."""
    if len(text) > _LONGEST:
        raise ValueError(f"it is longer than {_LONGEST:,} characters")
    effort = 0
    for paragraph in text.split("\n\n"):
        lines = paragraph.split("\n")
        if any(line.startswith(" " * _DEEPEST_LINE) or len(line) > _LONGEST_LINE for line in lines):
            raise ValueError("its lines are too long, or indented too deeply")
        effort += sum(1 for _ in _SIGN.finditer(paragraph)) ** 2
    if effort > _MOST_EFFORT:
        raise ValueError("it has too many signs of marked words")
