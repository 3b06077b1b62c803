"""What a command found -> standard output, one JSON object or text; its error -> standard error."""

import contextlib
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from docpipe.errors import ConfigError, DocpipeError, IndexMismatch, RunLocked, SourceError, Unauthorized
from docpipe.pipeline.report import json_forms

__all__ = ["OutputLost", "explain", "flush", "quiet", "replace_closed_streams", "show", "tell", "write"]


class OutputLost(DocpipeError):
    """The result cannot be written where it was to go."""


@contextlib.contextmanager
def quiet(as_json: bool) -> Iterator[None]:
    """Whatever libraries print goes to standard error while standard output is kept for one JSON object."""
    with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
        yield


def show(form: dict[str, Any], text: Callable[[], str], as_json: bool) -> None:
    """Print a command's result: the form as one line of JSON, or the text.

    Raises:
        OutputLost: it cannot be written.
    """
    if as_json:
        write(sys.stdout, _json_text(form))
    else:
        write(sys.stdout, text())


def _json_text(form: dict[str, Any]) -> str:
    encoding = (sys.stdout.encoding or "utf-8").lower().replace("-", "")
    text = json.dumps(form, ensure_ascii=encoding != "utf8", default=str)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # a file name that is not text
        text = json.dumps(form, default=str)
    return text + "\n"


def write(stream: TextIO, text: str) -> None:
    """Write; a reader who has gone away is no error.

    Raises:
        OutputLost: the disk is full, say.
    """
    try:
        try:
            stream.write(text)
        except UnicodeEncodeError:
            encoding = stream.encoding or "ascii"
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except BrokenPipeError:
        _discard(stream)
    except OSError as error:
        _discard(stream)
        remedy = "free some space or write elsewhere; what the command did stays done"
        raise OutputLost(f"cannot write the result: {error.strerror or error}", remedy=remedy) from error


def flush() -> None:
    """Write out what is held back; what cannot be written is let go."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            _discard(stream)


def replace_closed_streams() -> None:
    """What goes to a closed stream goes nowhere; left closed, its number would be given to the next file opened."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - for good


def _discard(stream: TextIO) -> None:
    """Let what is still to be written go nowhere, so that Python does not complain when it ends."""
    with contextlib.suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)


def tell(error: DocpipeError, as_json: bool, *, code: int) -> int:
    """Print an error, as JSON on standard output or in words on standard error; returns the exit code."""
    with contextlib.suppress(OutputLost):
        if as_json:
            write(sys.stdout, _json_text(json_forms.error(error)))
            return code
    from docpipe.console import safe

    where = "" if isinstance(error, ConfigError) or not error.where else f"{error.where}: "
    with contextlib.suppress(OutputLost):
        notes = "".join(f"note: {safe(note)}\n" for note in getattr(error, "__notes__", ()))
        write(sys.stderr, safe(f"docpipe: {where}{error}") + "\n" + notes)
    return code


def explain(error: Exception, *, as_json: bool, debug: bool) -> int:
    """Print an error of any kind; returns the exit code."""
    if debug:
        traceback.print_exception(error, file=sys.stderr)
    if not isinstance(error, DocpipeError):
        from docpipe._plug_ins import blamed

        error = blamed(error)
    if isinstance(error, DocpipeError):
        # A plain SourceError is about the source itself; its kinds are about one file.
        unset = isinstance(error, Unauthorized) and not error.status  # no key at all: nobody was asked
        wrong = isinstance(error, (ConfigError, IndexMismatch)) or type(error) is SourceError or unset
        return tell(error, as_json, code=3 if isinstance(error, RunLocked) else 2 if wrong else 1)
    usage = getattr(error, "format_message", None)
    if usage is not None:  # typer's own: an unknown option, a missing argument
        command = getattr(getattr(error, "ctx", None), "command_path", "docpipe")
        return tell(ConfigError(str(usage()), where=command, remedy=f"see {command} --help"), as_json, code=2)
    defect = DocpipeError(
        f"a defect: {type(error).__name__}: {error}", remedy="please report it; --debug shows where it arose"
    )
    return tell(defect, as_json, code=1)
