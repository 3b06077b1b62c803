"""A hundred questions at once on one event loop: threads, memory, and what docpipe itself adds to a question.

The model is a small server in a process of its own that gives one answer after a fixed time, so that next to nothing
but docpipe is measured; the stand-in platform of the tests looks for the longest common prefix of each prompt, which
costs more than all of docpipe. Searching is CPU work of LanceDB and the embedder, and shown by itself.

    python benchmarks/concurrent_asks.py
"""

import argparse
import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docpipe

ROOT = Path(__file__).resolve().parent.parent
PIPELINE = """
version: 1
name: concurrent
source: {{use: load.files, path: {samples}, exclude: ["*.py", "*.jsonl", "README.md", "scan/**"]}}
stages:
  - use: parse.auto
  - {{use: chunk.layout, max_tokens: 256, overlap: 32}}
  - use: {embedder}
index: {{use: index.lancedb, uri: {index}}}
chat: {{use: chat.glm, model: glm-4.6, rewrite: never, service: {{base_url: "{url}", key: "", concurrency: {at_once}}}}}
"""
QUESTION = "How many times may the same pump be started in one hour, says number {}?"
ANSWER = "Do not start the same pump more than four times in one hour [1]."


def main() -> None:
    """Print the figures of each round."""
    options = arguments()
    if options.serve:
        asyncio.run(serve(options.seconds))
        return
    with tempfile.TemporaryDirectory() as folder, service(options) as url:
        path = Path(folder, "concurrent.yaml")
        places = {"samples": ROOT / "sample_docs", "index": Path(folder, "index"), "url": url}
        path.write_text(PIPELINE.format(at_once=options.at_once, embedder=options.embedder, **places), encoding="utf-8")
        with docpipe.open(path) as pipe:
            pipe.run()
        asyncio.run(rounds(path, options))


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--at-once", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=1.0, help="what the model takes for an answer")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--embedder", default="embed.local")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


async def serve(seconds: float) -> None:
    """The model: HTTP/1.1 with connections that stay, the same answer to everything."""
    message = {"role": "assistant", "content": ANSWER}
    usage = {"prompt_tokens": 2000, "completion_tokens": 20, "total_tokens": 2020}
    reply = {"choices": [{"index": 0, "finish_reason": "stop", "message": message}], "usage": usage}
    body = json.dumps(reply).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.readuntil(b"\r\n\r\n"):
            length = next(line for line in request.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.split(b":")[1]))
            await asyncio.sleep(seconds)
            writer.write(head + body)

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def service(options: argparse.Namespace) -> Iterator[str]:
    """The address of the model."""
    command = [sys.executable, __file__, "--serve", "--seconds", str(options.seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


async def rounds(path: Path, options: argparse.Namespace) -> None:
    """The same questions again and again: the first round pays for imports and connections."""
    async with docpipe.aopen(path) as pipe:
        questions = [QUESTION.format(number) for number in range(options.at_once)]
        print(f"{options.at_once} at once; CPU is that of this process, all threads, per question")
        print(f"{'round':>5}{'wall s':>9}{'CPU ms':>9}{'of it search':>14}{'docpipe':>9}{'threads':>9}{'MB':>6}")
        for number in range(options.rounds):
            searching = await cpu_of([pipe.asearch(question) for question in questions])
            begun = time.perf_counter()
            with Threads() as threads:
                asking = await cpu_of([pipe.aask(question) for question in questions])
            wall = time.perf_counter() - begun
            line = f"{number:>5}{wall:>9.2f}{asking:>9.1f}{searching:>14.1f}{asking - searching:>9.1f}"
            print(f"{line}{threads.most:>9}{megabytes():>6}")
        beyond = sorted([await beyond_the_model(pipe, question, options.seconds) for question in questions[:60]])
        middle, high = statistics.median(beyond), beyond[int(len(beyond) * 0.95)]
        print(f"one at a time, beyond search and model: p50 {middle:.1f} ms, p95 {high:.1f} ms")


async def cpu_of(works: Sequence[Coroutine[Any, Any, object]]) -> float:
    """Milliseconds of CPU of this process for each of them, all begun at once."""
    begun = time.process_time()
    await asyncio.gather(*works)
    return (time.process_time() - begun) / len(works) * 1000


async def beyond_the_model(pipe: docpipe.AsyncPipe, question: str, seconds: float) -> float:
    """Milliseconds of a question that neither the search nor the model took."""
    begun = time.perf_counter()
    await pipe.asearch(question)
    middle = time.perf_counter()
    await pipe.aask(question)
    return ((time.perf_counter() - middle) - (middle - begun) - seconds) * 1000


class Threads:
    """The most threads that were alive meanwhile."""

    def __enter__(self) -> "Threads":
        self.most = 0
        self._done = threading.Event()
        self._watch = threading.Thread(target=self._count)
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._watch.join()

    def _count(self) -> None:
        while not self._done.wait(0.01):
            self.most = max(self.most, threading.active_count() - 1)


def megabytes() -> int:
    """What this process has resident now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() // 2**20


if __name__ == "__main__":
    main()
