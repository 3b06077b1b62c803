"""What a document says of itself -> settled keys and bounded values, and their stored form (pure)."""

import re
from collections.abc import Mapping

from docpipe._dates import iso_date

SETTLED = ("title", "authors", "created", "modified", "language", "keywords")
DATES = ("created", "modified")
"""Keys whose values are dates in ISO 8601."""
_ALIASES = {
    "author": "authors", "creator": "authors", "date": "created", "published": "created", "tags": "keywords",
    "lang": "language",
}  # fmt: skip
"""Other names of the settled keys, where a format's own were kept."""
_MOST_KEYS = 64
_LONGEST_KEY, _LONGEST_VALUE = 64, 1_000
"""Code points; a value that is longer is cut."""
_NOT_IN_KEYS = re.compile(r"""[\s()=!<>~,'"\x00-\x1f\x7f]+""")
_ENTRY, _VALUE = "\x1e", "\x1f"
"""ASCII's own separators of records and of their parts; no key and no value holds them."""


def settled(metadata: Mapping[str, str]) -> dict[str, str]:
    """Metadata as chunks carry it: what is settled first, then the others, sorted.

    Keys are one word in small letters; `author` and `date` go by `authors` and `created` unless there are those.
    Values stand on one line, bounded; `created` and `modified` are dates in ISO 8601, or left out.
    """
    found: dict[str, str] = {}
    for name, value in metadata.items():
        key, words = metadata_key(name), " ".join(value[: 4 * _LONGEST_VALUE].split())[:_LONGEST_VALUE]
        if key and words:
            found.setdefault(key, words)
    for name, key in _ALIASES.items():
        if name in found:
            found.setdefault(key, found.pop(name))
    found |= {key: iso_date(found[key]) for key in DATES if key in found}
    keys = sorted((key for key, value in found.items() if value), key=lambda key: (key not in SETTLED, key))
    return {key: found[key] for key in keys[:_MOST_KEYS]}


def metadata_key(name: str) -> str:
    """A key as it is stored and asked for: `Last Updated` -> `last_updated`."""
    return _NOT_IN_KEYS.sub("_", name[:_LONGEST_KEY].strip().lower()).strip("_")


def packed(metadata: Mapping[str, str]) -> str:
    """Settled metadata as one text. Law: `unpacked(packed(settled(m))) == settled(m)`."""
    return "".join(f"{_ENTRY}{key}{_VALUE}{value}" for key, value in metadata.items())


def unpacked(text: str) -> dict[str, str]:
    """What `packed` packed."""
    pairs = (entry.partition(_VALUE) for entry in text.split(_ENTRY) if entry)
    return {key: value for key, _, value in pairs}


def marks_of(key: str) -> tuple[str, str]:
    """What stands before and after a key's value in a packed text."""
    return f"{_ENTRY}{key}{_VALUE}", _ENTRY
