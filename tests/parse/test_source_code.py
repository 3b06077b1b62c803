"""Programs: each definition below its name, and not a letter lost."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe.parse.definitions import LANGUAGES
from docpipe.parse.source_code import SourceCodeParser
from docpipe.types import Blob, BlockKind, Source

PYTHON = '''"""What it does."""
import os

@cached
# how it is done
def first(x):
    return x

class Thing(Base):
    def method(self): ...

async def later(): ...
'''
CODE = {
    "python": (PYTHON, ["first", "Thing", "later"]),
    "c": (
        "#include <a.h>\n/* Adds. */\nint add(int a, int b)\n{\n  if (a) { return 1; }\n}\nstruct node {\n};\n",
        ["add", "node"],
    ),
    "c++": (
        "namespace x {\n}\nclass Foo : public Bar {\n};\nvoid Foo::run(int a) const {\n}\n", ["x", "Foo", "Foo::run"]
    ),
    "java": ("package a;\n/** Doc. */\n@Service\npublic final class Shop {\n}\ninterface Door {}\n", ["Shop", "Door"]),
    "javascript": (
        "import a from 'b'\nexport default class Foo {\n}\nconst run = async (x) => {\n}\nexport function go() {}\n",
        ["Foo", "run", "go"],
    ),
    "typescript": ("export interface Door {\n}\nexport const f = (x: number): string => {\n}\n", ["Door", "f"]),
    "go": ("package main\n// Runs.\nfunc (s *Server) Run(x int) error {\n}\ntype T struct {\n}\n", ["Run", "T"]),
    "rust": ("pub(crate) fn run() {}\nimpl<T> Door for T {\n}\nenum E {}\n", ["run", "Door", "E"]),
    "ruby": ("module A\nend\ndef run\nend\n", ["A", "run"]),
    "sh": ("#!/bin/sh\n# starts\nstart() {\n}\nfunction stop {\n}\n", ["start", "stop"]),
    "sql": (
        "-- people\nCREATE TABLE IF NOT EXISTS users (id int);\ncreate or replace view v as select 1;\n", ["users", "v"]
    ),
    "php": ("<?php\nfunction go($x) {\n}\nfinal class A {}\n", ["go", "A"]),
    "css": ("body {\n}\n.big > a {\n}\n", ["body", ".big > a"]),
}  # fmt: skip


@pytest.mark.parametrize(("language", "code", "names"), [(name, *rest) for name, rest in CODE.items()], ids=CODE)
def test_definitions_stand_below_their_names(parse: Any, language: str, code: str, names: list[str]) -> None:
    document = parse(SourceCodeParser(), code, media=f"text/x-{language}")
    headings = [block.span.of(document.text) for block in document.blocks if block.kind is BlockKind.HEADING]
    assert headings == names
    assert {block.native_label for block in document.blocks if block.kind is BlockKind.CODE} == {language}


def test_comments_and_decorators_belong_to_the_definition_below(parse: Any) -> None:
    document = parse(SourceCodeParser(), PYTHON, media="text/x-python")
    texts = [block.span.of(document.text) for block in document.blocks]
    assert texts[0] == '"""What it does."""\nimport os'
    assert texts[2] == "@cached\n# how it is done\ndef first(x):\n    return x"


def test_a_long_class_is_divided_at_its_methods(parse: Any, outline: Any) -> None:
    body = "".join(f"    def method{number}(self):\n" + "        work()\n" * 60 for number in range(3))
    found = outline(parse(SourceCodeParser(), f"class Thing:\n    x = 1\n{body}", media="text/x-python"))
    headings = [(level, text) for kind, level, text in found if kind is BlockKind.HEADING]
    assert headings == [(1, "Thing"), (2, "Thing.method0"), (2, "Thing.method1"), (2, "Thing.method2")]


def test_a_language_without_a_grammar_is_one_block(parse: Any, outline: Any) -> None:
    assert outline(parse(SourceCodeParser(), "a\n\nb\n", media="text/x-cobol")) == [(BlockKind.CODE, 0, "a\n\nb")]


@given(
    code=st.lists(
        st.sampled_from(
            ["def a():", "class B:", "  x = 1", "", "# c", "@d", "func e() {", "}", "int f(int a)", "\tfn g()"]
        ),
        max_size=40,
    ),
    language=st.sampled_from(sorted(LANGUAGES)),
)
def test_no_line_is_lost_or_told_twice(code: list[str], language: str) -> None:
    data = "\n".join(code).encode()
    source = Source(uri="a", media_type=language, digest="", size=len(data), modified=0)
    (document,) = SourceCodeParser()(Blob(source=source, data=data))
    blocks = [block.span.of(document.text) for block in document.blocks if block.kind is BlockKind.CODE]
    kept = [line for block in blocks for line in block.split("\n") if line.strip()]
    assert [line.rstrip() for line in kept] == [line for line in code if line.strip()]


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize(
    "code",
    ["a" * 300_000, "int a " * 30_000, "(" * 300_000, "public static " * 100_000, "\t" * 500_000,
     "create " * 200_000, "def a\n" * 3_000, "#\n" * 100_000],
    ids=["letters", "words", "brackets", "modifiers", "tabs", "create", "definitions", "comments"],
)  # fmt: skip
def test_hostile_code_ends(language: str, code: str) -> None:
    data = code.encode()
    source = Source(uri="a", media_type=language, digest="", size=len(data), modified=0)
    assert len(list(SourceCodeParser()(Blob(source=source, data=data)))) == 1
