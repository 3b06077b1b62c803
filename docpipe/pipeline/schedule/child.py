"""`docpipe run` in a process of its own: what it did, in a line."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from docpipe.pipeline.schedule.stopping import Stop

_LOOK = 0.25
"""Seconds between two looks whether somebody asked for an end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """How a run ended."""

    code: int
    """Its exit code; negative: the number of the signal that killed it."""
    seconds: float
    """How long it took."""
    form: dict[str, Any]
    """The JSON it printed; empty where it printed none."""


def run_apart(arguments: Sequence[str], stop: Stop) -> Done:
    """Run `docpipe run ... --json` and wait for it.

    Memory that a run took is free afterwards, and a crash of it is only that run's. An end that is asked for is passed
    on: the run finishes its batch. Its standard error is this process's.
    """
    begun = time.monotonic()
    command = [sys.executable, "-P", "-m", "docpipe.cli", "run", *arguments, "--json"]
    # In a session of its own: Ctrl-C in the terminal reaches it once, through us.
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True) as child:
        try:
            printed = _output(child, stop)
        except BaseException:
            child.kill()
            raise
    return Done(code=child.returncode, seconds=time.monotonic() - begun, form=_form(printed))


def _output(child: "subprocess.Popen[bytes]", stop: Stop) -> bytes:
    told = False
    while True:
        if stop.reason and not told:
            told = True
            child.terminate()
        try:
            return child.communicate(timeout=_LOOK)[0]
        except subprocess.TimeoutExpired:
            continue


def _form(printed: bytes) -> dict[str, Any]:
    try:
        form = json.loads(printed)
    except ValueError:
        return {}
    return form if isinstance(form, dict) else {}
