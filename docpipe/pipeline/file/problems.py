"""What is wrong with a pipeline file -> one error that tells all of it (pure)."""

import difflib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from docpipe.errors import ConfigError


class Place(NamedTuple):
    """Where something stands in a pipeline file."""

    file: str
    line: int = 0
    """From 1; 0 where there is no line to name."""
    key: str = ""
    """Path of keys, as `stages[1].max_tokens`."""

    def __str__(self) -> str:
        line = f":{self.line}" if self.line else ""
        return f"{self.file}{line}: {self.key}" if self.key else f"{self.file}{line}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A remedy that names the nearest known word, or all of them where none is near."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean `{near[0]}`?"
    return f"known: {', '.join(names)}" if names else ""


class Problems:
    """Collects the problems of one file, so that all are told at once."""

    def __init__(self) -> None:
        self.found: list[tuple[int, ConfigError]] = []

    def add(self, place: Place, message: str, *, remedy: str = "", kind: type[ConfigError] = ConfigError) -> None:
        """Note one problem."""
        self.found.append((place.line, kind(message, where=str(place), remedy=remedy)))

    def raise_all(self) -> None:
        """Raise what was found, in the order of the file: one problem as itself, several as one ConfigError.

        Raises:
            ConfigError: `str` gives one line per problem, `problems` each of them.
        """
        raise_problems([error for _, error in sorted(self.found, key=lambda item: item[0])])


def raise_problems(problems: Sequence[ConfigError]) -> None:
    """Raise one problem as itself, several as one ConfigError, none not at all."""
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise ConfigError("\n".join(str(problem) for problem in problems), problems=problems)
