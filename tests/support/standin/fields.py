"""Request bodies against the contract's field tables (pure)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from standin.refusals import invalid, missing, unknown


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """What a field may hold. Null stands for "not given" in optional ones."""

    types: tuple[type, ...]
    required: bool = False
    low: float | None = None
    high: float | None = None
    shortest: int = 0
    longest: int = 0
    values: Sequence[Any] = ()
    check: Callable[[Any], str] | None = None
    """Says what is wrong, or nothing."""


REQUEST_ID = Field(types=(str,), shortest=6, longest=64)
USER_ID = Field(types=(str,), shortest=6, longest=128)
FLAG = Field(types=(bool,))
TEXT = Field(types=(str,))
ANY = Field(types=(object,))


def number(low: float | None = None, high: float | None = None) -> Field:
    return Field(types=(int, float), low=low, high=high)


def whole(low: float | None = None, high: float | None = None) -> Field:
    return Field(types=(int,), low=low, high=high)


def one_of(*values: str, required: bool = False) -> Field:
    return Field(types=(str,), values=values, required=required)


def check(body: Any, fields: Mapping[str, Field], *, within: str = "") -> None:
    """Refuse a body with a field that is missing, unknown, of the wrong type or out of range.

    Raises:
        Refusal: 1213, 1210 or 1214.
    """
    if not isinstance(body, dict):
        raise invalid(f"{within or 'the body'} must be an object")
    for name in body:
        if name not in fields:
            raise unknown(f"{within}.{name}" if within else name)
    for name, field in fields.items():
        value = body.get(name)
        if value is not None:
            _check_value(value, field, f"{within}.{name}" if within else name)
        elif field.required:
            raise missing(f"{within}.{name}" if within else name)


def _check_value(value: Any, field: Field, name: str) -> None:
    if isinstance(value, bool) and bool not in field.types and object not in field.types:
        raise invalid(f"{name} must not be a boolean")
    if not isinstance(value, field.types):
        raise invalid(f"{name} has the wrong type: {type(value).__name__}")
    if field.values and value not in field.values:
        raise invalid(f"{name} must be one of {', '.join(map(str, field.values))}")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if field.low is not None and value < field.low:
            raise invalid(f"{name} must be at least {field.low}")
        if field.high is not None and value > field.high:
            raise invalid(f"{name} must be at most {field.high}")
    if isinstance(value, (str, list)):
        if field.shortest and len(value) < field.shortest:
            raise invalid(f"{name} is shorter than {field.shortest}" if value else f"{name}: Input cannot be empty")
        if field.longest and len(value) > field.longest:
            raise invalid(f"{name} is longer than {field.longest}")
    if field.check and (wrong := field.check(value)):
        raise invalid(f"{name}: {wrong}")
