"""Files whose names are made to harm: terminals, paths, options, encodings."""

import logging
import os
import sys
from pathlib import Path

import pytest
from toy_stages import ToyStages

from docpipe.index.memory import MemoryIndex
from docpipe.load.files import FileLoader
from docpipe.pipeline.file.options import RunOptions
from docpipe.pipeline.ingest.run import Run
from docpipe.pipeline.report.safe_text import one_line

NAMES = (
    b"\x1b[31mred\x07.txt",
    b"two\nlines.txt",
    b"back\r\x08space.txt",
    "\u202egnp.txt".encode(),
    "zero\u200bwidth\ufeff.txt".encode(),
    b"--full.txt",
    b"%2e%2e%2fup.txt",
    b"'; DROP TABLE docpipe; --.txt",
    b'"quoted" or 1=1.txt',
    b" blank .txt",
    b"!\xff\xfe not utf-8.txt",
    b"${HOME}`id`$(id).txt",
    b"a" * 251 + b".txt",
    b"CON.txt",
    b"box.zip!",
)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems forbid such names")
def test_files_with_such_names_are_all_accounted_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = os.fsencode(tmp_path / "files")
    Path(os.fsdecode(folder)).mkdir()
    for number, name in enumerate(NAMES):
        Path(os.fsdecode(folder + b"/" + name)).write_text(f"text number {number}", encoding="utf-8")
    stages = ToyStages(loaders=(FileLoader(path=os.fsdecode(folder)),), index=MemoryIndex())
    with caplog.at_level(logging.INFO):
        report = Run(stages, RunOptions(workers=1, timeout=60))("names")
    assert report.indexed + report.failed + report.ignored == len(NAMES)
    assert report.account.closed
    assert report.indexed >= len(NAMES) - 1
    for record in caplog.records:
        assert one_line(record.getMessage()) == record.getMessage()
    again = Run(stages, RunOptions(workers=1, timeout=60))("names")
    assert (again.indexed, again.deleted, again.unchanged) == (0, 0, report.indexed)
    assert {os.fsencode(path.name) for path in Path(os.fsdecode(folder)).iterdir()} == set(NAMES)
