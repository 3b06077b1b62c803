"""What a process need not ask of the kernel -> a filter of its system calls (Linux on x86_64 and aarch64).

Refused calls end with EPERM: a library gets an ordinary error. The filter holds for all threads and all children, and
cannot be taken away again.
"""

import ctypes
import errno
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from struct import Struct

Instruction = tuple[int, int, int, int]
"""Code, how many to skip if true, if false, operand."""
_INSTRUCTION = Struct("=HBBI")
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_CLONE_THREAD, _AF_UNIX = 0x00010000, 1
_X32 = 0x40000000
"""Numbers from here on are a second table of the same calls (x86_64)."""
_SET_FILTER, _ALL_THREADS, _IS_ACTION_KNOWN = 1, 1, 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """What the kernel calls things on one processor."""

    architecture: int
    seccomp: int
    numbers: Mapping[str, int]


NEVER = (
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "pidfd_open",
    "pidfd_getfd",
    "pidfd_send_signal",
    "rt_sigqueueinfo",
    "rt_tgsigqueueinfo",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "bpf",
    "perf_event_open",
    "userfaultfd",
    "memfd_create",
    "memfd_secret",
    "mount",
    "umount2",
    "pivot_root",
    "chroot",
    "setns",
    "unshare",
    "open_tree",
    "move_mount",
    "fsopen",
    "fsmount",
    "mount_setattr",
    "open_by_handle_at",
    "add_key",
    "request_key",
    "keyctl",
    "init_module",
    "finit_module",
    "delete_module",
    "kexec_load",
    "kexec_file_load",
    "reboot",
    "swapon",
)
"""Other processes, ways around this filter, memory that no limit counts, and what administrators do."""
SOCKETS = ("connect", "bind", "listen", "accept", "accept4")
STARTING = ("execve", "execveat", "fork", "vfork")
RIGHTS = (
    "chmod",
    "fchmod",
    "fchmodat",
    "fchmodat2",
    "chown",
    "fchown",
    "lchown",
    "fchownat",
    "setxattr",
    "lsetxattr",
    "fsetxattr",
    "removexattr",
    "lremovexattr",
    "fremovexattr",
    "utime",
    "utimes",
    "utimensat",
    "futimesat",
)
"""Whose files are, and who may use them: what limits on writing do not cover."""
OWN_ONLY = ("kill", "tgkill", "prlimit64")
"""Allowed for the process itself."""

_SHARED = {
    "memfd_secret": 447,
    "pidfd_open": 434,
    "pidfd_getfd": 438,
    "pidfd_send_signal": 424,
    "io_uring_setup": 425,
    "io_uring_enter": 426,
    "io_uring_register": 427,
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fsmount": 432,
    "mount_setattr": 442,
    "clone3": 435,
    "fchmodat2": 452,
}


def _numbers(table: str) -> dict[str, int]:
    """`name number` pairs, with those that are the same everywhere."""
    words = table.split()
    return {**_SHARED, **dict(zip(words[::2], map(int, words[1::2]), strict=True))}


MACHINES: Mapping[str, Machine] = {
    "x86_64": Machine(
        architecture=0xC000003E,
        seccomp=317,
        numbers=_numbers(
            "ptrace 101 process_vm_readv 310 process_vm_writev 311 rt_sigqueueinfo 129 rt_tgsigqueueinfo 297 bpf 321 "
            "perf_event_open 298 userfaultfd 323 memfd_create 319 mount 165 umount2 166 pivot_root 155 chroot 161 "
            "setns 308 unshare 272 open_by_handle_at 304 add_key 248 request_key 249 keyctl 250 init_module 175 "
            "finit_module 313 delete_module 176 kexec_load 246 kexec_file_load 320 reboot 169 swapon 167 socket 41 "
            "connect 42 accept 43 bind 49 listen 50 accept4 288 execve 59 execveat 322 fork 57 vfork 58 clone 56 "
            "chmod 90 fchmod 91 fchmodat 268 chown 92 fchown 93 lchown 94 fchownat 260 setxattr 188 lsetxattr 189 "
            "fsetxattr 190 removexattr 197 lremovexattr 198 fremovexattr 199 utime 132 utimes 235 utimensat 280 "
            "futimesat 261 kill 62 tkill 200 tgkill 234 prlimit64 302"
        ),
    ),
    "aarch64": Machine(
        architecture=0xC00000B7,
        seccomp=277,
        numbers=_numbers(
            "ptrace 117 process_vm_readv 270 process_vm_writev 271 rt_sigqueueinfo 138 rt_tgsigqueueinfo 240 bpf 280 "
            "perf_event_open 241 userfaultfd 282 memfd_create 279 mount 40 umount2 39 pivot_root 41 chroot 51 "
            "setns 268 unshare 97 open_by_handle_at 265 add_key 217 request_key 218 keyctl 219 init_module 105 "
            "finit_module 273 delete_module 106 kexec_load 104 kexec_file_load 294 reboot 142 swapon 224 socket 198 "
            "connect 203 accept 202 bind 200 listen 201 accept4 242 execve 221 execveat 281 clone 220 fchmod 52 "
            "fchmodat 53 fchown 55 fchownat 54 setxattr 5 lsetxattr 6 fsetxattr 7 removexattr 14 lremovexattr 15 "
            "fremovexattr 16 utimensat 88 kill 129 tkill 130 tgkill 131 prlimit64 261"
        ),
    ),
}


