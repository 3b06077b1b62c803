"""Chunk and split against a compiled splitter and the bare token count: MB of UTF-8 per CPU second.

    python benchmarks/split_speed.py [--data FOLDER] [--megabytes 4] [--max-tokens 256]

Without a folder the text is made by a seeded generator. With one, its `.md` and `.txt` files and the `text` fields
of its `.jsonl` files are read. Every row asserts that no chunk is over the limit and that all text is covered.
"""

import argparse
import json
import random
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from docpipe import _ids
from docpipe._language import primary_language
from docpipe.chunk.layout import LayoutChunker
from docpipe.protocols import Tokenizer
from docpipe.split.splitter import split
from docpipe.split.tokenizers import tokenizer
from docpipe.types import Block, BlockKind, Chunk, Document, Source, Span

TARGET = 8.0
"""MB per CPU second that chunking should reach."""
_SYLLABLES = "ka lo mi ter on pre sta tion ing ver al com pro re es ul ant per form line work ed er ly".split()  # noqa: SIM905


def english(rng: random.Random) -> str:
    """A paragraph of made-up English."""
    vocabulary = [
        "the",
        "of",
        "and",
        "to",
        "in",
        "is",
        "for",
        "with",
        "data",
        "system",
        "results",
        "between",
        "however",
    ]
    sentences = []
    for _ in range(rng.randint(2, 9)):
        words = [
            rng.choice(vocabulary) if rng.random() < 0.6 else "".join(rng.choices(_SYLLABLES, k=rng.randint(1, 4)))
            for _ in range(rng.randint(6, 28))
        ]
        words[rng.randrange(len(words))] = rng.choice(["(Fig. 3)", "3.14", "e.g.", "1987,", "Dr. Smith"])
        sentences.append(" ".join(words).capitalize() + rng.choice(".....?!"))
    return " ".join(sentences)


def chinese(rng: random.Random) -> str:
    """A paragraph of random common Chinese characters."""
    sentences = []
    for _ in range(rng.randint(2, 8)):
        clauses = ["".join(chr(rng.randint(0x4E00, 0x5E00)) for _ in range(rng.randint(4, 16))) for _ in range(3)]
        sentences.append("，".join(clauses) + rng.choice("。。。！？；"))
    return "".join(sentences)


def generated(paragraph: Callable[[random.Random], str], megabytes: float) -> Iterator[list[tuple[BlockKind, str]]]:
    """Documents of about 100 kB: headings every few paragraphs."""
    rng, made = random.Random(7), 0
    while made < megabytes * 1e6:
        parts, size = [], 0
        while size < 100_000:
            heading = not parts or rng.random() < 0.15
            text = paragraph(rng)[:40] if heading else paragraph(rng)
            parts.append((BlockKind.HEADING if heading else BlockKind.PARAGRAPH, text))
            size += len(text.encode())
        made += size
        yield parts


def found(folder: Path, megabytes: float) -> Iterator[list[tuple[BlockKind, str]]]:
    """Documents of a folder, a block per paragraph; a short first line is taken for a heading."""
    read = 0
    for text in _texts(folder):
        parts = [
            (BlockKind.HEADING if part.startswith("#") else BlockKind.PARAGRAPH, part)
            for part in (piece.strip() for piece in text.split("\n\n"))
            if part
        ]
        if parts:
            yield parts
        read += len(text.encode())
        if read > megabytes * 1e6:
            return


def document(parts: Iterable[tuple[BlockKind, str]], number: int) -> Document:
    """Blocks of a document, a blank line between them; its language is known, as parsers tell it."""
    blocks, at = [], 0
    texts = []
    for kind, text in parts:
        span = Span(at, at + len(text))
        blocks.append(Block(id=f"b{len(blocks)}", kind=kind, span=span, level=1 + len(blocks) % 2))
        texts.append(text)
        at = span.end + 2
    language = primary_language(texts[0] + texts[-1]) if texts else ""
    source = Source(uri=f"{number}.txt", media_type="text/plain", digest="0" * 64, size=at, modified=0)
    return Document(
        id=_ids.document_id(source.uri),
        source=source,
        text="\n\n".join(texts),
        pages=(),
        blocks=tuple(blocks),
        metadata={"language": language},
    )


