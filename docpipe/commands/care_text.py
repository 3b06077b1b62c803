"""What a doctor found -> text for people (pure)."""

from typing import TYPE_CHECKING

from docpipe.console import safe

if TYPE_CHECKING:
    from docpipe.pipeline.care.findings import Examination, Finding


def examination_text(found: "Examination") -> str:
    """What was mended, a line for each check, and how to repair what is wrong."""
    wrong = [finding for finding in found.findings if not finding.ok]
    lines = [*(f"mended  {safe(line)}" for line in found.done), *map(_line, found.findings)]
    return "".join(f"{line}\n" for line in lines) + _sum(found, wrong)


def _line(finding: "Finding") -> str:
    if finding.ok:
        return f"ok      {finding.check:10}  {safe(finding.what)}"
    more = [f"... and {finding.count - len(finding.items):,} more"] if finding.count > len(finding.items) else []
    items = [f"                      {safe(item)}" for item in (*finding.items, *more)]
    remedy = f"                    repair: {safe(finding.repair)}" if finding.repair else ""
    return "\n".join(line for line in (f"WRONG   {finding.check:10}  {safe(finding.what)}", *items, remedy) if line)


def _sum(found: "Examination", wrong: "list[Finding]") -> str:
    if not wrong:
        again = ", and the next run does the rest" if found.done else ""
        return f"{safe(found.pipeline)}: all is well{again}\n"
    repairs = list(dict.fromkeys(finding.repair for finding in wrong if finding.repair))
    then = "".join(f"  {safe(repair)}\n" for repair in repairs)
    return f"{safe(found.pipeline)}: {len(wrong):,} of {len(found.findings):,} checks failed; to repair\n{then}"
