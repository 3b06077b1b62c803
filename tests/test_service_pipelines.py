"""The pipelines for services, by the installed command, in processes of its own, against the stand-in."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from standin import StandIn, printing

pytestmark = pytest.mark.slow

PIPELINES = Path(__file__).parents[1] / "pipelines"
MANUAL = "# Pumps\n\nPump 2 runs six hours a day.\n\n# Valves\n\nThe relief valve opens at 4.5 bar.\n"
ON_PAPER = "Boiler 7 was shut down on 14 March because its feed pump leaked 12 litres an hour."
ABOUT_PAPER = "Why was boiler 7 shut down on 14 March?"
ABOUT_MANUAL = "At what bar does the relief valve open?"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The pipeline files as they are, with a small library beside them."""
    shutil.copytree(PIPELINES, tmp_path / "pipelines")
    library = tmp_path / "sample_docs"
    library.mkdir()
    (library / "manual.md").write_text(MANUAL, encoding="utf-8")
    sheet = printing.sheet([("title", "Boiler plant log"), ("text", ON_PAPER)])
    (library / "log.pdf").write_bytes(printing.scan([sheet], dpi=110))
    return tmp_path


Command = Callable[..., tuple[int, Any]]


@pytest.fixture
def command(folder: Path) -> Command:
    def call(
        name: str, pipeline: str, *arguments: str, typed: str = "", environment: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        line = [sys.executable, "-m", "docpipe.cli", name, str(folder / "pipelines" / pipeline), *arguments, "--json"]
        done = subprocess.run(
            line,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            input=typed,
            env=environment,
            timeout=120,
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert done.stdout.count("\n") == 1, done.stdout + done.stderr
        return done.returncode, json.loads(done.stdout)

    return call


def without_key() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("ZAI_")}


@pytest.mark.parametrize("pipeline", ["zai.yaml", "selfhosted.yaml"])
def test_a_pipeline_is_checked_without_a_key(command: Command, pipeline: str) -> None:
    code, form = command("check", pipeline, environment=without_key())
    assert (code, form["ok"]) == (0, True)


def test_a_missing_key_is_named_and_the_local_pipeline_offered(command: Command) -> None:
    for name, *arguments in (("run",), ("ask", "why?")):
        code, form = command(name, "zai.yaml", *arguments, environment=without_key())
        assert code == 2
        assert "ZAI_API_KEY" in form["error"]["message"]
        assert "pipelines/quickstart.yaml" in form["error"]["remedy"]


def test_the_platform_reads_scans_and_answers(command: Command, platform: StandIn) -> None:
    code, plan = command("plan", "zai.yaml")
    assert (code, plan["added"], plan["ocr_pages"]) == (0, 2, 1)
    assert plan["cost_usd"] > 0
    assert platform.calls("/layout_parsing") == []

    code, refused = command("run", "zai.yaml", "--max-cost", "0.0000001")
    assert code == 2
    assert "USD" in refused["error"]["message"]
    assert platform.calls("/layout_parsing") == []

    code, report = command("run", "zai.yaml")
    assert (code, report["indexed"], report["failed"], report["recognised"]) == (0, 2, 0, 1)
    assert report["cost_usd"] > 0

    code, answer = command("ask", "zai.yaml", ABOUT_PAPER)
    assert (code, answer["origin"]) == (0, "documents")
    assert "12 litres" in answer["answer"]
    (citation, *_) = answer["citations"]
    assert (citation["uri"], citation["pages"], citation["verified"]) == ("log.pdf", [1], True)
    assert citation["boxes"]
    assert answer["usage"]["prompt_tokens"] > 0
    assert answer["cost_usd"] > 0

    sent = len(platform.calls("/layout_parsing"))
    code, report = command("run", "zai.yaml")
    assert (code, report["unchanged"], report["cost_usd"]) == (0, 2, 0)
    assert len(platform.calls("/layout_parsing")) == sent


def test_a_conversation_comes_from_the_cache(command: Command, platform: StandIn) -> None:
    command("run", "zai.yaml")
    code, form = command("chat", "zai.yaml", "--no-web", typed=f"{ABOUT_MANUAL}\n{ABOUT_PAPER}\n")
    assert code == 0
    assert ["4.5 bar" in form["turns"][0]["answer"], "12 litres" in form["turns"][1]["answer"]] == [True, True]
    assert form["usage"]["cached_tokens"] > 0
    assert platform.calls("/web_search") == []


def test_a_prompt_is_shown_without_asking_the_model(command: Command, platform: StandIn, folder: Path) -> None:
    command("run", "zai.yaml")
    code, form = command("prompt", "zai.yaml", ABOUT_MANUAL, "--save", str(folder / "old.json"))
    assert (code, form["model"]) == (0, "glm-4.6")
    assert "4.5 bar" in next(part["text"] for part in form["segments"] if part["name"] == "sources")
    code, found = command("prompt", "zai.yaml", "--diff", str(folder / "old.json"), ABOUT_PAPER)
    assert (code, found["segment"]) == (0, "sources")
    assert found["lost_usd"] > 0
    assert platform.calls("/chat/completions") == []


def test_servers_of_ones_own_do_the_same_without_a_key(command: Command, platform: StandIn) -> None:
    environment = without_key() | {"GLM_OCR_URL": f"{platform.host_url}/v1", "CHAT_URL": f"{platform.host_url}/v1"}
    code, report = command("run", "selfhosted.yaml", environment=environment)
    assert (code, report["indexed"], report["failed"], report["recognised"]) == (0, 2, 0, 1)
    code, answer = command("ask", "selfhosted.yaml", ABOUT_PAPER, environment=environment)
    assert code == 0
    assert "12 litres" in answer["answer"]
    assert answer["citations"][0]["uri"] == "log.pdf"
    assert answer["cost_usd"] == 0
