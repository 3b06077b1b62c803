"""The marks of an RTF file -> its head and its body (pure)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from docpipe.parse.rich_text.body import Body
from docpipe.parse.rich_text.head import ABOUT, Head, Style
from docpipe.parse.rich_text.letters import SIGNS, code_page, decoded, whole
from docpipe.parse.rich_text.marks import marks
from docpipe.types import BlockKind

_SKIPPED = frozenset({
    "pict", "object", "objdata", "nonshppict", "shprslt", "themedata", "colorschememapping", "latentstyles",
    "datastore", "xmlnstbl", "rsidtbl", "listtable", "listoverridetable", "generator", "filetbl", "revtbl",
    "fldinst", "datafield", "bkmkstart", "bkmkend", "atnid", "atntime", "atnicn",
    "atnref", "atndate", "atnparent", "template", "pgdsctbl", "mmathPr", "wgrffmtfilter", "fldtype", "pn",
    "nonesttables", "nesttableprops", "sp", "sn", "sv", "private", "formfield", "ffname", "xe", "tc", "tcn", "rxe",
    "txe", "ftnsep", "ftnsepc", "ftncn", "aftnsep", "aftnsepc", "aftncn", "pnseclvl", "htmltag", "mhtmltag",
    "objclass", "objname", "falt", "panose", "fontemb", "passwordhash", "protusertbl", "userprops", "background",
    "defchp", "defpap", "oldcprops", "oldpprops", "oldtprops", "oldsprops", "blipuid", "picprop", "listpicture",
    "ud",
})  # fmt: skip
_READ = frozenset({"shpinst", "shptxt", "shpgrp", "shppict", "do", "dptxbxtext", "fldrslt", "result"})
"""Groups that old readers are told to skip (`\\*`), or others than words, which hold words."""
_ROLES = {
    "fonttbl": "fonts", "colortbl": "colours", "info": "info", "stylesheet": "styles", "listtext": "marker",
    "pntext": "marker", "footnote": "note", "annotation": "comment", "atnauthor": "writer",
    **dict.fromkeys(("header", "headerl", "headerr", "headerf"), "header"),
    **dict.fromkeys(("footer", "footerl", "footerr", "footerf"), "footer"),
}  # fmt: skip
_TINY = 4
"""Half points: letters smaller than 2 points are there to be read by nobody."""
_DEEPEST = 5_000


@dataclass(frozen=True, slots=True)
class _State:
    """What holds for the words of a group."""

    role: str = "text"
    """Where they go: `text`, `skip`, `fonts`, `colours`, `styles`, `style`, `info`, `about`, `marker`, `note` ..."""
    name: str = ""
    encoding: str = ""
    fallback: int = 1
    """Signs after a `\\u` for readers that cannot read it."""
    style: int = 0
    level: int = 0
    depth: int = 0
    listed: bool = False
    in_table: bool = False
    hidden: bool = False
    colour: int = 0
    shaded: bool = False
    size: int = 24


class RichTextReader:
    """Reads one file, mark by mark."""

    def __init__(self) -> None:
        self.head, self.body = Head(), Body()
        self._state = _State()
        self._groups: list[_State] = []
        self._too_deep = 0
        self._bytes = bytearray()
        self._skip = 0
        self._opened = self._optional = False
        self._aside: list[str] = []
        self._note_count = 0
        self._writer = ""

    def read(self, data: bytes) -> None:
        """Read a file to its end.

        Raises:
            TooManyMarks: the file has more marks than any text needs.
        """
        takers: dict[str, Callable[[bytes], None]] = {
            "text": self._text, "byte": self._byte, "group": self._group, "sign": self._sign,
        }  # fmt: skip
        for kind, value, number in marks(data):
            if kind == "word":
                self._word(value.decode("ascii"), number)
            else:
                takers[kind](value)
        self._flush()
        self._end_paragraph()
        self.body.end_table()

    def _group(self, sign: bytes) -> None:
        self._flush()
        self._skip = 0
        if sign == b"{":
            if len(self._groups) >= _DEEPEST:
                self._too_deep += 1
                return
            self._groups.append(self._state)
            self._opened, self._optional = True, False
        elif self._too_deep:
            self._too_deep -= 1
        elif self._groups:
            ended, self._state, self._opened = self._state, self._groups.pop(), False
            if (ended.role, ended.name) != (self._state.role, self._state.name):
                self._end(ended)

    def _end(self, ended: _State) -> None:
        """A group whose words went elsewhere than those around it is complete."""
        if ended.role == "skip":
            return
        text = whole("".join(self._aside))
        if ended.role == "style":
            self.head.define(ended.style, text, ended.level)
        elif ended.role == "about":
            self.head.tell(ended.name, text)
        elif ended.role == "note":
            self.body.add_note(text)
        elif ended.role == "writer":
            self._writer = text.strip()
        elif ended.role == "comment":
            self.body.add_comment(self._writer, text)
        elif ended.role in ("header", "footer"):
            self.body.add_furniture(BlockKind(ended.role), text)
        self._aside.clear()

    def _change(self, **fields: Any) -> None:
        self._state = replace(self._state, **fields)

    def _word(self, word: str, number: int | None) -> None:
        self._flush()
        opened, self._opened = self._opened, False
        optional, self._optional = self._optional, False
        if self._skip and word in SIGNS:
            self._skip -= 1
            return
        self._skip = 0
        if self._state.role == "skip" or (opened and self._begin(word, optional=optional)):
            return
        if word in SIGNS:
            self._add(SIGNS[word])
        elif word == "u" and number is not None:
            self._add(chr(number % 65536))
            self._skip = self._state.fallback
        elif word in _ACTIONS:
            _ACTIONS[word](self, number)

    def _begin(self, word: str, *, optional: bool) -> bool:
        """Whether the first word of a group only says where the words of the group go."""
        role = self._state.role
        if word in _ROLES:
            if word == "footnote":
                self._note_count += 1
                self._add(f"[{self._note_count}] ")
                self._aside = [f"[{self._note_count}] "]
            self._change(role=_ROLES[word], name=word)
        elif word in _READ:
            return True
        elif word in _SKIPPED or optional:
            self._change(role="skip")
        elif role == "info":
            self.head.moment = {}
            self._change(role="about" if word in ABOUT else "skip", name=word)
        elif role == "styles":
            self._change(role="style", name=word, style=0, level=0)
            return False
        else:
            return False
        return True

    def _sign(self, sign: bytes) -> None:
        if sign == b"*":
            self._optional = self._opened
            return
        if self._skip:
            self._skip -= 1
        elif sign in (b"{", b"}", b"\\"):
            self._text(sign)
        elif sign in (b"\n", b"\r"):
            self._end_paragraph()
        else:
            self._add({b"~": "\u00a0", b"_": "-", b"\t": "\t"}.get(sign, ""))

    def _text(self, data: bytes) -> None:
        self._opened = False
        taken = min(self._skip, len(data))
        self._skip -= taken
        if self._state.role != "skip":
            self._bytes += data[taken:]

    def _byte(self, digits: bytes) -> None:
        self._opened = False
        if self._skip:
            self._skip -= 1
        elif self._state.role != "skip":
            self._bytes.append(int(digits, 16))

    def _flush(self) -> None:
        """The bytes so far, as letters; a letter may need several bytes."""
        if self._bytes:
            data, self._bytes = bytes(self._bytes), bytearray()
            self._add(decoded(data, self._state.encoding or self.head.encoding))

    def _add(self, text: str) -> None:
        self._flush()
        state = self._state
        if state.role == "text":
            white = state.colour > 0 and not state.shaded and self.head.is_white(state.colour)
            self.body.add(text, hidden=state.hidden or white or state.size < _TINY)
        elif state.role == "marker":
            self.body.marker.append(text)
        elif state.role == "colours":
            self.head.end_colours(text.count(";"))
        elif state.role not in ("skip", "fonts", "info", "styles"):
            self._aside.append(text)

    def _end_paragraph(self) -> None:
        self._flush()
        state = self._state
        if state.role in ("note", "comment", "header", "footer"):
            self._aside.append("\n")
        elif state.role == "text":
            self.body.end_paragraph(
                self.head.styles.get(state.style, Style()),
                level=state.level,
                depth=state.depth + 1,
                in_table=state.in_table,
                listed=state.listed,
            )

    def font(self, number: int) -> None:
        """A font is described, or used from here on."""
        self.head.begin_font(number)
        if self._state.role != "fonts":
            self._change(encoding=self.head.fonts.get(number, ""))

    def end_paragraph(self) -> None:
        """A paragraph ends, also at a break of the page."""
        self._end_paragraph()

    def set_style(self, **fields: Any) -> None:
        """What the words that follow look like."""
        self._change(**fields)

    def note_moment(self, part: str, number: int) -> None:
        """A part of a date."""
        self.head.moment[part] = number

    def of_body(self, act: Callable[[Body], None]) -> None:
        """Something that only the running text has."""
        if self._state.role == "text":
            act(self.body)


type_action = Callable[[RichTextReader, int | None], None]


def _state(**named: Callable[[int | None], Any]) -> type_action:
    return lambda reader, number: reader.set_style(**{name: value(number) for name, value in named.items()})


def _body(act: Callable[[Body], None]) -> type_action:
    return lambda reader, number: reader.of_body(act)


def _part(part: str) -> type_action:
    return lambda reader, number: reader.note_moment(part, number or 0)


def _colour(part: str) -> type_action:
    return lambda reader, number: reader.head.colour.__setitem__(part, number or 0)


def _encoding(name: str) -> type_action:
    def chosen(reader: RichTextReader, number: int | None) -> None:
        reader.head.encoding = name or code_page(number or 1252)

    return chosen


def _plain(value: Any) -> Callable[[int | None], Any]:
    return lambda number: value


_NONE, _NO = _plain(0), _plain(False)
_ACTIONS: Mapping[str, type_action] = {
    "ansicpg": _encoding(""), "mac": _encoding("mac_roman"), "pc": _encoding("cp437"), "pca": _encoding("cp850"),
    "f": lambda reader, number: reader.font(number or 0),
    "fcharset": lambda reader, number: reader.head.set_charset(number or 0),
    "red": _colour("red"), "green": _colour("green"), "blue": _colour("blue"),
    "uc": _state(fallback=lambda number: min(1 if number is None else max(0, number), 20)),
    "s": _state(style=lambda number: number or 0),
    "outlinelevel": _state(level=lambda number: (number or 0) + 1 if 0 <= (number or 0) < 9 else 0),
    "ilvl": _state(depth=lambda number: max(0, min(number or 0, 20))),
    "ls": _state(listed=lambda number: bool(number)),
    "pard": _state(style=_NONE, level=_NONE, depth=_NONE, listed=_NO, in_table=_NO),
    "plain": _state(hidden=_NO, colour=_NONE, shaded=_NO, size=_plain(24), encoding=_plain("")),
    "intbl": _state(in_table=_plain(True)),
    "v": _state(hidden=lambda number: number != 0),
    "cf": _state(colour=lambda number: number or 0),
    "fs": _state(size=lambda number: 24 if number is None else number),
    **dict.fromkeys(("cb", "highlight", "chcbpat", "cbpat"), _state(shaded=bool)),
    "deleted": _state(role=lambda number: "text" if number == 0 else "skip"),
    **dict.fromkeys(("par", "sect", "page"), lambda reader, number: reader.end_paragraph()),
    "cell": _body(Body.end_cell), "nestcell": _body(Body.end_inner_cell), "row": _body(Body.end_row),
    "trowd": _body(Body.begin_row), "cellx": _body(Body.end_place), "trhdr": _body(Body.set_header),
    "clmrg": _body(lambda body: body.place(left=True)), "clvmrg": _body(lambda body: body.place(above=True)),
    **{word: _part(word) for word in ("yr", "mo", "dy", "hr", "min")},
}  # fmt: skip
"""What control words do."""
