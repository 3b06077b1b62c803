"""The account that a run closes -> HTML tables (pure)."""

from html import escape

from docpipe.pipeline.report.reports import Account, RunReport, Sums
from docpipe.pipeline.report.safe_text import safe

_COLUMNS = ("found", "indexed", "updated", "unchanged", "deleted", "failed", "ignored", "waiting")


def account_tables(report: RunReport) -> str:
    """Files and pages, each with what is missing, then the text: covered by chunks, left out by kind, or neither."""
    account = report.account
    heads = "".join(f"<th>{name}</th>" for name in ("", *_COLUMNS, "gap"))
    rows = _row("files", account.files) + _row("pages", account.pages)
    word = "closed: nothing is lost" if account.closed else "not closed: see what is accounted for nowhere"
    return (
        f"<p>The account is {word}.</p>"
        f'<div class="wide"><table class="figures"><tr>{heads}</tr>{rows}</table></div>{_text_table(account)}'
    )


def _row(name: str, sums: Sums) -> str:
    cells = "".join(f"<td>{getattr(sums, column):,}</td>" for column in _COLUMNS)
    return f"<tr><th>{name}</th>{cells}{_gap(sums.gap)}</tr>"


def _text_table(account: Account) -> str:
    if not account.characters:
        return ""
    rows = {"in chunks": account.covered, **{f"left out: {kind}": count for kind, count in account.left_out.items()}}
    lines = "".join(f"<tr><th>{escape(safe(name))}</th>{_share(count, account)}</tr>" for name, count in rows.items())
    missing = account.characters - sum(rows.values())
    total = f"<tr><th>characters of text</th><td>{account.characters:,}</td><td></td></tr>"
    return f'<table class="figures">{total}{lines}<tr><th>gap</th>{_gap(missing)}<td></td></tr></table>'


def _share(count: int, account: Account) -> str:
    return f"<td>{count:,}</td><td>{count / account.characters:.2%}</td>"


def _gap(count: int) -> str:
    return f'<td class="{"bad" if count else "good"}">{count:,}</td>'
