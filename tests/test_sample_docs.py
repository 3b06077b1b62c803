"""The sample documents are what their script makes, and yield the answers that they were written for."""

import importlib.util
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import docpipe
from docpipe.chat.folding import fold
from docpipe.pipeline.golden.evaluation import shortfalls
from docpipe.pipeline.golden.staging import golden
from docpipe.types import Answer, Citation

HERE = Path(__file__).resolve().parent.parent
SAMPLES = HERE / "sample_docs"
QUESTIONS = [json.loads(line) for line in (SAMPLES / "questions.jsonl").read_text("utf-8").splitlines()]
ANSWERED = [row for row in QUESTIONS if row["origin"] == "documents"]
UNANSWERED = [row for row in QUESTIONS if row["origin"] == "none"]


def ids(row: dict[str, Any]) -> str:
    return str(row["question"])


@pytest.fixture(scope="module")
def generate() -> Iterator[ModuleType]:
    """The script, with its neighbours importable."""
    sys.path.insert(0, str(SAMPLES))
    try:
        spec = importlib.util.spec_from_file_location("sample_docs_generate", SAMPLES / "generate.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(SAMPLES))


def test_building_again_gives_the_same_text(generate: ModuleType) -> None:
    import pymupdf

    for name, made in generate.documents().items():
        with pymupdf.open(SAMPLES / name) as kept:
            assert [page.get_text("words") for page in made] == [page.get_text("words") for page in kept], name
            assert made.get_toc() == kept.get_toc(), name
    for name, text in generate.texts().items():
        assert (SAMPLES / name).read_text("utf-8") == text, name


def test_the_samples_are_small_and_every_one_is_asked_about() -> None:
    files = [path for path in SAMPLES.rglob("*") if path.is_file() and path.parent != SAMPLES and path.suffix != ".pyc"]
    assert sum(path.stat().st_size for path in files) < 1_500_000
    names = {path.relative_to(SAMPLES).as_posix() for path in files}
    assert names == {row["uri"] for row in ANSWERED}
    assert len(QUESTIONS) >= 24
    assert len(UNANSWERED) >= 4


@pytest.fixture(scope="module")
def pipe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[docpipe.Pipe]:
    """The quickstart pipeline over the samples, its index in a folder of the test's own."""
    folder = tmp_path_factory.mktemp("samples")
    text = (HERE / "pipelines" / "quickstart.yaml").read_text("utf-8")
    text = text.replace("path: ../sample_docs", f"path: {SAMPLES}")
    text = text.replace("uri: ../.docpipe/quickstart", f"uri: {folder / 'index'}")
    (folder / "quickstart.yaml").write_text(text, encoding="utf-8")
    shutil.copytree(HERE / "pipelines" / "golden", folder / "golden")
    with docpipe.open(folder / "quickstart.yaml") as opened:
        report = opened.run()
        assert report.failed == 0
        assert report.needs_ocr == ()
        yield opened


def test_the_golden_questions_are_found_at_their_pages(pipe: docpipe.Pipe) -> None:
    asked = golden(pipe.stages)
    assert [(one.question, one.expect, one.contains) for one in asked] == [
        (row["question"], (row["uri"] + (f"#p{row['page']}" if row["page"] else ""),), row["quote"]) for row in ANSWERED
    ]
    evaluation = pipe.evaluate()
    assert [one.question for one in evaluation.asked if not one.rank] == []
    assert evaluation.mrr > 0.9
    assert not shortfalls(evaluation, pipe.stages.eval.thresholds)


def proof(answer: Answer, row: dict[str, Any]) -> Citation:
    """The citation that holds the expected words."""
    found = [citation for citation in answer.citations if row["quote"] in citation.quote]
    assert found, f"{answer.text!r} does not quote {row['quote']!r}"
    return found[0]


def words_under(citation: Citation) -> str:
    """What is printed under a citation's boxes: the letters whose middle lies in one, in the order of the boxes."""
    import pymupdf

    printed = []
    with pymupdf.open(SAMPLES / citation.uri) as document:
        for box in citation.boxes:
            page = document[box.page - 1]
            frame = pymupdf.Rect(
                box.left * page.rect.width,
                box.top * page.rect.height,
                box.right * page.rect.width,
                box.bottom * page.rect.height,
            )
            printed.append("".join(_letters(page, frame)))
    return "\n".join(printed)


def _letters(page: Any, frame: Any) -> Iterator[str]:
    for block in page.get_text("rawdict")["blocks"]:
        for line in block.get("lines", ()):
            for span in line["spans"]:
                for letter in span["chars"]:
                    left, top, right, bottom = letter["bbox"]
                    if frame.contains(((left + right) / 2, (top + bottom) / 2)):
                        yield letter["c"]


@pytest.mark.slow
@pytest.mark.parametrize("row", ANSWERED, ids=ids)
def test_a_question_is_answered_with_proof(pipe: docpipe.Pipe, row: dict[str, Any]) -> None:
    answer = pipe.ask(row["question"])
    assert answer.origin == "documents"
    assert all(expected in answer.text for expected in row["answers"])
    citation = proof(answer, row)
    assert citation.uri == row["uri"]
    assert citation.verified
    assert citation.marker in answer.text
    if row["page"] is None:
        assert citation.pages == ()
        return
    assert citation.pages == (row["page"],)
    if not row["uri"].startswith("scan/"):  # there only the picture holds the words
        assert fold(words_under(citation)).text == fold(citation.quote).text


@pytest.mark.slow
@pytest.mark.parametrize("row", UNANSWERED, ids=ids)
def test_what_the_samples_do_not_say_is_not_answered(pipe: docpipe.Pipe, row: dict[str, Any]) -> None:
    answer = pipe.ask(row["question"])
    assert answer.origin == "none"
    assert answer.citations == ()
