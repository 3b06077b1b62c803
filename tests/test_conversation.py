"""A conversation in the terminal, played with answers that are made up."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from docpipe import conversation
from docpipe.conversation import Ended, converse, questions
from docpipe.errors import InvalidOption, Unauthorized, Unavailable
from docpipe.types import Answer, Citation, ReasoningPiece, TextPiece, Usage

USAGE = Usage(prompt_tokens=1200, cached_tokens=1000, completion_tokens=30, predicted_cached_tokens=1100)


@dataclass
class Played:
    """Says what it is told to, one list of pieces (or an error) per question."""

    turns: list[Any]
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    closed: int = 0

    def stream(
        self, question: str, *, where: str = "", web: bool = True, thinking: bool | None = None
    ) -> Iterator[object]:
        self.asked.append((question, {"where": where, "web": web, "thinking": thinking}))
        turn = self.turns.pop(0)
        try:
            for piece in turn if isinstance(turn, list) else [turn]:
                if isinstance(piece, BaseException):
                    raise piece
                yield piece
        finally:
            self.closed += 1


def answer(text: str = "At 4 bar [1].", **facts: Any) -> Answer:
    citation = Citation(marker="[1]", uri="a.pdf", chunk_id="c", quote="opens at 4 bar", pages=(3,), verified=True)
    return Answer(question="q", text=text, origin="documents", citations=(citation,), **facts)


@dataclass
class Told:
    """What was printed."""

    answers: str = ""
    notes: str = ""

    def write(self, text: str) -> None:
        self.answers += text

    def note(self, text: str) -> None:
        self.notes += text


def play(turns: list[Any], *lines: str, **options: Any) -> tuple[conversation.Record, Told, Played]:
    talk, told = Played(turns), Told()
    record = converse(talk, lines, write=told.write, note=told.note, **options)
    return record, told, talk


def test_an_answer_is_written_as_it_comes_and_its_proofs_behind_it() -> None:
    pieces = [TextPiece(text="At 4 "), TextPiece(text="bar [1]."), answer(usage=USAGE, cost_usd=0.002)]
    record, told, talk = play([pieces], "When?\n", where="page < 3", web=False)
    assert told.answers.startswith("At 4 bar [1].\n\n[1] a.pdf p. 3\n    “opens at 4 bar”\n")
    assert "0.0020 USD: 1,200 tokens read (1,000 of them cached), 30 written" in told.answers
    assert talk.asked == [("When?", {"where": "page < 3", "web": False, "thinking": None})]
    assert record.form()["usage"]["predicted_cached_tokens"] == 1100
    assert record.form()["cost_usd"] == 0.002


def test_an_answer_that_was_not_streamed_is_written_whole() -> None:
    _, told, _ = play([[answer("The documents do not say.")]], "q")
    assert told.answers.startswith("The documents do not say.\n")


def test_empty_lines_are_no_questions_and_quit_ends() -> None:
    record, _, talk = play([[answer()]], "\n", "  ", "q\n", "/quit", "never asked")
    assert [question for question, _ in talk.asked] == ["q"]
    assert len(record.answers) == 1


def test_commands_are_not_asked() -> None:
    _, told, talk = play([[answer(usage=USAGE, cost_usd=0.5)]], "/cost", "/help", "/what", "q", "/cost")
    assert len(talk.asked) == 1
    assert told.notes.startswith("nothing yet\n")
    assert told.notes.count("/quit (or Ctrl-D) ends") == 2
    assert "1 answer, 0.5000 USD" in told.notes
    assert "1,100 were expected to be" in told.notes


def test_a_question_may_begin_with_a_slash() -> None:
    _, _, talk = play([[answer()]], "/etc/hosts holds what?")
    assert len(talk.asked) == 1


def test_an_error_later_on_does_not_end_the_conversation() -> None:
    busy = Unavailable("the service is busy", service="chat", remedy="try again")
    record, told, talk = play([[answer()], [TextPiece(text="Half"), busy], [answer()]], "a", "b", "c")
    assert (len(record.answers), record.failed, talk.closed) == (2, 1, 3)
    assert record.turns[1] == {
        "question": "b",
        "error": {"type": "Unavailable", "message": "the service is busy", "where": "chat", "remedy": "try again"},
    }
    assert "docpipe: the service is busy (try again)" in told.notes


def test_an_error_at_the_very_beginning_ends_it() -> None:
    with pytest.raises(Unauthorized):
        play([Unauthorized("ZAI_API_KEY is not set", service="chat")], "a", "b")


def test_a_bad_question_never_ends_it() -> None:
    long = InvalidOption("the question is too long", where="question", remedy="ask in fewer words")
    record, _, _ = play([long, [answer()]], "a", "b")
    assert (len(record.answers), record.failed) == (1, 1)


def test_ctrl_c_stops_an_answer_where_somebody_types() -> None:
    record, told, talk = play([[TextPiece(text="Half"), KeyboardInterrupt()], [answer()]], "a", "b", patient=True)
    assert "(stopped)" in told.notes
    assert (len(record.answers), talk.closed) == (1, 2)


@pytest.mark.parametrize(("stop", "patient"), [(KeyboardInterrupt(), False), (Ended(), True)], ids=["file", "sigterm"])
def test_it_ends_when_the_command_is_to_end(stop: BaseException, patient: bool) -> None:
    with pytest.raises(KeyboardInterrupt):
        play([[stop]], "a", patient=patient)


def test_thoughts_are_shown_where_they_were_asked_for() -> None:
    pieces = [ReasoningPiece(text="Hm."), TextPiece(text="Yes."), answer("Yes.")]
    assert play([pieces[:]], "a", thinking=True)[1].notes == "Hm."
    assert play([pieces[:]], "a")[1].notes == ""


def test_what_a_terminal_would_obey_is_never_printed() -> None:
    _, told, _ = play([[ReasoningPiece(text="\x1b[2J"), TextPiece(text="a\x1b[31mred"), answer()]], "q", thinking=True)
    assert "\x1b" not in told.answers + told.notes


def test_a_closed_stream_that_never_answered_is_a_defect() -> None:
    with pytest.raises(RuntimeError, match="without an answer"):
        play([[TextPiece(text="a")]], "q")


class Typed(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_typed_questions_end_with_the_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed: list[Any] = ["one", "two", EOFError()]

    def read(mark: str) -> str:
        item = typed.pop(0)
        if isinstance(item, BaseException):
            raise item
        return str(item)

    monkeypatch.setattr("builtins.input", read)
    assert list(questions(Typed())) == ["one", "two"]
    typed[:] = [KeyboardInterrupt()]
    assert list(questions(Typed())) == []
    typed[:] = [Ended()]
    with pytest.raises(Ended):
        list(questions(Typed()))


def test_lines_of_a_file_are_questions() -> None:
    assert list(questions(io.StringIO("one\ntwo"))) == ["one\n", "two"]
