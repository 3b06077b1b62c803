import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prompts import WIDE, built, excerpts

from docpipe.errors import InvalidOption
from docpipe.prompt.budget import Budget
from docpipe.prompt.builder import Built, Excerpt, Pinned, instructed, messages, user_message
from docpipe.types import Exchange


def told(found: Built) -> str:
    return "".join(f"\0{role}\n{content}" for role, content in messages(found.prompt))


TEXT = st.text(st.characters(codec="utf-8"), max_size=60) | st.sampled_from(
    ["</source>", "[1]", "<|user|>", "a b c " * 30, ""]
)
TURN = st.tuples(TEXT.filter(str.strip), st.lists(TEXT, max_size=4), TEXT)


@settings(max_examples=60)
@given(turns=st.lists(TURN, min_size=1, max_size=8), history=st.integers(0, 900))
def test_each_turn_extends_the_prompt_before_unless_turns_are_forgotten(
    turns: list[tuple[str, list[str], str]], history: int
) -> None:
    budget = Budget(total=3000, sources=120, history=history)
    past: tuple[Exchange, ...] = ()
    before = None
    for question, texts, answer in turns:
        now = built(question, sources=excerpts(*texts), history=past, budget=budget)
        assert now.total <= budget.total
        assert now.tokens["sources"] <= budget.sources
        assert now.tokens["history"] <= budget.history
        if before is not None:
            assert now.forgotten >= before.forgotten
            if now.forgotten == before.forgotten:
                assert told(now).startswith(told(before))
        past = (*past, Exchange(question=question, message=user_message(now.prompt), answer=answer))
        before = now


def test_a_long_conversation_forgets_seldom() -> None:
    past: tuple[Exchange, ...] = ()
    forgotten = []
    for number in range(40):
        now = built(
            f"Question {number}?",
            sources=excerpts(f"{number} " + "word " * 300),
            history=past,
            budget=Budget(total=9000, sources=500, history=6000),
        )
        forgotten.append(now.forgotten)
        past = (*past, Exchange(question="", message=user_message(now.prompt), answer="Yes [1]."))
    changes = sum(a != b for a, b in pairwise(forgotten))
    assert changes <= 5
    assert forgotten[-1] > 20


def test_the_order_is_from_most_to_least_stable() -> None:
    past = (Exchange(question="Q1", message="sources and Q1", answer="A1"),)
    found = built("Q2", sources=excerpts("text"), history=past, pinned=(Pinned(uri="rules.md", text="Rules."),))
    names = [segment.name for segment in found.prompt.segments]
    assert names == ["system", "pinned", "history", "history", "sources", "question"]
    stable = [segment.stable for segment in found.prompt.segments]
    assert stable == sorted(stable, reverse=True)
    roles = [role for role, _ in messages(found.prompt)]
    assert roles == ["system", "user", "assistant", "user"]


@given(texts=st.lists(TEXT, min_size=1, max_size=4), question=TEXT)
def test_sources_and_question_stay_within_their_fences(texts: list[str], question: str) -> None:
    message = user_message(built(question, sources=excerpts(*texts)).prompt)
    assert len(re.findall(r"<source\b", message)) == message.count("</source>") == len(texts)
    assert re.findall(r'<source id="(\d+)"', message) == [str(number + 1) for number in range(len(texts))]
    assert message.count("<sources>") == message.count("</sources>") == 1
    assert message.count("<question>") == message.count("</question>") == 1
    assert "<|" not in message


def conversation(*turns: tuple[str, ...], budget: Budget = WIDE) -> list[Built]:
    """A prompt for each turn, with these sources."""
    past: tuple[Exchange, ...] = ()
    found = []
    for texts in turns:
        sources = tuple(Excerpt(key=text, text=text, uri="a.md") for text in texts)
        found.append(built("Q?", sources=sources, history=past, budget=budget))
        past = (*past, Exchange(question="Q?", message=user_message(found[-1].prompt), answer="A."))
    return found


def test_a_source_keeps_its_number_and_is_sent_once() -> None:
    _, _, third = conversation(("red", "green"), ("green", "blue"), ("blue", "red", "black"))
    assert [(one.key, one.number) for one in third.shown] == [("blue", 3), ("red", 1), ("black", 4)]
    last = user_message(third.prompt)
    assert '<source id="3" shown="above"/>\n<source id="1" shown="above"/>\n<source id="4" file="a.md">' in last
    assert told(third).count("green") == told(third).count("blue") == 1


