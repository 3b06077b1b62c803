"""Values <-> frames on a pipe between a worker and its parent: a length and a pickle.

A worker has read hostile bytes, so the parent takes no more from its frames than values: classes that hold data, and
errors. No other callable is looked up, so a frame cannot make the parent do anything.
"""

import builtins
import dataclasses
import importlib
import io
import pickle
import sys
from dataclasses import dataclass
from enum import Enum
from struct import Struct
from typing import Any, BinaryIO

LENGTH = Struct("<Q")
_REVIVE = ("docpipe.errors", "_revive")
"""How our own errors travel."""
_PLAIN = {
    "builtins": frozenset({"bytearray", "complex", "frozenset", "range", "set", "slice"}),
    "collections": frozenset({"Counter", "OrderedDict"}),
    "datetime": frozenset({"date", "datetime", "time", "timedelta", "timezone"}),
    "decimal": frozenset({"Decimal"}),
    "pathlib": frozenset({"Path", "PosixPath", "PurePosixPath", "PureWindowsPath", "WindowsPath"}),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Setup:
    """What a worker is told before its work."""

    path: tuple[str, ...]
    """Where modules are looked for."""
    scratch: str
    programs: tuple[str, ...]
    parent: int
    """The process that started it."""
    seconds: float
    memory: int
    output: int
    """Bytes of a reply at most."""


class FrameTooLarge(Exception):
    """A frame is longer than its reader takes."""


def read_frame(stream: BinaryIO, *, most: int | None = None) -> bytes | None:
    """The next frame's bytes; None where the other side is gone.

    Raises:
        FrameTooLarge: it says that it has more than `most` bytes; none of them was read.
    """
    head = stream.read(LENGTH.size)
    if head is None or len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    if most is not None and length > most:
        raise FrameTooLarge
    body = stream.read(length)
    return body if body is not None and len(body) == length else None


def write_frame(stream: BinaryIO, body: bytes) -> None:
    """Send one frame."""
    stream.write(LENGTH.pack(len(body)))
    stream.write(body)
    stream.flush()


def values(frame: bytes) -> Any:
    """What a worker's frame holds.

    Raises:
        pickle.UnpicklingError: it is damaged, or names something that is neither a value nor an error.
    """
    try:
        return _Values(io.BytesIO(frame)).load()
    except pickle.UnpicklingError:
        raise
    except Exception as error:  # a damaged pickle may raise anything
        raise pickle.UnpicklingError(f"{type(error).__name__}: {error}") from error


class _Values(pickle.Unpickler):
    """Looks up classes of values and errors only."""

    def find_class(self, module: str, name: str, /) -> Any:
        """The class of this name."""
        if (module, name) == _REVIVE or name in _PLAIN.get(module, ()):
            return super().find_class(module, name)
        found = getattr(builtins, name, None) if module == "builtins" else _attribute(module, name)
        if isinstance(found, type) and _holds_values(found):
            return found
        raise pickle.UnpicklingError(f"{module}.{name} is neither a dataclass or named tuple, nor an Enum or exception")


def _holds_values(found: type) -> bool:
    is_named_tuple = issubclass(found, tuple) and hasattr(found, "_fields")
    return is_named_tuple or dataclasses.is_dataclass(found) or issubclass(found, (BaseException, Enum))


def _attribute(module: str, name: str) -> object:
    """What a module of ours, or one that is there already, holds under a dotted name; None for nothing, or no class."""
    found: object = importlib.import_module(module) if module.startswith("docpipe.") else sys.modules.get(module)
    for part in name.split("."):
        found = vars(found).get(part) if found is not None else None
        if not isinstance(found, type):
            return None
    return found
