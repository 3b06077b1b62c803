"""Folders of PDFs and questions with evidence -> whether the right pages and documents are found.

    python benchmarks/pdf_retrieval.py --data FOLDER [--keep FOLDER] [--rerank]

FOLDER holds `pdf-qa` (questions with evidence pages, asked inside their own document) and `pdf-multidoc` (questions
that need several documents, asked over all); the scorer is read from `FOLDER/../score/score.py`. The files go through
the whole pipeline with the embedded default. `--keep` keeps the indexes between calls.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from types import ModuleType
from typing import Any

from evaluation import lines, scorer

import docpipe
from docpipe.types import Hit

PIPELINE = """
version: 1
name: {name}
source: {{use: load.files, path: "{docs}"}}
stages:
  - use: parse.auto
  - {{use: chunk.layout, max_tokens: 256, overlap: 32}}
  - use: embed.local
index: {{use: index.lancedb, uri: "{index}"}}
retrieve: {{rerank: {rerank}}}
"""
MODES = ("text", "vector", "hybrid")


def main() -> None:
    """Index both folders, ask all questions, print the metrics."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--rerank", action="store_true")
    options = parser.parse_args()
    if not options.data.is_dir():
        print(f"skipped: {options.data} is missing")
        return
    score = scorer(options.data)
    with tempfile.TemporaryDirectory() as name:
        keep = options.keep or Path(name)
        keep.mkdir(parents=True, exist_ok=True)
        _pages(options.data / "pdf-qa", keep, score, rerank=options.rerank)
        _documents(options.data / "pdf-multidoc", keep, score, rerank=options.rerank)


def _pages(folder: Path, keep: Path, score: ModuleType, *, rerank: bool) -> None:
    questions = [q for q in lines(folder / "questions.jsonl") if q["evidence_pages"]]
    kinds = {row["doc"]: row["text_layer"] for row in lines(folder / "documents.jsonl")}
    pipe = _indexed(folder / "pdfs", keep / "pdf-qa", rerank=rerank)
    groups = {
        "text layer": [q for q in questions if kinds[q["doc"]] == "yes"],
        "partly": [q for q in questions if kinds[q["doc"]] == "partly"],
        "financebench": [q for q in questions if q.get("source") == "financebench"],
        "all files": questions,
    }
    print(f"\n{'pdf-qa, inside the document':30}{'questions':>10}" + "".join(f"{mode:>22}" for mode in MODES))
    runs = {mode: {q["_id"]: _page_hits(pipe, q, mode) for q in questions} for mode in MODES}
    for name, some in groups.items():
        if some:
            found = [score.pages(some, runs[mode]) for mode in MODES]
            cells = "".join(f"{f['page_hit@5']:12.3f} all {f['page_all@5']:5.3f}" for f in found)
            print(f"{name + ': page_hit@5, page_all@5':30}{len(some):10}{cells}")


def _page_hits(pipe: Any, question: dict[str, Any], mode: str) -> list[dict[str, Any]]:
    where = f"uri = {json.dumps(question['doc'], ensure_ascii=False)}"
    hits: list[Hit] = pipe.search(question["question"], limit=20, where=where, mode=mode)
    return [{"doc": hit.chunk.source.uri, "page": page} for hit in hits for page in hit.chunk.pages]


def _documents(folder: Path, keep: Path, score: ModuleType, *, rerank: bool) -> None:
    questions = lines(folder / "questions.jsonl")
    pipe = _indexed(folder / "pdfs", keep / "pdf-multidoc", rerank=rerank)
    print(f"\n{'pdf-multidoc, over all documents':34}{'questions':>10}")
    for mode in MODES:
        run = {
            q["_id"]: [h.chunk.source.uri for h in pipe.search(q["question"], limit=10, mode=mode)] for q in questions
        }
        found = score.docs(questions, run)
        recalls = "   ".join(f"doc_recall@{k} {found[f'doc_recall@{k}']:.3f}" for k in (5, 10))
        print(f"{mode:34}{len(questions):10}   {recalls}")


def _indexed(docs: Path, index: Path, *, rerank: bool) -> Any:
    path = index.with_suffix(".yaml")
    facts = {"name": index.name, "docs": docs, "index": index, "rerank": "local" if rerank else "none"}
    path.write_text(PIPELINE.format(**facts), encoding="utf-8")
    pipe = docpipe.open(path)
    started = time.perf_counter()
    report = pipe.run()
    done = f"{report.indexed} indexed, {report.updated} updated, {report.unchanged} unchanged, {report.failed} failed"
    scans = f"{report.ocr_pages} pages need OCR" if report.ocr_pages else ""
    print(f"{index.name}: {done}, {report.pages} pages, {time.perf_counter() - started:.0f} s {scans}", flush=True)
    return pipe


if __name__ == "__main__":
    main()
