"""A year of nights: an index that is brought in line night by night, beside one built from nothing.

    python benchmarks/nights.py [--documents 5000] [--nights 365] [--change 0.01] [--every 30]
        [--sections 6] [--embedder hashing]

Each night a share of the documents is changed, and for every ten changed ones one is added and one removed; then the
pipeline runs as it does for a user. Now and then an index is built from nothing over the same documents, and both are
measured: what they take on disk (`history`, which keeps what runs replaced, told apart), and how long a search takes,
asked of both in turn. The limits: 1.5 x in size without the history, 1.2 x in the median of a search.
"""

import argparse
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import docpipe
from docpipe.pipeline.pipe import Pipe

PIPELINE = """
version: 1
name: nights
source: {{use: load.files, path: {docs}}}
stages:
  - use: parse.auto
  - {{use: chunk.layout, max_tokens: 128, overlap: 16}}
  - use: embed.{embedder}
index: {{use: index.lancedb, uri: {index}, keep_minutes: {keep_minutes}}}
retrieve: {{mode: hybrid, limit: 8}}
chat: {{use: chat.extractive, reader: none}}
run: {{workers: 1, reports: {reports}}}
"""
MOST_SIZE, MOST_TIME = 1.5, 1.2


@dataclass(frozen=True)
class Measured:
    """Of one index: megabytes and milliseconds."""

    size: float
    history: float
    p50: float
    p95: float
    versions: int


class Library:
    """A folder of documents that changes night by night, the same way for the same seed."""

    def __init__(self, folder: Path, *, documents: int, change: float, sections: int, seed: int = 1) -> None:
        self._folder, self._change, self._chance, self._sections = folder, change, random.Random(seed), sections
        self._words = [f"{a}{b}{c}" for a in "bdfgklmn" for b in "aeiou" for c in ("rt", "st", "nd", "lp", "mb", "sk")]
        self._names = [f"{number // 500:03}/{number:06}.md" for number in range(documents)]
        self._next = documents
        for name in self._names:
            self._write(name)

    def night(self) -> None:
        """Change some documents; one is added and one removed for every ten."""
        count = max(1, round(len(self._names) * self._change))
        for name in self._chance.sample(self._names, count):
            self._write(name)
        for _ in range(count // 10):
            gone = self._names.pop(self._chance.randrange(len(self._names)))
            (self._folder / gone).unlink()
            self._names.append(f"{self._next // 500:03}/{self._next:06}.md")
            self._next += 1
            self._write(self._names[-1])

    def questions(self, count: int) -> list[str]:
        """Three words each."""
        return [" ".join(self._chance.choices(self._words, k=3)) for _ in range(count)]

    def _write(self, name: str) -> None:
        sections = []
        for _ in range(self._chance.randint(1, self._sections)):
            heading = self._chance.choice(self._words).title()
            words = " ".join(self._chance.choices(self._words, k=self._chance.randint(40, 120)))
            sections.append(f"# {heading}\n\n{words}.\n")
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(sections), encoding="utf-8")


def main() -> None:
    """Print a line of figures every so many nights."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--documents", type=int, default=5_000)
    parser.add_argument("--nights", type=int, default=365)
    parser.add_argument("--change", type=float, default=0.01, help="share of the documents that a night changes")
    parser.add_argument("--every", type=int, default=30, help="nights between two measurements")
    parser.add_argument("--sections", type=int, default=6, help="of the longest document; each gives about five chunks")
    parser.add_argument("--searches", type=int, default=200)
    parser.add_argument("--embedder", default="hashing", help="hashing or local")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        _nights(Path(name), options)


def _nights(folder: Path, options: argparse.Namespace) -> None:
    library = Library(folder / "docs", documents=options.documents, change=options.change, sections=options.sections)
    # Nights follow each other within seconds here: versions of the night before are old.
    pipe = _pipe(folder, "aged", options.embedder)
    started = time.perf_counter()
    print(f"{pipe.run().indexed:,} documents in {time.perf_counter() - started:.0f} s\n")
    print(f"{'night':>5}{'s/night':>9}{'MB':>8}{'history':>9}{'fresh MB':>10}{'ratio':>7}{'versions':>10}", end="")
    print(f"{'p50 ms':>9}{'fresh':>7}{'ratio':>7}{'p95 ms':>9}{'fresh':>7}")
    spent: list[float] = []
    for night in range(1, options.nights + 1):
        library.night()
        started = time.perf_counter()
        report = pipe.run()
        assert not report.failed, report.failures
        spent.append(time.perf_counter() - started)
        if night % options.every == 0 or night == options.nights:
            fresh = _pipe(folder, "fresh", options.embedder)
            fresh.run()
            _print(night, spent, *_measured((pipe, fresh), folder, library.questions(options.searches)))
            shutil.rmtree(folder / "fresh")
            spent = []


def _print(night: int, spent: Sequence[float], aged: Measured, fresh: Measured) -> None:
    size, middle = (aged.size - aged.history) / (fresh.size - fresh.history), aged.p50 / fresh.p50
    print(
        f"{night:5}{statistics.mean(spent):9.2f}{aged.size:8.1f}{aged.history:9.1f}{fresh.size:10.1f}{size:7.2f}"
        f"{aged.versions:10}{aged.p50:9.1f}{fresh.p50:7.1f}{middle:7.2f}{aged.p95:9.1f}{fresh.p95:7.1f}"
        + ("" if size <= MOST_SIZE and middle <= MOST_TIME else "  ABOVE THE LIMIT"),
        flush=True,
    )


def _pipe(folder: Path, name: str, embedder: str) -> Pipe:
    path = folder / f"{name}.yaml"
    places = {"docs": folder / "docs", "index": folder / name, "reports": folder / f"{name}-runs"}
    path.write_text(PIPELINE.format(embedder=embedder, keep_minutes=0, **places), encoding="utf-8")
    return docpipe.open(path)


def _measured(pipes: Sequence[Pipe], folder: Path, questions: Sequence[str]) -> list[Measured]:
    times: list[list[float]] = [[] for _ in pipes]
    for question in (*questions[:10], *questions):
        for pipe, spent in zip(pipes, times, strict=True):
            started = time.perf_counter()
            pipe.search(question)
            spent.append(1000 * (time.perf_counter() - started))
    return [
        Measured(
            size=_megabytes(folder / pipe.stages.path.stem),
            history=_megabytes(folder / pipe.stages.path.stem / "docpipe_history.lance"),
            p50=statistics.median(spent[10:]),
            p95=sorted(spent[10:])[round(0.95 * len(spent[10:])) - 1],
            versions=pipe.stages.index.check().versions,
        )
        for pipe, spent in zip(pipes, times, strict=True)
    ]


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20


if __name__ == "__main__":
    main()
