"""Text of strangers (file names, messages of services) -> text that no terminal, log or page obeys (pure)."""

import re

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What could move the cursor, recolour the screen or turn text round: ESC, C0, C1, direction overrides."""


def safe(text: str) -> str:
    """Text without a character that a terminal would obey: it is shown as `\\x1b`, say. Tab and line feed stay."""
    text = _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def one_line(text: str) -> str:
    """The same without line feeds either: what was one message stays one line of a log."""
    return safe(text).replace("\n", "\\n")
