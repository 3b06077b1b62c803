"""What worker processes cannot do, whatever a file makes a parser do."""

import contextlib
import errno
import os
import pickle
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from escaping import Escaping
from hypothesis import given
from hypothesis import strategies as some

from docpipe.errors import NotAllowed, OutOfMemory, TimedOut, TooMuchOutput, WorkerDied
from docpipe.pipeline.processes.child import Limits
from docpipe.pipeline.processes.confinement import seccomp
from docpipe.pipeline.processes.confinement.confine import enforced
from docpipe.pipeline.processes.frames import values
from docpipe.pipeline.processes.grants import Grants, environment, grants
from docpipe.pipeline.processes.scratch import Scratch
from docpipe.pipeline.processes.workers import Reply, WorkerPool
from docpipe.types import Span

HELD = enforced()
by_seccomp = pytest.mark.skipif("seccomp" not in HELD, reason="this kernel has no such filter")
by_landlock = pytest.mark.skipif("landlock" not in HELD, reason="this kernel has no Landlock")
TRAP = Path("/tmp/docpipe-trap")


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with WorkerPool(Escaping(), size=1, limits=Limits(seconds=30, output=2**20)) as made:
        yield made


def ask(pool: WorkerPool, method: str, *arguments: object) -> Reply:
    pool.submit("key", method, *arguments)
    (reply,) = pool.replies()
    return reply


def refused(pool: WorkerPool, method: str, *arguments: object) -> str:
    error = ask(pool, method, *arguments).error
    assert isinstance(error, NotAllowed)
    assert error.remedy
    return error.message


