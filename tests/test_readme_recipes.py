"""The README's recipes for jobs that nobody watches are what cron, systemd and Kubernetes take."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from docpipe.cli import app

TEXT = (Path(__file__).resolve().parent.parent / "README.md").read_text("utf-8")
NIGHTS = TEXT.split("### Every night\n")[1].split("\n### ")[0]
UNITS = {Path(name).name: text for name, text in re.findall(r"```ini\n# (\S+)\n(.*?)```", NIGHTS, re.DOTALL)}
JOB = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", NIGHTS, re.DOTALL)[0])
CRON_LINES = re.findall(r"```cron\n(.*?)\n```", TEXT, re.DOTALL)


def options_of(command: list[str]) -> set[str]:
    return {word for word in command if word.startswith("--")}


def offered(command: str) -> str:
    return CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"}).output


@pytest.mark.parametrize("command", ["schedule", "watch"])
def test_the_commands_have_the_options_that_are_shown(command: str) -> None:
    shown = re.findall(rf"^docpipe {command} .*?(?= {{2,}}#|$)", NIGHTS, re.MULTILINE)
    assert shown
    assert all(option in offered(command) for line in shown for option in options_of(line.split()))


def test_the_jobs_use_options_that_run_has() -> None:
    (container,) = JOB["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    started = next(line for line in UNITS["docpipe.service"].splitlines() if line.startswith("ExecStart="))
    for command in (container["command"], started.split()):
        assert "run" in command
        assert all(option in offered("run") for option in options_of(command))
    assert all(isinstance(word, str) for word in container["command"])


def test_the_cron_job_never_overlaps_and_leaves_time_for_a_batch() -> None:
    job = JOB["spec"]
    pod = job["jobTemplate"]["spec"]["template"]["spec"]
    assert (JOB["kind"], job["concurrencyPolicy"], pod["restartPolicy"]) == ("CronJob", "Forbid", "Never")
    assert pod["terminationGracePeriodSeconds"] >= 300


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    (tmp_path / "docpipe").write_text("#!/bin/sh\n")
    (tmp_path / "docpipe").chmod(0o755)
    paths = []
    for name, text in UNITS.items():
        (tmp_path / name).write_text(text.replace("/srv/handbook/.venv/bin/docpipe", str(tmp_path / "docpipe")))
        paths.append(str(tmp_path / name))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *paths], capture_output=True, text=True)
    assert not [line for line in done.stderr.splitlines() if str(tmp_path) in line], done.stderr
    assert set(UNITS) == {"docpipe.service", "docpipe.timer"}


@pytest.mark.parametrize("line", CRON_LINES)
def test_a_line_of_cron_runs_under_a_plain_shell_and_tells_of_a_failure(line: str, tmp_path: Path) -> None:
    minute, hour, *days, command = line.split(maxsplit=5)
    assert minute.isdigit()
    assert hour.isdigit()
    assert days == ["*", "*", "*"]
    assert "%" not in command, "cron makes a new line of it"
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "docpipe").write_text('#!/bin/sh\necho "$ZAI_API_KEY $@"\nexit 1\n')
    (programs / "mail").write_text(f"#!/bin/sh\ncat > {tmp_path}/mail\n")
    (tmp_path / "key").write_text("secret\n")
    for program in programs.iterdir():
        program.chmod(0o755)
    command = command.replace("/srv/handbook", str(tmp_path)).replace("/etc/docpipe.key", str(tmp_path / "key"))
    subprocess.run(["/bin/sh", "-c", command], check=True, env={"PATH": f"{programs}:/usr/bin:/bin"})
    assert (tmp_path / "mail").read_text() == "docpipe: exit code 1\n"
    assert (tmp_path / "run.jsonl").read_text().startswith("secret run zai.yaml")
