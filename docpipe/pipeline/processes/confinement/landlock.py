"""Folders -> a process that may write nowhere else (Linux with Landlock, on any processor).

Holds for the thread that asks and all it starts, and cannot be taken away again. Reading stays as it was.
"""

import ctypes
import os
import sys
from collections.abc import Sequence
from struct import Struct

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_ASK_VERSION, _PATH_BENEATH = 1, 1
_WRITE_FILE = 1 << 1
_REMOVE_DIR, _REMOVE_FILE = 1 << 4, 1 << 5
_MAKE_SOCKET = 1 << 9
_MAKE_ANYTHING = sum(1 << bit for bit in range(6, 13))
_MOVE, _TRUNCATE = 1 << 13, 1 << 14
_BIND_AND_CONNECT = 0b11
_SIGNALS_AND_ABSTRACT_SOCKETS = 0b11
_BENEATH = Struct("=Qi")


def version() -> int:
    """What the kernel understands of it; 0 where it does not at all."""
    if sys.platform != "linux":
        return 0
    return max(0, _call(_CREATE, 0, 0, _ASK_VERSION))


def install(*, writable: str, devices: Sequence[str] = (), sockets: Sequence[str] = ()) -> bool:
    """Have the kernel refuse writing anywhere but below a folder, and TCP; whether it does.

    Args:
        devices: files that exist and may be written, too.
        sockets: folders in which sockets may be made.
    """
    known = version()
    if not known:
        return False
    everything = _rights(known)
    rules = _call_with(_CREATE, _ruleset(known))
    if rules < 0:
        return False
    try:
        allowed = [(writable, everything)]
        allowed += [(path, everything & (_WRITE_FILE | _TRUNCATE)) for path in devices]
        allowed += [(path, _MAKE_SOCKET | _REMOVE_FILE) for path in sockets]
        return all(_allow(rules, path, rights) for path, rights in allowed) and _call(_RESTRICT, rules, 0) == 0
    finally:
        os.close(rules)


def _rights(known: int) -> int:
    """All ways to write that this version of the kernel can tell."""
    rights = _WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_ANYTHING
    return rights | (_MOVE if known >= 2 else 0) | (_TRUNCATE if known >= 3 else 0)


def _ruleset(known: int) -> bytes:
    handled = [_rights(known)]
    if known >= 4:
        handled.append(_BIND_AND_CONNECT)
    if known >= 6:
        handled.append(_SIGNALS_AND_ABSTRACT_SOCKETS)
    return b"".join(rights.to_bytes(8, sys.byteorder) for rights in handled)


def _allow(rules: int, path: str, rights: int) -> bool:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        beneath = ctypes.create_string_buffer(_BENEATH.pack(rights, handle), _BENEATH.size)
        return _call(_ADD_RULE, rules, _PATH_BENEATH, ctypes.addressof(beneath), 0) == 0
    finally:
        os.close(handle)


def _call_with(number: int, attributes: bytes) -> int:
    held = ctypes.create_string_buffer(attributes, len(attributes))
    return _call(number, ctypes.addressof(held), len(attributes), 0)


def _call(number: int, *arguments: int) -> int:
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    return int(call(ctypes.c_long(number), *map(ctypes.c_void_p, arguments)))
