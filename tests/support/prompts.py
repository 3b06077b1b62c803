"""Prompts to test with: every word and mark is a token."""

import re

from docpipe.prompt.budget import Budget
from docpipe.prompt.builder import Built, Excerpt, Pinned, build
from docpipe.prompt.system import instructions
from docpipe.types import Exchange

SYSTEM = instructions("default")
WIDE = Budget(total=1_000_000, sources=100_000, history=500_000)


def words(text: str) -> int:
    """Tokens, as these tests count them."""
    return len(re.findall(r"\w+|[^\w\s]", text))


def excerpts(*texts: str) -> tuple[Excerpt, ...]:
    return tuple(Excerpt(key=f"{number}", text=text, uri=f"{number}.md") for number, text in enumerate(texts, start=1))


def built(
    question: str = "How high is it?",
    *,
    sources: tuple[Excerpt, ...] = (),
    history: tuple[Exchange, ...] = (),
    pinned: tuple[Pinned, ...] = (),
    budget: Budget = WIDE,
) -> Built:
    return build(
        system=SYSTEM, pinned=pinned, history=history, excerpts=sources, question=question, budget=budget, count=words
    )