def test_a_source_of_a_forgotten_turn_is_sent_again_under_a_new_number() -> None:
    turns = [(f"{number} " + "word " * 90,) for number in range(8)]
    *_, last = conversation(*turns, turns[0], budget=Budget(total=9000, sources=300, history=500))
    assert last.forgotten > 1
    assert [one.number for one in last.shown] == [9]
    assert '<source id="9" file="a.md">\n0 word' in user_message(last.prompt)


@given(turns=st.lists(st.lists(TEXT, max_size=4, unique=True), min_size=1, max_size=5))
def test_what_a_turn_shows_stands_once_under_its_number(turns: list[list[str]]) -> None:
    for found in conversation(*(tuple(turn) for turn in turns)):
        whole = told(found)
        for one in found.shown:
            assert len(re.findall(rf'<source id="{one.number}"[^/]*>\n', whole)) == 1
        numbers = [int(number) for number in re.findall(r'<source id="(\d+)"[^/]*>\n', whole)]
        assert numbers == list(range(1, len(numbers) + 1))


def test_the_worst_sources_give_way_first() -> None:
    found = built(
        sources=excerpts(*(f"number{n} " + "word " * 90 for n in range(6))),
        budget=Budget(total=9000, sources=330, history=0),
    )
    assert [excerpt.number for excerpt in found.shown] == [1, 2, 3]
    assert found.dropped == 3
    assert found.tokens["sources"] <= 330


def test_a_source_that_is_too_long_is_cut_between_sentences() -> None:
    text = "The tide is high. " * 200
    found = built(sources=excerpts(text), budget=Budget(total=9000, sources=200, history=0))
    (only,) = found.shown
    assert only.text.endswith("is high. …")
    assert found.dropped == 0
    assert 100 < found.tokens["sources"] <= 200


def test_no_source_is_shown_where_no_few_words_of_it_fit() -> None:
    found = built(sources=excerpts("word " * 500), budget=Budget(total=9000, sources=40, history=0))
    assert found.shown == ()
    assert found.dropped == 1
    assert found.tokens["sources"] == 0


def test_a_pinned_document_that_is_too_long_is_named() -> None:
    pinned = (Pinned(uri="short.md", text="Short."), Pinned(uri="long.md", text="word " * 5000))
    with pytest.raises(
        InvalidOption, match=r"long\.md has 5,0\d\d tokens, and \d[\d,]+ of the prompt's 3,000"
    ) as error:
        built(pinned=pinned, budget=Budget(total=3000, sources=100, history=0))
    assert error.value.where == "prompt.pin"
    assert "larger window" in error.value.remedy


def test_a_question_that_is_too_long_is_refused() -> None:
    with pytest.raises(InvalidOption, match=r"the question has .* tokens, and .* are left for it"):
        built("word " * 5000, budget=Budget(total=3000, sources=100, history=0))


def test_instructions_that_leave_no_room_are_refused() -> None:
    with pytest.raises(InvalidOption, match="are more than the 500 there are for a prompt"):
        built(budget=Budget(total=500, sources=100, history=0))


def test_something_else_to_do_stands_at_the_very_end() -> None:
    found = built(sources=excerpts("text"))
    judged = instructed(found.prompt, "Say as JSON whether the sources suffice.")
    plain, other = messages(found.prompt), messages(judged)
    assert other[:-1] == plain[:-1]
    assert other[-1][1].startswith(plain[-1][1])
    assert other[-1][1].endswith("suffice.\n</instruction>")
    assert user_message(judged) == user_message(found.prompt)
    assert instructed(judged, "x") == instructed(found.prompt, "x")


def test_a_web_page_shows_its_address_and_date() -> None:
    page = Excerpt(text="Text.", title="News", uri="https://example.com/a", kind="web", published="2026-01-02")
    message = user_message(built(sources=(page,)).prompt)
    assert (
        '<source id="1" title="News" published="2026-01-02" url="https://example.com/a">\nText.\n</source>' in message
    )
