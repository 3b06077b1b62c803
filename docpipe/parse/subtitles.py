"""Subtitles (SubRip, WebVTT) -> what is said, in paragraphs below the time at which it is said."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import NamedTuple

from docpipe._encodings import decode
from docpipe.parse.draft import Draft, clean, with_language
from docpipe.types import Blob, BlockKind, Document

_TIMES = re.compile(
    r"^[^\S\n]*(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})[,.](\d{1,3})[^\S\n]*-->[^\S\n]*"
    r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})[,.](\d{1,3})[^\n]*$",
    re.M,
)
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>\n]{1,80})>")
_TAG = re.compile(r"<[^<>\n]{0,200}>|\{\\[^{}\n]{0,200}\}")
_NOT_SAID = re.compile(r"(?:NOTE|STYLE|REGION|WEBVTT)\b")
_NUMBER = re.compile(r"^[^\S\n]*\d+[^\S\n]*\n(?=[\d: ]{4,12}[,.]\d{1,3} *-->)", re.M)
_IDENTIFIER = re.compile(r"\n[^\S\n]*\n[^\n]{1,300}\n(?=[^\n]{0,40}-->)")
_CLOSE = 0.1
"""Seconds between two cues that may show the same line, as it rolls up."""
_SENTENCE_END = (".", "!", "?", "…", "。", "！", "？", '."', '!"', '?"', ")")


class Cue(NamedTuple):
    """What is shown from `start` to `end` (seconds)."""

    start: float
    end: float
    text: str


@dataclass(frozen=True, kw_only=True)
class SubtitlesParser:
    """Cues joined to paragraphs, each below a heading with its time: `00:01:10 - 00:01:58`.

    Signs of style and place are left out, notes too; a speaker's name stands before his words. A line that the next
    cue shows again is kept once.
    """

    VERSION = 1

    seconds: float = 60.0
    """How much time a paragraph covers at least, where the talk goes on; it ends with a sentence or at a pause."""

    def __post_init__(self) -> None:
        if self.seconds <= 0:
            raise ValueError(f"seconds must be above 0, got {self.seconds}")

    def __call__(self, blob: Blob, /) -> Iterator[Document]:
        """One document; text before the first time, or a file without any, is a paragraph."""
        read = decode(blob.data)
        text = _without_identifiers(clean(read.text))
        draft = Draft()
        draft.add(BlockKind.PARAGRAPH, _before(text))
        spoken: list[str] = []
        for group in groups(cues(text), seconds=self.seconds):
            time = f"{clock(group[0].start)} - {clock(group[-1].end)}"
            draft.add(BlockKind.HEADING, time, level=1, label="time")
            words = " ".join(cue.text for cue in group)
            draft.add(BlockKind.PARAGRAPH, words, label=time)
            spoken.append(words)
        errors = str(read.errors) if read.errors else ""
        metadata = {"encoding": read.encoding, "encoding_errors": errors}
        yield draft.document(blob.source, with_language(metadata, "\n".join(spoken)))


def cues(text: str) -> Iterator[Cue]:
    """The cues of a file in their order, without signs; those without words are left out."""
    found = list(_TIMES.finditer(text))
    shown, until = list[str](), 0.0
    for number, match in enumerate(found):
        start, end = _seconds(*match.groups()[:4]), _seconds(*match.groups()[4:])
        stop = found[number + 1].start() if number + 1 < len(found) else len(text)
        lines = _lines(text[match.end() : stop])
        fresh = [line for line in lines if line not in shown] if start <= until + _CLOSE else lines
        shown, until = lines or shown, end
        if fresh:
            yield Cue(start, end, "\n".join(fresh))


def groups(found: Iterator[Cue], *, seconds: float) -> Iterator[list[Cue]]:
    """Cues that belong together: at least this long, up to the end of a sentence, a pause or twice the time."""
    group: list[Cue] = []
    for cue in found:
        if group:
            length = group[-1].end - group[0].start
            pause = cue.start - group[-1].end > seconds / 2 or cue.start < group[-1].start
            ended = length >= seconds and group[-1].text.endswith(_SENTENCE_END)
            if pause or ended or length >= 2 * seconds:
                yield group
                group = []
        group.append(cue)
    if group:
        yield group


def clock(seconds: float) -> str:
    """`00:01:10`."""
    whole = int(seconds)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"


def _without_identifiers(text: str) -> str:
    """The text without the numbers or names of its cues."""
    return _IDENTIFIER.sub("\n\n", text) if text.startswith("WEBVTT") else _NUMBER.sub("", text)


def _lines(body: str) -> list[str]:
    """What a cue shows; notes that stand after it are left out."""
    blocks = re.split(r"\n[^\S\n]*(?=\n)", body)
    kept = [block for place, block in enumerate(blocks) if place == 0 or not _NOT_SAID.match(block.strip())]
    return [words for words in map(_words, "\n".join(kept).split("\n")) if words]


def _words(line: str) -> str:
    line = _VOICE.sub(lambda match: f"{match.group(1).strip()}: ", line)
    return " ".join(unescape(_TAG.sub("", line)).split())


def _before(text: str) -> str:
    first = _TIMES.search(text)
    blocks = re.split(r"\n[^\S\n]*\n", text[: first.start()] if first else text)
    said = [block for block in blocks if not _NOT_SAID.match(block.strip())]
    return "\n\n".join(said).strip()


def _seconds(hours: str | None, minutes: str, seconds: str, thousandths: str) -> float:
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + int(thousandths.ljust(3, "0")) / 1000
