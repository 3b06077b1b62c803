"""Folder -> index: CPU, wall seconds and memory of a whole run against a hand-written limit without any framework.

    python benchmarks/ingest.py [--data FOLDER] [--pages 2000] [--embedder hashing|local] [--runs 1]

The limit is raw PyMuPDF text, a compiled splitter, the same embedder on the distinct chunks and one LanceDB add, on as
many processes as there are cores. Without --data the corpus is made here (seeded): PDFs in one and two columns with
headings, tables and running headers, Markdown and HTML. Ratios within one run are what counts, not seconds.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

CHUNK_TOKENS = 512
WORDS = (  # noqa: SIM905
    "system pressure report valve quarter revenue control method sample network index policy engine result value "
    "supply region growth factor signal margin survey client budget sensor module weight answer figure market "
    "winter design safety memory access record manual energy output volume matter period degree object reason"
).split()


def main() -> None:
    """Make or take a corpus, run limit and pipeline in processes of their own, print ratios."""
    options = _arguments()
    if options.role:
        ROLES[options.role](Path(options.data), Path(options.work), options.embedder)
        return
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        corpus = work / "corpus"
        if options.data:
            shutil.copytree(options.data, corpus)
        else:
            make_corpus(corpus, pages=options.pages)
        _compare(corpus, work, options)


def _compare(corpus: Path, work: Path, options: argparse.Namespace) -> None:
    files = [path for path in corpus.rglob("*") if path.is_file()]
    megabytes = sum(path.stat().st_size for path in files) / 1e6
    print(f"corpus: {len(files)} files, {megabytes:.1f} MB; embedder {options.embedder}, {os.cpu_count()} cores\n")
    print(f"{'':34}{'CPU s':>8}{'wall s':>8}{'tree MB':>9}{'CPU x':>8}{'wall x':>8}")
    for _ in range(options.runs):
        limit = _measure("limit", corpus, work, options)
        _line("limit: parse+split+embed+add", limit, limit)
        shutil.rmtree(work / "docpipe", ignore_errors=True)
        first = _measure("run", corpus, work, options)
        _line("docpipe run, all new", first, limit)
        _line("docpipe run, nothing changed", _measure("run", corpus, work, options), limit)
        _change(corpus, seed=1)
        _line("docpipe run, 1 % of each change", _measure("run", corpus, work, options), limit)
    print("\n" + (work / "last_report.txt").read_text("utf-8"))


def _line(what: str, cost: "tuple[float, float, float]", limit: "tuple[float, float, float]") -> None:
    cpu, wall, memory = cost
    print(f"{what:34}{cpu:8.2f}{wall:8.2f}{memory:9.0f}{cpu / limit[0]:8.2f}{wall / limit[1]:8.2f}", flush=True)


def _measure(role: str, corpus: Path, work: Path, options: argparse.Namespace) -> "tuple[float, float, float]":
    """CPU seconds, wall seconds and peak megabytes of the whole process tree, shared pages counted once (PSS)."""
    command = [sys.executable, __file__, "--role", role, "--data", str(corpus), "--work", str(work)]
    command += ["--embedder", options.embedder]
    before, started = getrusage(RUSAGE_CHILDREN), time.perf_counter()
    process = subprocess.Popen(command)
    peak = _watch(process)
    code = process.wait()
    wall, after = time.perf_counter() - started, getrusage(RUSAGE_CHILDREN)
    if code:
        raise SystemExit(f"{role} ended with {code}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, wall, peak[0] / 2**20


def _watch(process: "subprocess.Popen[bytes]") -> list[float]:
    import psutil

    peak = [0.0]

    def look() -> None:
        parent = psutil.Process(process.pid)
        while process.poll() is None:
            total = 0
            try:
                for one in (parent, *parent.children(recursive=True)):
                    total += one.memory_full_info().pss
            except psutil.Error:
                pass
            peak[0] = max(peak[0], total)
            time.sleep(0.2)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    return peak


# ------------------------------------------------------------------------------------------------------ the limit


def _limit(corpus: Path, work: Path, embedder: str) -> None:
    """Raw text, compiled splitter, embedder, one add."""
    files = sorted(path for path in corpus.rglob("*") if path.is_file())
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        texts = list(pool.map(_limit_text, files, chunksize=4))
        pieces = [piece for some in pool.map(_limit_split, texts, chunksize=4) for piece in some]
    vectors = _embedder(embedder).embed_passages(list(dict.fromkeys(pieces)))
    import lancedb
    import pyarrow as pa

    distinct = dict.fromkeys(pieces)
    shutil.rmtree(work / "limit", ignore_errors=True)
    rows = pa.table(
        {
            "text": list(distinct),
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), vectors.shape[1]),
        }
    )
    lancedb.connect(work / "limit").create_table("chunks", rows)


def _limit_text(path: Path) -> str:
    if path.suffix != ".pdf":
        return path.read_text("utf-8", "replace")
    import pymupdf

    try:
        with pymupdf.open(path) as document:
            return "\n".join(page.get_text() for page in document)
    except Exception as error:  # the limit skips what it cannot read; the pipeline has to report it
        print(f"limit skips {path.name}: {error}", file=sys.stderr)
        return ""


def _limit_split(text: str) -> list[str]:
    from semantic_text_splitter import TextSplitter

    return list(TextSplitter(CHUNK_TOKENS * 4).chunks(text))  # about 4 characters a token


def _embedder(name: str):  # type: ignore[no-untyped-def]
    from docpipe.embed.hashing import HashingEmbedder
    from docpipe.embed.local import LocalEmbedder

    return LocalEmbedder() if name == "local" else HashingEmbedder()


# --------------------------------------------------------------------------------------------------- the pipeline


def _run(corpus: Path, work: Path, embedder: str) -> None:
    """The same folder through a pipeline."""
    import docpipe

    pipeline = work / "pipeline.yaml"
    pipeline.write_text(
        f"version: 1\nname: bench\nsource: {{use: load.files, path: {corpus}}}\n"
        f"stages:\n  - use: parse.auto\n"
        f"  - {{use: chunk.layout, max_tokens: {CHUNK_TOKENS}, overlap: 0, tokenizer: bge-small-en}}\n"
        f"  - use: embed.{embedder}\nindex: {{use: index.lancedb, uri: {work / 'docpipe'}}}\n",
        encoding="utf-8",
    )
    report = docpipe.open(pipeline).run()
    fields = ("indexed", "updated", "unchanged", "deleted", "failed", "ignored", "pages", "chunks", "embedded")
    lines = [", ".join(f"{name} {getattr(report, name)}" for name in (*fields, "reused", "seconds"))]
    lines += [f"  seconds by stage: {dict(report.stage_seconds)}"]
    lines += [f"  failed: {item.uri}: {item.error}" for item in report.failures]
    with (work / "last_report.txt").open("a", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


ROLES = {"limit": _limit, "run": _run}

# ----------------------------------------------------------------------------------------------------- the corpus


def make_corpus(folder: Path, *, pages: int) -> None:
    """About `pages` PDF pages in 120 files (one of up to 600 pages), and 500 Markdown and HTML files; seeded."""
    chance = random.Random(0)
    (folder / "pdf").mkdir(parents=True)
    (folder / "text").mkdir()
    longest = min(pages // 3, 600)
    counts = [longest, *([max(1, (pages - longest) // 119)] * 119)]
    for number, count in enumerate(counts):
        _make_pdf(folder / "pdf" / f"{number:03}.pdf", count, chance)
    for number in range(250):
        body = [(f"Section {n}", _paragraph(chance)) for n in range(6)]
        markdown = "\n\n".join(f"## {title}\n\n{text}" for title, text in body)
        (folder / "text" / f"{number:03}.md").write_text(f"# Note {number}\n\n{markdown}\n", encoding="utf-8")
        html = "".join(f"<h2>{title}</h2><p>{text}</p>" for title, text in body)
        page = f"<html><head><title>Page {number}</title></head><body><article>{html}</article></body></html>"
        (folder / "text" / f"{number:03}.html").write_text(page, encoding="utf-8")


def _paragraph(chance: random.Random) -> str:
    sentences = [" ".join(chance.choices(WORDS, k=chance.randint(8, 20))).capitalize() + "." for _ in range(6)]
    return " ".join(sentences)


def _heading(chance: random.Random) -> str:
    return " ".join(chance.choices(WORDS, k=3)).capitalize()


def _make_pdf(path: Path, pages: int, chance: random.Random) -> None:
    import pymupdf

    document = pymupdf.open()
    columns = chance.choice((1, 2))
    for number in range(pages):
        page = document.new_page()
        page.insert_text((72, 40), f"Report {path.stem}", fontsize=8)
        page.insert_text((290, 820), str(number + 1), fontsize=8)
        width = (451 - 20 * (columns - 1)) / columns
        for column in range(columns):
            left = 72 + column * (width + 20)
            page.insert_text((left, 75), f"{number + 1}.{column + 1} {_heading(chance)}", fontsize=13, fontname="hebo")
            text = [_paragraph(chance) for _ in range(7 if columns == 1 else 4)]
            while page.insert_textbox((left, 85, left + width, 640), "\n".join(text), fontsize=9.5) < 0:
                text.pop()  # it writes all or nothing
        if number % 5 == 0:
            _draw_table(page, chance)
        page.clean_contents()  # one content stream, as programs write it, instead of one per call above
    document.save(path, deflate=True)
    document.close()


def _draw_table(page, chance: random.Random) -> None:  # type: ignore[no-untyped-def]
    for row in range(6):
        page.draw_line((72, 660 + row * 18), (523, 660 + row * 18))
        for column in range(4):
            text = chance.choice(WORDS) if row == 0 or column == 0 else f"{chance.random() * 1000:.1f}"
            if row < 5:
                page.insert_text((76 + column * 112, 672 + row * 18), text, fontsize=9)


def _change(corpus: Path, *, seed: int) -> None:
    """Change, add and delete 1 % of the text files."""
    chance = random.Random(seed)
    files = sorted(path for path in corpus.rglob("*") if path.suffix in (".md", ".html", ".txt"))
    share = max(1, len(files) // 100)
    for path in chance.sample(files, min(len(files), 2 * share)):
        if share:
            path.write_text(path.read_text("utf-8") + f"\n{_paragraph(chance)}\n", encoding="utf-8")
            share -= 1
        else:
            path.unlink()
    for number in range(max(1, len(files) // 100)):
        (corpus / f"added {number}.md").write_text(f"# New\n\n{_paragraph(chance)}\n", encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", default="", help="a folder of documents instead of the corpus that is made here")
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--embedder", choices=("hashing", "local"), default="hashing")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--role", default="", help=argparse.SUPPRESS)
    parser.add_argument("--work", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
