"""A book of scanned pages through a service that allows so many calls at once: how busy it is kept, what is sent twice.

Runs against the stand-in platform of the tests, over real HTTP. Three runs: everything
new; killed half way and run again; a page put before the first.

    python benchmarks/ocr_service.py --pages 1000 --at-once 4 --seconds 0.8
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

from standin import Call, StandIn, printing  # noqa: E402

PIPELINE = """
version: 1
name: scans
source: {{use: load.files, path: {books}}}
stages:
  - use: parse.auto
    pdf: {{use: parse.glm_ocr, piece_pages: {piece}, service: {{concurrency: {at_once}}}}}
  - {{use: chunk.layout, max_tokens: 256}}
  - {{use: embed.hashing, dim: 64}}
index: {{use: index.lancedb, uri: {index}}}
"""


def main() -> None:
    """Print the figures of each run."""
    options = arguments()
    with tempfile.TemporaryDirectory() as folder, StandIn() as platform:
        platform.allow("/layout_parsing", concurrency=options.allowed or options.at_once)
        platform.latency("/layout_parsing", options.seconds)
        books, home = Path(folder, "books"), Path(folder)
        books.mkdir()
        begun = time.monotonic()
        sheets = printing.book(options.pages + 1)
        (books / "book.pdf").write_bytes(printing.scan(sheets[: options.pages], dpi=60, quality=30))
        print(f"{options.pages} scanned pages printed in {time.monotonic() - begun:.0f} s")
        environment = os.environ | {"ZAI_API_KEY": platform.key, "ZAI_BASE_URL": platform.base_url}

        pipeline = written(home, books, "first", options)
        told("everything new", run(pipeline, environment), platform, options)

        pipeline = written(home, books, "second", options)
        platform.forget()
        killed(pipeline, environment, platform, options.pages // 2)
        sent = platform.calls("/layout_parsing")
        lost = {page for call in sent if not call.ended for page in call.pages}
        print(f"\nkilled after {len(pages(sent))} pages had been sent, {len(lost)} of them without a reply")
        told("killed half way, run again", run(pipeline, environment), platform, options, since=len(sent), lost=lost)

        (books / "book.pdf").write_bytes(
            printing.scan([sheets[options.pages], *sheets[: options.pages]], dpi=60, quality=30)
        )
        platform.forget()
        told("a page put before the first", run(pipeline, environment), platform, options)


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--at-once", type=int, default=4, help="`service.concurrency` of the pipeline")
    parser.add_argument("--allowed", type=int, default=0, help="calls the service allows at once, where it differs")
    parser.add_argument("--seconds", type=float, default=0.8, help="what the service takes for a call")
    parser.add_argument("--piece", type=int, default=8, help="pages in a call")
    return parser.parse_args()


def written(home: Path, books: Path, name: str, options: argparse.Namespace) -> Path:
    """A pipeline file with an index of its own."""
    path = home / f"{name}.yaml"
    text = PIPELINE.format(books=books, index=home / name, at_once=options.at_once, piece=options.piece)
    path.write_text(text, encoding="utf-8")
    return path


def run(pipeline: Path, environment: dict[str, str]) -> float:
    """One run to its end; returns its seconds."""
    begun = time.monotonic()
    subprocess.run(command(pipeline), env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begun


def command(pipeline: Path) -> list[str]:
    """What starts a run."""
    return [sys.executable, "-m", "docpipe.cli", "run", str(pipeline), "--json"]


def killed(pipeline: Path, environment: dict[str, str], platform: StandIn, after: int) -> None:
    """Start a run and kill it (SIGKILL) once so many pages were sent."""
    process = subprocess.Popen(command(pipeline), env=environment, stdout=subprocess.DEVNULL, start_new_session=True)
    while len(pages(platform.calls("/layout_parsing"))) < after and process.poll() is None:
        threading.Event().wait(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def pages(calls: Sequence[Call]) -> list[str]:
    """Every page that was sent, as often as it was."""
    return [page for call in calls for page in call.pages]


def told(
    what: str,
    seconds: float,
    platform: StandIn,
    options: argparse.Namespace,
    *,
    since: int = 0,
    lost: frozenset[str] | set[str] = frozenset(),
) -> None:
    """Print what the service saw.

    Args:
        since: calls of an earlier run, that the figures leave out but for what was sent twice.
        lost: pages that were on their way when that run was killed.
    """
    every = platform.calls("/layout_parsing")
    calls = every[since:]
    good = [call for call in calls if call.status == 200]
    refused = sum(call.code == "1302" for call in calls)
    counts = Counter(page for call in every if call.code != "1302" for page in call.pages)
    twice = {page for page, count in counts.items() if count > 1}
    print(f"{what}: {seconds:.1f} s, {len(calls)} calls, {len(set(pages(good)))} pages")
    print(f"  sent twice: {len(twice - lost)}; of those lost on the way: {len(twice & lost)}")
    print(f"  refused (1302): {refused / len(calls):.1%} of the calls")
    if len(good) > options.at_once:
        first, last = min(call.started for call in good), max(call.ended for call in good)
        # Between the first call and the moment when less is left than the service could do at once.
        full = sorted(call.ended for call in good)[-options.at_once]
        allowed = options.allowed or options.at_once
        busy = sum(max(0.0, min(call.ended, full) - call.started) for call in good)
        print(f"  kept busy: {busy / (allowed * (full - first)):.1%} of {allowed}, over {last - first:.1f} s")


if __name__ == "__main__":
    main()