def main() -> None:
    """Print a row per text and way of cutting."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of texts to cut in place of generated ones")
    parser.add_argument("--megabytes", type=float, default=4.0, help="how much text")
    parser.add_argument("--max-tokens", type=int, default=256)
    options = parser.parse_args()
    if options.data and not options.data.is_dir():
        print(f"{options.data} is not there: nothing measured")
        return
    sets = (
        {options.data.name: found(options.data, options.megabytes)}
        if options.data
        else {
            "English": generated(english, options.megabytes),
            "Chinese": generated(chinese, options.megabytes),
        }
    )
    print(f"{'text':<12} {'way':<28} {'MB/CPU s':>9} {'of target':>9} {'pieces':>8} {'mean tokens':>12}")
    for name, parts in sets.items():
        documents = [document(part, number) for number, part in enumerate(parts)]
        measure(name, documents, options.max_tokens)


def measure(name: str, documents: list[Document], most: int) -> None:
    """All ways over the same documents."""
    counter = tokenizer("bge-small-en")
    megabytes = sum(len(document.text.encode()) for document in documents) / 1e6

    def row(way: str, work: Callable[[], list[int]]) -> None:
        start = time.process_time()
        counts = work()
        speed = megabytes / (time.process_time() - start)
        mean = sum(counts) / max(1, len(counts))
        print(f"{name:<12} {way:<28} {speed:9.1f} {speed / TARGET:9.2f} {len(counts):8d} {mean:12.1f}")

    row("count blocks (floor)", lambda: _counted(documents, counter))
    row("split", lambda: _splits(documents, counter, most))
    row("chunk.layout", lambda: _chunks(documents, counter, most, check=False))
    compiled = _compiled(most)
    if compiled is None:
        print(f"{name:<12} semantic-text-splitter: not installed, left out")
    else:
        row("semantic-text-splitter", lambda: [0 for document in documents for _ in compiled(document.text)])
    _chunks(documents, counter, most, check=True)


def _counted(documents: list[Document], counter: Tokenizer) -> list[int]:
    return counter.count_many([block.span.of(document.text) for document in documents for block in document.blocks])


def _splits(documents: list[Document], counter: Tokenizer, most: int) -> list[int]:
    sizes = []
    for document in documents:
        at = 0
        for span in split(document.text, limit=most, tokenizer=counter):
            assert span.start == at, "spans must tile the text"
            at = span.end
            sizes.append(0)
        assert at == len(document.text)
    return sizes


def _chunks(documents: list[Document], counter: Tokenizer, most: int, *, check: bool) -> list[int]:
    chunker = LayoutChunker(max_tokens=most)
    counts = []
    for document in documents:
        chunks = list(chunker(document))
        counts += [chunk.token_count for chunk in chunks]
        if check:
            _check(document, chunks, counter, most)
    return counts


def _check(document: Document, chunks: list[Chunk], counter: Tokenizer, most: int) -> None:
    covered = bytearray(len(document.text))
    for chunk in chunks:
        tokens = counter.count(chunk.content) + counter.special_tokens
        assert tokens == chunk.token_count <= most, "a chunk is over the limit, or counted wrongly"
        covered[chunk.span.start : chunk.span.end] = b"\1" * (chunk.span.end - chunk.span.start)
    left = [at for at, seen in enumerate(covered) if not seen and not document.text[at].isspace()]
    assert not left, f"{len(left)} characters are in no chunk"


def _compiled(most: int) -> Callable[[str], list[str]] | None:
    """A splitter that is compiled as a whole, counting with the reference tokenizer."""
    try:
        from semantic_text_splitter import TextSplitter
        from tokenizers import Tokenizer as Reference
    except ImportError:
        return None
    from docpipe._weights import BGE_SMALL_EN_TOKENIZER, locate

    reference = Reference.from_file(str(locate(BGE_SMALL_EN_TOKENIZER)))
    reference.no_truncation()
    reference.no_padding()
    chunks: Callable[[str], list[str]] = TextSplitter.from_huggingface_tokenizer(reference, most).chunks
    return chunks


def _texts(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".md", ".txt"):
            yield path.read_text(encoding="utf-8", errors="replace")
        elif path.suffix == ".jsonl":
            with path.open(encoding="utf-8") as lines:
                yield from (text for line in lines if (text := json.loads(line).get("text")))


if __name__ == "__main__":
    main()
