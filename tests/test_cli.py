"""The commands: what they print, where, and with which exit code."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import prompts
import pytest

import docpipe as package
import docpipe.pipeline.pipe as pipes
from docpipe import console
from docpipe.cli import main
from docpipe.errors import (
    ConfigError,
    CorruptSource,
    IndexFailed,
    IndexMismatch,
    InvalidOption,
    RunLocked,
    SourceError,
    Unauthorized,
)
from docpipe.pipeline.report.reports import Event, FailureRow, PagesOf, Plan, PlanItem, RunReport, StatusReport
from docpipe.pipeline.schedule.stopping import Stop
from docpipe.prompt import prefix, prices
from docpipe.prompt.builder import Built
from docpipe.protocols import IndexStats
from docpipe.types import (
    Answer,
    BlockKind,
    Chunk,
    Citation,
    Failure,
    Hit,
    Outcome,
    PageBox,
    Prompt,
    ReasoningPiece,
    Source,
    Span,
    Status,
    TextPiece,
    Usage,
)

EVIL = "a\x1b[31mred\x9b2J\u202egnp.exe"
BOX = PageBox(3, 0.1, 0.2, 0.3, 0.4)
FAILURE = Failure(stage="parse", type="CorruptSource", message="it is cut short", remedy="copy it again")


def chunk(position: int = 1, text: str = "the valve opens at 4 bar") -> Chunk:
    return Chunk(
        id=f"c{position}",
        document_id="d",
        source=Source(uri="a/b.pdf", media_type="application/pdf", digest="0", size=1, modified=0),
        span=Span(0, len(text)),
        text=text,
        context="",
        headings=("Valves", "Pressure"),
        block_ids=(),
        kind=BlockKind.PARAGRAPH,
        pages=(3, 4),
        boxes=(BOX,),
        token_count=7,
        position=position,
    )


CITATION = Citation(
    marker="[1]", uri="a/b.pdf", chunk_id="c1", quote="opens at 4 bar", pages=(3,), boxes=(BOX,), verified=True
)


PLANNED = (
    PlanItem(uri="a", action="add", why="new"),
    *(PlanItem(uri=f"{n}.exe", action="ignore", why="nothing reads it") for n in range(7)),
)
LAST_RUN = {"indexed": 2, "seconds": 1.5, "ended": 1.1e9}
ANSWER = Answer(question="q", text="At 4 bar [1].", origin="documents", citations=(CITATION,))


@dataclass
class FakePipe:
    """A pipe that remembers what it was asked and gives what it was told to."""

    calls: list[tuple[str, Any]] = field(default_factory=list)
    error: BaseException | None = None
    failed: int = 0
    hits: tuple[Hit, ...] = (Hit(chunk=chunk(), score=0.5, rank=1, found_by=("vector", "text")),)
    found: Answer = ANSWER
    stages: Any = field(
        default_factory=lambda: SimpleNamespace(answerer=SimpleNamespace(model="glm-4.6"), run=SimpleNamespace(nice=0))
    )

    def _say(self, name: str, **facts: Any) -> None:
        self.calls.append((name, facts))
        if self.error is not None:
            raise self.error

    def __enter__(self) -> "FakePipe":
        return self

    def __exit__(self, *_: object) -> None: ...

    def run(
        self,
        *,
        full: bool = False,
        limit: int | None = None,
        max_cost: float | None = None,
        max_delete: float | None = None,
        plan: str | None = None,
        retry_failed: bool = False,
        stage: bool = False,
        stop: Stop | None = None,
        wait: float = 0.0,
        progress: Callable[[Event], None] | None = None,
    ) -> RunReport:
        said = {"full": full, "limit": limit, "max_cost": max_cost, "max_delete": max_delete, "plan": plan}
        said |= {"retry_failed": retry_failed, "stage": stage, "wait": wait}
        self._say("run", **{name: value for name, value in said.items() if value})
        progress = progress or (lambda event: None)
        done = Outcome(uri="a.pdf", status=Status.INDEXED, chunks=4, pages=2, seconds=0.5)
        bad = Outcome(uri="b\n" + EVIL, status=Status.FAILED, error=FAILURE)
        for event in (
            Event(kind="found", total=2),
            Event(kind="outcome", uri="a.pdf", count=1, total=2, outcome=done),
            Event(kind="embedded", count=4),
            Event(kind="committed", count=1),
            Event(kind="outcome", uri=bad.uri, count=2, total=2, outcome=bad),
            Event(kind="maintenance"),
        ):
            progress(event)
        print("a library that prints")  # noqa: T201
        return RunReport(
            pipeline="p",
            indexed=1,
            failed=self.failed,
            failures=(bad,) * self.failed,
            left_out=(Outcome(uri="x.exe", status=Status.IGNORED, error=FAILURE),),
            needs_ocr=(PagesOf("scan.pdf", (1, 2, 3, 7)),),
            version=5,
            stage_seconds={"parse": 1.23456},
        )

    def plan(self, *, full: bool, limit: int | None, retry_failed: bool, save: str | None) -> Plan:
        said = {"full": full, "limit": limit, "retry_failed": retry_failed, "save": save}
        self._say("plan", **{name: value for name, value in said.items() if value})
        return Plan(added=1, pages=9, embed_tokens=1234, items=PLANNED)

    def search(self, question: str, *, limit: int | None, where: str, mode: str | None) -> list[Hit]:
        self._say("search", question=question, limit=limit, where=where, mode=mode)
        return list(self.hits)

    def neighbours(self, hit: Hit, *, before: int, after: int) -> list[Chunk]:
        self._say("neighbours", before=before, after=after)
        return [chunk(0, "what stands before"), chunk(2, "what stands after")]

    def ask(self, question: str, *, where: str = "", web: bool = True, thinking: bool | None = None) -> Answer:
        self._say("ask", question=question, where=where, web=web, thinking=thinking)
        return self.found

    def stream(
        self, question: str, *, where: str = "", web: bool = True, thinking: bool | None = None
    ) -> Iterator[TextPiece | ReasoningPiece | Citation | Answer]:
        self._say("stream", question=question, where=where, web=web, thinking=thinking)
        yield ReasoningPiece(text="hm")
        yield from (TextPiece(text=word) for word in self.found.text.partition(" "))
        yield CITATION
        yield self.found

    def session(self) -> "FakePipe":
        return self

    def prompt(self, question: str, *, where: str = "") -> Built:
        self._say("prompt", question=question, where=where)
        return prompts.built(question, sources=prompts.excerpts("At 4 bar.\x1b[2J"))

    def difference(self, first: Prompt, second: Prompt) -> prefix.Difference:
        return prefix.difference(first, second, count=prompts.words, price=prices.price("glm-4.6"))

    def status(self) -> StatusReport:
        self._say("status")
        stats = IndexStats(
            rows=10, documents=2, version=5, bytes=2_500_000, text_rows=10, vector_index="", vector_recall=1.0
        )
        return StatusReport(
            name="p",
            index="/i",
            version=5,
            documents=2,
            chunks=10,
            failed=1,
            stats=stats,
            last_run=LAST_RUN,
        )

    def failures(self) -> list[FailureRow]:
        self._say("failures")
        return [FailureRow(uri=EVIL, stage="parse", error=FAILURE, attempts=2, first=1e9, last=1.1e9)]


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> FakePipe:
    fake = FakePipe()
    monkeypatch.setattr(pipes, "open", lambda path: fake)
    return fake


Out = Callable[..., tuple[int, str, str]]


@pytest.fixture
def docpipe(capsys: pytest.CaptureFixture[str]) -> Out:
    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(list(arguments))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


COMMANDS = {
    "run": ["run", "p.yaml"],
    "run and ask": ["run", "p.yaml", "--ask", "q"],
    "plan": ["plan", "p.yaml"],
    "search": ["search", "p.yaml", "q"],
    "search around": ["search", "p.yaml", "q", "--context", "1"],
    "ask": ["ask", "p.yaml", "q"],
    "prompt": ["prompt", "p.yaml", "q"],
    "prompt diff": ["prompt", "p.yaml", "--diff", "a", "b"],
    "status": ["status", "p.yaml"],
    "failures": ["failures", "p.yaml"],
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_json_is_one_object_and_nothing_else(pipe: FakePipe, docpipe: Out, command: list[str]) -> None:
    code, out, _ = docpipe(*command, "--json")
    assert code == 0
    assert out.count("\n") == 1
    assert isinstance(json.loads(out), dict)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_an_error_is_one_json_object_too(pipe: FakePipe, docpipe: Out, command: list[str]) -> None:
    pipe.error = InvalidOption("there is no field `lang`", where="where", remedy="did you mean `language`?")
    code, out, err = docpipe(*command, "--json")
    assert code == 2
    assert json.loads(out) == {
        "error": {
            "type": "InvalidOption",
            "message": "there is no field `lang`",
            "where": "where",
            "remedy": "did you mean `language`?",
        }
    }
    assert "Traceback" not in err


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_what_a_terminal_would_obey_is_never_printed(pipe: FakePipe, docpipe: Out, command: list[str]) -> None:
    pipe.failed = 1
    pipe.hits = (Hit(chunk=chunk(text=EVIL), score=0.5, rank=1, found_by=("text",)),)
    pipe.found = Answer(
        question="q",
        text=EVIL,
        origin="documents",
        citations=(Citation(marker="[1]", uri=EVIL, chunk_id="", quote=EVIL),),
    )
    _, out, err = docpipe(*command)
    for char in "\x1b\x9b\u202e":
        assert char not in out
        assert char not in err


def test_run_gives_the_promised_fields(pipe: FakePipe, docpipe: Out) -> None:
    pipe.failed = 1
    code, out, _ = docpipe("run", "p.yaml", "--full", "--limit", "3", "--json")
    form = json.loads(out)
    assert code == 1
    assert pipe.calls == [("run", {"full": True, "limit": 3})]
    promised = "pipeline indexed updated unchanged deleted failed ignored pages chunks embedded reused seconds version"
    assert set(promised.split()) | {"cost_usd", "failures"} <= set(form)
    assert {"uri", "stage", "error", "remedy"} <= set(form["failures"][0])
    assert form["failures"][0]["error"] == "it is cut short"
    assert form["needs_ocr"] == [{"uri": "scan.pdf", "pages": [1, 2, 3, 7]}]
    assert form["stage_seconds"] == {"parse": 1.235}


def test_run_ends_with_a_table_the_failures_and_the_pages_that_need_ocr(pipe: FakePipe, docpipe: Out) -> None:
    pipe.failed = 1
    code, out, err = docpipe("run", "p.yaml")
    assert code == 1
    assert "index version 5" in out
    assert "it is cut short" in out
    assert "remedy: copy it again" in out
    assert "scan.pdf: 1-3, 7" in out
    assert "x.exe" in out
    assert err.splitlines() == [
        "indexed 1/2 a.pdf: 2 pages, 4 chunks, 0.5 s",
        "failed 2/2 b\\na\\x1b[31mred\\x9b2J\\u202egnp.exe: CorruptSource: it is cut short",
    ]


def test_a_log_on_standard_error_takes_the_place_of_the_lines(pipe: FakePipe, docpipe: Out) -> None:
    code, out, err = docpipe("run", "p.yaml", "--log", "-", "--json")
    assert code == 0
    assert json.loads(out)["pipeline"] == "p"
    assert "a.pdf" not in err


def test_run_can_ask_afterwards(pipe: FakePipe, docpipe: Out) -> None:
    _, out, _ = docpipe("run", "p.yaml", "--ask", "why?", "--json")
    assert json.loads(out)["ask"]["answer"] == "At 4 bar [1]."
    assert pipe.calls[-1] == ("ask", {"question": "why?", "where": "", "web": True, "thinking": None})
    _, out, _ = docpipe("run", "p.yaml", "--ask", "why?")
    assert out.rstrip().endswith("[1] a/b.pdf p. 3\n    “opens at 4 bar”")


def test_search_gives_the_promised_fields(pipe: FakePipe, docpipe: Out) -> None:
    _, out, _ = docpipe("search", "p.yaml", "q", "--json")
    (hit,) = json.loads(out)["hits"]
    assert {"rank", "score", "uri", "chunk_id", "pages", "boxes", "headings", "text", "found_by"} <= set(hit)
    assert hit["boxes"] == [{"page": 3, "left": 0.1, "top": 0.2, "right": 0.3, "bottom": 0.4}]
    assert "neighbours" not in hit


def test_search_passes_on_what_it_is_told(pipe: FakePipe, docpipe: Out) -> None:
    docpipe("search", "p.yaml", "q", "-k", "3", "--mode", "text", "--where", "page < 3", "--where", "kind = table")
    assert pipe.calls == [
        ("search", {"question": "q", "limit": 3, "where": "(page < 3) and (kind = table)", "mode": "text"})
    ]


def test_search_shows_neighbours_on_demand(pipe: FakePipe, docpipe: Out) -> None:
    _, out, _ = docpipe("search", "p.yaml", "q", "--context", "1")
    before, text, after = (out.index(words) for words in ("what stands before", "the valve", "what stands after"))
    assert before < text < after
    assert "1. a/b.pdf p. 3-4  (score 0.500, vector+text)" in out
    assert "[Valves > Pressure]" in out
    _, out, _ = docpipe("search", "p.yaml", "q", "--context", "1", "--json")
    assert [one["position"] for one in json.loads(out)["hits"][0]["neighbours"]] == [0, 2]


def test_nothing_found_is_an_answer(pipe: FakePipe, docpipe: Out) -> None:
    pipe.hits = ()
    assert docpipe("search", "p.yaml", "q") == (0, "nothing found\n", "")


def test_ask_gives_the_promised_fields(pipe: FakePipe, docpipe: Out) -> None:
    _, out, _ = docpipe("ask", "p.yaml", "q", "--json")
    form = json.loads(out)
    promised = "question answer origin citations usage cost_usd partial unsupported remarks reasoning"
    assert set(promised.split()) <= set(form)
    promised = "marker uri chunk_id pages boxes quote verified url title published"
    assert set(promised.split()) <= set(form["citations"][0])
    promised = "prompt_tokens cached_tokens completion_tokens predicted_cached_tokens prefix"
    assert set(form["usage"]) == set(promised.split())


def test_ask_passes_on_what_it_is_told(pipe: FakePipe, docpipe: Out) -> None:
    docpipe("ask", "p.yaml", "q", "--where", "page < 3", "--no-web", "--thinking")
    assert pipe.calls == [("ask", {"question": "q", "where": "page < 3", "web": False, "thinking": True})]


def test_an_answer_can_be_printed_as_it_is_written(pipe: FakePipe, docpipe: Out) -> None:
    code, out, err = docpipe("ask", "p.yaml", "q", "--stream")
    assert (code, out, err) == (0, "At 4 bar [1].\n\n[1] a/b.pdf p. 3\n    “opens at 4 bar”\n", "")
    assert pipe.calls == [("stream", {"question": "q", "where": "", "web": True, "thinking": None})]
    _, _, err = docpipe("ask", "p.yaml", "q", "--stream", "--thinking")
    assert err == "hm"


def test_a_stream_is_no_json_object(pipe: FakePipe, docpipe: Out) -> None:
    code, out, _ = docpipe("ask", "p.yaml", "q", "--stream", "--json")
    assert code == 2
    assert "not a stream" in json.loads(out)["error"]["message"]


def test_a_run_can_be_given_a_limit_of_money(pipe: FakePipe, docpipe: Out) -> None:
    docpipe("run", "p.yaml", "--max-cost", "0.5")
    assert pipe.calls == [("run", {"max_cost": 0.5})]


class TestChat:
    def test_each_line_is_a_question(self, pipe: FakePipe, docpipe: Out, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO("q\n\nand why?\n/quit\nnever"))
        code, out, _ = docpipe("chat", "p.yaml", "--no-web")
        assert code == 0
        assert out.count("At 4 bar [1].") == 2
        assert [facts["question"] for _, facts in pipe.calls] == ["q", "and why?"]
        assert {facts["web"] for _, facts in pipe.calls} == {False}

    def test_json_gives_the_whole_conversation(
        self, pipe: FakePipe, docpipe: Out, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO("q\nr\n"))
        pipe.found = replace(ANSWER, usage=Usage(prompt_tokens=10, cached_tokens=5), cost_usd=0.25)
        code, out, _ = docpipe("chat", "p.yaml", "--json")
        form = json.loads(out)
        assert (code, len(form["turns"]), form["cost_usd"], form["usage"]["prompt_tokens"]) == (0, 2, 0.5, 20)

    def test_a_missing_key_ends_it_with_a_remedy(
        self, pipe: FakePipe, docpipe: Out, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO("q\nr\n"))
        pipe.error = Unauthorized("ZAI_API_KEY is not set", service="chat", remedy="export it")
        code, out, err = docpipe("chat", "p.yaml")
        assert (code, out) == (2, "")
        assert "docpipe: chat: ZAI_API_KEY is not set (export it)" in err


class TestPrompt:
    def test_parts_tokens_digest_and_share_are_shown(self, pipe: FakePipe, docpipe: Out) -> None:
        code, out, _ = docpipe("prompt", "p.yaml", "How high?")
        assert code == 0
        for words in ("--- system (system, stable)", "<question>\nHow high?", "At 4 bar.", "digest", "cacheable"):
            assert words in out

    def test_json_gives_all_of_it(self, pipe: FakePipe, docpipe: Out) -> None:
        _, out, _ = docpipe("prompt", "p.yaml", "How high?", "--json")
        form = json.loads(out)
        assert [part["name"] for part in form["segments"]] == ["system", "sources", "question"]
        assert form["total_tokens"] == sum(form["tokens"].values())
        assert form["model"] == "glm-4.6"

    def test_two_questions_are_compared(self, pipe: FakePipe, docpipe: Out) -> None:
        code, out, _ = docpipe("prompt", "p.yaml", "--diff", "How high?", "How low?")
        assert code == 0
        assert "in the part `question`" in out
        assert "first:  'high?" in out
        assert "USD more" in out
        _, out, _ = docpipe("prompt", "p.yaml", "--diff", "How high?", "How low?", "--json")
        form = json.loads(out)
        assert (form["segment"], form["extends"], form["model"]) == ("question", False, "glm-4.6")
        assert form["lost_usd"] == pytest.approx(form["lost_tokens"] * 0.49e-6)

    def test_a_saved_prompt_is_compared_with_a_question(self, pipe: FakePipe, docpipe: Out, tmp_path: Path) -> None:
        file = tmp_path / "old.json"
        assert docpipe("prompt", "p.yaml", "How high?", "--save", str(file))[0] == 0
        code, out, _ = docpipe("prompt", "p.yaml", "--diff", str(file), "How high?")
        assert (code, out.startswith("the second prompt begins with the whole first")) == (0, True)

    def test_a_file_that_is_no_prompt_is_told(self, pipe: FakePipe, docpipe: Out, tmp_path: Path) -> None:
        file = tmp_path / "old.json"
        file.write_text("{}", encoding="utf-8")
        code, _, err = docpipe("prompt", "p.yaml", "--diff", str(file), "How high?")
        assert code == 2
        assert "holds no saved prompt" in err

    @pytest.mark.parametrize("arguments", [(), ("q", "--diff", "a", "b")], ids=["nothing", "both"])
    def test_one_of_two_ways_is_needed(self, pipe: FakePipe, docpipe: Out, arguments: tuple[str, ...]) -> None:
        code, _, err = docpipe("prompt", "p.yaml", *arguments)
        assert code == 2
        assert "either a question or --diff" in err


def test_an_unverified_quote_is_marked(pipe: FakePipe, docpipe: Out) -> None:
    pipe.found = Answer(
        question="q",
        text="x [1]",
        origin="documents",
        citations=(Citation(marker="[1]", uri="u", chunk_id="c", quote="z"),),
    )
    _, out, _ = docpipe("ask", "p.yaml", "q")
    assert "not verified" in out


def test_plan_gives_the_promised_fields(pipe: FakePipe, docpipe: Out) -> None:
    _, out, _ = docpipe("plan", "p.yaml", "--json")
    form = json.loads(out)
    assert {"added", "changed", "unchanged", "deleted", "pages", "ocr_pages", "embed_tokens", "cost_usd"} <= set(form)
    assert {"uri": "a", "action": "add", "why": "new"}.items() <= form["items"][0].items()
    _, out, _ = docpipe("plan", "p.yaml")
    assert "9 pages to parse" in out
    assert "add        a  (new)" in out
    assert "nothing reads it: 0.exe, 1.exe, 2.exe, 3.exe, 4.exe, ... 7 in all" in out


def test_status_and_failures_are_for_people_too(pipe: FakePipe, docpipe: Out) -> None:
    _, out, _ = docpipe("status", "p.yaml")
    assert "exact search" in out
    assert "2.5 MB" in out
    assert "2004-11-09 11:33:20 UTC: 2 indexed, 1.5 s" in out
    code, out, _ = docpipe("failures", "p.yaml")
    assert code == 0
    assert "2 tries, the last 2004-11-09" in out
    assert "remedy: copy it again" in out


CODES = {
    "wrong option": (ConfigError("bad", where="p.yaml:3: a.b", remedy="fix it"), 2, "p.yaml:3: a.b: bad (fix it)"),
    "other model": (
        IndexMismatch("other model", found="a", wanted="b", index="/i", remedy="r"),
        2,
        "index: /i: other model (r)",
    ),
    "no source": (SourceError("the source is missing", source="/s"), 2, "/s: the source is missing"),
    "bad file": (CorruptSource("it is cut short", source="f.pdf"), 1, "f.pdf: it is cut short"),
    "no key": (
        Unauthorized("KEY is not set", service="chat", remedy="export it"),
        2,
        "chat: KEY is not set (export it)",
    ),
    "wrong key": (Unauthorized("refused", service="chat", status=401), 1, "chat: refused"),
    "locked": (RunLocked(index="/i", holder="process 7"), 3, "another run works on /i: process 7"),
    "disk full": (IndexFailed("no space left", stage="index", item="/i", remedy="free some"), 1, "no space left"),
    "interrupted": (KeyboardInterrupt(), 130, "interrupted (run the same command again: it goes on)"),
    "defect": (ZeroDivisionError("oops"), 1, "a defect: ZeroDivisionError: oops"),
}


@pytest.mark.parametrize(("error", "code", "words"), CODES.values(), ids=CODES.keys())
def test_each_kind_of_error_has_its_exit_code(
    pipe: FakePipe, docpipe: Out, error: BaseException, code: int, words: str
) -> None:
    pipe.error = error
    found, out, err = docpipe("run", "p.yaml")
    assert (found, out) == (code, "")
    assert words in err
    assert "Traceback" not in err
    found, out, _ = docpipe("run", "p.yaml", "--json")
    assert found == code
    assert set(json.loads(out)["error"]) >= {"type", "message", "where", "remedy"}


def test_debug_shows_where_an_error_arose(pipe: FakePipe, docpipe: Out) -> None:
    pipe.error = ZeroDivisionError("oops")
    code, out, err = docpipe("run", "p.yaml", "--debug", "--json")
    assert code == 1
    assert "Traceback" in err
    assert "ZeroDivisionError" in json.loads(out)["error"]["message"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run"], "Missing argument"),
        (["rnu", "p.yaml"], "No such command"),
        (["search", "p.yaml", "q", "--mode", "fuzzy"], "fuzzy"),
        (["search", "p.yaml", "q", "-k", "0"], "--limit"),
        (["run", "p.yaml", "--limti", "3"], "--limti"),
    ],
    ids=["argument", "command", "choice", "range", "option"],
)
def test_a_wrong_command_is_told_without_a_traceback(
    pipe: FakePipe, docpipe: Out, arguments: list[str], words: str
) -> None:
    code, out, err = docpipe(*arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert "--help" in err
    code, out, _ = docpipe(*arguments, "--json")
    assert code == 2
    assert words in json.loads(out)["error"]["message"]


@pytest.mark.parametrize("arguments", [["--help"], []], ids=["asked", "bare"])
def test_help_is_no_error(docpipe: Out, arguments: list[str]) -> None:
    code, out, _ = docpipe(*arguments)
    assert code == 0
    for command in ("run", "plan", "search", "ask", "status", "failures", "parse", "check"):
        assert command in out


def test_the_version_is_told(docpipe: Out) -> None:
    code, out, _ = docpipe("--version")
    assert (code, out) == (0, f"docpipe {package.__version__}\n")


def test_a_missing_pipeline_file_is_told(docpipe: Out, tmp_path: Path) -> None:
    code, _, err = docpipe("run", str(tmp_path / "none.yaml"))
    assert code == 2
    assert "the pipeline file cannot be read: No such file" in err


class TestCheck:
    def test_a_wrong_file_is_told_line_by_line(self, docpipe: Out, tmp_path: Path) -> None:
        path = tmp_path / "p.yaml"
        path.write_text("version: 1\nsuorce: {}\n", encoding="utf-8")
        code, _, err = docpipe("check", str(path))
        assert code == 2
        assert f"{path}:2: suorce: there is no such section (did you mean `source`?)" in err
        code, out, _ = docpipe("check", str(path), "--json")
        problems = json.loads(out)["error"]["problems"]
        assert [problem["type"] for problem in problems] == ["ConfigError", "ConfigError", "ConfigError", "UnknownName"]


class TestParse:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        path = tmp_path / "a b\u202e.md"
        path.write_text(f"# Head\n\nText <b>bold</b> {EVIL} & more.\n\n| a | b |\n|--|--|\n| 1 | <i>2 |\n", "utf-8")
        return path

    def test_markdown_is_the_default(self, docpipe: Out, file: Path) -> None:
        code, out, _ = docpipe("parse", str(file))
        assert code == 0
        assert out.startswith("# Head\n\nText bold a")
        assert "\x1b" not in out

    def test_json_gives_the_blocks(self, docpipe: Out, file: Path) -> None:
        _, out, _ = docpipe("parse", str(file), "--json")
        form = json.loads(out)
        assert [(block["kind"], block["native_label"]) for block in form["blocks"]] == [
            ("heading", "h1"),
            ("paragraph", "p"),
            ("other", "hidden"),  # letters that turn their text round
            ("table", "table"),
        ]
        assert {"id", "kind", "level", "page", "box", "span", "text", "native_label"} <= set(form["blocks"][0])

    def test_html_is_escaped_and_whole(self, docpipe: Out, file: Path, tmp_path: Path) -> None:
        target = tmp_path / "out.html"
        code, out, _ = docpipe("parse", str(file), "--html", str(target))
        html = target.read_text("utf-8")
        assert (code, out) == (0, f"{target}\n")
        assert "<i>" not in html
        assert "\x1b" not in html
        assert "http:" not in html
        assert html.startswith("<!doctype html>")

    @pytest.mark.parametrize("pages", ["x", "0", "3-1", "1,,2", "-"])
    def test_pages_that_are_none_are_refused(self, docpipe: Out, file: Path, pages: str) -> None:
        code, _, err = docpipe("parse", str(file), f"--pages={pages}")
        assert code == 2
        assert "names no pages" in err

    def test_a_file_that_is_not_there_is_told(self, docpipe: Out, tmp_path: Path) -> None:
        code, _, err = docpipe("parse", str(tmp_path / "none.pdf"))
        assert (code, "there is no file" in err) == (2, True)
        code, _, err = docpipe("parse", str(tmp_path))
        assert (code, "is a folder" in err) == (2, True)

    def test_html_that_cannot_be_written_is_told(self, docpipe: Out, file: Path, tmp_path: Path) -> None:
        code, _, err = docpipe("parse", str(file), "--html", str(tmp_path / "none" / "x.html"))
        assert code == 2
        assert "cannot write" in err

    @pytest.mark.skipif(os.name == "nt", reason="pipes break differently there")
    def test_a_reader_who_goes_away_is_no_error(self, tmp_path: Path) -> None:
        path = tmp_path / "long.md"
        path.write_text("\n\n".join(f"line {n} " + "x" * 500 for n in range(3000)), "utf-8")
        process = subprocess.Popen(
            [sys.executable, "-m", "docpipe.cli", "parse", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        err = process.stderr.read()
        process.stderr.close()
        assert process.wait() == 0
        assert err == b""


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_bar_instead_of_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    screen = Terminal()
    with console.RunProgress(screen) as progress:
        FakePipe().run(progress=progress)
        FakePipe().run(full=False, limit=None, max_cost=None, progress=progress)
    assert "CorruptSource" not in screen.getvalue()
    assert "\x1b[31mred" not in screen.getvalue()


@pytest.mark.parametrize(
    ("pages", "words"), [((), ""), ((3,), "3"), ((1, 2, 3, 7, 9, 8), "1-3, 7-9"), ((2, 2, 4), "2, 4")], ids=str
)
def test_pages_are_told_as_people_do(pages: tuple[int, ...], words: str) -> None:
    assert console.pages_of(pages) == words


def test_names_that_are_no_text_can_be_printed() -> None:
    assert console.safe("a\udc80\tb\nc\r") == "a\\udc80\tb\nc\\r"


def test_a_plain_ascii_output_gets_escapes(pipe: FakePipe, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    pipe.found = Answer(question="q", text="阀门", origin="none")
    assert main(["ask", "p.yaml", "q"]) == 0
    assert main(["ask", "p.yaml", "q", "--json"]) == 0
    human, form = raw.getvalue().decode("ascii").splitlines()
    assert human == "\\u9600\\u95e8"
    assert json.loads(form)["answer"] == "阀门"
