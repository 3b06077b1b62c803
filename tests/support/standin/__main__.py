"""`python -m standin --port N`: the stand-in as a process of its own, until its standard input or a signal ends it."""

import argparse
import signal
import sys
import threading

from standin.server import KEY, StandIn


def main() -> None:
    """Print the address and the key, then wait."""
    parser = argparse.ArgumentParser(prog="standin")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--key", default=KEY)
    parser.add_argument("--latency", action="append", default=[], metavar="PATH=SECONDS")
    parser.add_argument("--allow", action="append", default=[], metavar="PATH=CALLS")
    given = parser.parse_args()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    with StandIn(port=given.port, key=given.key) as platform:
        for path, _, seconds in (text.partition("=") for text in given.latency):
            platform.latency(path, float(seconds))
        for path, _, calls in (text.partition("=") for text in given.allow):
            platform.allow(path, int(calls))
        sys.stdout.write(f"ZAI_BASE_URL={platform.base_url}\nZAI_API_KEY={platform.key}\n")
        sys.stdout.flush()
        stop.wait()


if __name__ == "__main__":
    main()
