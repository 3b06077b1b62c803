"""The head of a Markdown file, in YAML or TOML -> metadata, and the text after it (pure)."""

import re
import tomllib

from docpipe._dates import iso_date
from docpipe.parse.data.toml_values import toml_value
from docpipe.parse.data.values import Record, Value, scalar
from docpipe.parse.data.yaml_text import read_yaml

_YAML = re.compile(r"---[^\S\n]*\n(.*?)\n(?:---|\.\.\.)[^\S\n]*(?:\n|$)", re.S)
_TOML = re.compile(r"\+\+\+[^\S\n]*\n(.*?)\n\+\+\+[^\S\n]*(?:\n|$)", re.S)
_ENTRY = re.compile(r"([A-Za-z][\w -]{0,40}):[^\S\n]+(.*)")
_LONGEST = 20_000
_NAMES = {
    "lang": "language", "locale": "language", "author": "authors", "by": "authors", "creator": "authors",
    "date": "created", "published": "created", "publishdate": "created", "pubdate": "created",
    "updated": "modified", "lastmod": "modified", "last_modified": "modified", "last-modified": "modified",
    "tags": "keywords", "tag": "keywords", "categories": "keywords", "category": "keywords",
}  # fmt: skip
"""What such heads call things -> the settled names of metadata."""


def front_matter(text: str) -> tuple[dict[str, str], str]:
    """What stands between `---` (YAML) or `+++` (TOML) lines at the top, and the text after it.

    Lists are joined, authors by `; ` and others by `, `; dates become ISO 8601 where they can; what is nested deeper is
    left out. A head that breaks the rules of its format gives the `key: value` lines that it has.
    """
    yaml, toml = _YAML.match(text[:_LONGEST]), _TOML.match(text[:_LONGEST])
    if yaml:
        return _settled(_from_yaml(yaml.group(1))), text[yaml.end() :]
    if toml:
        return _settled(_from_toml(toml.group(1))), text[toml.end() :]
    return {}, text


def _from_yaml(head: str) -> Record:
    try:
        found = read_yaml(head)
    except ValueError:
        found = []
    if found and isinstance(found[0], Record):
        return found[0]
    entries = (_ENTRY.fullmatch(line) for line in head.split("\n"))
    return Record(tuple((entry.group(1), entry.group(2).strip().strip("\"'[]")) for entry in entries if entry))


def _from_toml(head: str) -> Record:
    try:
        found = toml_value(tomllib.loads(head, parse_float=str))
    except (ValueError, RecursionError):
        return Record(())
    return found if isinstance(found, Record) else Record(())


def _settled(head: Record) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in head.entries:
        name = _NAMES.get(key.strip().lower(), key.strip().lower())
        text = _joined(value, "; " if name == "authors" else ", ")
        if name in ("created", "modified"):
            text = iso_date(text) or text
        if text and name not in found:
            found[name] = text
        elif text and name == "keywords":
            found[name] += f", {text}"
    return found


def _joined(value: Value, separator: str) -> str:
    """A scalar, or the scalars of a list; of a person or a tag with several facts, the name."""
    if isinstance(value, str):
        return "" if value in ("null", "~") else value
    if isinstance(value, Record):
        return scalar(value, "name") or scalar(value, "title")
    return separator.join(filter(None, (_joined(item, separator) for item in value)))
