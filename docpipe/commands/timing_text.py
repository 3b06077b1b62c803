"""How runs that began by themselves went -> a line each (pure)."""

from datetime import datetime

from docpipe.console import safe
from docpipe.pipeline.schedule.child import Done

_COUNTS = ("indexed", "updated", "unchanged", "deleted", "failed", "waiting")


def run_line(done: Done, *, ended: datetime, why: str = "") -> str:
    """When a run ended, what it did, and how.

    Args:
        why: it was begun; nothing where the time alone was the reason.
    """
    form = done.form
    name = f"run {form['run_id']}" if form.get("run_id") else "run"
    reason = f" ({why})" if why else ""
    facts = [_what(done), f"{done.seconds:.1f} s"]
    if form.get("cost_usd"):
        facts.append(f"{form['cost_usd']:.4f} USD")
    if form.get("stopped"):
        facts.append(f"stopped by {form['stopped']}, the next run goes on")
    if form.get("published") is False and not form.get("stopped"):
        facts.append("not published: readers keep the version before")
    return safe(f"{_moment(ended)}  {name}{reason}: {'; '.join(facts)}; {_code(done.code)}") + "\n"


def next_line(due: datetime, *, now: datetime) -> str:
    """When the next run begins."""
    return f"{_moment(now)}  the next run begins at {due:%Y-%m-%d %H:%M:%S %Z}\n"


def end_line(runs: int, failed: int, *, reason: str, now: datetime) -> str:
    """What there was, at the end."""
    failures = f", {failed} of them with failures" if failed else ""
    return f"{_moment(now)}  ended by {reason} after {runs} run{'s' if runs != 1 else ''}{failures}\n"


def _what(done: Done) -> str:
    error = done.form.get("error")
    if error:
        where = f"{error['where']}: " if error.get("where") else ""
        remedy = f" ({error['remedy']})" if error.get("remedy") else ""
        return " ".join(f"{where}{error.get('message', '')}{remedy}".split())
    counts = [f"{done.form[name]} {name}" for name in _COUNTS if done.form.get(name)]
    return ", ".join(counts) if done.form else "it left no report"


def _code(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit {code}"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
