"""Instructions, documents, earlier turns, sources and a question -> a Prompt, from most to least stable (pure)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from docpipe.errors import InvalidOption
from docpipe.prompt.budget import MESSAGE_TOKENS, QUESTION_TOKENS, Budget, first_kept
from docpipe.prompt.neutral import told, without_roles
from docpipe.prompt.sources import Excerpt, attributes, choose, known
from docpipe.prompt.system import REMINDER
from docpipe.types import Exchange, Prompt, Segment

__all__ = ["Built", "Excerpt", "Pinned", "build", "instructed", "messages", "user_message"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pinned:
    """A whole document that the model always has before it."""

    uri: str
    text: str
    title: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Built:
    """A prompt, and what became of the parts that were to be in it."""

    prompt: Prompt
    shown: tuple[Excerpt, ...]
    """The sources the model sees, with their numbers, in order; the last one's text may be cut."""
    dropped: int
    """Sources for which there was no room."""
    forgotten: int
    """Earlier turns that are left out, the oldest."""
    tokens: Mapping[str, int]
    """By name of the segments, what the template adds counted in."""

    @property
    def total(self) -> int:
        """Tokens of the prompt, as they were estimated."""
        return sum(self.tokens.values())


def build(
    *,
    system: str,
    pinned: Sequence[Pinned] = (),
    history: Sequence[Exchange] = (),
    excerpts: Sequence[Excerpt],
    question: str,
    budget: Budget,
    count: Callable[[str], int],
) -> Built:
    """The prompt of a turn.

    Laws: equal arguments give equal bytes; with the same system, pinned documents, budget and counter, a turn's prompt
    begins with the whole prompt of the turn before, unless `forgotten` rose; it has at most `budget.total` tokens.

    Args:
        system: the system message, as `docpipe.prompt.system.instructions` makes it.
        history: all earlier turns, oldest first; which are left out depends on them alone.
        excerpts: best first; the worst are left out where room is short. They get numbers that are unique in the
            conversation; one that stands in an earlier turn keeps its number and is not sent again.
        count: tokens of a text. Give the same counter in all turns, best one of `docpipe.prompt.budget.remembered`.

    Raises:
        InvalidOption: the pinned documents or the question are too long.
    """
    head = [Segment(name="system", role="system", text=system, stable=True)]
    head += [_pinned(number, document) for number, document in enumerate(pinned, start=1)]
    sizes = [count(segment.text) + (0 if number else MESSAGE_TOKENS) for number, segment in enumerate(head)]
    _check_pinned(pinned, sizes, budget)
    past = [tuple(_exchange(exchange)) for exchange in history]
    past_sizes = [sum(count(segment.text) + MESSAGE_TOKENS for segment in turn) for turn in past]
    allowance = min(budget.history, budget.total - sum(sizes) - budget.sources - QUESTION_TOKENS)
    start = first_kept(past_sizes, max(0, allowance))
    asked = Segment(name="question", role="user", text=_question(question), stable=False)
    asked_size = count(asked.text) + MESSAGE_TOKENS
    room = budget.total - sum(sizes) - sum(past_sizes[start:]) - asked_size
    if room < 0:
        raise _too_long(asked_size, asked_size + room)
    before = known((turn.message for turn in history[start:]), (turn.message for turn in history[:start]))
    shown, sources, sources_size = choose(excerpts, before, min(room, budget.sources), count)
    told = tuple(segment for turn in past[start:] for segment in turn)
    tokens = {"system": sizes[0], "pinned": sum(sizes[1:]), "history": sum(past_sizes[start:])}
    return Built(
        prompt=Prompt(segments=(*head, *told, *_segments(sources), asked)),
        shown=shown,
        dropped=len(excerpts) - len(shown),
        forgotten=start,
        tokens=tokens | {"sources": sources_size, "question": asked_size},
    )


def messages(prompt: Prompt) -> tuple[tuple[Literal["system", "user", "assistant"], str], ...]:
    """`(role, content)` of each message: neighbours of one role are one message, parts of the history are one each."""
    found: list[tuple[Literal["system", "user", "assistant"], str]] = []
    joins = False
    for segment in prompt.segments:
        if joins and segment.name != "history" and found[-1][0] == segment.role:
            found[-1] = (segment.role, f"{found[-1][1]}\n\n{segment.text}")
        else:
            found.append((segment.role, segment.text))
        joins = segment.name != "history"
    return tuple(found)


def user_message(prompt: Prompt) -> str:
    """The last user message without an instruction: what an `Exchange` keeps."""
    return messages(_without_instruction(prompt))[-1][1]


def instructed(prompt: Prompt, instruction: str) -> Prompt:
    """The prompt with something else to do in place of answering, at its very end: all before it stays as it was."""
    plain = _without_instruction(prompt)
    tail = Segment(name="instruction", role="user", text=f"<instruction>\n{instruction}\n</instruction>", stable=False)
    return replace(plain, segments=(*plain.segments, tail))


def _without_instruction(prompt: Prompt) -> Prompt:
    return replace(prompt, segments=tuple(segment for segment in prompt.segments if segment.name != "instruction"))


@lru_cache(maxsize=8)
def _pinned(number: int, document: Pinned) -> Segment:
    facts = attributes({"title": document.title, "file": document.uri})
    text = f'<document id="D{number}"{facts}>\n{told(document.text).strip()}\n</document>'
    if number == 1:
        text = f"These documents are always at hand; their markers are [D1] and so on.\n{text}"
    return Segment(name="pinned", role="system", text=text, stable=True)


def _check_pinned(pinned: Sequence[Pinned], sizes: Sequence[int], budget: Budget) -> None:
    room = budget.total - sizes[0] - budget.sources - QUESTION_TOKENS
    if room < 0:
        raise InvalidOption(
            f"the instructions ({sizes[0]:,} tokens), {budget.sources:,} of sources and {QUESTION_TOKENS:,} for the "
            f"question are more than the {budget.total:,} there are for a prompt",
            where="prompt.context_tokens",
            remedy="lower prompt.context_tokens or chat.max_tokens, or choose a model with a larger window",
        )
    for document, size in zip(pinned, sizes[1:], strict=True):
        if size > room:
            raise InvalidOption(
                f"{document.uri} has {size:,} tokens, and {room:,} of the prompt's {budget.total:,} are left for it",
                where="prompt.pin",
                remedy="pin a shorter document, lower prompt.context_tokens, or choose a model with a larger window",
            )
        room -= size


def _exchange(exchange: Exchange) -> Iterator[Segment]:
    yield Segment(name="history", role="user", text=exchange.message, stable=True)
    yield Segment(name="history", role="assistant", text=without_roles(exchange.answer) or "…", stable=True)


def _segments(sources: str) -> tuple[Segment, ...]:
    return (Segment(name="sources", role="user", text=sources, stable=False),) if sources else ()


def _question(question: str) -> str:
    return f"<question>\n{without_roles(question).strip()}\n</question>\n{REMINDER}"


def _too_long(size: int, room: int) -> InvalidOption:
    return InvalidOption(
        f"the question has {size:,} tokens, and {max(0, room):,} are left for it",
        where="question",
        remedy="ask in fewer words",
    )
