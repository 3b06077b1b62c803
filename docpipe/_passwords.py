"""Names of environment variables -> the passwords in them, and how a password may be written. None is ever kept."""

import re
import unicodedata
from collections.abc import Iterable, Mapping

_WIDTHLESS = re.compile("[\u00ad\u034f\u1806\u180b-\u180d\u200b-\u200d\u2060\ufe00-\ufe0f\ufeff]")
"""What SASLprep leaves out (RFC 3454, table B.1)."""


def names_set(names: Iterable[str], environment: Mapping[str, str]) -> tuple[str, ...]:
    """Of these variables, those that hold something."""
    return tuple(name for name in names if environment.get(name))


def values(names: Iterable[str], environment: Mapping[str, str]) -> tuple[str, ...]:
    """What these variables hold, each once."""
    return tuple(dict.fromkeys(environment[name] for name in names_set(names, environment)))


def spellings(password: str) -> tuple[str, ...]:
    """A password as it is, and as SASLprep writes it (RFC 4013), which newer PDFs ask for."""
    prepared = unicodedata.normalize("NFKC", _WIDTHLESS.sub("", password))
    return tuple(dict.fromkeys((password, prepared)))
