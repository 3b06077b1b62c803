"""A file of an old format -> the bytes of a new one, by LibreOffice in a process of its own."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from docpipe.errors import NotConverted, SourceTooLarge, TimedOut
from docpipe.types import Blob

_LARGEST = 300_000_000
"""Bytes of a converted file."""
_SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="MacroSecurityLevel" oor:op="fuse">
<value>3</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="DisableMacrosExecution" oor:op="fuse">
<value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="BlockUntrustedRefererLinks"
oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Writer/Content/Update"><prop oor:name="Link" oor:op="fuse"><value>0</value>
</prop></item>
<item oor:path="/org.openoffice.Inet/Settings"><prop oor:name="ooInetProxyType" oor:op="fuse"><value>2</value></prop>
</item>
<item oor:path="/org.openoffice.Inet/Settings"><prop oor:name="ooInetHTTPProxyName" oor:op="fuse">
<value>127.0.0.1</value></prop></item>
<item oor:path="/org.openoffice.Inet/Settings"><prop oor:name="ooInetHTTPProxyPort" oor:op="fuse"><value>9</value>
</prop></item>
</oor:items>
"""
"""Its profile: no macro runs, no link is updated, and the network is a port where nobody listens."""


def convert(blob: Blob, *, program: str, old: str, new: str, seconds: float) -> bytes:
    """The file in the new format. All that is written lies in a folder that is gone afterwards.

    Args:
        program: path of `soffice`.
        old: extension of the file.
        new: extension and name of the format that is wanted.

    Raises:
        NotConverted: the program ended without a result.
        TimedOut: it was still at work after `seconds`, and was ended with all its children.
        SourceTooLarge: the result is larger than any document.
    """
    with tempfile.TemporaryDirectory(prefix="docpipe-office-", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch)
        source, profile, made = folder / f"file.{old}", folder / "profile", folder / "made"
        (profile / "user").mkdir(parents=True)
        made.mkdir()
        (profile / "user" / "registrymodifications.xcu").write_text(_SETTINGS, "utf-8")
        source.write_bytes(blob.data)
        said = _run(_command(program, profile, made, source, new), folder, blob, seconds)
        result = made / f"file.{new}"
        if not result.is_file() or result.is_symlink():
            raise _failed(blob, said)
        if result.stat().st_size > _LARGEST:
            raise SourceTooLarge(
                "what LibreOffice made of it is too large", source=blob.source.uri, remedy="leave it out with `exclude`"
            )
        return result.read_bytes()


def _command(program: str, profile: Path, made: Path, source: Path, new: str) -> list[str]:
    return [
        program, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore", "--nologo", "--nodefault",
        "--nolockcheck", "--convert-to", new, "--outdir", str(made), str(source),
    ]  # fmt: skip


def _run(command: list[str], folder: Path, blob: Blob, seconds: float) -> str:
    """Run the program to its end; what it said, in one short line."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "SYSTEMROOT") if name in os.environ}
    environment = {**kept, "HOME": str(folder), "TMPDIR": str(folder), "SAL_USE_VCLPLUGIN": "svp"}
    said = folder / "said"
    with said.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise TimedOut(
                f"LibreOffice was still at work after {seconds:g} seconds",
                stage="parse",
                item=blob.source.uri,
                remedy="save it as docx or pptx, or raise `parse.auto: {legacy: {seconds: ...}}`",
            ) from None
        finally:
            _end(process)
    return " ".join(said.read_bytes()[:2_000].decode("utf-8", "replace").split())[:300]


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the program and what it started, whatever state they are in."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _failed(blob: Blob, said: str) -> NotConverted:
    return NotConverted(
        "LibreOffice could not convert it" + (f": {said}" if said else ""),
        source=blob.source.uri,
        remedy="open it in Office or LibreOffice and save it as docx or pptx",
    )
