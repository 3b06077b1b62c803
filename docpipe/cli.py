"""Arguments -> a pipeline's methods -> results on standard output: `docpipe COMMAND ...`.

With `--json` exactly one JSON object is printed, errors included. Exit codes: 0 done, or a run that SIGTERM ended;
1 done, but some item failed; 2 the command or the pipeline file is wrong; 3 another process writes the index;
130 interrupted.
"""

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from docpipe import output
from docpipe.commands import asking, care, duplicates, files, indexing, quality, timing, versions
from docpipe.commands.program import Failed, Stopped, app
from docpipe.errors import DocpipeError

__all__ = ["asking", "care", "duplicates", "files", "indexing", "main", "quality", "timing", "versions"]

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    flags = given[: given.index("--")] if "--" in given else given
    as_json, debug = "--json" in flags, "--debug" in flags
    output.replace_closed_streams()
    try:
        with _ended_like_ctrl_c():
            code = app(given, prog_name="docpipe", standalone_mode=False)
        code = code if isinstance(code, int) else 0
        if code == _INTERRUPTED:  # newer versions of typer return it, older ones raise Abort
            code = _interrupted(as_json)
    except Failed:
        code = 1
    except Stopped:
        code = _INTERRUPTED
    except (KeyboardInterrupt, typer.Abort):
        code = _interrupted(as_json)
    except output.OutputLost as lost:
        code = output.tell(lost, False, code=1)
    except Exception as error:  # the rim of the program: nobody above can handle it
        code = output.explain(error, as_json=as_json, debug=debug)
    output.flush()
    return code


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False) -> None:
    if version:
        from docpipe import __version__

        output.write(sys.stdout, f"docpipe {__version__}\n")
        raise typer.Exit


@contextlib.contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """A service manager's SIGTERM ends a command as Ctrl-C does: workers are stopped, the lock is given back."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(*_: object) -> None:
    from docpipe.conversation import Ended

    raise Ended


def _interrupted(as_json: bool) -> int:
    error = DocpipeError("interrupted", remedy="run the same command again: it goes on")
    return output.tell(error, as_json, code=_INTERRUPTED)


if __name__ == "__main__":
    sys.exit(main())
