"""Two versions of an index -> what differs."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nights import Nights

from docpipe.errors import ConfigError
from docpipe.index.memory import MemoryIndex
from docpipe.pipeline.file.options import KeepOptions
from docpipe.pipeline.golden.evaluation import Asked, Evaluation, Found, form
from docpipe.pipeline.history.difference import Difference, DocumentChange, difference
from docpipe.pipeline.history.tagging import name_run

SOURCES = st.dictionaries(
    st.sampled_from(["a.md", "b.md", "c.md"]), st.sampled_from(["one", "one\ntwo", "three\nfour"])
)
FIRST = {"a.md": "one\ntwo", "b.md": "three\nfour\nfive", "c.md": "six"}
SECOND = {"a.md": "one\nten\neleven", "moved/b.md": "three\nfour\nfive", "d.md": "seven"}


def answers(**ranks: int) -> dict[str, Any]:
    """The golden questions of a run, each with its rank, as its report keeps them."""
    asked = tuple(
        Asked(question=question, expect=("a.md",), rank=rank, hits=(Found("a.md", (1,), f"chunk {rank}"),))
        for question, rank in ranks.items()
    )
    return form(Evaluation(limit=8, asked=asked))


def told(found: Difference) -> list[tuple[str, str, int, int]]:
    return [(one.change, one.uri, one.chunks_added, one.chunks_removed) for one in found.documents]


@given(nights=st.lists(SOURCES, min_size=1, max_size=6), data=st.data())
def test_a_difference_is_that_of_the_sources_between_any_two_runs(
    nights: list[dict[str, str]], data: st.DataObject
) -> None:
    world = Nights(MemoryIndex())
    made = {world.run(sources).id: sources for sources in nights}
    made["now"] = nights[-1]
    before, after = (data.draw(st.sampled_from(sorted(made))) for _ in range(2))
    old, new = made[before], made[after]
    documents = difference(world.index, before, after).documents
    renamed = {one.uri: one.was for one in documents if one.change == "renamed"}
    assert all(old[was] == new[uri] and uri not in old and was not in new for uri, was in renamed.items())
    changes = {one.uri: one.change for one in documents if one.change != "renamed"}
    expected = dict.fromkeys(new.keys() - old.keys() - renamed.keys(), "added")
    expected |= dict.fromkeys(old.keys() - new.keys() - set(renamed.values()), "removed")
    expected |= {uri: "changed" for uri in old.keys() & new.keys() if old[uri] != new[uri]}
    assert changes == expected


def test_documents_are_told_with_their_chunks_and_renamed_ones_are_not_new() -> None:
    world = Nights(MemoryIndex())
    first = world.run(FIRST)
    world.run(SECOND)
    found = difference(world.index, first.id, "now")
    assert told(found) == [
        ("changed", "a.md", 2, 1),
        ("removed", "c.md", 0, 1),
        ("added", "d.md", 1, 0),
        ("renamed", "moved/b.md", 0, 0),
    ]
    assert found.documents[-1].was == "b.md"
    assert (found.before, found.after, found.count("changed")) == (first.id, "now", 1)


def test_backwards_what_was_added_is_removed() -> None:
    world = Nights(MemoryIndex())
    world.run(FIRST)
    name_run(world.index, "old")
    second = world.run(SECOND)
    found = difference(world.index, second.id, "old")
    assert DocumentChange(uri="d.md", change="removed", chunks_removed=1) in found.documents
    assert DocumentChange(uri="b.md", change="renamed", was="moved/b.md") in found.documents


def test_a_version_does_not_differ_from_itself() -> None:
    world = Nights(MemoryIndex())
    first = world.run(FIRST)
    world.run(SECOND)
    assert difference(world.index, first.id, first.id).documents == ()
    assert difference(world.index, "now", "now").documents == ()


def test_golden_questions_whose_hits_moved_are_told_the_worst_first() -> None:
    world = Nights(MemoryIndex())
    first = world.run(FIRST, staged=answers(same=1, lost=1, found=0))
    second = world.run(SECOND, staged=answers(same=1, lost=0, found=2))
    found = difference(world.index, first.id, second.id)
    assert found.questions is not None
    assert [(one.question, one.before, one.after) for one in found.questions] == [("lost", 1, 0), ("found", 0, 2)]
    assert (found.not_asked, difference(world.index, first.id, "now").questions) == ((), found.questions)


def test_a_run_that_changed_nothing_is_as_good_as_the_one_before_it() -> None:
    world = Nights(MemoryIndex())
    world.run(FIRST, staged=answers(found=1))
    idle = world.run(FIRST)
    second = world.run(SECOND, staged=answers(found=2))
    world.run(SECOND)
    found = difference(world.index, idle.id, "now")
    assert found.questions is not None
    assert [(one.before, one.after) for one in found.questions] == [(1, 2)]
    assert difference(world.index, "now", second.id).questions == ()


def test_a_restored_version_answers_as_it_did() -> None:
    world = Nights(MemoryIndex())
    first = world.run(FIRST, staged=answers(found=1) | {"holds": True})
    world.run(SECOND, staged=answers(found=2))
    world.restore(first.id)
    assert difference(world.index, first.id, "now").questions == ()


def test_where_a_run_was_not_asked_the_difference_says_so() -> None:
    world = Nights(MemoryIndex())
    first = world.run(FIRST)
    second = world.run(SECOND, staged=answers(same=1))
    found = difference(world.index, first.id, second.id)
    assert (found.questions, found.not_asked) == (None, (first.id,))


def test_a_version_that_is_no_longer_kept_cannot_be_compared() -> None:
    world = Nights(MemoryIndex(), keep=KeepOptions(runs=1))
    made = [world.run({"a.md": f"text {number}"}) for number in range(3)]
    with pytest.raises(ConfigError, match="no longer kept"):
        difference(world.index, made[0].id, "now")
