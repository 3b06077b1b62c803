"""Files that a document service gets sent sooner or later -> what a run makes of each, beside what its kind asks for.

    python benchmarks/hostile.py [--data FOLDER] [--shown 40]

FOLDER holds `hostile/` with its `manifest.jsonl`. The whole folder goes through one run, with 30 seconds and 1 GiB for
each file, and with every kind of `parse.auto`; the locked files once more with their passwords. Crash, hang, out of
memory, errors without a type of ours and broken laws must be 0.
"""

import argparse
import json
import os
import shutil
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import docpipe
from docpipe import errors
from docpipe.pipeline.report.reports import Event
from docpipe.types import Outcome

SECONDS, MEGABYTES = 30, 1024
PIPELINE = """\
version: 1
name: hostile
source:
  use: load.files
  path: files
  {passwords}
stages:
  - use: parse.auto
  - {{use: chunk.layout, tokenizer: characters, max_tokens: 500}}
  - {{use: embed.hashing}}
index: {{use: index.lancedb, uri: index}}
run: {{workers: 2, timeout: {seconds}, memory_mb: {megabytes}}}
"""
READ = ("text", "scan")
"""A text; or pages that only OCR can read, which this pipeline does not have."""
NEVER = {"crash": ("WorkerDied", "WorkerKilled"), "hang": ("TimedOut",), "memory": ("OutOfMemory", "TooMuchOutput")}
"""What may come of no file -> the errors that say so."""


def main() -> None:
    """Run, and print a table by kind and the files that did not end as they should."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, default=Path("data"))
    options.add_argument("--shown", type=int, default=40, help="files that are named at most")
    given = options.parse_args()
    truth = given.data / "hostile"
    if not truth.is_dir():
        print(f"skipped: {truth} is missing")
        return
    facts = [json.loads(line) for line in (truth / "manifest.jsonl").read_text("utf-8").splitlines()]
    locked = [fact for fact in facts if fact.get("password")]
    begun = time.monotonic()
    wrong = _shown("without passwords", facts, _run(truth, facts, {}), _must)
    names = {f"HOSTILE_{number}": fact["password"] for number, fact in enumerate(locked)}
    wrong += _shown("with passwords", locked, _run(truth, locked, names), _opened)
    for line in wrong[: given.shown]:
        print(line)
    print(f"{len(wrong)} files did not end as they should; {time.monotonic() - begun:.0f} s")


def _run(truth: Path, facts: Sequence[Mapping[str, Any]], passwords: Mapping[str, str]) -> dict[str, Outcome]:
    """What a run makes of the files; what it leaves behind would be told, too."""
    found: dict[str, Outcome] = {}

    def note(event: Event) -> None:
        if event.outcome is not None:
            found[event.outcome.uri] = event.outcome

    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for fact in facts:
            (work / "files" / fact["file"]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(truth / fact["file"], work / "files" / fact["file"])
        before = _listing(work / "files")
        option = f"passwords: [{', '.join(passwords)}]" if passwords else ""
        text = PIPELINE.format(passwords=option, seconds=SECONDS, megabytes=MEGABYTES)
        (work / "pipeline.yaml").write_text(text, encoding="utf-8")
        os.environ.update(passwords)
        with docpipe.open(work / "pipeline.yaml") as pipe:
            report = pipe.run(progress=note)
        for outcome in report.failures:
            found.setdefault(outcome.uri, outcome)
        if _listing(work / "files") != before:
            print("the run changed its source")
    return found


def _listing(folder: Path) -> set[tuple[str, int, int]]:
    return {(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in folder.rglob("*")}


def _shown(
    title: str,
    facts: Sequence[Mapping[str, Any]],
    found: Mapping[str, Outcome],
    must: Callable[[Mapping[str, Any], str], bool],
) -> list[str]:
    """Print a table by kind; returns a line for each file that ended otherwise than it must."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    slowest: dict[str, float] = defaultdict(float)
    wrong = []
    for fact in facts:
        outcome = found.get(fact["file"])
        word, kind = _word(outcome), fact["kind"]
        counts[kind][word] += 1
        slowest[kind] = max(slowest[kind], outcome.seconds if outcome else 0.0)
        if word in (*NEVER, "untyped", "unaccounted") or not must(fact, word):
            why = outcome.error if outcome else None
            wrong.append(f"  {fact['file']}: {word}: {f'{why.type}: {why.message}'[:200] if why else fact['must']}")
    columns = ("text", "scan", "empty", "locked", "error", *NEVER, "untyped", "unaccounted")
    print(f"\n{title:22}{'files':>6}" + "".join(f"{column:>12}" for column in columns) + f"{'slowest':>9}")
    for kind, by_word in counts.items():
        cells = "".join(f"{by_word[column]:12}" for column in columns)
        print(f"{kind:22}{sum(by_word.values()):6}{cells}{slowest[kind]:8.1f}s")
    return wrong


def _word(outcome: Outcome | None) -> str:
    """What became of a file, in one word."""
    if outcome is None:
        return "unaccounted"
    if outcome.error is None:
        return "text" if outcome.chunks else "scan" if outcome.ocr_pages else "empty"
    kind = outcome.error.type
    for word, kinds in NEVER.items():
        if kind in kinds:
            return word
    if kind == "EncryptedSource":
        return "locked"
    known = getattr(errors, kind, None)
    return "error" if isinstance(known, type) and issubclass(known, errors.DocpipeError) else "untyped"


def _must(fact: Mapping[str, Any], word: str) -> bool:
    """Whether a file may end so, without its password."""
    kind = fact["kind"]
    if kind == "password":
        return word == "locked"
    if kind == "owner-password-only":
        return word in READ
    if kind in ("active-pdf", "embedded-files"):
        return word in (*READ, "empty", "locked")  # some of them are locked, too
    if kind == "office-locked":
        return word in ("locked", "text") or is_of_another_format(fact)
    if kind == "wrong-name" and "is" in fact:
        return word in ("text", "empty", "error")
    return True


def _opened(fact: Mapping[str, Any], word: str) -> bool:
    """Whether a file may end so, with its password."""
    return word in READ or is_of_another_format(fact)


def is_of_another_format(fact: Mapping[str, Any]) -> bool:
    """Whether no parser reads it without LibreOffice, locked or not."""
    return fact["file"].endswith((".doc", ".ppt", ".xlsb"))


if __name__ == "__main__":
    main()
