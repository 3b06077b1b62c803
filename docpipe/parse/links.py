"""A link as a document has it -> a Link to elsewhere, or nothing (pure). Links are told, never fetched."""

import re

from docpipe.types import Link

MOST_LINKS = 5_000
"""Of one document."""
LONGEST_TEXT, LONGEST_ADDRESS = 500, 2_000
"""Code points of a link's words, and of its address: longer ones hold data."""
_IGNORED = re.compile("[\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\ufeff\ud800-\udfff]")
"""Signs that browsers leave out of an address, or that turn what is shown of it round."""
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.I)
_FOLLOWED = frozenset({"http:", "https:", "ftp:", "ftps:", "mailto:", "tel:", "doi:", "urn:", "news:"})


def link_of(text: str, url: str, page: int | None = None) -> Link | None:
    """A link to elsewhere.

    Args:
        url: as the document has it; a relative one stays so.

    Returns:
        None for a place within the document, a script, data, a path of the author's machine, and what is no address.
    """
    if len(url) > 2 * LONGEST_ADDRESS:
        return None
    url = "%20".join(_IGNORED.sub("", url).split())
    if not url or url.startswith("#") or len(url) > LONGEST_ADDRESS:
        return None
    scheme = _SCHEME.match(url)
    if scheme is not None and (scheme.group().lower() not in _FOLLOWED or scheme.end() == len(url)):
        return None
    return Link(" ".join(_IGNORED.sub(" ", text[:LONGEST_TEXT]).split()), url, page)
