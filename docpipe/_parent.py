"""Questions that only the main process can ask: a worker has no network and no keys.

In a worker process, what runs there puts them to its parent and waits. Elsewhere there is no parent, and whoever would
ask does so itself.
"""

from collections.abc import Callable
from typing import Any

Ask = Callable[[str, tuple[Any, ...]], Any]
"""Name and arguments of a question -> its answer, or the error it ended with, raised."""

_ask: Ask | None = None


def connect(ask: Ask) -> None:
    """From now on this is a worker, and `ask` reaches its parent."""
    global _ask
    _ask = ask


def is_connected() -> bool:
    """Whether this is a worker process."""
    return _ask is not None


def answer(question: str, *arguments: Any) -> Any:
    """What the parent answers; raises what it raises.

    Raises:
        RuntimeError: this is no worker.
    """
    if _ask is None:
        raise RuntimeError(f"there is no parent process to be asked for {question!r}")
    return _ask(question, arguments)
