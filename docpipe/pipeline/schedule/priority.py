"""How far a run stands back behind whoever else works on this machine."""

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def standing_back(nice: int) -> Iterator[None]:
    """A lower priority while the body runs, for it and for all threads and processes that it begins.

    A priority that is lower already stays. Afterwards it is as before where the system lets it be raised again,
    which most let only the administrator do. A system without priorities has none to lower.

    Args:
        nice: as `nice` counts, from 0 (as it is) to 19 (only what nobody else wants).
    """
    if not nice or not hasattr(os, "setpriority"):
        yield
        return
    before = os.getpriority(os.PRIO_PROCESS, 0)
    _set(max(nice, before))
    try:
        yield
    finally:
        _set(before)


def _set(priority: int) -> None:
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, priority)
