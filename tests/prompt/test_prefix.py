import os
import subprocess
import sys
from pathlib import Path

import prompts
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompts import built, excerpts, words

from docpipe.prompt.builder import Pinned, instructed, user_message
from docpipe.prompt.prefix import common_prefix, difference, digest, predicted_cached, serialised
from docpipe.prompt.prices import price
from docpipe.prompt.system import instructions
from docpipe.types import Exchange, Prompt, Segment


def prompt_of(text: str) -> Prompt:
    return Prompt(segments=(Segment(name="system", role="system", text=text, stable=True),))


@given(one=st.text(max_size=40), other=st.text(max_size=40))
def test_the_common_prefix_is_the_longest(one: str, other: str) -> None:
    first, second = serialised(prompt_of(one)), serialised(prompt_of(other))
    assert common_prefix(prompt_of(one), prompt_of(other)) == _longest(first, second)


def _longest(one: str, other: str) -> str:
    return "".join(letter for number, letter in enumerate(one) if other.startswith(one[: number + 1]))


def test_the_digest_is_that_of_what_all_turns_share() -> None:
    first = built("Q1", sources=excerpts("text"))
    past = (Exchange(question="Q1", message=user_message(first.prompt), answer="A"),)
    second = built("Q2", sources=excerpts("other"), history=past)
    pinned = built("Q2", pinned=(Pinned(uri="a", text="b"),))
    assert digest(first.prompt) == digest(second.prompt)
    assert digest(first.prompt) != digest(pinned.prompt)
    assert len(digest(first.prompt)) == 16


def test_the_next_turn_is_expected_to_find_the_whole_of_the_last() -> None:
    first = built("Q1", sources=excerpts("text"))
    past = (Exchange(question="Q1", message=user_message(first.prompt), answer="A"),)
    second = built("Q2", sources=excerpts("other"), history=past)
    assert predicted_cached(second.prompt, (prompt_of("x"), first.prompt), words) == first.total
    assert predicted_cached(first.prompt, (), len) == 0


def test_judge_and_answer_share_all_but_the_instruction() -> None:
    answer = built("Q", sources=excerpts("text")).prompt
    judge = instructed(answer, "Do the sources suffice?")
    assert predicted_cached(answer, (judge,), len) == predicted_cached(answer, (answer,), len)


def test_a_difference_is_found_and_priced() -> None:
    one = built("Q1", sources=excerpts("same text", "one"))
    other = built("Q1", sources=excerpts("same text", "two"))
    found = difference(one.prompt, other.prompt, count=len, price=price("glm-4.6"))
    assert found.segment == "sources"
    assert not found.extends
    assert found.before.startswith("one\n")
    assert found.after.startswith("two\n")
    assert found.byte == len(serialised(one.prompt)[: found.cached_tokens].encode())
    assert found.cached_tokens + found.lost_tokens == len(serialised(other.prompt))
    assert found.lost_usd == pytest.approx(found.lost_tokens * (0.60 - 0.11) / 1e6)


def test_a_difference_in_the_instructions_is_told_as_such() -> None:
    found = difference(prompt_of("abc 数x"), prompt_of("abc 数y"), count=len, price=None)
    assert (found.segment, found.byte, found.lost_usd) == ("system", len("<|system|>\nabc 数".encode()), None)


def test_a_prompt_that_extends_another_loses_nothing() -> None:
    first = built("Q1", sources=excerpts("text"))
    past = (Exchange(question="Q1", message=user_message(first.prompt), answer="A"),)
    second = built("Q2", sources=excerpts("other"), history=past)
    found = difference(first.prompt, second.prompt, count=len, price=price("glm-4.6"))
    assert (found.extends, found.lost_tokens, found.lost_usd, found.segment) == (True, 0, 0.0, "history")
    equal = difference(first.prompt, first.prompt, count=len, price=None)
    assert (equal.extends, equal.segment) == (True, "end")


PROGRAM = """
import sys
sys.path.insert(0, {support!r})
from prompts import *
from docpipe.prompt.prefix import digest, serialised
past = (Exchange(question="Q", message="M", answer="A"),)
pinned = (Pinned(uri="a.md", text="A"), Pinned(uri="b.md", text="B"))
found = built("Q2", sources=excerpts("one", "two [1]"), history=past, pinned=pinned)
sys.stdout.buffer.write(serialised(found.prompt).encode() + digest(found.prompt).encode())
"""


def test_the_bytes_do_not_depend_on_the_process() -> None:
    program = PROGRAM.format(support=str(Path(prompts.__file__).parent))
    seen = set()
    for seed in ("0", "1", "4242"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "TZ": f"UTC+{seed[0]}", "LC_ALL": "C"}
        seen.add(
            subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True).stdout
        )
    assert len(seen) == 1


def test_the_instructions_are_the_same_bytes_until_somebody_means_to_change_them() -> None:
    """Changing them empties every user's cache once, and may change every answer: say so in the changelog."""
    assert digest(prompt_of(instructions("default"))) == "f22922308bf9ba4a"
    assert instructions("You are Bob.").startswith("You are Bob.\n\nRules:\n1. ")
