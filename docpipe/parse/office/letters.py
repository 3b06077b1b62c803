"""A mail's parts -> blocks on paper: subject, sender and receivers, body, names of what is attached (pure)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from docpipe.parse.draft import clean
from docpipe.parse.office.paper import Paper
from docpipe.parse.office.web_parts import add_html
from docpipe.types import BlockKind

_GAP = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+")
_TAGS = re.compile(r"<[^<>]{0,4000}>")
_RICHER = 4
"""A plain body this much shorter than the one in HTML only says where to read the mail."""


class Body(NamedTuple):
    """One text of a mail."""

    text: str
    is_html: bool


@dataclass(kw_only=True)
class Letter:
    """A mail. Empty texts are unknown."""

    subject: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    """What a reader is shown above the body, by its name: `From`, `To`, `Cc`, `Date`."""
    bodies: list[Body] = field(default_factory=list)
    attached: list[str] = field(default_factory=list)
    """File names."""
    letters: list["Letter"] = field(default_factory=list)
    """Mails that are enclosed."""


def chosen(bodies: Sequence[Body]) -> list[Body]:
    """One of several forms of the same text: plain, unless HTML says much more."""
    plain = [body for body in bodies if not body.is_html and body.text.strip()]
    rich = [body for body in bodies if body.is_html]
    if not plain or not rich:
        return plain or rich
    words = len(_TAGS.sub(" ", rich[-1].text).split())
    return rich[-1:] if words > _RICHER * max(10, len(plain[0].text.split())) else plain[:1]


def about(letter: Letter, day: str) -> dict[str, str]:
    """What a mail says about itself. Its title names the sender and the day, so that they are found with the body.

    Args:
        day: when it was sent, ISO 8601; nothing where unknown.
    """
    sender = letter.headers.get("From", "")
    name = sender.partition("<")[0].strip(' "') or sender
    where = ", ".join(part for part in (name, day[:10]) if part)
    subject = " ".join(letter.subject.split())
    return {
        "title": f"{subject} ({where})" if subject and where else subject or where,
        "subject": subject,
        "author": sender,
        "to": letter.headers.get("To", ""),
        "date": day,
        "attachments": ", ".join(letter.attached),
    }


def write_letter(letter: Letter, paper: Paper, *, level: int = 1) -> None:
    """Append a mail and those it encloses."""
    paper.add(BlockKind.HEADING, " ".join(letter.subject.split()), level=level, label="subject")
    around = {**letter.headers, "Attachments": ", ".join(letter.attached)}
    shown = (f"{name}: {' '.join(text.split())}" for name, text in around.items() if text.strip())
    paper.add(BlockKind.HEADER, "\n".join(shown), label="headers")
    for body in letter.bodies:
        if body.is_html:
            add_html(body.text, paper)
        else:
            for paragraph in _GAP.split(clean(body.text)):
                paper.add(BlockKind.PARAGRAPH, "\n".join(line.rstrip() for line in paragraph.split("\n")))
    for inner in letter.letters:
        write_letter(inner, paper, level=min(6, level + 1))
