"""YAML text -> plain values that know their lines.

YAML 1.2's core schema: only `true` and `false` are booleans, only decimal digits are numbers, nothing is a date.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from docpipe.errors import ConfigError
from docpipe.pipeline.file.problems import Place, Problems

if TYPE_CHECKING:
    import yaml

MAX_CHARACTERS = 1_000_000
MAX_NODES = 20_000
"""Values of one file, aliases counted each time they are used: a few anchors can stand for billions."""
MAX_DEPTH = 32

BROKEN = object()
"""The value of a tree whose problem was noted already."""

_VARIABLE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^{}]*))?\}|\$\{")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_PLAIN_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map")}


@dataclass(frozen=True, slots=True)
class Tree:
    """A value with its place. `value` is a dict or list of trees, or a str, int, float, bool or None."""

    value: Any
    place: Place
    raw: str = ""
    """A scalar as the file has it, before variables were replaced: safe to show."""

    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value

    def shown(self) -> Any:
        """The value to print: where a variable was replaced, the text that names it."""
        if isinstance(self.value, dict):
            return {key: child.shown() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.shown() for child in self.value]
        return self.raw if "${" in self.raw else self.value


def tree_of(value: Any, place: Place) -> Tree:
    """The tree of plain Python values, all at the same line."""
    if isinstance(value, Mapping):
        children = {str(key): tree_of(item, _below(place, str(key), place.line)) for key, item in value.items()}
        return Tree(children, place)
    if isinstance(value, (list, tuple)):
        return Tree([tree_of(item, _item(place, n, place.line)) for n, item in enumerate(value)], place)
    return Tree(value, place, str(value))


def read(text: str, *, file: str, environment: Mapping[str, str], problems: Problems) -> Tree | None:
    """Read one YAML document; None where it cannot be read at all (then `problems` says why)."""
    import yaml

    top = Place(file)
    if len(text) > MAX_CHARACTERS:
        problems.add(top, f"a pipeline file has at most {MAX_CHARACTERS:,} characters, this one has {len(text):,}")
        return None
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        place, message = _explained(error, file)
        braces = "${" in "".join(text.splitlines()[place.line - 1 : place.line])
        remedy = 'inside {...} and [...] write a variable in quotes: "${NAME}"' if braces else ""
        problems.add(place, message, remedy=remedy)
        return None
    except RecursionError:
        problems.add(top, f"values are nested more than {MAX_DEPTH} deep")
        return None
    if node is None:
        problems.add(top, "the file is empty", remedy="start from pipelines/quickstart.yaml")
        return None
    return _Reader(environment, problems).tree(node, Place(file, _line(node)))


def _explained(error: "yaml.YAMLError", file: str) -> tuple[Place, str]:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    what = getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable"
    line = mark.line + 1 if mark is not None else 0
    return Place(file, line), f"this is not YAML: {what}"


class _Reader:
    """One reading of a file."""

    def __init__(self, environment: Mapping[str, str], problems: Problems) -> None:
        self.environment, self.problems, self.nodes = environment, problems, 0

    def tree(self, node: Any, place: Place, depth: int = 0) -> Tree | None:
        self.nodes += 1
        if self.nodes > MAX_NODES or depth > MAX_DEPTH:
            if self.nodes <= MAX_NODES + 1 and depth <= MAX_DEPTH + 1:
                limit = f"nested more than {MAX_DEPTH} deep" if depth > MAX_DEPTH else f"more than {MAX_NODES:,}"
                self.problems.add(place, f"values are {limit} (an anchor that contains itself?)")
            self.nodes = MAX_NODES + 2
            return None
        if node.tag not in _PLAIN_TAGS:
            self.problems.add(place, f"the tag {node.tag!r} is not allowed here", remedy="remove it")
            return None
        kinds = {"mapping": self._mapping, "sequence": self._sequence}
        return kinds[node.id](node, place, depth) if node.id in kinds else self._scalar(node, place)

    def _mapping(self, node: Any, place: Place, depth: int) -> Tree:
        children: dict[str, Tree] = {}
        for key_node, value_node in node.value:
            if key_node.id != "scalar":
                self.problems.add(place, "a key must be a word", remedy="write `key: value`")
                continue
            key, line = str(key_node.value), _line(key_node)
            if key in children:
                first = children[key].place.line
                self.problems.add(_below(place, key, line), f"the key was given before, in line {first}")
                continue
            below = _below(place, key, line)
            children[key] = self.tree(value_node, below, depth + 1) or Tree(BROKEN, below)
        return Tree(children, place)

    def _sequence(self, node: Any, place: Place, depth: int) -> Tree:
        items = [
            self.tree(item, _item(place, number, _line(item)), depth + 1) for number, item in enumerate(node.value)
        ]
        return Tree([item for item in items if item is not None], place)

    def _scalar(self, node: Any, place: Place) -> Tree | None:
        raw = str(node.value)
        try:
            text = _VARIABLE.sub(lambda match: self._variable(match, place), raw)
        except ConfigError as error:
            self.problems.add(place, error.message, remedy=error.remedy)
            return None
        plain = node.style is None
        return Tree(scalar_value(text) if plain else text, place, raw)

    def _variable(self, match: re.Match[str], place: Place) -> str:
        if match[0] == "$${":
            return "${"
        name, default = match[1], match[2]
        if name is None:
            raise ConfigError("`${` begins no variable", remedy="write `${NAME}`, `${NAME:-default}`, or `$${`")
        value = self.environment.get(name, "")
        if value or (default is None and name in self.environment):
            return value
        if default is None:
            raise ConfigError(
                f"the environment variable {name} is not set", remedy=f"set {name}, or write `${{{name}:-default}}`"
            )
        return default


def scalar_value(text: str) -> str | int | float | bool | None:
    """What an unquoted word of YAML stands for."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text) and len(text) < 20:
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _below(place: Place, key: str, line: int) -> Place:
    return Place(place.file, line, f"{place.key}.{key}" if place.key else key)


def _item(place: Place, number: int, line: int) -> Place:
    return Place(place.file, line, f"{place.key}[{number}]")


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 1
