"""What it costs to start: `import docpipe` and `docpipe --help` beside `import httpx`, in CPU milliseconds.

    python benchmarks/startup.py [--runs 9]

Medians of whole processes; the bare interpreter is taken off.
"""

import argparse
import statistics
import subprocess
import sys
from resource import RUSAGE_CHILDREN, getrusage

COMMANDS = {
    "bare Python": ["-c", "pass"],
    "import httpx": ["-c", "import httpx"],
    "import docpipe": ["-c", "import docpipe"],
    "docpipe --help": ["-m", "docpipe.cli", "--help"],
}


def main() -> None:
    """Print each command's cost and its ratio to `import httpx`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    costs = {name: statistics.median(_cost(command) for _ in range(runs)) for name, command in COMMANDS.items()}
    bare = costs.pop("bare Python")
    print(f"bare Python {1000 * bare:.0f} CPU ms; beside it:")
    for name, cost in costs.items():
        print(f"{name:16}{1000 * (cost - bare):6.0f} ms{(cost - bare) / (costs['import httpx'] - bare):8.2f} x")


def _cost(command: list[str]) -> float:
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
