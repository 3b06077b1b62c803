"""Readers that search while a run brings a fifth of the documents up to date.

    python benchmarks/readers_during_run.py [--documents 2000] [--share 0.2] [--readers 1] [--rounds 3] [--nice 19]

Every document carries a word of its own and, in each of its chunks, the word of its revision. Each reader is a process
that asks for a document by its word, with as many hits as it has chunks: it must see all of them, all of one revision.
Told are failed searches, documents seen twice, half or not at all (each must be 0), and the 95th percentile of a
search while a run is at work against that of the same readers while nothing is (limit: 1.5 x). The run is a process of
its own, as a scheduler starts it, at the priority that `run: {nice: ...}` says (0: the readers').
"""

import argparse
import multiprocessing
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
from pathlib import Path

import docpipe

PIPELINE = """
version: 1
name: readers
source: {use: load.files, path: docs}
stages:
  - use: parse.auto
  - {use: chunk.layout, max_tokens: 64, overlap: 0}
  - use: embed.hashing
index: {use: index.lancedb, uri: index, keep_minutes: KEEP}
retrieve: {mode: text, limit: 16}
chat: {use: chat.extractive, reader: none}
run: {workers: 1, nice: NICE, reports: reports, max_delete: 1.0}
"""
SECTIONS = 4
MOST_TIME = 1.5
_REVISION = re.compile(r"revision(\d+)x")


@dataclass
class Seen:
    """What one reader met."""

    times: list[float] = field(default_factory=list)
    """Milliseconds of each search."""
    faults: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    revisions: int = 0
    """How many revisions it saw: a reader that never sees a new one is no use either."""


def write(docs: Path, number: int, revision: int) -> None:
    """A document with a chunk for each section; all name the document and the revision."""
    chance = random.Random(number)
    own, told = f"document{number}x", f"revision{revision}x"
    filler = [" ".join(chance.choices(("tide", "moon", "harbour", "gate", "winter"), k=30)) for _ in range(SECTIONS)]
    sections = [f"# Part {part}\n\n{own} {told} {text}.\n" for part, text in enumerate(filler)]
    path = docs / f"{number:06}.md"
    path.write_text("\n".join(sections), encoding="utf-8")


def read(path: str, documents: int, seed: int, ready: Event, over: Event, give: "Callable[[Seen], None]") -> None:
    """Search until it is over; in a process of its own."""
    from docpipe.errors import DocpipeError

    seen, chance, pipe = Seen(), random.Random(seed), docpipe.open(path)
    known: set[str] = set()
    pipe.search("document1x")
    ready.set()
    while not over.is_set():
        word = f"document{chance.randrange(documents)}x"
        started = time.perf_counter()
        try:
            hits = pipe.search(word)
        except DocpipeError as error:
            seen.faults["failed"] += 1
            seen.examples.append(f"{word}: {error}")
            continue
        seen.times.append(1000 * (time.perf_counter() - started))
        texts = [hit.chunk.content for hit in hits if word in hit.chunk.content]
        revisions = Counter(found for text in texts for found in _REVISION.findall(text))
        known.update(revisions)
        fault = "" if len(texts) == SECTIONS and len(revisions) == 1 else _fault(texts, revisions)
        if fault:
            seen.faults[fault] += 1
            seen.examples.append(f"{word}: {fault}: {dict(revisions)}")
    seen.revisions, seen.examples = len(known), seen.examples[:5]
    give(seen)


def _fault(texts: list[str], revisions: "Counter[str]") -> str:
    if not texts:
        return "none"
    return "both" if len(revisions) > 1 or len(texts) > SECTIONS else "half"


def watched(path: Path, documents: int, readers: int, work: Callable[[], object]) -> tuple[list[Seen], float]:
    """What readers see while the work is done, and the seconds it took."""
    context = multiprocessing.get_context("spawn")
    over, results = context.Event(), context.SimpleQueue()
    started = [context.Event() for _ in range(readers)]
    processes = [
        context.Process(target=read, args=(str(path), documents, seed, ready, over, results.put))
        for seed, ready in enumerate(started)
    ]
    for process in processes:
        process.start()
    for ready in started:
        ready.wait(60)
    begun = time.perf_counter()
    work()
    seconds = time.perf_counter() - begun
    over.set()
    seen = [results.get() for _ in processes]
    for process in processes:
        process.join()
    return seen, seconds


def run(path: Path) -> None:
    """One run, in a process of its own."""
    command = [sys.executable, "-m", "docpipe.cli", "run", str(path), "--json"]
    subprocess.run(command, check=True, capture_output=True)


def p95(seen: list[Seen]) -> float:
    """Milliseconds."""
    times = sorted(spent for one in seen for spent in one.times)
    return times[round(0.95 * len(times)) - 1]


def main() -> None:
    """Print what readers saw, and how long they waited."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--documents", type=int, default=2_000)
    parser.add_argument("--share", type=float, default=0.2, help="of the documents that each run changes")
    parser.add_argument("--readers", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3, help="runs, one after the other")
    parser.add_argument("--nice", type=int, default=19, help="how far the run stands back behind the readers")
    parser.add_argument("--keep-minutes", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        _rounds(Path(name), options)


def _rounds(folder: Path, options: argparse.Namespace) -> None:
    docs, path, chance = folder / "docs", folder / "pipeline.yaml", random.Random(1)
    docs.mkdir()
    text = PIPELINE.replace("KEEP", str(options.keep_minutes)).replace("NICE", str(options.nice))
    path.write_text(text, encoding="utf-8")
    for number in range(options.documents):
        write(docs, number, 0)
    docpipe.open(path).run()
    idle, _ = watched(path, options.documents, options.readers, lambda: time.sleep(10))
    _print("idle", idle, 10.0, p95(idle))
    for revision in range(1, options.rounds + 1):
        for number in chance.sample(range(options.documents), round(options.documents * options.share)):
            write(docs, number, revision)
        seen, seconds = watched(path, options.documents, options.readers, lambda: run(path))
        _print(f"run {revision}", seen, seconds, p95(idle))


def _print(label: str, seen: list[Seen], seconds: float, idle: float) -> None:
    faults: Counter[str] = sum((one.faults for one in seen), Counter())
    told = ", ".join(f"{faults[name]} {name}" for name in ("failed", "both", "half", "none"))
    middle, ratio = p95(seen), p95(seen) / idle
    count, revisions = sum(len(one.times) for one in seen), min(one.revisions for one in seen)
    late = "" if ratio <= MOST_TIME else "  ABOVE THE LIMIT"
    print(
        f"{label:6} {seconds:6.1f} s  {count:7,} searches: {told}; p95 {middle:.1f} ms ({ratio:.2f} x idle){late}",
        end="",
    )
    print(f"; {revisions} revisions seen", flush=True)
    for example in [text for one in seen for text in one.examples][:5]:
        print(f"       {example}")


if __name__ == "__main__":
    main()
