"""Lines that stand in many documents, and what is made of them."""

from hypothesis import given
from hypothesis import strategies as st

from docpipe.repeated import common_lines, is_boilerplate, outer_lines

NOTICE = "This message is confidential. If you are not the addressee, delete it."
texts = st.lists(st.text("abc ä中\n", max_size=30), max_size=6)


def mail(number: int) -> list[str]:
    return [f"Dear reader,\n\nNote {number} is about gate {number}.\n\n{NOTICE}"]


def test_a_notice_below_every_mail_is_boilerplate_and_what_it_stands_below_is_not() -> None:
    common = common_lines(outer_lines(mail(number)) for number in range(10))
    assert is_boilerplate(NOTICE, common)
    assert is_boilerplate(f"  {NOTICE.upper()}\n", common)
    assert not is_boilerplate("Note 3 is about gate 3.", common)
    assert not is_boilerplate(mail(3)[0] + "\n" + "Something of its own, long enough to matter." * 3, common)


def test_what_stands_in_a_few_documents_or_in_a_small_share_belongs_to_them() -> None:
    few = [outer_lines(mail(number)) for number in range(7)]
    assert common_lines(few) == frozenset()
    many = [outer_lines([f"own line {number}"]) for number in range(200)]
    assert common_lines([*few, few[0], *many]) == frozenset()


def test_a_line_that_one_document_repeats_is_not_common() -> None:
    assert common_lines([outer_lines([NOTICE] * 50)]) == frozenset()


def test_what_differs_in_a_number_is_not_the_same_line() -> None:
    common = common_lines(outer_lines([f"The total of invoice {number} is {number} euros"]) for number in range(30))
    assert common == frozenset()


def test_lines_deep_within_long_documents_are_not_compared() -> None:
    long = [*(f"line {number}" for number in range(50)), NOTICE, *(f"row {number}" for number in range(50))]
    common = common_lines(outer_lines(long) for _ in range(9))
    assert is_boilerplate("line 1\nrow 49", common)
    assert not is_boilerplate(NOTICE, common)


@given(texts)
def test_marks_are_few_sorted_and_do_not_depend_on_how_the_text_was_cut(some: list[str]) -> None:
    marks = outer_lines(some)
    single = [marks[at : at + 8] for at in range(0, len(marks), 8)]
    assert single == sorted(set(single))
    assert len(single) <= 32
    assert outer_lines(["\n".join(some)]) == marks


@given(texts)
def test_nothing_is_boilerplate_where_no_line_is_common(some: list[str]) -> None:
    assert not is_boilerplate("\n".join(some), frozenset())
