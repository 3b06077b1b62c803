"""Accounts and past runs -> lines of text for a terminal (pure)."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from docpipe.pipeline.report.reports import Account, StatusReport
from docpipe.pipeline.report.safe_text import one_line

_COUNTS = ("indexed", "updated", "deleted", "failed", "ignored", "waiting")
_LISTED = 50


def account_text(account: Account) -> str:
    """One line for an account that is closed; what is accounted for nowhere, each named, for one that is not."""
    text = coverage(account.characters, account.covered, account.left_out)
    found = f"{account.files.found:,} files found" if account.files.found else ""
    said = "; ".join(part for part in (found, text) if part)
    if account.closed:
        return f"account closed: {said}\n" if said else ""
    head = f"the account is not closed: {account.files.gap:,} files and {account.pages.gap:,} pages are missing; {said}"
    lines = [f"  {one_line(gap)}" for gap in account.gaps[:_LISTED]]
    more = len(account.gaps) - _LISTED
    lines += [f"  ... and {more:,} more (--json gives all)"] if more > 0 else []
    return "".join(f"{line}\n" for line in [head, *lines])


def coverage(characters: int, covered: int, left_out: Mapping[str, int]) -> str:
    """How much of the text is in chunks, how much is left out on purpose, and how much is in neither."""
    if not characters:
        return ""
    kinds = ", ".join(f"{count:,} {one_line(kind)}" for kind, count in left_out.items() if count)
    missing = characters - covered - sum(left_out.values())
    parts = [f"{characters:,} characters of text, {covered / characters:.1%} in chunks"]
    parts += [f"left out on purpose: {kinds}"] if kinds else []
    parts += [f"{missing:,} in no chunk"] if missing else []
    return "; ".join(parts)


def standing_lines(report: StatusReport) -> dict[str, str]:
    """What a status says beyond the index's own figures; nothing where there is nothing to say."""
    held = report.published and report.published != report.version
    failing = [f"{report.stale:,} of them stale: an older version is searchable"] if report.stale else []
    if report.waiting:
        failing.append(f"{report.waiting:,} tried again by themselves, the first {moment(report.next_try)}")
    return {
        **({"published": f"{report.published}; a newer one waits (docpipe run --stage)"} if held else {}),
        **({"quarantine": "; ".join(failing)} if failing else {}),
        **({"text": text} if (text := coverage(report.characters, report.covered, report.left_out)) else {}),
        **({"gaps": ", ".join(report.gaps[:5]) + (", ..." if len(report.gaps) > 5 else "")} if report.gaps else {}),
        **({"at work": report.lease} if report.lease else {}),
    }


def runs_text(runs: Iterable[Mapping[str, Any]]) -> str:
    """The last runs, one line each."""
    lines = [f"  {_run_line(run)}" for run in runs]
    return "".join(f"{line}\n" for line in ["\nlast runs:", *lines]) if lines else ""


def _run_line(run: Mapping[str, Any]) -> str:
    name = one_line(str(run.get("run_id", "")))
    if run.get("finished") is False:
        error = run.get("ended_by")
        why = f"ended by {error['type']}: {error['error']}" if error else "at work, or killed before its end"
        return f"{name}  began {moment(float(run.get('started') or 0))}: {one_line(why)}"
    counts = ", ".join(f"{run[name]:,} {name}" for name in _COUNTS if isinstance(run.get(name), int) and run[name])
    kind = "restored" if run.get("kind") == "restore" else ""
    stopped = f"stopped: {run['stopped']}" if run.get("stopped") else ""
    said = "; ".join(part for part in (kind, stopped, counts or "nothing changed") if part)
    word = "failed" if run.get("failing") else "stopped" if stopped else "ok"
    cost = f", {float(run['cost_usd']):.4f} USD" if run.get("cost_usd") else ""
    return f"{name}  {word:7}  {one_line(said)}, {float(run.get('seconds') or 0):,.1f} s{cost}"


def moment(seconds: float) -> str:
    """A time for people, in UTC."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds)) if seconds else "unknown"
