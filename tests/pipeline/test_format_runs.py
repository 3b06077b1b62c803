"""Whole runs over the newer formats, in confined worker processes."""

import stat
import sys
from pathlib import Path

import pytest
from office_samples import docx, paragraph

import docpipe
from docpipe.load.media import media_type

PIPELINE = """
version: 1
name: formats
source: {{use: load.files, path: {folder}/docs}}
stages:
  - use: parse.auto
    legacy: {{libreoffice: "{office}"}}
  - use: chunk.layout
  - use: embed.hashing
index: {{use: index.lancedb, uri: {folder}/index}}
run: {{workers: 1}}
"""
OLD_WORD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "WordDocument".encode("utf-16-le")


def open_over(folder: Path, office: str = "/nowhere/soffice") -> docpipe.Pipe:
    (folder / "docs").mkdir(exist_ok=True)
    path = folder / "pipeline.yaml"
    path.write_text(PIPELINE.format(folder=folder, office=office), encoding="utf-8")
    return docpipe.open(path)


def test_an_old_word_file_without_libreoffice_is_a_failure_with_a_remedy(tmp_path: Path) -> None:
    pipe = open_over(tmp_path)
    (tmp_path / "docs" / "old.doc").write_bytes(OLD_WORD)
    report = pipe.run()
    (outcome,) = report.failures
    assert (report.failed, report.ignored, outcome.uri) == (1, 0, "old.doc")
    assert outcome.error is not None and outcome.error.type == "NotConverted"
    assert "install LibreOffice" in outcome.error.remedy


@pytest.mark.skipif(sys.platform == "win32", reason="the script that stands for LibreOffice is a POSIX one")
def test_a_confined_worker_may_start_libreoffice_and_nothing_is_left_behind(tmp_path: Path) -> None:
    program = tmp_path / "soffice"
    program.write_text(
        f"#!{sys.executable} -I\nimport sys\nfrom pathlib import Path\n"
        "out = Path(sys.argv[sys.argv.index('--outdir') + 1]) / 'file.docx'\n"
        f"out.write_bytes({docx(paragraph('The ferry leaves at nine.'))!r})\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    pipe = open_over(tmp_path, office=str(program))
    (tmp_path / "docs" / "old.doc").write_bytes(OLD_WORD)
    report = pipe.run()
    assert not report.failures, report.failures
    assert pipe.search("ferry")[0].chunk.source.uri == "old.doc"


def test_data_notebooks_programs_and_subtitles_are_found_by_what_they_say(tmp_path: Path) -> None:
    files = {
        "orders.json": '{"orders": [{"id": 7, "customer": {"name": "Lighthouse Ltd"}, "total": 1.10}]}',
        "talk.srt": "1\n00:01:10,000 --> 00:01:12,000\nThe penguin arrives.\n",
        "tool.py": "def polish_marble(stone):\n    return stone\n",
        "note.rst": "Title\n=====\n\nThe *walrus* sleeps.\n",
        "letter.rtf": r"{\rtf1\ansi Dear badger.\par}",
    }
    pipe = open_over(tmp_path)
    for name, text in files.items():
        (tmp_path / "docs" / name).write_text(text, encoding="utf-8")
    report = pipe.run()
    assert (report.indexed, report.failed, report.ignored) == (5, 0, 0)
    for words, uri in {
        "Lighthouse": "orders.json", "penguin": "talk.srt", "polish_marble": "tool.py", "walrus": "note.rst",
        "badger": "letter.rtf",
    }.items():  # fmt: skip
        assert pipe.search(words, mode="text")[0].chunk.source.uri == uri
    hit = pipe.search("Lighthouse", mode="text")[0].chunk.text
    assert "orders[0].customer.name: Lighthouse Ltd" in hit and "orders[0].total: 1.10" in hit


def test_every_text_type_that_the_loader_names_has_a_parser() -> None:
    from docpipe.load import media
    from docpipe.parse import auto

    without = {"image/svg+xml"}
    named = set(media._TEXT_EXTENSIONS.values()) | {kind for _, kind in media._OPENINGS}
    assert named - without <= set(auto._FIELDS)
    assert media_type(b"{}", "a.jsonl") == "application/x-ndjson"
