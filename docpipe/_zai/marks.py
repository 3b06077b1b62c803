"""Content with the marks that models leave in it -> the text, and the thought that stood before it (pure)."""

import re
from typing import Literal

_OPEN, _CLOSE = "<think>", "</think>"
_BOX = re.compile(r"<\|(?:begin|end)_of_box\|>")
_BOXES = ("<|begin_of_box|>", "<|end_of_box|>")


class Unmarked:
    """Takes the marks out of content that comes in pieces: `<think>` around a thought at its begin, and boxes.

    What might be half a mark is held back until the next piece.
    """

    def __init__(self) -> None:
        self._held = ""
        self._place: Literal["begin", "thought", "after", "text"] = "begin"

    def feed(self, piece: str) -> tuple[str, str]:
        """Text and thought that are sure now."""
        text = thought = ""
        self._held += piece
        if self._place == "begin":
            self._begin()
        if self._place == "thought":
            thought = self._think()
        if self._place == "after":
            self._held = self._held.lstrip()
            self._place = "text" if self._held else "after"
        if self._place == "text":
            text, self._held = _divided(_BOX.sub("", self._held), _BOXES)
        return text, thought

    def rest(self) -> tuple[str, str]:
        """What was held back, when nothing more comes."""
        held, self._held = self._held, ""
        return ("", held) if self._place == "thought" else (held, "")

    def _begin(self) -> None:
        """See whether a thought begins, as soon as that can be seen; blanks before one say nothing."""
        found = self._held.lstrip()
        if found.startswith(_OPEN):
            self._place, self._held = "thought", found[len(_OPEN) :]
        elif found and not _OPEN.startswith(found):
            self._place = "text"

    def _think(self) -> str:
        thought, closed, after = self._held.partition(_CLOSE)
        if closed:
            self._place, self._held = "after", after
        else:
            thought, self._held = _divided(thought, (_CLOSE,))
        return thought


def unmarked(content: str) -> tuple[str, str]:
    """Text and thought of a whole content."""
    reader = Unmarked()
    (text, thought), (last_text, last_thought) = reader.feed(content), reader.rest()
    return text + last_text, (thought + last_thought).strip()


def _divided(text: str, marks: tuple[str, ...]) -> tuple[str, str]:
    """The text without its end, and that end, which one of the marks may begin with."""
    for size in range(min(len(text), max(map(len, marks)) - 1), 0, -1):
        if any(mark.startswith(text[-size:]) for mark in marks):
            return text[:-size], text[-size:]
    return text, ""
