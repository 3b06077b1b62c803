"""Program text -> its definitions, each below its name."""

from collections.abc import Iterator
from dataclasses import dataclass

from docpipe._encodings import decode
from docpipe.parse.definitions import LANGUAGES, Part, parts
from docpipe.parse.draft import Draft, clean, with_language
from docpipe.types import Blob, BlockKind, Document


@dataclass(frozen=True, kw_only=True)
class SourceCodeParser:
    """Code in blocks: what stands before the first definition, then each definition below its name as a heading.

    A definition begins with the comments and decorators right above it; a long class is divided at its methods, called
    `Class.method`. Definitions are found by how their first lines look, not by a grammar: one that is written in an
    unusual way belongs to the block before it, and no line is ever left out.
    """

    VERSION = 1

    def __call__(self, blob: Blob, /) -> Iterator[Document]:
        """One document; any text is valid."""
        read = decode(blob.data)
        text = clean(read.text)
        language = blob.source.media_type.partition("text/x-")[2]
        grammar = LANGUAGES.get(blob.source.media_type)
        draft = Draft()
        found = parts(text, grammar) if grammar else [Part(0, "", 0)]
        for part, stop in zip(found, [*(part.start for part in found[1:]), len(text)], strict=True):
            code = text[part.start : stop]
            if part.name and code.strip():
                draft.add(BlockKind.HEADING, part.name, level=part.level, label="definition")
            draft.add(BlockKind.CODE, code, label=language or "code")
        metadata = {
            "code_language": language,
            "encoding": read.encoding,
            "encoding_errors": str(read.errors) if read.errors else "",
        }
        yield draft.document(blob.source, with_language(metadata, draft.text))
