"""What every parser does: files in, documents that the rest of the pipeline can rely on out."""

import pickle
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass

from docpipe import _codec
from docpipe._ids import digest, document_id, fingerprint
from docpipe.errors import DocpipeError
from docpipe.parse.links import link_of
from docpipe.protocols import PagedParser, Parser
from docpipe.types import Blob, Document, Source

DAMAGES: Mapping[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "cut short": lambda data: data[: len(data) // 2],
    "without its start": lambda data: data[len(data) // 2 :],
    "zeros": lambda data: b"\x00" * 4096,
    "other bytes": lambda data: bytes(range(256)) * 64,
    "every seventh byte turned": lambda data: bytes(byte ^ 255 if n % 7 == 6 else byte for n, byte in enumerate(data)),
    "ten times": lambda data: data * 10,
}
"""How a file can be broken."""


def blob(data: bytes, *, name: str, media_type: str) -> Blob:
    """A file as a loader gives it."""
    source = Source(uri=name, media_type=media_type, digest=digest(data), size=len(data), modified=1)
    return Blob(source=source, data=data)


class ParserContract:
    """What every parser does. Subclass it and define `make` and `files`."""

    media_type = "application/octet-stream"
    """What the loader calls these files."""

    def make(self) -> Parser:
        """The parser."""
        raise NotImplementedError

    def files(self) -> Mapping[str, bytes]:
        """Sound files that it reads, by name; at least one with text."""
        raise NotImplementedError

    def blobs(self) -> list[Blob]:
        """These files as a loader gives them."""
        return [blob(data, name=name, media_type=self.media_type) for name, data in self.files().items()]

    def documents(self) -> list[Document]:
        """What the parser makes of them."""
        return [found for one in self.blobs() for found in self.make()(one)]

    def test_the_stage_is_its_options(self) -> None:
        parser = self.make()
        assert is_dataclass(parser)
        again = pickle.loads(pickle.dumps(parser))
        assert again == parser
        assert fingerprint(again) == fingerprint(parser)
        assert isinstance(getattr(parser, "VERSION", None), int), "VERSION says when its output changes"

    def test_a_file_gives_one_document_of_its_own_source(self) -> None:
        for one in self.blobs():
            (found,) = self.make()(one)
            assert (found.id, found.source) == (document_id(one.source.uri), one.source)
        assert any(found.text.strip() for found in self.documents())

    def test_blocks_are_ordered_stretches_of_the_text(self) -> None:
        for found in self.documents():
            ids = [block.id for block in found.blocks]
            assert len(set(ids)) == len(ids)
            end = 0
            for block in found.blocks:
                assert end <= block.span.start <= block.span.end <= len(found.text), block
                end = block.span.end
                assert block.level >= 0

    def test_nothing_but_blanks_stands_between_blocks(self) -> None:
        for found in self.documents():
            ends = [0, *(block.span.end for block in found.blocks)]
            starts = [*(block.span.start for block in found.blocks), len(found.text)]
            for end, start in zip(ends, starts, strict=True):
                assert not found.text[end:start].strip(), found.text[end:start][:80]

    def test_pages_are_numbered_and_blocks_stand_on_them(self) -> None:
        for found in self.documents():
            numbers = [page.number for page in found.pages]
            assert numbers == list(range(1, len(numbers) + 1))
            for block in found.blocks:
                assert block.page is None or block.page in numbers
                assert block.bbox is None or (block.page and all(0 <= edge <= 1 for edge in block.bbox))
            assert all(line.end <= len(found.text) and line.page in numbers for line in found.geometry)

    def test_metadata_outline_and_links_are_plain(self) -> None:
        for found in self.documents():
            assert all(isinstance(text, str) for pair in found.metadata.items() for text in pair)
            assert all(entry.level >= 1 and entry.title for entry in found.outline)
            assert all(link_of(link.text, link.url, link.page) == link for link in found.links)

    def test_a_document_can_be_stored(self) -> None:
        for found in self.documents():
            found.text.encode("utf-8")
            assert _codec.decode(_codec.encode(found)) == found

    def test_the_same_file_gives_the_same_document(self) -> None:
        assert self.documents() == self.documents()

    def test_ranges_of_pages_give_the_document_of_the_whole(self) -> None:
        parser = self.make()
        for one in self.blobs():
            count = parser.page_count(one) if isinstance(parser, PagedParser) else 0
            if not isinstance(parser, PagedParser) or not count:
                continue
            parts = [pickle.dumps(parser.parse_pages(one, number, number + 1)) for number in range(count)]
            assert parser.merge(one.source, [pickle.loads(part) for part in parts]) == next(iter(parser(one)))

    def test_damaged_files_give_a_document_or_an_error_with_a_remedy(self) -> None:
        for name, data in self.files().items():
            for damage, make in DAMAGES.items():
                try:
                    found = list(self.make()(blob(make(data), name=name, media_type=self.media_type)))
                except DocpipeError as error:
                    assert error.remedy, f"{damage}: {type(error).__name__} says nothing of what to try"
                    continue
                assert len(found) <= 1, damage
