"""Text of others -> text that cannot pass for a fence, a role or a marker of ours (pure).

What would be mistaken is shown in its full-width form: `＜/source>`, `［7］`. A reader sees it, a model takes it for
text, and `chat.folding` takes both forms for the same words, so that a quote is still found in its source.
"""

import re

from docpipe._orders import orders

_FENCES = "source|document|question|instruction"
_TEMPLATE = (
    r"s|sop|eop|bos|eos|think|tools?|tool_call|tool_response|arg_key|arg_value|start_of_turn|end_of_turn"
    r"|im_start|im_end|user|assistant|system|observation"
)
_NOBODY_SEES = r"\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufffd"
_OPENING = re.compile(
    rf"<(?=[\s/{_NOBODY_SEES}]*(?:(?:{_FENCES})|(?:{_TEMPLATE})[\s/]*>|[|｜])|<\s*/?\s*sys\s*>>)", re.I
)
_MASK = re.compile(r"\[(/?INST|g?MASK|sMASK)\]", re.I)
_SWITCH = re.compile(r"(?<!\S)/(?=no_?think\b)", re.I)
_NUMBER = r" ?D?\d{1,4} ?"
_MARKERS = re.compile(rf"(?<![A-Za-z0-9_)\]])(?:\[{_NUMBER}(?:[,;–-]{_NUMBER})*\])+")
_WIDE_BRACKETS = str.maketrans("[]", "［］")
_UNSEEN = re.compile("[\x00-\x08\x0e-\x1b\x7f\ud800-\udfff\U000e0000-\U000e007f]+")
"""Control characters, halves of characters, and letters that only machines see."""
_LEFT_OUT = "［…］"
_BLANK = re.compile("[\x0b\x0c\x1c-\x1f]")


def without_roles(text: str) -> str:
    """Text that opens no fence and plays no role; markers such as `[1]` stay. Idempotent.

    Letters that nobody sees become one U+FFFD.
    """
    text = _BLANK.sub(" ", _UNSEEN.sub("\ufffd", text))
    text = _SWITCH.sub("／", _OPENING.sub("＜", text))
    return _MASK.sub(lambda match: match[0].translate(_WIDE_BRACKETS), text)


def neutral(text: str) -> str:
    """The same for text of documents: it gives no markers either. Idempotent.

    An index behind a name, `row[1]`, is no marker.
    """
    return _MARKERS.sub(lambda match: match[0].translate(_WIDE_BRACKETS), without_roles(text))


def told(text: str) -> str:
    """Text of documents and pages as a model is given it: neutral, and sentences that give it orders left out.

    Such sentences are cut out of documents before they are indexed; tables and pages of the web come here whole.
    """
    for span in reversed(orders(text)):
        text = f"{text[: span.start]}{_LEFT_OUT}{text[span.end :]}"
    return neutral(text)


def attribute(text: str, *, longest: int = 200) -> str:
    """A title or an address as a value within a fence's tag: one line, no quotes, at most `longest` code points."""
    line = " ".join(neutral(text[: 4 * longest]).split()).translate(_QUOTES)
    return line if len(line) <= longest else line[: longest - 1] + "…"


_QUOTES = str.maketrans({'"': "'", ">": "＞", "<": "＜"})
