"""Documents and pages that are nearly the same are found among many, whatever their order."""

import json
import random
from itertools import pairwise
from pathlib import Path

import pymupdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

import docpipe
from docpipe.cli import main
from docpipe.copies import Sketch, groups, similarity, sketch
from docpipe.similar import Fingerprint, resemblance

_PIPELINE = """
version: 1
source: {{use: load.files, path: {source}}}
stages:
  - use: parse.auto
  - {{use: chunk.layout, max_tokens: 64, overlap: 8}}
  - {{use: embed.hashing, dim: 16}}
index: {{use: index.lancedb, uri: {index}}}
run: {{workers: 1}}
"""
_WORDS = [f"{first}{last}" for first in ("bar", "cor", "dim", "fel", "gon", "hal") for last in ("ta", "ro", "ne", "li")]


def _prose(seed: int, *, words: int = 300) -> str:
    chosen = random.Random(seed)
    return " ".join(chosen.choice(_WORDS) + (". So" if chosen.random() < 0.08 else "") for _ in range(words))


def _changed(text: str, share: float, seed: int) -> str:
    chosen = random.Random(seed)
    return " ".join(chosen.choice(_WORDS) if chosen.random() < share else word for word in text.split())


def _sketch(text: str) -> Sketch:
    made = sketch([text])
    assert made is not None
    return made


@pytest.mark.parametrize("share", [0.0, 0.01, 0.03, 0.1, 0.3, 1.0])
def test_the_similarity_of_sketches_is_near_that_of_the_texts(share: float) -> None:
    text = _prose(1, words=2_000)
    other = _changed(text, share, 2)
    exact = resemblance(Fingerprint(text), Fingerprint(other))
    assert similarity(_sketch(text), _sketch(other)) == pytest.approx(exact, abs=0.12)


def test_copies_are_found_among_many_and_nothing_else_is() -> None:
    texts = {f"{seed:04}": _prose(seed) for seed in range(400)}
    copies = {f"{key} copy": _changed(texts[key], 0.02, 7) for key in list(texts)[:40]}
    made = {key: _sketch(text) for key, text in sorted({**texts, **copies}.items())}
    found = groups(made)
    assert [group.members for group in found] == [(key.removesuffix(" copy"), key) for key in sorted(copies)]
    assert all(0.8 <= group.similarity < 1 for group in found)


def test_forms_with_other_numbers_are_told_from_copies() -> None:
    form = _prose(3)
    made = {
        name: _sketch(f"{form} The amount is {amount} euros.") for name, amount in (("a", 10), ("b", 10), ("c", 12))
    }
    (same,) = groups({key: made[key] for key in ("a", "b")})
    (other,) = groups(made)
    assert same.same_numbers and same.similarity == 1
    assert not other.same_numbers and other.members == ("a", "b", "c")


@given(order=st.permutations(range(12)))
def test_which_texts_are_together_does_not_depend_on_their_order(order: list[int]) -> None:
    texts = [_changed(_prose(number % 4, words=400), 0.01, number) for number in range(12)]
    found = groups({number: _sketch(texts[number]) for number in order})
    assert {frozenset(group.members) for group in found} == {frozenset(range(start, 12, 4)) for start in range(4)}


@given(cuts=st.lists(st.integers(1, 250), max_size=6))
def test_where_a_text_is_cut_hardly_matters(cuts: list[int]) -> None:
    words = _prose(5).split()
    edges = [0, *sorted(cuts), len(words)]
    parts = [" ".join(words[start:end]) for start, end in pairwise(edges)]
    cut = sketch(parts)
    assert cut is not None and similarity(cut, _sketch(" ".join(words))) > 0.9


def test_thousands_of_copies_of_one_text_are_one_group_without_comparing_all_pairs() -> None:
    text = _prose(1)
    made = {number: _sketch(text) for number in range(3)} | {
        number: _sketch(_changed(text, 0.01, number)) for number in range(3, 300)
    }
    (group,) = groups(made)
    assert len(group.members) == 300


def test_short_texts_are_not_compared() -> None:
    assert sketch(["This page is left blank."]) is None


def _library(folder: Path) -> Path:
    source = folder / "source"
    source.mkdir()
    (source / "a.md").write_text(f"# Report\n\n{_prose(1)}\n")
    (source / "b.txt").write_text(f"Report\n\n{_prose(1)}")
    (source / "c.md").write_text(f"# Report\n\n{_prose(2)}\n")
    with pymupdf.open() as file:
        for seed in (8, 1, 9):
            file.new_page().insert_textbox((50, 50, 550, 800), _prose(seed), fontsize=9)
        file.save(source / "d.pdf")
        file.select([1])
        file.save(source / "e.pdf")
    path = folder / "library.yaml"
    path.write_text(_PIPELINE.format(source=source, index=folder / "index"), encoding="utf-8")
    return path


def test_documents_and_pages_that_are_held_twice_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = _library(tmp_path)
    with docpipe.open(path) as pipe:
        assert pipe.run().indexed == 5
    assert main(["duplicates", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["compared"] == 5
    (group,) = found["groups"]
    assert [place["uri"] for place in group["places"]] == ["a.md", "b.txt", "e.pdf"]
    assert group["similarity"] >= 0.8 and group["same_numbers"] is True
    assert main(["duplicates", str(path), "--pages", "--json"]) == 0
    (group,) = json.loads(capsys.readouterr().out)["groups"]
    assert group["places"] == [{"uri": "d.pdf", "pages": [2]}, {"uri": "e.pdf", "pages": [1]}]
    assert main(["duplicates", str(path), "--pages"]) == 0
    assert "d.pdf p. 2\n" in capsys.readouterr().out


def test_nothing_is_listed_where_nothing_was_indexed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["duplicates", str(_library(tmp_path))]) == 0
    assert "0 compared, none is nearly the same" in capsys.readouterr().out
