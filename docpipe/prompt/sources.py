"""Excerpts -> the fenced sources of a user message, numbered through a conversation, none sent twice (pure)."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from docpipe.prompt.budget import shortened
from docpipe.prompt.neutral import attribute, told
from docpipe.types import Chunk

_SHORTEST = 60
"""Tokens below which the beginning of a source is not worth showing."""
_OPENING, _CLOSING = "<sources>\n", "</sources>"
_SOURCE = re.compile(r"<source id=\"(\d+)\"((?: \w+=\"[^\"\n]*\")*)>\n(.*?)\n</source>\n", re.S)


@dataclass(frozen=True, kw_only=True, slots=True)
class Excerpt:
    """A source to be shown to the model."""

    text: str
    key: str = ""
    """The caller's own name for it, a chunk's id mostly; the model does not see it."""
    number: int = 0
    """Its marker is `[number]`; given by `choose`."""
    title: str = ""
    uri: str = ""
    page: str = ""
    """As people write pages: `3` or `3-4`."""
    kind: Literal["document", "web"] = "document"
    published: str = ""

    @classmethod
    def of(cls, chunk: Chunk, *, kind: Literal["document", "web"] = "document") -> "Excerpt":
        """A chunk as it is shown: with its headings, tables without tags."""
        first, last = (chunk.pages[0], chunk.pages[-1]) if chunk.pages else (0, 0)
        page = "" if not chunk.pages else str(first) if first == last else f"{first}-{last}"
        return cls(key=chunk.id, text=chunk.content, title=chunk.title, uri=chunk.source.uri, page=page, kind=kind)


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What earlier turns showed."""

    numbers: Mapping[str, int]
    """Number of each source that still stands in the prompt, by what `_body` makes of it."""
    last: int
    """The highest number that was ever given."""


def known(messages: Iterable[str], forgotten: Iterable[str] = ()) -> Known:
    """The sources of earlier user messages: of those that stand in the prompt, and of those that no longer do."""
    found = [(int(match[1]), f"{match[2]}>\n{match[3]}") for text in messages for match in _SOURCE.finditer(text)]
    gone = (int(match[1]) for text in forgotten for match in _SOURCE.finditer(text))
    return Known(
        numbers={body: number for number, body in reversed(found)},
        last=max((*(number for number, _ in found), *gone), default=0),
    )


def choose(
    excerpts: Sequence[Excerpt], before: Known, room: int, count: Callable[[str], int]
) -> tuple[tuple[Excerpt, ...], str, int]:
    """What fits of the excerpts, best first: numbered, fenced, with its tokens.

    The first that does not fit is cut if enough of it remains; those behind it are left out. What stands in the prompt
    already is named by its number only.
    """
    shown: list[Excerpt] = []
    parts: list[str] = []
    used = count(_OPENING) + count(_CLOSING)
    last = before.last
    for excerpt in excerpts:
        body = _body(excerpt)
        number = before.numbers.get(body, last + 1)
        numbered = replace(excerpt, number=number)
        part = f'<source id="{number}" shown="above"/>\n' if number <= before.last else _tagged(number, body)
        size = count(part)
        cut = size > room - used
        if cut:
            numbered = replace(numbered, number=last + 1)
            fitted = _cut(numbered, room - used, count)
            if fitted is None:
                break
            numbered, part, size = fitted
        shown.append(numbered)
        parts.append(part)
        used, last = used + size, max(last, numbered.number)
        if cut:
            break
    return tuple(shown), f"{_OPENING}{''.join(parts)}{_CLOSING}" if parts else "", used if parts else 0


def _cut(excerpt: Excerpt, room: int, count: Callable[[str], int]) -> tuple[Excerpt, str, int] | None:
    """A beginning of the excerpt that is worth showing; None for no room."""
    room -= count(_fenced(replace(excerpt, text="")))
    if room < _SHORTEST:
        return None
    cut = replace(excerpt, text=shortened(told(excerpt.text).strip(), room, count))
    part = _fenced(cut)
    size = count(part)
    return (cut, part, size) if cut.text and count(cut.text) <= room else None


def _fenced(excerpt: Excerpt) -> str:
    return _tagged(excerpt.number, _body(excerpt))


def _tagged(number: int, body: str) -> str:
    return f'<source id="{number}"{body}\n</source>\n'


def _body(excerpt: Excerpt) -> str:
    """All of a fenced source but its number: equal for equal sources."""
    address = "url" if excerpt.kind == "web" else "file"
    facts = attributes(
        {"title": excerpt.title, "page": excerpt.page, "published": excerpt.published, address: excerpt.uri}
    )
    return f"{facts}>\n{told(excerpt.text).strip()}"


def attributes(facts: Mapping[str, str]) -> str:
    """Facts as attributes of a tag; empty ones are left out."""
    return "".join(f' {name}="{attribute(value)}"' for name, value in facts.items() if value)
