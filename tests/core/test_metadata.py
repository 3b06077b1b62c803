"""What documents say of themselves: settled keys, bounded values."""

from hypothesis import given
from hypothesis import strategies as st

from docpipe._metadata import packed, settled, unpacked

SAID = st.dictionaries(st.text(max_size=80), st.text(max_size=80), max_size=8)


@given(SAID)
def test_settled_metadata_comes_back_from_their_stored_form(said: dict[str, str]) -> None:
    assert unpacked(packed(settled(said))) == settled(said)


@given(SAID)
def test_settling_again_changes_nothing(said: dict[str, str]) -> None:
    assert settled(settled(said)) == settled(said)


def test_keys_are_one_word_and_values_one_line() -> None:
    assert settled({" Last Updated (by) ": "Ann\n\x1eLi\x1f!", "": "x", "empty": "  "}) == {
        "last_updated_by": "Ann Li !"
    }


def test_other_names_go_by_the_settled_ones_unless_these_are_there() -> None:
    assert settled({"author": "Ann", "date": "31 May 2024"}) == {"authors": "Ann", "created": "2024-05-31"}
    assert settled({"author": "Ann", "authors": "Bo"}) == {"authors": "Bo"}


def test_dates_are_iso_or_left_out() -> None:
    said = {"created": "D:20240531", "modified": "some day", "title": "T"}
    assert settled(said) == {"title": "T", "created": "2024-05-31"}


def test_much_metadata_is_cut_and_the_settled_keys_stay() -> None:
    found = settled({**{f"a{number:03}": "x" * 10_000 for number in range(500)}, "title": "T", "keywords": "k"})
    assert list(found)[:2] == ["keywords", "title"]
    assert len(packed(found)) < 100_000
