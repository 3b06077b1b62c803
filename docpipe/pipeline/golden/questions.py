"""A file of golden questions -> questions, each with the places where its answer stands."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple
from unicodedata import normalize

from docpipe.chat.folding import fold
from docpipe.errors import ConfigError, InvalidOption
from docpipe.index import filters
from docpipe.pipeline.file.problems import Place, Problems
from docpipe.pipeline.file.stage_options import make
from docpipe.pipeline.file.yaml_tree import Tree, read, tree_of
from docpipe.types import Chunk

MAX_BYTES = 16_000_000
"""Of a file of questions: a larger one is something else."""
_LINES = (".jsonl", ".ndjson")
_PAGES = re.compile(r"(?P<uri>.+)#p(?P<first>[0-9]{1,6})(?:-(?P<last>[0-9]{1,6}))?", re.S)


class Spot(NamedTuple):
    """Where an answer may stand: a document, or some pages of it."""

    uri: str
    first: int = 0
    """The first page, from 1; 0 for the whole document."""
    last: int = 0

    def holds(self, chunk: Chunk) -> bool:
        """Whether a chunk stands there, in part at least."""
        if chunk.source.uri != self.uri:
            return False
        return not self.first or any(self.first <= page <= self.last for page in chunk.pages)

    def __str__(self) -> str:
        if not self.first:
            return self.uri
        return f"{self.uri}#p{self.first}" + (f"-{self.last}" if self.last != self.first else "")


def spot(text: str) -> Spot:
    """Read `FILE`, `FILE#p3` or `FILE#p3-5`; FILE is the path below the source's folder.

    Raises:
        InvalidOption: there is no file in it, or the pages are no range.
    """
    found = _PAGES.fullmatch(text)
    uri = normalize("NFC", (found["uri"] if found else text).strip())
    first = int(found["first"]) if found else 0
    last = int(found["last"] or first) if found else 0
    if not uri or uri.startswith("#") or (found and not 1 <= first <= last):
        message = f"{text!r} is no place in a document"
        raise InvalidOption(message, where="expect", remedy="write FILE, FILE#p3 or FILE#p3-5; pages count from 1")
    return Spot(uri, first, last)


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question and what must be found for it: any of some places, certain words, or both in one hit."""

    question: str
    expect: tuple[str, ...] = ()
    """`FILE`, `FILE#p3` or `FILE#p3-5`: any of them counts. Empty: anywhere."""
    contains: str = ""
    """Words that the hit must hold as they stand; case, white space and hyphenation do not matter."""
    where: str = ""
    """A filter that the search is made with."""

    def __post_init__(self) -> None:
        if not any(map(str.isalnum, self.question)):
            raise ValueError("question must have words")
        if not self.expect and not self.contains.strip():
            raise ValueError("nothing says what must be found: add `expect: [FILE#p3]`, or `contains: the words`")
        for text in self.expect:
            spot(text)
        if self.where:
            filters.parse(self.where)

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from others: its words and its filter."""
        return self.question, self.where

    @cached_property
    def spots(self) -> tuple[Spot, ...]:
        """`expect`, read."""
        return tuple(spot(text) for text in self.expect)

    @cached_property
    def _words(self) -> str:
        return fold(self.contains, any_case=True).text

    def fits(self, chunk: Chunk) -> bool:
        """Whether a chunk is what must be found."""
        if self.spots and not any(place.holds(chunk) for place in self.spots):
            return False
        return not self._words or self._words in fold(chunk.content, any_case=True).text


def load(path: str | Path) -> tuple[Question, ...]:
    """The questions of a file: a YAML list, or JSON lines (`.jsonl`).

    Raises:
        ConfigError: it cannot be read, holds no question, or some are wrong: a line for each problem,
            `file:line: key: what is wrong (what to try)`.
    """
    file, problems = Path(path), Problems()
    text = _text(file)
    trees = _lines(text, str(path), problems) if file.suffix in _LINES else _items(text, str(path), problems)
    found = [(tree.place, make(Question, _listed(tree), problems)) for tree in trees]
    questions = [(place, question) for place, question in found if question is not None]
    _refuse_twins(questions, problems)
    if not found and not problems.found:
        problems.add(Place(str(path)), "the file holds no question", remedy="write `- question: ...` with `expect:`")
    problems.raise_all()
    return tuple(question for _, question in questions)


def _text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            f"the questions cannot be read: {error.strerror or error}",
            where=str(file),
            remedy="give the path of a YAML or JSON lines file, from the pipeline file on, or take out `eval:`",
        ) from error
    if len(data) > MAX_BYTES:
        raise ConfigError(
            f"the file is larger than {MAX_BYTES:,} bytes", where=str(file), remedy="is it the right one?"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"the questions are not UTF-8 text (byte {error.start})"
        raise ConfigError(message, where=str(file), remedy="save it as UTF-8") from error


def _items(text: str, file: str, problems: Problems) -> Sequence[Tree]:
    """The members of a YAML list, or of `questions:` in a mapping."""
    tree = read(text, file=file, environment={}, problems=problems)
    if tree is None:
        return ()
    if isinstance(tree.value, dict) and set(tree.value) == {"questions"}:
        tree = tree.value["questions"]
    if not isinstance(tree.value, list):
        problems.add(tree.place, "expected a list of questions", remedy="write `- question: ...` for each")
        return ()
    return list(tree.value)


def _lines(text: str, file: str, problems: Problems) -> Iterator[Tree]:
    """JSON lines; empty ones are left out."""
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        place = Place(file, number)
        try:
            yield tree_of(json.loads(line), place)
        except (json.JSONDecodeError, RecursionError) as error:
            what = error.msg if isinstance(error, json.JSONDecodeError) else "it is nested too deeply"
            problems.add(place, f"this is not JSON: {what}", remedy="write one object a line")


def _listed(tree: Tree) -> Tree:
    """The question with `expect` as a list, where it is one place."""
    if not isinstance(tree.value, dict):
        return tree
    one: Any = tree.value.get("expect")
    if one is None or not isinstance(one.value, str):
        return tree
    return Tree({**tree.value, "expect": Tree([one], one.place, one.raw)}, tree.place, tree.raw)


def _refuse_twins(questions: Sequence[tuple[Place, Question]], problems: Problems) -> None:
    """Runs are compared question by question: each can be there once."""
    seen: dict[tuple[str, str], int] = {}
    for place, question in questions:
        if question.key in seen:
            message = f"the question was asked before, in line {seen[question.key]}"
            problems.add(place, message, remedy="put all places under its first `expect`")
        seen.setdefault(question.key, place.line)
