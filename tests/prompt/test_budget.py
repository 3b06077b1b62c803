import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe.errors import InvalidOption
from docpipe.prompt.budget import UNKNOWN_WINDOW, Budget, budget, first_kept, remembered, shortened
from docpipe.prompt.options import PromptOptions

SIZES = st.lists(st.integers(0, 50), max_size=40)


@given(sizes=SIZES, allowance=st.integers(0, 200))
def test_what_is_kept_of_the_history_fits(sizes: list[int], allowance: int) -> None:
    start = first_kept(sizes, allowance)
    assert 0 <= start <= len(sizes)
    assert sum(sizes[start:]) <= allowance


@given(sizes=SIZES, allowance=st.integers(0, 200))
def test_forgotten_turns_stay_forgotten(sizes: list[int], allowance: int) -> None:
    starts = [first_kept(sizes[:number], allowance) for number in range(len(sizes) + 1)]
    assert starts == sorted(starts)


@given(sizes=st.lists(st.integers(1, 50), min_size=1, max_size=40), allowance=st.integers(50, 200))
def test_the_newest_turn_is_remembered_if_it_fits(sizes: list[int], allowance: int) -> None:
    assert first_kept(sizes, allowance) < len(sizes)


@given(text=st.text(max_size=300), room=st.integers(0, 120))
def test_a_shortened_text_is_a_beginning_that_fits(text: str, room: int) -> None:
    cut = shortened(text, room, len)
    assert len(cut) <= max(0, room)
    assert not cut or text.startswith(cut.removesuffix(" …"))


def test_a_text_is_shortened_at_the_best_place_of_its_second_half() -> None:
    assert shortened("One.\n\nTwo is here. Three is longer than that", 30, len) == "One.\n\nTwo is here. …"
    assert shortened("word word word word", 14, len) == "word word …"
    assert shortened("潮水很高。我们明天再来看看吧，好吗", 10, len) == "潮水很高。 …"


def test_a_huge_text_is_not_counted_whole() -> None:
    counted = []
    shortened("word " * 1_000_000, 100, lambda text: counted.append(len(text)) or len(text) // 5)
    assert max(counted) <= 3300


def test_the_budget_follows_the_models_window() -> None:
    assert budget(PromptOptions(), window=200_000, answer=4096) == Budget(total=185_904, sources=6000, history=60_000)
    assert budget(PromptOptions(window_tokens=8000), window=200_000, answer=1000).total == 6600
    assert budget(PromptOptions(window_tokens=8000), answer=1000).sources == 3300
    assert budget(PromptOptions()).total == int(UNKNOWN_WINDOW * 0.95)


def test_an_answer_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(InvalidOption, match="an answer of 9,000 tokens leaves no room in the model's 8,000") as error:
        budget(PromptOptions(window_tokens=8000), answer=9000)
    assert error.value.where == "chat.max_tokens"


@pytest.mark.parametrize(
    "options",
    [{"system": " "}, {"context_tokens": 0}, {"history_tokens": -1}, {"window_tokens": -1}, {"pin": ("a", "a")}],
    ids=str,
)
def test_options_that_make_no_sense_are_refused(options: dict[str, object]) -> None:
    (name,) = options
    with pytest.raises(ValueError, match=name):
        PromptOptions(**options)  # type: ignore[arg-type]


def test_a_text_is_counted_once() -> None:
    asked: list[str] = []
    count = remembered(lambda text: asked.append(text) or len(text), texts=2)
    assert [count(text) for text in ("a", "bb", "a", "bb", "ccc", "ccc", "a")] == [1, 2, 1, 2, 3, 3, 1]
    assert asked == ["a", "bb", "ccc", "a"]