def test_a_worker_has_no_network(pool: WorkerPool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert "use the network" in refused(pool, "connect", server.getsockname()[1])
    assert "use the network" in refused(pool, "look_up")


@by_seccomp
def test_the_kernel_refuses_native_code_sockets_programs_and_signals(pool: WorkerPool) -> None:
    assert ask(pool, "socket_by_the_kernel").value == -errno.EPERM
    assert ask(pool, "fork_by_the_kernel").value == -errno.EPERM
    assert ask(pool, "signal_by_the_kernel", os.getpid()).value == -errno.EPERM


def test_a_worker_starts_no_programs(pool: WorkerPool) -> None:
    assert "start" in refused(pool, "run", "/bin/echo", "hello")
    assert "start" in refused(pool, "fork")


def test_threads_may_be_started(pool: WorkerPool) -> None:
    assert ask(pool, "threads").value == 1


@pytest.mark.parametrize("method", ["write", "remove", "rename", "link_out"])
def test_a_worker_changes_no_file_of_others(pool: WorkerPool, tmp_path: Path, method: str) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("mine", encoding="utf-8")
    assert ("/link" if method == "link_out" else "mine.txt") in refused(pool, method, str(mine))
    assert mine.read_text("utf-8") == "mine"


@by_landlock
def test_the_kernel_refuses_native_code_to_write(pool: WorkerPool, tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("mine", encoding="utf-8")
    assert ask(pool, "write_by_the_kernel", str(mine)).value == -errno.EACCES
    assert ask(pool, "write_by_the_kernel", str(tmp_path / "new.txt")).value == -errno.EACCES
    assert ask(pool, "remove_by_the_kernel", str(mine)).value == -errno.EACCES
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_worker_has_a_folder_of_its_own_that_ends_with_it() -> None:
    with WorkerPool(Escaping(), size=1, limits=Limits(seconds=30)) as pool:
        folder = Path(ask(pool, "use_scratch").value)
        assert (folder / "stays").exists()
        assert folder.parent.name.startswith("docpipe-scratch-")
    assert not folder.parent.exists()


def test_a_worker_that_fills_its_folder_is_ended() -> None:
    with WorkerPool(Escaping(), size=1, limits=Limits(seconds=60)) as pool:
        assert isinstance(ask(pool, "fill_scratch").error, TooMuchOutput)


def test_files_that_are_left_behind_by_a_killed_run_are_deleted_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead = tmp_path / "docpipe-scratch-dead"
    (dead / "worker").mkdir(parents=True)
    alive = Scratch()
    assert not dead.exists()
    folder = alive.folder()
    Scratch().close()
    assert Path(folder).is_dir()
    alive.close()
    assert list(tmp_path.iterdir()) == []


def test_a_worker_sees_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ZAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "DATABASE_URL", "HTTPS_PROXY", "OPENS_THEM"):
        monkeypatch.setenv(name, "a secret")
    with WorkerPool(Escaping(environment=("OPENS_THEM",)), size=1, limits=Limits(seconds=30)) as pool:
        variables = ask(pool, "variables").value
    assert [name for name, value in variables.items() if value == "a secret"] == ["OPENS_THEM"]
    assert {"PATH", "PYTHONPATH", "TMPDIR"} <= set(variables)


@given(names=some.dictionaries(some.text(min_size=1), some.text()), granted=some.sets(some.text()))
def test_an_environment_is_never_more_than_it_was(names: dict[str, str], granted: set[str]) -> None:
    found = environment(names, granted)
    assert found.items() <= names.items()
    assert set(names) & granted <= set(found)


def test_stages_say_what_they_need() -> None:
    class Converter:
        STARTS_PROGRAMS = ("soffice",)

    class Opener:
        environment_names = ("FIRST", "SECOND")

    assert grants([Converter(), Opener(), object()]) == Grants(programs=("soffice",), environment=("FIRST", "SECOND"))


@pytest.mark.skipif(sys.platform != "linux", reason="names programs of Linux")
def test_a_program_that_a_stage_names_may_be_started_and_is_confined_too(tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    with WorkerPool(Escaping(programs=("sh", "no-such-program")), size=1, limits=Limits(seconds=30)) as pool:
        assert (
            ask(pool, "run", "sh", "-c", "echo hello; cat /dev/null > $TMPDIR/own; ls $TMPDIR").value == "hello\nown\n"
        )
        assert "start" in refused(pool, "run", "touch", str(mine))
        assert "use the network" in refused(pool, "look_up")
        if "landlock" in HELD:
            assert ask(pool, "run", "sh", "-c", f"echo gone > {mine}").error is not None
            assert not mine.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="names programs of Linux")
def test_a_program_that_swells_counts_as_its_worker() -> None:
    limits = Limits(seconds=60, memory=250 * 2**20)
    with WorkerPool(Escaping(programs=("sh",)), size=1, limits=limits) as pool:
        assert isinstance(ask(pool, "run", "sh", "-c", "tail /dev/zero").error, OutOfMemory)
        assert ask(pool, "threads").value == 1


def test_a_program_is_only_allowed_where_it_is_on_this_machine() -> None:
    with WorkerPool(Escaping(programs=("no-such-program",)), size=1, limits=Limits(seconds=30)) as pool:
        assert "start" in refused(pool, "run", "/bin/echo", "hello")


@pytest.mark.skipif("limits" not in HELD, reason="this system has no such limits")
def test_open_files_written_files_and_core_dumps_are_limited(pool: WorkerPool) -> None:
    assert 50 < ask(pool, "many_files").value < 256
    error = ask(pool, "large_file").error
    assert isinstance(error, OSError)
    assert error.errno == errno.EFBIG
    found = ask(pool, "limits").value
    assert found["RLIMIT_CORE"] == (0, 0)
    assert 30 < found["RLIMIT_CPU"][0] < 300


@pytest.mark.skipif("limits" not in HELD, reason="this system has no such limits")
def test_processor_time_is_limited() -> None:
    with WorkerPool(Escaping(), size=1, limits=Limits(seconds=60)) as pool:
        assert isinstance(ask(pool, "use_processor").error, TimedOut)
        assert ask(pool, "threads").value == 1


def test_a_reply_above_the_limit_is_a_typed_error_and_is_not_sent(pool: WorkerPool) -> None:
    assert len(ask(pool, "much", 2**19).value) == 2**19
    error = ask(pool, "much", 2**21).error
    assert isinstance(error, TooMuchOutput)
    assert "1 MB" in error.message
    assert ask(pool, "threads").value == 1


def test_a_worker_that_was_taken_over_cannot_make_its_parent_run_anything(pool: WorkerPool) -> None:
    TRAP.unlink(missing_ok=True)
    for method in ("trap", "trap_in_a_frame"):
        error = ask(pool, method).error
        assert isinstance(error, WorkerDied)
        assert "posix.system" in error.message or "nt.system" in error.message
    assert isinstance(ask(pool, "much_in_a_frame").error, TooMuchOutput)
    assert ask(pool, "threads").value == 1
    assert not TRAP.exists()


@pytest.mark.parametrize(
    "frame",
    [b"", b"nonsense", pickle.dumps(None), pickle.dumps(("value",)), pickle.dumps(("error", "words")), b"\x80\x05(((("],
    ids=["nothing", "no pickle", "no pair", "half a pair", "no error", "cut short"],
)
def test_a_reply_that_makes_no_sense_costs_its_worker_only(pool: WorkerPool, frame: bytes) -> None:
    assert isinstance(ask(pool, "nonsense_in_a_frame", frame).error, WorkerDied)
    assert ask(pool, "threads").value == 1


@given(frame=some.binary(max_size=60))
def test_no_bytes_make_values_raise_anything_else(frame: bytes) -> None:
    with contextlib.suppress(pickle.UnpicklingError):
        values(frame)


@pytest.mark.parametrize("value", [{"a": (1, [2.5, None])}, Span(1, 2), errno.errorcode, {1}, frozenset({b"x"})])
def test_values_travel(value: object) -> None:
    assert values(pickle.dumps(value, protocol=5)) == value


@pytest.mark.parametrize("value", [os.system, open, pickle.loads, WorkerPool, Path.unlink, eval])
def test_nothing_that_acts_is_looked_up(value: object) -> None:
    with pytest.raises(pickle.UnpicklingError, match="neither a dataclass"):
        values(pickle.dumps(value))


def test_an_error_of_a_class_that_is_not_known_here_arrives_as_its_words(pool: WorkerPool) -> None:
    error = ask(pool, "foreign_error").error
    assert type(error) is RuntimeError
    assert str(error) == "Strange: of a library"


def test_a_worker_may_ask_its_parent_in_the_middle_of_a_call(pool: WorkerPool) -> None:
    assert ask(pool, "ask_parent", "what", 1, "two").value == ("what", (1, "two"), ("what", 1, "two"))
    error = ask(pool, "ask_parent", "fail", "because").error
    assert isinstance(error, ValueError)
    assert str(error) == "because"
    assert ask(pool, "threads").value == 1


class TestFilter:
    """The program that the kernel runs for each system call, run here."""

    @staticmethod
    def verdict(machine: seccomp.Machine, name: str, argument: int = 0, *, programs: bool = False) -> int:
        number = machine.numbers.get(name, 0) if isinstance(name, str) else name
        values = {0: number, 4: machine.architecture, 16: argument}
        program = seccomp.program(machine, process=77, starts_programs=programs)
        at = held = 0
        while True:
            code, yes, no, operand = program[at]
            at += 1
            if code == 0x06:
                return operand
            if code == 0x20:
                held = values[operand]
            else:
                tests = {0x15: held == operand, 0x35: held >= operand, 0x45: bool(held & operand)}
                at += yes if tests[code] else no

    ALLOWED, EPERM, ENOSYS = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS

    @pytest.mark.parametrize("machine", seccomp.MACHINES.values(), ids=list(seccomp.MACHINES))
    def test_it_refuses_what_parsing_does_not_need(self, machine: seccomp.Machine) -> None:
        for name in ("socket", "connect", "execve", "ptrace", "io_uring_setup", "memfd_create", "fchmodat", "tkill"):
            assert self.verdict(machine, name) == self.EPERM, name
        assert self.verdict(machine, "clone3") == self.ENOSYS
        assert self.verdict(machine, "clone", 17) == self.EPERM
        assert self.verdict(machine, "clone", 0x10000 | 17) == self.ALLOWED
        verdicts = [self.verdict(machine, "kill", target) for target in (0, 77, 78)]
        assert verdicts == [self.ALLOWED, self.ALLOWED, self.EPERM]

    @pytest.mark.parametrize("machine", seccomp.MACHINES.values(), ids=list(seccomp.MACHINES))
    def test_programs_may_be_started_where_that_is_granted_but_have_no_network(self, machine: seccomp.Machine) -> None:
        assert self.verdict(machine, "execve", programs=True) == self.ALLOWED
        assert self.verdict(machine, "clone3", programs=True) == self.ALLOWED
        assert self.verdict(machine, "socket", 1, programs=True) == self.ALLOWED
        for family in (2, 10, 16, 17):
            assert self.verdict(machine, "socket", family, programs=True) == self.EPERM
        assert self.verdict(machine, "ptrace", programs=True) == self.EPERM

    @pytest.mark.parametrize("machine", seccomp.MACHINES.values(), ids=list(seccomp.MACHINES))
    def test_every_name_has_a_number(self, machine: seccomp.Machine) -> None:
        older = {"fork", "vfork", "chmod", "chown", "lchown", "utime", "utimes", "futimesat"}
        wanted = {*seccomp.NEVER, *seccomp.SOCKETS, *seccomp.STARTING, *seccomp.RIGHTS, *seccomp.OWN_ONLY}
        assert wanted - set(machine.numbers) in (set(), older)
        assert len(set(machine.numbers.values())) == len(machine.numbers)
