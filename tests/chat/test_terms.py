"""The words that carry a question's meaning, and what it asks for."""

import pytest

from docpipe.chat.terms import Wanted, is_chinese, offers, shares, specific, terms, wanted


@pytest.mark.parametrize(
    ("question", "found"),
    [
        pytest.param("How often are the bearings greased?", ["bear", "greas"], id="English stems"),
        pytest.param("漏损率是多少？", ["漏损", "损率"], id="Chinese pairs"),
        pytest.param("谁", [], id="only a question word"),
        pytest.param("What is E23 in 2024?", ["e23", "2024"], id="codes and numbers"),
    ],
)
def test_terms_leave_out_what_every_question_has(question: str, found: list[str]) -> None:
    assert terms(question) == found


def test_different_forms_of_a_word_meet() -> None:
    assert terms("batteries started stopping studies") == terms("battery start stopp study")


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        pytest.param("Who is the auditor?", Wanted.PERSON, id="who"),
        pytest.param("In what year did it open?", Wanted.TIME, id="year"),
        pytest.param("How many fitters were employed?", Wanted.NUMBER, id="how many"),
        pytest.param("Where does the tanker stand?", Wanted.PLACE, id="where"),
        pytest.param("Why did it stop?", Wanted.OTHER, id="why"),
        pytest.param("理事长是谁？", Wanted.PERSON, id="谁"),
        pytest.param("什么时候投产？", Wanted.TIME, id="什么时候"),
        pytest.param("漏损率是多少？", Wanted.NUMBER, id="多少"),
        pytest.param("水站在哪里？", Wanted.PLACE, id="哪里"),
    ],
)
def test_the_question_word_says_what_kind_of_answer_is_wanted(question: str, kind: Wanted) -> None:
    assert wanted(question) is kind


@pytest.mark.parametrize(
    ("text", "kind", "question", "there"),
    [
        pytest.param("It opened in 1998.", Wanted.TIME, "When did it open?", True, id="a year"),
        pytest.param(
            "The fire of 1998 was large.", Wanted.TIME, "When did the fire of 1998 end?", False, id="the same"
        ),
        pytest.param("Three pumps.", Wanted.NUMBER, "How many?", True, id="a number in words"),
        pytest.param("Several pumps run.", Wanted.TIME, "When?", False, id="no date"),
        pytest.param("It was drawn by Oda Linnet.", Wanted.PERSON, "Who drew it?", True, id="a name"),
        pytest.param("it was drawn by hand.", Wanted.PERSON, "Who drew it?", False, id="no name"),
    ],
)
def test_a_sentence_offers_what_the_question_does_not_hold(text: str, kind: Wanted, question: str, there: bool) -> None:
    assert offers(text, kind, question) is there


def test_names_and_numbers_are_the_specifics_of_a_question() -> None:
    assert specific("What did Oda Linnet order in 2024?") == ["oda", "linnet", "2024"]
    assert specific("《潮汐》的作者是谁？") == ["潮汐"]


@pytest.mark.parametrize(("text", "answer"), [("漏损率？", True), ("What is 漏 called here?", False), ("123", False)])
def test_a_question_is_chinese_by_its_letters(text: str, answer: bool) -> None:
    assert is_chinese(text) is answer


def test_a_quarter_is_found_by_its_column_name() -> None:
    assert terms("in the third quarter") == terms("Q3")


def test_a_long_chinese_name_does_not_drown_the_rest_of_the_question() -> None:
    counted = shares("小灰头稚冠雉的颜色？")
    assert set(counted) == set(terms("小灰头稚冠雉的颜色？"))
    assert sum(value for term, value in counted.items() if term != "颜色") == pytest.approx(5**0.5)
    assert counted["颜色"] == 1.0
