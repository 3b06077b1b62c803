"""Stages -> what their worker processes may use beyond what every worker may (pure).

A stage says so by two attributes: `STARTS_PROGRAMS`, the names of programs that it starts, and `environment_names`,
the names of environment variables that it reads in a worker.
"""

import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_HARMLESS = (
    "APPDATA",
    "COMSPEC",
    "CONDA_PREFIX",
    "COVERAGE_*",
    "DYLD_*",
    "GLIBC_TUNABLES",
    "HOME",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "LD_*",
    "LOCALAPPDATA",
    "MALLOC_*",
    "NUMBER_OF_PROCESSORS",
    "PATH",
    "PATHEXT",
    "PROCESSOR_*",
    "PROGRAMDATA",
    "PROGRAMFILES*",
    "PYTHON*",
    "SYSTEMDRIVE",
    "SYSTEMROOT",
    "TZ",
    "TZDIR",
    "USERPROFILE",
    "VIRTUAL_ENV",
    "WINDIR",
)
"""What interpreters and libraries need to be found and to start. Nothing here is a secret by custom."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Grants:
    """What a worker may use beyond the rest."""

    programs: tuple[str, ...] = ()
    """Names of programs, as they are looked up on PATH, or their paths."""
    environment: tuple[str, ...] = ()
    """Names of environment variables."""


def grants(stages: Iterable[object]) -> Grants:
    """What these stages ask for, together."""
    programs: set[str] = set()
    names: set[str] = set()
    for stage in stages:
        programs.update(getattr(stage, "STARTS_PROGRAMS", ()))
        names.update(getattr(stage, "environment_names", ()))
    return Grants(programs=tuple(sorted(programs)), environment=tuple(sorted(names)))


def environment(own: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Of the variables of the main process, those that a worker gets: harmless ones, and those named."""
    granted = frozenset(names)
    return {name: value for name, value in own.items() if name in granted or _is_harmless(name)}


def _is_harmless(name: str) -> bool:
    return any(fnmatch.fnmatchcase(name.upper(), pattern) for pattern in _HARMLESS)
