"""Work on a table that LanceDB cannot do in steps, in a process of its own: it may be ended at any time.

    python -m docpipe.index.lance_child URI TABLE optimize KEEP_MILLISECONDS
    python -m docpipe.index.lance_child URI TABLE text

What was committed stays, what was not is not seen by anyone. Errors go to stderr, in LanceDB's words.
"""

import os
import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import Any


def optimize(table: Any, keep: timedelta, *, unverified: bool = False) -> None:
    """Fold new rows into the indexes, join parts, drop versions older than `keep`.

    Args:
        unverified: drop files too that belong to no version, however young: nobody else may be writing.
    """
    least = timedelta(milliseconds=1)  # at 0 it warns of readers, who know how to read again
    table.optimize(cleanup_older_than=max(keep, least), delete_unverified=unverified)


def make_text_index(table: Any) -> None:
    """Build the full-text index over all rows anew."""
    from lancedb.index import FTS

    config = FTS(base_tokenizer="icu/split", stem=True, remove_stop_words=False, ascii_folding=True)
    table.create_index("content", config=config, replace=True)


def main(arguments: Sequence[str]) -> int:
    """0, or 1 with the error on stderr."""
    os.environ.setdefault("LANCEDB_LOG", "error")
    import lancedb

    uri, name, work, *rest = arguments
    try:
        table = lancedb.connect(uri).open_table(name)
        if work == "optimize":
            optimize(table, timedelta(milliseconds=int(rest[0])))
        else:
            make_text_index(table)
    except (RuntimeError, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
