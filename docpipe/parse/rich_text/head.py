"""What an RTF file says of itself before its text: fonts, styles, colours, title (pure)."""

import re
from dataclasses import dataclass, field

from docpipe._dates import iso_date
from docpipe.parse.rich_text.letters import charset

ABOUT = {
    "title": "title", "author": "authors", "subject": "subject", "keywords": "keywords", "doccomm": "description",
    "creatim": "created", "revtim": "modified",
}  # fmt: skip
"""Groups below `\\info` -> metadata."""
_HEADING = re.compile(r"(?:heading|überschrift|titre|título|titolo|標題|标题|заголовок) ?([1-9])", re.I)
_WHITE = 250


@dataclass(frozen=True, slots=True)
class Style:
    """A paragraph style; its level is that of a heading, or 0."""

    name: str = ""
    level: int = 0


@dataclass(slots=True)
class Head:
    """Tables of the file, filled while it is read."""

    encoding: str = "cp1252"
    """Of letters whose font says nothing else."""
    fonts: dict[int, str] = field(default_factory=dict)
    """Number -> encoding."""
    styles: dict[int, Style] = field(default_factory=dict)
    about: dict[str, str] = field(default_factory=dict)
    moment: dict[str, int] = field(default_factory=dict)
    """Parts of a date that is being read, by their control words."""
    colour: dict[str, int] = field(default_factory=dict)
    _whites: list[bool] = field(default_factory=list)
    _font: int = 0

    def begin_font(self, number: int) -> None:
        """What follows is said of this font."""
        self._font = number

    def set_charset(self, number: int) -> None:
        """The letters of the font that was begun."""
        self.fonts[self._font] = charset(number) if number else ""

    def end_colours(self, count: int) -> None:
        """So many colours are complete."""
        for _ in range(min(count, 1_000)):
            self._whites.append(len(self.colour) == 3 and min(self.colour.values()) >= _WHITE)
            self.colour = {}

    def is_white(self, number: int) -> bool:
        """Whether a colour of the table is white, or nearly so."""
        return 0 < number < len(self._whites) and self._whites[number]

    def define(self, number: int, text: str, level: int) -> None:
        """A style: its name as the file has it, its outline level or 0."""
        name = text.strip().rstrip(";").strip().partition(",")[0]
        heading = _HEADING.match(name)
        self.styles[number] = Style(name[:60], level or (int(heading.group(1)) if heading else 0))

    def tell(self, name: str, text: str) -> None:
        """The text or the date of a group below `\\info`."""
        if self.moment:
            year, month, day = (self.moment.get(part, 0) for part in ("yr", "mo", "dy"))
            clock = f"T{self.moment.get('hr', 0):02}:{self.moment.get('min', 0):02}:00" if "hr" in self.moment else ""
            text = iso_date(f"{year:04}-{month:02}-{day:02}{clock}")
            self.moment = {}
        if text.strip():
            self.about[ABOUT[name]] = text.strip()