def here() -> Machine | None:
    """This machine; None where such a filter cannot be had."""
    if sys.platform != "linux" or sys.byteorder != "little" or sys.maxsize < 2**32:
        return None
    machine = MACHINES.get(platform.machine())
    known = ctypes.c_uint32(_ERROR)
    if machine is None or _call(machine.seccomp, _IS_ACTION_KNOWN, 0, ctypes.addressof(known)) != 0:
        return None
    return machine


def install(machine: Machine, *, process: int, starts_programs: bool) -> bool:
    """Have the kernel refuse calls of this process from now on; whether it does."""
    code = b"".join(
        _INSTRUCTION.pack(*one) for one in program(machine, process=process, starts_programs=starts_programs)
    )
    held = ctypes.create_string_buffer(code, len(code))
    described = Struct("@HP").pack(len(code) // _INSTRUCTION.size, ctypes.addressof(held))
    described_at = ctypes.create_string_buffer(described, len(described))
    return _call(machine.seccomp, _SET_FILTER, _ALL_THREADS, ctypes.addressof(described_at)) == 0


def program(machine: Machine, *, process: int, starts_programs: bool) -> list[Instruction]:
    """The filter's instructions (pure).

    Args:
        process: the only one to which signals may be sent.
        starts_programs: other programs may be started, and talk to each other by sockets of this machine.
    """
    numbers = machine.numbers
    found = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, machine.architecture), (_RETURN, 0, 0, _KILL)]
    found += [(_LOAD, 0, 0, _NUMBER), (_AT_LEAST, 0, 1, _X32), _refused(errno.EPERM)]
    refused = NEVER if starts_programs else (*NEVER, *SOCKETS, *STARTING, *RIGHTS, "tkill")
    for number in _known(refused, numbers):
        found += [(_EQUAL, 0, 1, number), _refused(errno.EPERM)]
    if starts_programs:
        found += _if_argument(numbers["socket"], [(_EQUAL, _AF_UNIX)])
    else:
        found += [(_EQUAL, 0, 1, numbers["socket"]), _refused(errno.EPERM)]
        found += [(_EQUAL, 0, 1, numbers["clone3"]), _refused(errno.ENOSYS)]  # its flags cannot be seen: use `clone`
        found += _if_argument(numbers["clone"], [(_ANY_BIT, _CLONE_THREAD)])
        for number in _known(OWN_ONLY, numbers):
            found += _if_argument(number, [(_EQUAL, 0), (_EQUAL, process)])
    return [*found, (_RETURN, 0, 0, _ALLOW)]


def _if_argument(number: int, tests: Sequence[tuple[int, int]]) -> Iterator[Instruction]:
    """One call, allowed where its first argument passes one of the tests."""
    yield (_EQUAL, 0, len(tests) + 3, number)
    yield (_LOAD, 0, 0, _FIRST_ARGUMENT)
    for place, (code, operand) in enumerate(tests):
        yield (code, len(tests) - place, 0, operand)
    yield _refused(errno.EPERM)
    yield (_RETURN, 0, 0, _ALLOW)


def _refused(error: int) -> Instruction:
    return (_RETURN, 0, 0, _ERROR | error)


def _known(names: Iterable[str], numbers: Mapping[str, int]) -> Iterator[int]:
    return (numbers[name] for name in names if name in numbers)


def _call(number: int, *arguments: int) -> int:
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    return int(call(ctypes.c_long(number), *map(ctypes.c_void_p, arguments)))
