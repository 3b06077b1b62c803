"""Word and PowerPoint files of before 2007: what LibreOffice makes of them is read, and it is kept in bounds.

LibreOffice itself is not needed: a script stands for it, which gets its arguments and does what a test is about.
"""

import os
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from office_samples import docx, paragraph, pptx, shape, texts

from docpipe.errors import CorruptSource, NotConverted, TimedOut
from docpipe.parse.auto import AutoParser
from docpipe.parse.legacy import LegacyParser
from docpipe.types import Blob

WORD, SLIDES = "application/msword", "application/vnd.ms-powerpoint"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the script that stands for LibreOffice is a POSIX one")


@pytest.fixture
def office(tmp_path: Path) -> Callable[[str], str]:
    """`office(body)`: the path of a program whose Python code gets `out` (a Path to write), `profile` and `source`."""

    def made(body: str) -> str:
        path = tmp_path / "bin" / "soffice"
        path.parent.mkdir()
        path.write_text(
            f"#!{sys.executable}\nimport os, sys, time, subprocess\nfrom pathlib import Path\n"
            "source = Path(sys.argv[-1])\nout = Path(sys.argv[sys.argv.index('--outdir') + 1])\n"
            "new = sys.argv[sys.argv.index('--convert-to') + 1]\nout = out / f'{source.stem}.{new}'\n"
            "profile = [a for a in sys.argv if a.startswith('-env:UserInstallation=file://')][0].split('file://')[1]\n"
            f"{body}\n"
        )
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    return made


def wrapped(data: bytes) -> str:
    return f"out.write_bytes({data!r})"


def test_a_word_file_is_converted_and_read(office: Callable[[str], str], make_blob: Callable[..., Blob]) -> None:
    program = office(
        "assert source.read_bytes() == b'old' and source.suffix == '.doc'\n" + wrapped(docx(paragraph("Hello")))
    )
    (document,) = LegacyParser(libreoffice=program)(make_blob(b"old", media=WORD, uri="a.doc"))
    assert texts(document) == ["Hello"]
    assert (document.source.uri, document.source.media_type) == ("a.doc", WORD)


def test_slides_are_converted_and_read(office: Callable[[str], str], make_blob: Callable[..., Blob]) -> None:
    program = office(wrapped(pptx(shape("Welcome"))))
    (document,) = AutoParser(legacy=LegacyParser(libreoffice=program))(make_blob(b"old", media=SLIDES, uri="a.ppt"))
    assert texts(document) == ["Welcome"] and len(document.pages) == 1


def test_without_libreoffice_the_error_says_what_to_do(
    make_blob: Callable[..., Blob], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    assert AutoParser().STARTS_PROGRAMS == ()
    with pytest.raises(NotConverted, match="which is not on this machine") as caught:
        list(AutoParser()(make_blob(b"old", media=WORD, uri="a.doc")))
    assert "install LibreOffice" in caught.value.remedy and "as docx" in caught.value.remedy
    with pytest.raises(NotConverted, match="which is not at /nowhere/soffice"):
        list(LegacyParser(libreoffice="/nowhere/soffice")(make_blob(b"old", media=SLIDES)))


def test_the_program_on_the_path_is_found_and_named_to_the_workers(
    office: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, make_blob: Callable[..., Blob]
) -> None:
    program = office(wrapped(docx(paragraph("Hello"))))
    monkeypatch.setenv("PATH", os.path.dirname(program))  # noqa: PTH120
    assert (program,) == AutoParser().STARTS_PROGRAMS
    (document,) = AutoParser()(make_blob(b"old", media=WORD))
    assert texts(document) == ["Hello"]


def test_a_program_that_fails_is_told_with_its_words(
    office: Callable[[str], str], make_blob: Callable[..., Blob]
) -> None:
    program = office("sys.stderr.write('source file could not be loaded')\nsys.exit(77)")
    with pytest.raises(NotConverted, match="could not convert it: source file could not be loaded"):
        list(LegacyParser(libreoffice=program)(make_blob(b"old", media=WORD)))


def test_a_result_that_is_no_document_is_a_damaged_file(
    office: Callable[[str], str], make_blob: Callable[..., Blob]
) -> None:
    with pytest.raises(CorruptSource):
        list(LegacyParser(libreoffice=office(wrapped(b"PK\x03\x04nothing")))(make_blob(b"old", media=WORD)))


def test_a_program_that_hangs_is_ended_with_its_children(
    office: Callable[[str], str], make_blob: Callable[..., Blob], tmp_path: Path
) -> None:
    noted = tmp_path / "child"
    body = f"child = subprocess.Popen(['sleep', '60'])\nPath({str(noted)!r}).write_text(str(child.pid))\ntime.sleep(60)"
    with pytest.raises(TimedOut, match="still at work after 2 seconds"):
        list(LegacyParser(libreoffice=office(body), seconds=2.0)(make_blob(b"old", media=WORD)))
    child = int(noted.read_text())
    for _ in range(100):
        if not _runs(child):
            break
        time.sleep(0.05)
    assert not _runs(child)


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_nothing_is_left_behind_and_the_profile_is_its_own(
    office: Callable[[str], str], make_blob: Callable[..., Blob], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    monkeypatch.setenv("SECRET_KEY", "do not tell")
    body = (
        "settings = (Path(profile) / 'user' / 'registrymodifications.xcu').read_text()\n"
        "assert 'DisableMacrosExecution' in settings and profile.startswith(os.environ['HOME'])\n"
        "assert 'SECRET_KEY' not in os.environ\n(Path(profile) / 'lock').write_text('x')\n"
    )
    program = office(body + wrapped(docx(paragraph("Hello"))))
    (document,) = LegacyParser(libreoffice=program)(make_blob(b"old", media=WORD))
    assert texts(document) == ["Hello"]
    assert list(scratch.iterdir()) == []


def test_the_time_limit_must_be_one() -> None:
    with pytest.raises(ValueError, match="seconds must be above 0"):
        LegacyParser(seconds=0)
