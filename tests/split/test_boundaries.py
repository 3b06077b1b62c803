"""Where a text may be cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe.split.boundaries import Level, cuts, joined

TEXTS = st.text(max_size=60) | st.lists(
    st.sampled_from("a .。，\n\r\u0301\u200d👩👧🇨🇳한ᄒ\u1161… 」”!?1x"), max_size=60
).map("".join)


def pieces(text: str, level: Level) -> list[str]:
    """The text cut at all places of a level."""
    bounds = [0, *cuts(text, 0, len(text), level), len(text)]
    return [text[a:b] for a, b in pairwise(bounds)]


@given(text=TEXTS, level=st.sampled_from(Level), data=st.data())
def test_cuts_rise_strictly_inside_the_range(text: str, level: Level, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    found = cuts(text, start, end, level)
    assert found == sorted(set(found))
    assert all(start < at < end for at in found)


@given(text=TEXTS)
def test_levels_that_stand_beside_white_space_cut_no_word(text: str) -> None:
    for level in (Level.PARAGRAPH, Level.LINE, Level.WORD):
        assert all(text[at - 1].isspace() for at in cuts(text, 0, len(text), level))


@given(text=TEXTS)
def test_no_cut_into_a_word_parts_a_character_as_it_is_shown(text: str) -> None:
    for level in (Level.RUN, Level.CLUSTER):
        assert not any(joined(text, at) for at in cuts(text, 0, len(text), level))


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        pytest.param("One. Two! Three? Four.", ["One. ", "Two! ", "Three? ", "Four."], id="plain"),
        pytest.param(
            "Dr. Who met Mr. J. R. Smith. He left.", ["Dr. Who met Mr. J. R. Smith. ", "He left."], id="titles"
        ),
        pytest.param("See Fig. 3 and e.g. this. Pi is 3.14 or so. Yes.", None, id="abbreviations"),
        pytest.param("He said “no.” She left.", ["He said “no.” ", "She left."], id="closing-quote"),
        pytest.param("Is it? No. 3 cats, cats etc. Dogs", ["Is it? ", "No. 3 cats, cats etc. ", "Dogs"], id="numbers"),
        pytest.param("wait... what? ok. No", ["wait... what? ok. ", "No"], id="small-letter-goes-on"),
        pytest.param("1. First\n2. Second", ["1. First\n2. Second"], id="list-numbers"),
        pytest.param("In 1987. The end", ["In 1987. ", "The end"], id="year"),
        pytest.param(
            "他说：“好！”然后走了。第二句？对；完",
            ["他说：“好！”", "然后走了。", "第二句？", "对；", "完"],
            id="chinese",
        ),
        pytest.param("（一）「是。」他答……」好", ["（一）「是。」", "他答……」", "好"], id="chinese-brackets"),
        pytest.param("版本3.5。Next one.好", ["版本3.5。", "Next one.好"], id="mixed"),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, sentences: list[str] | None) -> None:
    wanted = sentences or ["See Fig. 3 and e.g. this. ", "Pi is 3.14 or so. ", "Yes."]
    assert pieces(text, Level.SENTENCE) == wanted


@pytest.mark.parametrize(
    ("text", "level", "wanted"),
    [
        pytest.param("a\n\nb\n \n\nc\nd", Level.PARAGRAPH, ["a\n\n", "b\n \n\n", "c\nd"], id="paragraphs"),
        pytest.param("a\r\nb\nc", Level.LINE, ["a\r\n", "b\n", "c"], id="lines"),
        pytest.param("a, b; c，d、e：f 1,5", Level.CLAUSE, ["a, ", "b; ", "c，", "d、", "e：", "f 1,5"], id="clauses"),
        pytest.param("a  b\u3000c", Level.WORD, ["a  ", "b\u3000", "c"], id="words"),
        pytest.param("x" * 40, Level.RUN, ["x" * 16, "x" * 16, "x" * 8], id="runs"),
        pytest.param("e\u0301a\r\n🇨🇳🇩🇪👩\u200d👧👍🏽", Level.CLUSTER, None, id="clusters"),
        pytest.param("e\u0301", Level.CODE_POINT, ["e", "\u0301"], id="code-points"),
    ],
)
def test_other_levels_cut_at_their_marks(text: str, level: Level, wanted: list[str] | None) -> None:
    clusters = ["e\u0301", "a", "\r\n", "🇨🇳", "🇩🇪", "👩\u200d👧", "👍🏽"]
    assert pieces(text, level) == (wanted or clusters)


@given(text=TEXTS)
def test_joined_knows_most_of_what_unicode_joins(text: str) -> None:
    regex = pytest.importorskip("regex")
    bounds = {match.end() for match in regex.finditer(r"\X", text)}
    cut = [at for at in range(1, len(text)) if not joined(text, at)]
    assert [at for at in cut if at not in bounds] == [] or any(regex.match(r"\p{GCB=Prepend}", c) for c in text)
