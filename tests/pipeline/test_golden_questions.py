"""Files of golden questions: what is read, and every mistake told with its line."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from library import make_chunk

from docpipe.errors import ConfigError, InvalidOption
from docpipe.pipeline.golden.questions import MAX_BYTES, Question, Spot, load, spot

URIS = st.text(st.characters(categories=["L", "N"], include_characters="/._- "), min_size=1).map(
    lambda text: str(spot(f"a/{text}.md").uri)
)


@given(URIS, st.integers(0, 9_999), st.integers(0, 9_999))
def test_a_place_is_read_back_as_it_is_written(uri: str, first: int, more: int) -> None:
    place = Spot(uri, first, first + more) if first else Spot(uri)
    assert spot(str(place)) == place


@pytest.mark.parametrize("text", ["", " ", "#p3", "a.pdf#p0", "a.pdf#p5-3"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(InvalidOption, match="is no place in a document"):
        spot(text)


def test_a_file_whose_name_holds_a_hash_is_a_file() -> None:
    assert spot("c#/p3.md") == Spot("c#/p3.md")
    assert spot("notes#2.md#p3") == Spot("notes#2.md", 3, 3)


def test_names_are_compared_in_their_composed_form() -> None:
    assert spot("Pru\u0308fung.pdf#p1").uri == "Pr\u00fcfung.pdf"


def test_any_expected_place_counts_and_a_chunk_over_two_pages_stands_on_both() -> None:
    question = Question(question="How long?", expect=("a.pdf#p3-4", "b.md"))
    chunk = replace(make_chunk("nine days", uri="a.pdf"), pages=(2, 3))
    assert question.fits(chunk)
    assert not question.fits(replace(chunk, pages=(2,)))
    assert question.fits(make_chunk("nine days", uri="b.md"))
    assert not question.fits(make_chunk("nine days", uri="c.md"))


def test_words_must_stand_in_the_hit_whatever_their_case_and_line_ends() -> None:
    question = Question(question="How long?", expect=("a.pdf",), contains="Nine  Days")
    assert question.fits(make_chunk("It took nine\ndays.", uri="a.pdf"))
    assert not question.fits(make_chunk("It took ten days.", uri="a.pdf"))
    assert Question(question="How long?", contains="nine days").fits(make_chunk("nine days", uri="anywhere.md"))


def test_yaml_and_json_lines_give_the_same_questions(tmp_path: Path) -> None:
    yaml, lines = tmp_path / "q.yaml", tmp_path / "q.jsonl"
    yaml.write_text(
        "questions:\n"
        "- question: How long?\n  expect: [a.pdf#p3, b.md]\n  contains: nine days\n"
        '- {question: "谁?", expect: c.md, where: language = zh}\n',
        encoding="utf-8",
    )
    lines.write_text(
        '{"question": "How long?", "expect": ["a.pdf#p3", "b.md"], "contains": "nine days"}\n\n'
        '{"question": "谁?", "expect": "c.md", "where": "language = zh"}\n',
        encoding="utf-8",
    )
    assert load(yaml) == load(lines)
    assert load(yaml) == (
        Question(question="How long?", expect=("a.pdf#p3", "b.md"), contains="nine days"),
        Question(question="谁?", expect=("c.md",), where="language = zh"),
    )


def test_every_problem_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "q.yaml"
    path.write_text(
        '- {question: "What?", expect: a.pdf}\n'
        "- {question: '?', expect: a.pdf}\n"
        "- {question: Which, expct: a.pdf}\n"
        "- {question: Who, expect: [a.pdf#p0]}\n"
        "- just text\n"
        "- {question: Whose, contains: x, where: 'page <<'}\n"
        '- {question: "What?", expect: b.pdf}\n'
        "- {question: Where, expect: [3]}\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError) as caught:
        load(path)
    text = str(caught.value)
    assert f"{path}:2: [1].question: question must have words" in text
    assert "q.yaml:3: [2].expct: there is no such option (did you mean `expect`?)" in text
    assert "q.yaml:4: [3]: 'a.pdf#p0' is no place in a document (write FILE, FILE#p3" in text
    assert "q.yaml:5: [4]: expected `option: value` lines" in text
    assert "q.yaml:6: [5]: " in text
    assert "q.yaml:7: [6]: the question was asked before, in line 1" in text
    assert "q.yaml:8: [7].expect[0]: expected text, got 3" in text


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("q.yaml", b"", "the file is empty"),
        ("q.yaml", b"[]", "holds no question"),
        ("q.yaml", b"question: x", "expected a list of questions"),
        ("q.jsonl", b"\n\n", "holds no question"),
        ("q.jsonl", b'{"question": "x", "expect": "y"}\n{"question":', "q.jsonl:2: this is not JSON"),
        ("q.jsonl", b"[" * 100_000, "q.jsonl:1: this is not JSON"),
        ("q.yaml", b"\xff\xfe", "not UTF-8 text"),
        ("q.jsonl", b" " * (MAX_BYTES + 1), "larger than"),
    ],
    ids=["empty", "no question", "a mapping", "blank lines", "cut", "deep", "bytes", "huge"],
)
def test_a_file_that_is_none_says_why(tmp_path: Path, name: str, data: bytes, told: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(ConfigError, match=told):
        load(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"questions cannot be read: No such file.*take out `eval:`"):
        load(tmp_path / "none.yaml")
