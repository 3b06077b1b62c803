"""Word and PowerPoint files of before 2007 -> converted by LibreOffice, then read as docx and pptx."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, NamedTuple

from docpipe.errors import NotConverted
from docpipe.parse.docx import DocxParser
from docpipe.parse.libreoffice import convert
from docpipe.parse.pptx import PptxParser
from docpipe.types import Blob, Document, Source


class _Target(NamedTuple):
    """What LibreOffice makes of a format: the extension of the old file, and of the new one."""

    old: str
    new: str


@dataclass(frozen=True, kw_only=True)
class LegacyParser:
    """Word (doc, dot) and PowerPoint (ppt, pps) before 2007, by LibreOffice where it is installed.

    It runs on one file at a time, without a window, with a profile of its own that runs no macros and updates no links,
    and ends with the file.
    """

    VERSION = 1
    FORMATS: ClassVar[dict[str, _Target]] = {
        "application/msword": _Target("doc", "docx"),
        "application/vnd.ms-powerpoint": _Target("ppt", "pptx"),
    }

    libreoffice: str = field(default="", compare=False)
    """Path of its program `soffice`; nothing: the one that PATH has."""

    seconds: float = field(default=100.0, compare=False)
    """How long one file may take; less than `run: {timeout: ...}`, which ends the worker too."""

    docx: DocxParser = field(default_factory=DocxParser)
    """How what was a doc is read."""

    pptx: PptxParser = field(default_factory=PptxParser)
    """How what was a ppt is read."""

    def __post_init__(self) -> None:
        if self.seconds <= 0:
            raise ValueError(f"seconds must be above 0, got {self.seconds}")

    @property
    def STARTS_PROGRAMS(self) -> tuple[str, ...]:  # noqa: N802  workers ask each stage for it by this name
        """The program that it starts in a worker; none where it is not installed."""
        program = self._program()
        return (program,) if program else ()

    def __call__(self, blob: Blob, /) -> Iterator[Document]:
        """One document.

        Raises:
            NotConverted: LibreOffice is not installed, or made nothing of it.
            TimedOut: it took longer than `seconds`.
            SourceError: what the parser of the new format says.
        """
        program = self._program()
        target = self.FORMATS[blob.source.media_type]
        if not program:
            raise _not_installed(blob.source, target, self.libreoffice)
        data = convert(blob, program=program, old=target.old, new=target.new, seconds=self.seconds)
        converted = replace(blob, data=data)
        yield from self.docx(converted) if target.new == "docx" else self.pptx(converted)

    def _program(self) -> str:
        if self.libreoffice:
            return self.libreoffice if Path(self.libreoffice).is_file() else ""
        return shutil.which("soffice") or shutil.which("libreoffice") or ""


def _not_installed(source: Source, target: _Target, path: str) -> NotConverted:
    place = f"at {path}" if path else "on this machine"
    return NotConverted(
        f"files of Office before 2007 are read through LibreOffice, which is not {place}",
        source=source.uri,
        remedy=f"install LibreOffice, or set `parse.auto: {{legacy: {{libreoffice: PATH}}}}`, and run `docpipe retry`; "
        f"or save the file as {target.new}",
    )
