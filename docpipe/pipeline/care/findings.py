"""What a check found, and the command that repairs it."""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass

LISTED = 20
"""Items that a finding names; the rest is counted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One check of an index."""

    check: str
    """Its name: `rows`, `ledger`, `duplicates`, `vectors`, `model`, `text`, `nearest`, `readable`, `parsed`, ..."""
    ok: bool
    what: str
    """One sentence: what is wrong, or what was looked at."""
    items: tuple[str, ...] = ()
    """What it is about: uris, chunk ids or file names; no more than `LISTED`."""
    count: int = 0
    """How many there are."""
    repair: str = ""
    """The command that repairs it, or what to do first where no command can; nothing where all is well."""
    fixable: bool = False
    """Whether `docpipe doctor --fix` does it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Examination:
    """All checks of an index, and what was mended before they were made."""

    pipeline: str
    findings: tuple[Finding, ...]
    done: tuple[str, ...] = ()
    """What `--fix` did, one line each."""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return all(finding.ok for finding in self.findings)


@dataclass(frozen=True, kw_only=True, slots=True)
class Commands:
    """The commands that repairs name."""

    path: str
    """Of the pipeline file."""

    @property
    def fix(self) -> str:
        """Repairs what can be repaired."""
        return f"docpipe doctor {shlex.quote(self.path)} --fix"

    @property
    def run(self) -> str:
        """Brings the index in line with its sources."""
        return f"docpipe run {shlex.quote(self.path)}"


def fine(check: str, what: str) -> Finding:
    """Nothing is wrong."""
    return Finding(check=check, ok=True, what=what)


def wrong(check: str, what: str, *, repair: str, items: Iterable[str] = (), fixable: bool = True) -> Finding:
    """Something is wrong."""
    named = list(items)
    return Finding(
        check=check,
        ok=False,
        what=what,
        items=tuple(named[:LISTED]),
        count=len(named),
        repair=repair,
        fixable=fixable,
    )
