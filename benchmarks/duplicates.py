"""Generated documents with copies among them -> how many copies are found, how much else, and in what time.

    python benchmarks/duplicates.py [--documents N ...]

A tenth of the documents are copies in which a share of the words differs. Seconds are CPU seconds: `sketch` of all
texts, `group` of all sketches. `found` counts the copies that stand in a group with their original, `wrong` the
documents that stand in a group with another's.
"""

import argparse
import random
import sys
import time

from docpipe.copies import groups, sketch

_WORDS = 300
_SHARES = (0.0, 0.01, 0.02, 0.03, 0.05, 0.1)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--documents", type=int, nargs="+", default=[1_000, 4_000, 16_000])
    print(f"{'documents':>9} {'differ':>6} {'copies':>6} {'found':>6} {'wrong':>6} {'sketch s':>8} {'group s':>8}")
    for count in options.parse_args().documents:
        for share in _SHARES if count == 1_000 else (0.02,):
            _measure(count, share)


def _measure(count: int, share: float) -> None:
    chosen = random.Random(count)
    known = [
        f"{a}{b}{c}" for a in "bcdfghklmnprstvz" for b in ("al", "er", "in", "or", "um") for c in ("ta", "ne", "ro")
    ]
    texts = [[chosen.choice(known) for _ in range(_WORDS)] for _ in range(count - count // 10)]
    for number in range(count // 10):
        texts.append([chosen.choice(known) if chosen.random() < share else word for word in texts[number]])
    start = time.process_time()
    made = {number: found for number, text in enumerate(texts) if (found := sketch([" ".join(text)]))}
    middle = time.process_time()
    found = groups(made)
    end = time.process_time()
    copies = {number: count - count // 10 + number for number in range(count // 10)}
    right = sum(copies.get(group.members[0]) in group.members for group in found)
    wrong = sum(len(group.members) for group in found) - 2 * right
    print(
        f"{count:9,} {share:6.0%} {len(copies):6,} {right:6,} {wrong:6,} {middle - start:8.2f} {end - middle:8.2f}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
