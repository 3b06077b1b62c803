"""The README's Python examples run as they stand, on a copy of the pipelines whose index lies elsewhere."""

import re
import shutil
from pathlib import Path

import pytest
from standin import StandIn

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)


def name(example: str) -> str:
    return next((line for line in example.splitlines() if "pipelines/" in line), "example").strip()[:60]


@pytest.mark.parametrize("example", EXAMPLES, ids=name)
def test_an_example_runs(
    example: str, tmp_path: Path, platform: StandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("pipelines", "sample_docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    monkeypatch.chdir(tmp_path)
    try:
        exec(compile(example, "README.md", "exec"), {"__name__": "__main__"})
    except SystemExit as ended:
        assert ended.code == 0
    assert capsys.readouterr().out.strip()


def test_there_are_examples_for_the_script_the_service_and_the_job() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(EXAMPLES) >= 3
    assert "```cron" in text
