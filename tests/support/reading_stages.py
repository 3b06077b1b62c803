"""A pipeline whose pages a service reads, with small stages around it."""

from pathlib import Path
from typing import Any

from standin import printing
from toy_stages import ToyStages

from docpipe.index.lancedb import LanceIndex
from docpipe.load.files import FileLoader
from docpipe.parse.glm_ocr import GlmOcrParser


def reading_stages(folder: Path, index: Path, **options: Any) -> ToyStages:
    """Every page goes to the service, so that no page need be printed."""
    parser: Any = GlmOcrParser(ocr="always", **options)
    return ToyStages(loaders=(FileLoader(path=str(folder)),), index=LanceIndex(uri=str(index)), parser=parser)


def write_book(path: Path, sheets: "list[printing.Sheet]") -> None:
    """A PDF of these sheets."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(printing.text_pdf(sheets))
