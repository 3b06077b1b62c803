"""Instructions to a model that documents carry -> how many are marked and kept out of prompts, and false alarms.

    python benchmarks/injection.py [--data FOLDER] [--files]

FOLDER holds `injection/`; the scorer lies beside it in `../score/score.py`. Each carrier is parsed by `parse.auto` and
chunked by `chunk.layout`, as `docpipe run` does. An instruction is `kept out` when no chunk holds it, whole or as the
letters that stand for it; it is `marked` when it stands in a block called `hidden` or `suspicious`, or in nothing that
is text at all (`metadata`, `absent`). `true text`: word recall of what the carrier shows, in its chunks.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from evaluation import blob, lines, scorer

from docpipe import _ids
from docpipe.chunk.layout import LayoutChunker
from docpipe.parse.auto import AutoParser
from docpipe.types import HIDDEN, SUSPICIOUS, Blob, Document, Source

_TAGS = str.maketrans({chr(0xE0000 + code): chr(code) for code in range(0x20, 0x7F)})


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, default=Path("data"))
    options.add_argument("--files", action="store_true", help="one line per carrier")
    given = options.parse_args()
    folder = given.data / "injection"
    if not folder.is_dir():
        print(f"skipped: {folder} is missing")
        return
    _carriers(folder, scorer(given.data), files=given.files)
    harmless = [row["text"] for row in lines(folder / "benign_lookalikes.jsonl")]
    contexts = [row["context"] for row in lines(folder / "bipia.jsonl")]
    clean = [row["true_text"] for row in lines(folder / "carriers.jsonl")]
    passages = [text for row in lines(folder / "poisoned_passages.jsonl") for text in row.get("poison_passages", ())]
    print(f"{'texts':34} {'flagged':>7} {'of':>5}")
    _flagged("harmless look-alikes", harmless)
    _flagged("clean e-mails and tables", dict.fromkeys(contexts))
    _flagged("clean texts of the carriers", dict.fromkeys(clean))
    _flagged("false passages (no instructions)", passages)
    _flagged("e-mails and tables with an attack", [row["poisoned_context"] for row in lines(folder / "bipia.jsonl")])


def _carriers(folder: Path, score: ModuleType, *, files: bool) -> None:
    parser, chunker = AutoParser(), LayoutChunker()
    rows, places, kept_out, recall = lines(folder / "carriers.jsonl"), Counter[str](), 0, list[float]()
    for row in rows:
        (document,) = parser(blob(folder / row["file"]))
        content = "\n".join(chunk.content for chunk in chunker(document))
        place, leaked = _place(document, row["attack"]), _folded(row["attack"]) in _folded(content)
        survived = score.text(row["true_text"], content)["word_recall"]
        places[place] += 1
        kept_out += not leaked
        recall.append(survived)
        if files:
            print(f"{row['file']:20} {row['technique']:46} {place:11} {'LEAKED' if leaked else '':7} {survived:6.3f}")
    told = ", ".join(f"{place} {count}" for place, count in places.most_common())
    print(f"carriers: {len(rows)}; kept out of chunks: {kept_out}; {told}; true text {sum(recall) / len(recall):.4f}")


def _place(document: Document, attack: str) -> str:
    """Where a document holds an instruction: the label of its block, `content`, `metadata` or `absent`."""
    wanted = _folded(attack)
    for block in document.blocks:
        if wanted in _folded(block.span.of(document.text)):
            return block.native_label if block.native_label in (HIDDEN, SUSPICIOUS) else "content"
    if wanted in _folded(document.text):
        return "content"
    if any(wanted in _folded(value) for value in document.metadata.values()):
        return "metadata"
    return SUSPICIOUS if document.metadata.get(SUSPICIOUS) else "absent"


def _folded(text: str) -> str:
    return "".join(text.translate(_TAGS).split()).casefold()


def _flagged(name: str, texts: Iterable[str]) -> None:
    """How many texts have a block that is marked, parsed as plain text."""
    parsed = [document for text in texts for document in AutoParser()(_text(text))]
    marked = sum(any(block.native_label in (HIDDEN, SUSPICIOUS) for block in document.blocks) for document in parsed)
    print(f"{name:34} {marked:7} {len(parsed):5}")


def _text(text: str) -> Blob:
    data = text.encode("utf-8", "replace")
    source = Source(uri="text.txt", media_type="text/plain", digest=_ids.digest(data), size=len(data), modified=0)
    return Blob(source=source, data=data)


if __name__ == "__main__":
    sys.exit(main())
