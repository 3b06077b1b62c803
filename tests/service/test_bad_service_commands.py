"""The command line, when the service is bad: exit codes, and what is told."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from standin import Reply, StandIn, faults

from docpipe.cli import main

pytestmark = pytest.mark.usefixtures("quick_retries")

CHAT = "/chat/completions"
BUILT = "When was the Brill lighthouse built?"
SENTENCE = "The Brill lighthouse was built in 1911 by Oda Linnet. [1]"


@pytest.fixture
def pipeline(indexed: Path, platform: StandIn) -> str:
    path = indexed / "command.yaml"
    path.write_text((indexed / "begin.yaml").read_text("utf-8") + "chat: {use: chat.glm}\n", encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("code", "kind", "remedy"),
    [
        ("1113", "OutOfCredit", "top up"),
        ("1308", "OutOfCredit", "wait for the time"),
        ("1000", "Unauthorized", "ZAI_API_KEY"),
        ("1211", "Refused", "`model`"),
        ("1301", "Refused", "leave this content out"),
        ("1302", "RateLimited", "service.concurrency"),
        ("1234", "Unavailable", "run again later"),
    ],
)
def test_an_answer_that_failed_says_what_to_do(
    pipeline: str, platform: StandIn, capsys: pytest.CaptureFixture[str], code: str, kind: str, remedy: str
) -> None:
    platform.fault(CHAT, faults.error(code), times=-1)
    assert main(["ask", pipeline, BUILT, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)["error"]
    assert told["type"] == kind
    assert f"code {code}" in told["message"]
    assert "request docpipe-" in told["message"]
    assert remedy in told["remedy"]
    assert main(["ask", pipeline, BUILT]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert remedy in err
    assert "Traceback" not in err
    assert platform.key not in out + err


def test_a_key_that_is_missing_is_named(
    pipeline: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ZAI_API_KEY")
    assert main(["ask", pipeline, BUILT]) == 2
    err = capsys.readouterr().err
    assert "ZAI_API_KEY is not set" in err
    assert "pipelines/quickstart.yaml" in err


def test_a_key_that_is_wrong_is_not_shown(
    pipeline: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZAI_API_KEY", "somebody.elsewhere1234567")
    assert main(["ask", pipeline, BUILT, "--debug"]) == 1
    out, err = capsys.readouterr()
    assert "ZAI_API_KEY" in err
    assert "elsewhere" not in out + err


@pytest.mark.parametrize("streamed", [[], ["--stream"]], ids=["whole", "streamed"])
def test_a_cut_answer_is_shown_and_said_to_be_cut(
    pipeline: str, platform: StandIn, capsys: pytest.CaptureFixture[str], streamed: list[str]
) -> None:
    platform.script_chat(lambda body: Reply(text=f"{SENTENCE} [", finish="length"))
    assert main(["ask", pipeline, BUILT, *streamed]) in (0, 1)
    out, err = capsys.readouterr()
    assert SENTENCE.removesuffix(" [1]") in " ".join(out.split())
    assert "max_tokens" in out + err
    assert "[1] [" not in out


def test_an_answer_in_json_says_that_it_is_partial(
    pipeline: str, platform: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    platform.script_chat(lambda body: Reply(text=SENTENCE, finish="length"))
    main(["ask", pipeline, BUILT, "--json"])
    form: Any = json.loads(capsys.readouterr().out)
    assert form["partial"] is True
    assert any("max_tokens" in remark for remark in form["remarks"])


def test_a_talk_goes_on_after_a_question_that_failed(
    pipeline: str, platform: StandIn, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.fault(CHAT, faults.error("1301"), times=1, after=1)
    lines = ["When does the harbour of Brill freeze?", "How thick is the ice of the Brill harbour?", BUILT]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines)))
    assert main(["chat", pipeline]) == 1
    out, err = capsys.readouterr()
    assert "1301" in out + err
    assert SENTENCE.removesuffix(" [1]") in " ".join(out.split())


@pytest.mark.slow
@pytest.mark.parametrize(("code", "told"), [("1113", "top up"), ("1211", "`model`"), ("1231", "run again later")])
def test_a_run_that_failed_says_so_and_what_to_do(
    tmp_path: Path, indexed: Path, platform: StandIn, capsys: pytest.CaptureFixture[str], code: str, told: str
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "note.md").write_text("# Note\n\nThe ferry sails at noon.\n", encoding="utf-8")
    embed = f"{{use: embed.http, model: embedding-3, dimensions: 256, service: {{base_url: '{platform.base_url}'}}}}"
    text = (indexed / "begin.yaml").read_text("utf-8").replace("{use: embed.hashing, dim: 64}", embed)
    (tmp_path / "run.yaml").write_text(text, encoding="utf-8")
    platform.fault("/embeddings", faults.error(code), times=-1)
    assert main(["run", str(tmp_path / "run.yaml")]) == 1
    out, err = capsys.readouterr()
    assert told in " ".join((out + err).split())
    assert "Traceback" not in out + err
    assert platform.key not in out + err
    platform.mend()
    assert main(["run", str(tmp_path / "run.yaml")]) == 0
