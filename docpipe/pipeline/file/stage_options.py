"""Located values -> the dataclass whose fields they set (pure, but for importing the stages that are named)."""

import dataclasses
import inspect
import math
import sys
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Literal

from docpipe.errors import ConfigError, InvalidOption, StageMismatch, UnknownName
from docpipe.pipeline.file.catalog import stage_class
from docpipe.pipeline.file.problems import Problems, did_you_mean
from docpipe.pipeline.file.yaml_tree import BROKEN, Tree, scalar_value

_WRONG: Any = object()
"""Stands for a value whose problem was noted."""
_WORDS: dict[Any, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def make(kind: type[Any], options: Tree, problems: Problems, **given: Any) -> Any:
    """An object of `kind` (a dataclass) with these options; None where `problems` says what is wrong.

    Args:
        options: a mapping of field names to values; the key `use` is not looked at.
        given: fields that are set by the caller and may not stand in `options`.
    """
    if not isinstance(options.value, dict):
        problems.add(options.place, f"expected `option: value` lines, got {_shown(options)}", kind=InvalidOption)
        return None
    fields = {f.name: f for f in dataclasses.fields(kind) if f.init and f.name not in given}
    chosen = {key: child for key, child in options.value.items() if key != "use"}
    known = {key: child for key, child in chosen.items() if _known(key, child, fields, problems)}
    values = {key: convert(hint_of(kind, key), child, problems) for key, child in known.items()}
    for name, field in fields.items():
        if name not in values and _required(field):
            problems.add(options.place, f"the option `{name}` is missing", kind=InvalidOption)
            values[name] = _WRONG
    made = _constructed(kind, {**values, **given}, options, problems)
    return made if len(known) == len(chosen) and not any(value is _WRONG for value in values.values()) else None


def _constructed(kind: type[Any], values: dict[str, Any], options: Tree, problems: Problems) -> Any:
    """The object; what its constructor finds wrong is noted. Wrong values are left out, if it can do without."""
    right = {name: value for name, value in values.items() if value is not _WRONG}
    try:
        return kind(**right)
    except ConfigError as error:
        problems.add(options.place, error.message, remedy=error.remedy, kind=type(error))
    except (ValueError, TypeError) as error:
        blamed = _blamed(options, str(error))
        if len(right) == len(values) or blamed != options.place:
            problems.add(blamed, str(error), kind=InvalidOption)
    return None


def make_stage(tree: Tree, problems: Problems) -> Any:
    """The stage that a mapping with `use` names, with its options; None where `problems` says what is wrong."""
    used = tree.value["use"]
    try:
        kind = stage_class(str(used.value))
    except ConfigError as error:
        problems.add(used.place, error.message, remedy=error.remedy, kind=type(error))
        return None
    if not dataclasses.is_dataclass(kind):
        message = f"the stage `{used.value}` is no dataclass ({kind.__module__}.{kind.__qualname__})"
        problems.add(used.place, message, remedy="make it a frozen dataclass: its fields are its options")
        return None
    return make(kind, tree, problems)


def hint_of(kind: type[Any], name: str) -> Any:
    """The type of a field; Any where its name cannot be resolved at run time."""
    for owner in kind.__mro__:
        hint = inspect.get_annotations(owner).get(name)
        if hint is not None:
            scope = vars(sys.modules[owner.__module__])
            try:
                return eval(hint, scope) if isinstance(hint, str) else hint
            except NameError:
                return Any
    return Any


def convert(hint: Any, tree: Tree, problems: Problems) -> Any:
    """A value as `hint` wants it: lists become tuples, whole numbers floats, mappings dataclasses."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if tree.value is BROKEN:
        return _WRONG
    if hint is Any or hint is object:
        return tree.plain()
    if origin in (typing.Union, types.UnionType):
        return _convert_union(arguments, tree, problems)
    if origin is Literal:
        return _convert_word(arguments, tree, problems)
    if isinstance(hint, type) and issubclass(hint, Enum):
        word = _convert_word([member.value for member in hint], tree, problems)
        return word if word is _WRONG else hint(word)
    if hint is None or hint is type(None):
        return None if tree.value is None else _wrong(tree, "nothing", problems)
    if hint in _WORDS:
        return _convert_scalar(hint, tree, problems)
    if hint is Path:
        text = _convert_scalar(str, tree, problems)
        return text if text is _WRONG else Path(text)
    collection = origin or hint
    if isinstance(collection, type) and issubclass(collection, (tuple, list, set, frozenset)):
        return _convert_list(collection, arguments, tree, problems)
    if isinstance(collection, type) and issubclass(collection, Mapping):
        return _convert_mapping(arguments, tree, problems)
    return _convert_object(hint, tree, problems)


def _known(key: str, child: Tree, fields: Mapping[str, Any], problems: Problems) -> bool:
    if key in fields:
        return True
    remedy = did_you_mean(key, fields) if fields else "it has no options"
    problems.add(child.place, "there is no such option", remedy=remedy, kind=UnknownName)
    return False


def _required(field: "dataclasses.Field[Any]") -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _blamed(options: Tree, message: str) -> Any:
    """The place of the option that a constructor's message begins with, else of the whole stage."""
    word = message.split(" ", 1)[0].strip("`'\":,")
    children = options.value
    return children[word].place if word in children else options.place


def _wrong(tree: Tree, wanted: str, problems: Problems, remedy: str = "") -> Any:
    problems.add(tree.place, f"expected {wanted}, got {_shown(tree)}", remedy=remedy, kind=InvalidOption)
    return _WRONG


def _shown(tree: Tree) -> str:
    """A value for a message: as the file has it, so that no variable's content is told."""
    if isinstance(tree.value, dict):
        return "a mapping"
    if isinstance(tree.value, list):
        return "a list"
    if tree.value is None:
        return "nothing"
    short = tree.raw if len(tree.raw) <= 60 else tree.raw[:60] + "..."
    return f"the text {short!r}" if isinstance(tree.value, str) else short


def _convert_scalar(kind: Any, tree: Tree, problems: Problems) -> Any:
    value = tree.value
    if isinstance(value, str) and kind is not str and "${" in tree.raw:
        value = scalar_value(value)  # inside {...} and [...] YAML wants a variable in quotes
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return _wrong(tree, "a number that is not infinite", problems)
    if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
        return value
    remedy = ""
    if kind is str and isinstance(value, (int, float)):
        remedy = f'write it in quotes: "{tree.raw}"'
    elif isinstance(value, str) and value.strip().lstrip("+-").isdigit() and "${" not in tree.raw:
        remedy = "write it without quotes"
    return _wrong(tree, _WORDS[kind], problems, remedy)


def _convert_word(words: Any, tree: Tree, problems: Problems) -> Any:
    for word in words:
        if word == tree.value and type(word) is type(tree.value):
            return word
    known = [str(word) for word in words]
    return _wrong(tree, " or ".join(known), problems, _near(str(tree.value), known))


def _near(word: str, known: list[str]) -> str:
    found = did_you_mean(word, known)
    return found if found.startswith("did") else ""


def _convert_union(kinds: Any, tree: Tree, problems: Problems) -> Any:
    attempt = Problems()
    for kind in kinds:
        attempt = Problems()
        value = convert(kind, tree, attempt)
        if not attempt.found:
            return value
    others = [kind for kind in kinds if kind is not type(None)]
    if len(others) == 1:
        return convert(others[0], tree, problems)
    problems.found.extend(attempt.found)
    return _WRONG


def _convert_list(kind: type[Any], arguments: Any, tree: Tree, problems: Problems) -> Any:
    if not isinstance(tree.value, list):
        remedy = f"write [{tree.raw!r}]" if isinstance(tree.value, str) else ""
        return _wrong(tree, "a list", problems, remedy)
    hints: list[Any] = [arguments[0] if arguments else Any] * len(tree.value)
    if kind is tuple and arguments and arguments[-1] is not Ellipsis:
        hints = list(arguments)
        if len(hints) != len(tree.value):
            return _wrong(tree, f"a list of {len(hints)}", problems)
    items = [convert(hint, child, problems) for hint, child in zip(hints, tree.value, strict=True)]
    make_kind: Callable[[list[Any]], Any] = kind
    return _WRONG if any(item is _WRONG for item in items) else make_kind(items)


def _convert_mapping(arguments: Any, tree: Tree, problems: Problems) -> Any:
    if not isinstance(tree.value, dict):
        return _wrong(tree, "a mapping", problems)
    hint = arguments[1] if len(arguments) == 2 else Any
    items = {key: convert(hint, child, problems) for key, child in tree.value.items()}
    return _WRONG if any(item is _WRONG for item in items.values()) else items


def _fits(hint: Any, used: Tree, problems: Problems) -> bool:
    """Whether a stage below another is of the kind that stands there: a parser for a parser."""
    package, _, rest = str(getattr(hint, "__module__", "")).partition(".")
    role, name = rest.partition(".")[0], str(used.value)
    if package != "docpipe" or role in ("", "protocols") or name.startswith(f"{role}."):
        return True
    remedy = f"stages named {role}.* do"
    problems.add(used.place, f"`{name}` does not belong here", remedy=remedy, kind=StageMismatch)
    return False


def _convert_object(hint: Any, tree: Tree, problems: Problems) -> Any:
    """A stage by its name, or by `use` and options; a dataclass by its options alone."""
    named = tree
    if isinstance(tree.value, str):
        named = Tree({"use": tree}, tree.place)
    if isinstance(named.value, dict) and "use" in named.value:
        made = make_stage(named, problems) if _fits(hint, named.value["use"], problems) else None
    elif dataclasses.is_dataclass(hint) and isinstance(hint, type) and isinstance(named.value, dict):
        made = make(hint, named, problems)
    else:
        return _wrong(tree, "a stage (`use: name`) or its options", problems)
    return _WRONG if made is None else made
