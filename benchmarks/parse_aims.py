"""Every kind of document that has a truth -> how close its text comes to it, beside what we aim for.

    python benchmarks/parse_aims.py [--data FOLDER] [--ocr] [--missed]

FOLDER holds `parse-gt/`; the scorer lies beside it in `../score/score.py`. Edit similarity is the mean over the files
of a kind, facts are the share that hold; a file that cannot be read counts as an empty text. Furniture is left out of
texts, and of facts about printed pages; speaker notes are comments, as `docpipe parse` writes them, and slides are
shown again with notes as text. Mails saved in UTF-16, whose truth
is what a reader of ASCII makes of them, are left out of `mail` and shown apart.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType

from evaluation import blob, lines, pairs, scorer
from html_quality import _RULE, rendered
from office_quality import without_furniture

from docpipe.errors import DocpipeError
from docpipe.markdown import to_markdown
from docpipe.parse.auto import AutoParser
from docpipe.types import NOTES, Document

TEXTS = {
    "docx": ("office", 0.95), "html": ("office", 0.95), "pptx": ("office", 0.92), "xlsx": ("office", 0.92),
    "epub": ("epub", 0.97), "eml": ("mail", 0.95), "html ": ("html-articles", 0.90), "odt": ("office", None),
    "odp": ("office", None), "xlsm": ("office", None),
}  # fmt: skip
"""Kind -> the folder of its truth, and the edit similarity aimed for."""
FACTS = {"olmocr": 0.55, "markitdown": 0.95, "tika": 0.80}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, default=Path("data"))
    options.add_argument("--ocr", action="store_true", help="recognise scanned pages here (slow)")
    options.add_argument("--missed", action="store_true", help="name the facts that do not hold, by file")
    given = options.parse_args()
    truth = given.data / "parse-gt"
    if not truth.is_dir():
        print(f"skipped: {truth} is missing")
        return
    score, read = scorer(given.data), _reader(given.ocr)
    print(f"{'what':32} {'files':>5} {'aim':>5} {'found':>6}")
    for kind, (folder, aim) in TEXTS.items():
        rows = list(_edits(truth / folder, kind.strip(), score, read))
        wide = [edit for name, edit in rows if "utf-16" in name and kind == "eml"]
        _print(f"{folder} {kind}".strip(), [edit for _, edit in rows if edit not in wide], aim)
        _print(f"{folder} {kind} in UTF-16", wide, None)
        if kind == "pptx":
            rows = list(_edits(truth / folder, kind, score, lambda path: _notes_as_text(read(path))))
            _print(f"{folder} {kind} with notes as text", [edit for _, edit in rows], None)
    for folder, aim in FACTS.items():
        _facts(truth / folder, aim, score, read, missed=given.missed)


def _reader(ocr: bool) -> Callable[[Path], Document | None]:
    """What reads a file as a pipeline does; None for a file that it refuses."""
    parser = AutoParser()
    if ocr:
        from docpipe.parse.ocr import OcrParser

        parser = AutoParser(pdf=OcrParser())

    @cache
    def read(path: Path) -> Document | None:
        try:
            return next(iter(parser(blob(path))), None)
        except DocpipeError as error:
            print(f"    {path.name}: {error}", file=sys.stderr)
            return None

    return read


def _edits(
    folder: Path, kind: str, score: ModuleType, read: Callable[[Path], Document | None]
) -> Iterator[tuple[str, float]]:
    for path, expected in pairs(folder, kind):
        document = read(path)
        text = rendered(without_furniture(document)) if document else ""
        yield path.name, score.text(_RULE.sub("", expected.read_text("utf-8")), text)["edit"]


def _notes_as_text(document: Document | None) -> Document | None:
    if document is None:
        return None
    blocks = tuple(
        replace(block, native_label="") if block.native_label == NOTES else block for block in document.blocks
    )
    return replace(document, blocks=blocks)


def _facts(
    folder: Path, aim: float, score: ModuleType, read: Callable[[Path], Document | None], *, missed: bool
) -> None:
    tests = [test for test in lines(folder / "tests.jsonl") if test["type"] != "math"]

    def text(name: str, page: int | None) -> str:
        document = read(folder / name)
        if document is None:
            return ""
        pages = {page} if page and document.pages else None
        return to_markdown(document, pages=pages, furniture=not name.endswith(".pdf"))

    held = [score.fact(test, text(test["pdf"], test.get("page"))) for test in tests]
    _print(f"{folder.name} facts", list(map(float, held)), aim)
    for test in (test for test, holds in zip(tests, held, strict=True) if missed and not holds):
        print(f"    {test['pdf']}: {test['type']} {str(test.get('text') or test.get('cell') or test)[:90]!r}")


def _print(name: str, values: list[float], aim: float | None) -> None:
    if values:
        mean = sum(values) / len(values)
        verdict = "" if aim is None else "  ok" if mean >= aim else "  BELOW"
        print(f"{name:32} {len(values):5} {aim if aim is not None else '':>5} {mean:6.3f}{verdict}")


if __name__ == "__main__":
    start = time.process_time()
    main()
    print(f"{time.process_time() - start:.1f} CPU seconds")
