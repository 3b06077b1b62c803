"""What Python's reader of TOML gives -> values (pure)."""

from typing import Any

from docpipe.parse.data.values import Record, Value, checked


def toml_value(found: Any) -> Value:
    """The value, its numbers as whole numbers or as written, dates ISO 8601."""
    return checked(_value(found))


def _value(found: Any) -> Value:
    if isinstance(found, dict):
        return Record(tuple((key, _value(value)) for key, value in found.items()))
    if isinstance(found, list):
        return [_value(value) for value in found]
    if isinstance(found, bool):
        return str(found).lower()
    return found.isoformat() if hasattr(found, "isoformat") else str(found)
