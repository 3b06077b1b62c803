"""What a file says beside what it shows (comments, titles of links, hidden elements) -> blocks called `hidden`."""

from docpipe._orders import orders, reads_as_prose
from docpipe.parse.draft import Draft
from docpipe.types import HIDDEN, BlockKind

_MOST = 10_000
"""Code points of one document; what is beyond is dropped: no model would have been given it."""
_LONGEST = 300
"""Code points: longer texts are parts of a page that a script shows (menus, dialogues), unless they give orders."""
_ENDS = (".", "!", "?", "。", "！", "？")


class Asides:
    """Gathers such texts, each once: sentences, and whatever speaks to a model; code and menus are left out."""

    def __init__(self) -> None:
        self._texts: dict[str, None] = {}
        self._room = _MOST

    def add(self, text: str) -> None:
        """Take a text, unless there are too many."""
        if len(text) > 4 * self._room:
            return
        line = " ".join(text.split())
        if line not in self._texts and len(line) <= self._room and _speaks(line):
            self._texts[line] = None
            self._room -= len(line)

    @property
    def texts(self) -> tuple[str, ...]:
        """What was gathered, in order."""
        return tuple(self._texts)

    def write(self, draft: Draft) -> None:
        """Append a block for each."""
        for text in self._texts:
            draft.add(BlockKind.OTHER, text, label=HIDDEN)


def _speaks(line: str) -> bool:
    return (len(line) <= _LONGEST and line.endswith(_ENDS) and reads_as_prose(line)) or bool(orders(line))
