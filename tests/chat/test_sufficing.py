"""Whether sources suffice: by words, and by what a model's JSON says."""

import pytest
from library import SharedWords, make_chunk

from docpipe.chat.sufficing import confidence, verdict
from docpipe.types import Query


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"sufficient": true}', True),
        ('```json\n{"sufficient": false, "missing": "the year"}\n```', False),
        ('{"sufficient": "False"}', False),
        ('{"sufficient": 1}', None),
        ("[true]", None),
        ("yes", None),
        ("[" * 100_000, None),
        ('{"sufficient": tr', None),
    ],
)
def test_a_judgement_is_read_or_is_none(text: str, expected: bool | None) -> None:
    assert verdict(text) is expected


def test_hits_that_answer_are_told_from_those_that_do_not() -> None:
    library = SharedWords([make_chunk("The Brill lighthouse was built in 1911 by Oda Linnet.")])
    good, bad = "When was the Brill lighthouse built?", "Which ferry sails from the lighthouse of Zembla to Kinbote?"
    assert confidence(good, library.search(Query(text=good))) > confidence(bad, library.search(Query(text=bad)))
    assert confidence(good, []) == 0.0
