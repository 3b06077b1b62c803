"""Questions, a line each -> answers as they are written: a conversation in the terminal."""

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol, TextIO

from docpipe import console, output
from docpipe.errors import ConfigError, DocpipeError
from docpipe.pipeline.report import json_forms
from docpipe.types import Answer, ReasoningPiece, TextPiece

HELP = "Ask, a question a line. /quit (or Ctrl-D) ends, /cost tells what was spent, Ctrl-C stops an answer.\n"
_MARK = "? "


class Ended(KeyboardInterrupt):
    """The command is to end, not only the answer that is being written."""


class Talk(Protocol):
    """A conversation that a pipeline holds: `docpipe.Session`."""

    def stream(
        self, question: str, *, where: str = "", web: bool = True, thinking: bool | None = None
    ) -> Iterator[object]:
        """Pieces of the answer, then the Answer."""
        ...


@dataclass(kw_only=True)
class Record:
    """What became of each question of a conversation."""

    turns: list[dict[str, Any]] = field(default_factory=list)
    """As JSON, answers and errors."""
    answers: list[Answer] = field(default_factory=list)
    failed: int = 0

    def form(self) -> dict[str, Any]:
        """What `docpipe chat --json` prints."""
        names = ("prompt_tokens", "cached_tokens", "predicted_cached_tokens", "completion_tokens")
        usage = {name: sum(getattr(answer.usage, name) for answer in self.answers) for name in names}
        return {"turns": self.turns, "usage": usage, "cost_usd": sum(answer.cost_usd for answer in self.answers)}


def questions(stream: TextIO) -> Iterator[str]:
    """Lines that are typed, after a prompt, or those of a file; ends at its end or by Ctrl-C."""
    if not stream.isatty():
        yield from stream
        return
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401 - importing it is what gives `input` its keys
    while True:
        try:
            yield input(_MARK)
        except (EOFError, KeyboardInterrupt) as end:
            if isinstance(end, Ended):
                raise
            output.write(sys.stdout, "\n")
            return


def converse(
    talk: Talk,
    lines: Iterable[str],
    *,
    where: str = "",
    web: bool = True,
    thinking: bool | None = None,
    write: Callable[[str], None],
    note: Callable[[str], None],
    patient: bool = False,
) -> Record:
    """Ask line by line.

    Args:
        write: takes the answers, piece by piece.
        note: takes errors and what is said about the conversation.
        patient: Ctrl-C stops an answer, not the conversation.

    Raises:
        DocpipeError: the first question that can be answered is not: no key, no index.
    """
    record = Record()
    for line in lines:
        question = line.strip()
        if question in ("/quit", "/exit"):
            break
        if question.startswith("/") and " " not in question:
            note(console.spent_text(record.answers) or "nothing yet\n" if question == "/cost" else HELP)
            continue
        if not question:
            continue
        try:
            answer = _told(talk.stream(question, where=where, web=web, thinking=thinking), write, note, thinking)
        except DocpipeError as error:
            if not record.answers and not (isinstance(error, ConfigError) and error.where == "question"):
                raise
            record.failed += 1
            record.turns.append({"question": question, **json_forms.error(error)})
            note(console.safe(f"docpipe: {error}\n"))
        except KeyboardInterrupt as stop:
            if not patient or isinstance(stop, Ended):
                raise
            note("\n(stopped)\n")
        else:
            record.answers.append(answer)
            record.turns.append(json_forms.ask(answer))
    return record


def tell(pieces: Iterator[object], write: Callable[[str], None], reason: Callable[[str], None] | None) -> Answer:
    """Write an answer as it comes, then its proofs.

    Args:
        reason: takes what the model thinks, where it is to be shown.
    """
    told = ""
    try:
        for piece in pieces:
            if isinstance(piece, TextPiece):
                told += piece.text
                write(console.safe(piece.text))
            elif isinstance(piece, ReasoningPiece) and reason is not None:
                reason(console.safe(piece.text))
            elif isinstance(piece, Answer):
                rest = "" if told.strip() else console.safe(piece.text).strip()
                write(f"{rest}\n{console.proofs_text(piece)}")
                return piece
    finally:
        getattr(pieces, "close", lambda: None)()
    raise RuntimeError("a stream ended without an answer")


def _told(
    pieces: Iterator[object], write: Callable[[str], None], note: Callable[[str], None], thinking: bool | None
) -> Answer:
    answer = tell(pieces, write, note if thinking else None)
    write("\n")
    return answer
