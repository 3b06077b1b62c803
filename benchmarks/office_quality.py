"""Office files, books and mails -> how close their text comes to the truth, and how quickly.

    python benchmarks/office_quality.py [--data FOLDER] [--files]

FOLDER holds `parse-gt/`; the scorer lies beside it in `../score/score.py`. Tables are compared as the truth writes
them: a cell that spans columns or rows is repeated in each of them. Running headers and footers, and what stands above
a mail's body, are no part of the truth and are left out; so are speaker notes in the second figure for slides. The
mails that were saved in UTF-16 count apart: their truth is what a reader of ASCII makes of them.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from evaluation import blob, lines, pairs, scorer
from html_quality import _RULE, rendered

from docpipe.markdown import to_markdown
from docpipe.parse.auto import AutoParser
from docpipe.types import FURNITURE, Document

FOLDERS = {
    "office": ("docx", "pptx", "xlsx", "xlsm", "odt", "odp"),
    "same-text": ("docx", "pptx", "odt", "epub"),
    "epub": ("epub",),
    "mail": ("eml",),
}
FACTS = ("markitdown", "tika")
_READ = frozenset({"docx", "pptx", "xlsx", "odt", "ods", "odp", "epub", "eml", "msg"})


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, default=Path("data"))
    options.add_argument("--files", action="store_true", help="one line per file")
    given = options.parse_args()
    truth = given.data / "parse-gt"
    if not truth.is_dir():
        print(f"skipped: {truth} is missing")
        return
    score = scorer(given.data)
    print(f"{'folder':24} {'files':>5} {'edit':>6} {'recall':>6} {'precision':>9} {'MB / CPU s':>10}")
    for name, kinds in FOLDERS.items():
        for kind in kinds:
            _measure(truth / name, kind, score, files=given.files)
    for name in FACTS:
        _facts(truth / name, score)


def _measure(folder: Path, kind: str, score: ModuleType, *, files: bool) -> None:
    """Print the means of all files of a kind, and of parts of them that are judged apart."""
    documents: list[tuple[str, str, Document]] = []
    size, seconds = 0, 0.0
    for path, expected in pairs(folder, kind):
        found = blob(path)
        list(AutoParser()(found))  # what is loaded at the first use is not measured
        start = time.process_time()
        (document,) = AutoParser()(found)
        seconds, size = seconds + time.process_time() - start, size + len(found.data)
        documents.append((path.name, _RULE.sub("", expected.read_text("utf-8")), document))
    if kind == "eml":
        wide = [item for item in documents if "utf-16" in item[0]]
        documents = [item for item in documents if "utf-16" not in item[0]]
        _print(f"{folder.name} {kind} in UTF-16", wide, score, "", files=files)
    speed = f"{size / 1e6 / seconds:10.2f}" if seconds else ""
    _print(f"{folder.name} {kind}", documents, score, speed, files=files)
    if kind in ("pptx", "odp"):
        _print(f"{folder.name} {kind} no notes", documents, score, "", files=files, without=frozenset({"notes"}))


def _print(
    name: str,
    documents: list[tuple[str, str, Document]],
    score: ModuleType,
    speed: str,
    *,
    files: bool,
    without: frozenset[str] = frozenset(),
) -> None:
    rows = [
        (path, score.text(expected, rendered(without_furniture(document, without))))
        for path, expected, document in documents
    ]
    if not rows:
        return
    edit, recall, precision = (
        sum(row[key] for _, row in rows) / len(rows) for key in ("edit", "word_recall", "word_precision")
    )
    print(f"{name:24} {len(rows):5} {edit:6.3f} {recall:6.3f} {precision:9.3f} {speed}")
    for path, row in sorted(rows, key=lambda row: row[1]["edit"]) if files else ():
        print(f"    {path:45} {row['edit']:6.3f} {row['word_recall']:6.3f} {row['word_precision']:9.3f}")


def without_furniture(document: Document, labels: frozenset[str] = frozenset()) -> Document:
    """The document without running headers and footers, and without blocks that are called so."""
    kept = tuple(b for b in document.blocks if b.kind not in FURNITURE and b.native_label not in labels)
    return replace(document, blocks=kept)


def _facts(folder: Path, score: ModuleType) -> None:
    """Share of the facts found in files of the formats that are measured here."""
    tests = [row for row in lines(folder / "tests.jsonl") if row["pdf"].rpartition(".")[2] in _READ]
    texts = {name: _text(folder / name) for name in {row["pdf"] for row in tests}}
    shares = score.facts(tests, lambda name, page: texts[name])
    print(f"{folder.name + ' facts':24} {shares['tests']:5} {shares['all']:6.3f}")


def _text(path: Path) -> str:
    (document,) = AutoParser()(blob(path))
    return to_markdown(document, furniture=True)


if __name__ == "__main__":
    main()
