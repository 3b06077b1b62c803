"""Reports, hits and answers -> text for people, and the progress of a run on standard error."""

import contextlib
import io
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO

from docpipe.pipeline.report.account_lines import account_text, moment, runs_text, standing_lines
from docpipe.pipeline.report.logs import current_run
from docpipe.pipeline.report.reports import Event, FailureRow, PagesOf, Plan, RunReport, StatusReport
from docpipe.pipeline.report.safe_text import safe as safe
from docpipe.prompt.builder import Built
from docpipe.prompt.prefix import Difference, digest
from docpipe.prompt.saved import cacheable_share
from docpipe.types import Answer, Chunk, Citation, Elsewhere, Hit, Outcome, Status, Usage

if TYPE_CHECKING:
    from rich.table import Table

_LISTED = 50
"""Items of a list that are shown; the rest is counted."""
_MOST_PLACES = 5
_BOILERPLATE = "boilerplate: nearly all of it stands in many documents"
_STALE = "stale: the file has changed since, and cannot be indexed as it is now; `docpipe failures` says why"


def pages_of(pages: Sequence[int]) -> str:
    """Page numbers as people write them: `3, 5-7`."""
    runs: list[list[int]] = []
    for page in sorted(set(pages)):
        if runs and page == runs[-1][1] + 1:
            runs[-1][1] = page
        else:
            runs.append([page, page])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def run_text(report: RunReport) -> str:
    """The table at the end of a run, with what failed and what to try."""
    table = _table("", "documents")
    for name in ("indexed", "updated", "unchanged", "deleted", "failed", "stale", "ignored", "waiting"):
        if getattr(report, name) or name in ("indexed", "unchanged", "failed"):
            table.add_row(name, f"{getattr(report, name):,}")
    work = f"{report.pages:,} pages, {report.chunks:,} chunks, {report.embedded:,} embedded, {report.reused:,} reused"
    parts = [_rendered(table), f"{work}, {report.seconds:.1f} s, index version {report.version}\n"]
    if report.recognised or report.remembered:
        parts.append(f"{report.recognised:,} pages read by a service, {report.remembered:,} known from before\n")
    if report.requests:
        parts.append(f"cost: {_money(report.cost_usd)}: {report.requests:,} calls, {report.tokens:,} tokens\n")
    parts.append(account_text(report.account))
    if report.renamed or report.touched:
        parts.append(f"{report.renamed:,} renamed, {report.touched:,} touched: nothing of them was parsed again\n")
    parts.append(f"stopped early: {safe(report.stopped)}; the next run goes on\n" if report.stopped else "")
    parts.append("" if report.published else "not published: readers still see the version before\n")
    parts += [f"upkeep: {safe(done)}\n" for done in report.upkeep]
    parts += [f"note: {safe(remark)}\n" for remark in report.remarks]
    parts.append(f"report: {safe(report.page)}\n" if report.page else "")
    parts.append(_outcomes("failed", report.failures))
    parts.append(_by_reason((item.error.message if item.error else "", item.uri) for item in report.left_out))
    parts.append(_needing_ocr(report.needs_ocr, asked=bool(report.recognised or report.remembered)))
    return "".join(parts)


def plan_text(plan: Plan) -> str:
    """What a run would do."""
    table = _table("", "documents")
    for name in ("added", "changed", "renamed", "unchanged", "deleted"):
        table.add_row(name, f"{getattr(plan, name):,}")
    wanted = [item for item in plan.items if item.action != "ignore"]
    lines = [f"{item.action:9}  {safe(item.uri)}  ({safe(item.why)})" for item in wanted[:_LISTED]]
    lines += _more(len(wanted))
    ignored = _by_reason((item.why, item.uri) for item in plan.items if item.action == "ignore")
    work = (
        f"{plan.pages:,} pages to parse, {plan.ocr_pages:,} of them by OCR, about {plan.embed_tokens:,} tokens to embed"
    )
    calls = f" for {plan.requests:,} calls" if plan.requests else ""
    lines = [
        f"{work}, {_money(plan.cost_usd)}{calls}, about {plan.minutes:,.1f} minutes",
        *(f"note: {safe(remark)}" for remark in plan.remarks),
        *lines,
    ]
    return _rendered(table) + "".join(f"{line}\n" for line in lines) + ignored


def hits_text(hits: Sequence[Hit], around: Mapping[str, Sequence[Chunk]]) -> str:
    """Hits, best first, each with its place and its text."""
    if not hits:
        return "nothing found\n"
    return "\n".join(_hit(hit, around.get(hit.chunk.id, ())) for hit in hits)


def answer_text(answer: Answer) -> str:
    """The answer, then its proofs."""
    return safe(answer.text).strip() + "\n" + proofs_text(answer)


def proofs_text(answer: Answer) -> str:
    """What stands behind an answer's text: its proofs, what else to know, what it cost."""
    parts = ["\n", *(_citation(citation) for citation in answer.citations)] if answer.citations else []
    notes = [*(["the answer was cut off"] if answer.partial and not answer.remarks else []), *answer.remarks]
    parts += ["\n", *(f"note: {safe(note)}\n" for note in notes)] if notes else []
    usage = answer.usage
    if usage.prompt_tokens or answer.cost_usd:
        parts.append(f"\n{_money(answer.cost_usd)}: {_tokens(usage)}\n")
    return "".join(parts)


def spent_text(answers: Sequence[Answer]) -> str:
    """What a conversation read, wrote and cost; nothing where no model was asked."""
    usage = Usage(
        prompt_tokens=sum(answer.usage.prompt_tokens for answer in answers),
        cached_tokens=sum(answer.usage.cached_tokens for answer in answers),
        completion_tokens=sum(answer.usage.completion_tokens for answer in answers),
        predicted_cached_tokens=sum(answer.usage.predicted_cached_tokens for answer in answers),
    )
    cost = sum(answer.cost_usd for answer in answers)
    if not usage.prompt_tokens and not cost:
        return ""
    expected = f", {usage.predicted_cached_tokens:,} were expected to be" if usage.predicted_cached_tokens else ""
    many = "1 answer" if len(answers) == 1 else f"{len(answers)} answers"
    return f"{many}, {_money(cost)}: {_tokens(usage)}{expected}\n"


def prompt_text(built: Built) -> str:
    """A prompt as the model gets it, then its parts with their tokens."""
    parts = [
        f"--- {part.name} ({part.role}{', stable' if part.stable else ''})\n{safe(part.text)}\n"
        for part in built.prompt.segments
    ]
    table = _table("part", "tokens", "share")
    for name, tokens in built.tokens.items():
        if tokens:
            table.add_row(name, f"{tokens:,}", f"{tokens / built.total:.1%}")
    table.add_row("all", f"{built.total:,}", "")
    left_out = [f"{built.dropped:,} sources"] * bool(built.dropped) + [f"{built.forgotten:,} turns"] * bool(
        built.forgotten
    )
    facts = {
        "digest": digest(built.prompt),
        "cacheable": f"{cacheable_share(built):.1%} of this prompt; in the next turn of a conversation, all of it",
        "sources": f"{len(built.shown)} shown",
        **({"left out": f"{' and '.join(left_out)}, for which there was no room"} if left_out else {}),
    }
    return "".join(parts) + "\n" + _rendered(table) + _pairs(facts)


def difference_text(found: Difference) -> str:
    """Where two prompts part, and what that costs."""
    if found.extends:
        return (
            f"the second prompt begins with the whole first: {found.cached_tokens:,} tokens can come from the cache\n"
        )
    lost = "at a price that is not known" if found.lost_usd is None else f"which costs {found.lost_usd:.6f} USD more"
    return (
        f"the prompts differ from byte {found.byte:,} on, in the part `{found.segment}`:\n"
        f"  first:  {_shown(found.before)}\n  second: {_shown(found.after)}\n"
        f"{found.cached_tokens:,} tokens before it can come from the cache, "
        f"{found.lost_tokens:,} behind it cannot, {lost}\n"
    )


def status_text(report: StatusReport) -> str:
    """What the index holds."""
    stats = report.stats
    vector = f"{stats.vector_index}, recall@10 {stats.vector_recall:.3f}" if stats.vector_index else "exact search"
    rows = {
        "pipeline": report.name,
        "index": report.index,
        "version": str(report.version),
        "documents": f"{report.documents:,}",
        "chunks": f"{report.chunks:,} ({stats.text_rows:,} in the full-text index)",
        "failed": f"{report.failed:,}" + (" (docpipe failures tells why)" if report.failed else ""),
        "size": f"{stats.bytes / 1e6:,.1f} MB",
        "vectors": vector,
        **{name.replace("_", " "): str(value) for name, value in stats.facts.items()},
        **standing_lines(report),
        "last run": _last_run(report.last_run),
        **_spent(report.last_run),
    }
    return _pairs(rows) + runs_text(report.runs)


def failures_text(rows: Sequence[FailureRow]) -> str:
    """What failed, why, and what to try."""
    if not rows:
        return "no document has failed\n"
    parts = []
    for row in rows:
        tries = f"{row.attempts} tries" if row.attempts != 1 else "1 try"
        parts.append(f"{safe(row.uri)}\n  {row.stage}: {row.error.type}: {safe(row.error.message)}\n")
        parts.append(f"  remedy: {safe(row.error.remedy)}\n" if row.error.remedy else "")
        parts.append(f"  {tries}, the last {moment(row.last)}\n")
    return "".join(parts)


def stages_text(stages: Mapping[str, Sequence[tuple[str, Mapping[str, Any]]]]) -> str:
    """A pipeline's stages with their options, by section."""
    lines = []
    for section, members in stages.items():
        for name, options in members:
            shown = ", ".join(f"{key}={value!r}" for key, value in options.items())
            lines.append(f"{section:9} {name}  {safe(shown)}".rstrip())
    return "".join(f"{line}\n" for line in lines)


class RunProgress:
    """Tells a run's events on standard error: a bar on a terminal, one line per document otherwise."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if self._stream.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
            self._bar = Progress(*columns, console=Console(file=self._stream), transient=True)
            self._bar.start()
            self._task = self._bar.add_task("looking for documents", total=None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if self._bar is None:
            if event.kind == "outcome" and event.outcome is not None:
                self._log(event, event.outcome)
            return
        words = {"maintenance": "looking after the index", "found": "reading"}.get(event.kind)
        name = safe(event.uri)[-60:].replace("[", "\\[")
        if event.kind == "outcome":
            words = name
        elif event.kind == "reading":
            words = f"{name}: {event.count:,} of {event.total:,} pages read by a service"
        facts: dict[str, Any] = {"description": words} if words else {}
        if event.kind == "outcome":
            facts["completed"] = event.count
        if event.total and event.kind != "reading":
            facts["total"] = event.total
        if facts:
            self._bar.update(self._task, **facts)

    def _log(self, event: Event, outcome: Outcome) -> None:
        if outcome.status == Status.UNCHANGED:
            return
        if outcome.error is not None:
            detail = f"{outcome.error.type}: {safe(outcome.error.message)}"
        else:
            pages = f"{outcome.pages} pages, " if outcome.pages else ""
            detail = f"{pages}{outcome.chunks} chunks, {outcome.seconds:.1f} s"
        total = f" {event.count}/{event.total}" if event.total else ""
        name = safe(outcome.uri).replace("\n", "\\n")
        run = f"{run_id} " if (run_id := current_run()) else ""
        line = f"{run}{outcome.status}{total} {name}: {detail}\n".encode("utf-8", "replace").decode("utf-8")
        with contextlib.suppress(OSError):  # whoever read along is gone: no reason to end the run
            self._stream.write(line)


def _table(*headings: str) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="left" if number == 0 else "right")
    return table


def _rendered(thing: Any) -> str:
    from rich.console import Console

    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else 120
    buffer = io.StringIO()
    Console(file=buffer, width=width, force_terminal=terminal).print(thing)
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines() if line.strip()) + "\n"


def _pairs(rows: Mapping[str, str]) -> str:
    width = max(len(name) for name in rows)
    return "".join(f"{name:{width}}  {safe(value)}\n" for name, value in rows.items())


def _last_run(facts: Mapping[str, Any]) -> str:
    if not facts:
        return "none yet"
    names = ("indexed", "updated", "deleted", "failed", "ignored", "pages", "chunks", "embedded", "reused")
    counts = ", ".join(f"{facts[name]:,} {name}" for name in names if facts.get(name))
    ended = moment(float(facts.get("ended", 0)))
    return f"{ended}: {counts or 'nothing to do'}, {float(facts.get('seconds', 0)):.1f} s"


def _spent(facts: Mapping[str, Any]) -> dict[str, str]:
    """What services cost so far; nothing where they cost nothing."""
    last, all_runs = float(facts.get("cost_usd", 0)), float(facts.get("spent_usd", 0))
    return {"spent": f"{_money(all_runs)} by all runs, {_money(last)} by the last"} if all_runs else {}


def _by_reason(ignored: Iterable[tuple[str, str]]) -> str:
    """Reasons and uris of what is not indexed, by reason: there may be thousands of one."""
    reasons: dict[str, list[str]] = {}
    for reason, uri in ignored:
        reasons.setdefault(reason, []).append(uri)
    lines = ["\nignored:"] if reasons else []
    for reason, uris in reasons.items():
        more = f", ... {len(uris):,} in all" if len(uris) > 5 else ""
        lines.append(f"  {safe(reason)}: {safe(', '.join(uris[:5]))}{more}")
    return "".join(f"{line}\n" for line in lines)


def _outcomes(title: str, items: Sequence[Outcome]) -> str:
    if not items:
        return ""
    lines = [f"\n{title}:"]
    for item in items[:_LISTED]:
        error = item.error
        lines.append(f"  {safe(item.uri)}: {safe(error.message)}" if error else f"  {safe(item.uri)}")
        if error and error.remedy and item.status == Status.FAILED:
            lines.append(f"    remedy: {safe(error.remedy)}")
    return "".join(f"{line}\n" for line in [*lines, *_more(len(items))])


def _more(count: int) -> list[str]:
    return [f"  ... and {count - _LISTED:,} more (--json gives all)"] if count > _LISTED else []


def _needing_ocr(items: Sequence[PagesOf], *, asked: bool) -> str:
    if not items:
        return ""
    lines = [f"  {safe(item.uri)}: {pages_of(item.pages)}" for item in items[:_LISTED]]
    head = "\npages that show something but hold no text that can be trusted; OCR would be needed:"
    if asked:
        head = "\npages that could not be read, by OCR neither; `docpipe run --full` has them tried again:"
    return "".join(f"{line}\n" for line in [head, *lines, *_more(len(items))])


def _place(uri: str, pages: Sequence[int]) -> str:
    where = f" p. {pages_of(pages)}" if pages else ""
    return f"{safe(uri)}{where}"


def _hit(hit: Hit, around: Sequence[Chunk]) -> str:
    chunk = hit.chunk
    head = f"{hit.rank}. {_place(chunk.source.uri, chunk.pages)}  (score {hit.score:.3f}, {'+'.join(hit.found_by)})"
    path = " > ".join(chunk.headings)
    before = [f"  | {_short(other)}\n" for other in around if other.position < chunk.position]
    after = [f"  | {_short(other)}\n" for other in around if other.position > chunk.position]
    text = safe(_readable(chunk.text)).strip()
    body = "".join(f"   {line}\n" for line in text.splitlines() if line.strip())
    title = f"   [{safe(path)}]\n" if path else ""
    mark = f"   ({_STALE})\n" if hit.stale else ""
    mark += f"   ({_BOILERPLATE})\n" if hit.boilerplate else ""
    mark += _said(chunk.metadata) + _elsewhere(hit.also_in)
    return f"{head}\n{mark}{title}{''.join(before)}{body}{''.join(after)}"


def _said(metadata: Mapping[str, str]) -> str:
    """Who wrote it and when, and what it is called, where the document says so."""
    if not metadata.get("authors") and not metadata.get("created"):
        return ""
    facts = [metadata.get(name, "") for name in ("title", "authors")] + [metadata.get("created", "")[:10]]
    return "   " + ", ".join(fact[:120] for fact in map(safe, facts) if fact) + "\n"


def _elsewhere(places: Sequence[Elsewhere]) -> str:
    """Where else the same text stands."""
    more = f" and {len(places) - _MOST_PLACES} more" if len(places) > _MOST_PLACES else ""
    named = ", ".join(_place(place.uri, place.pages) for place in places[:_MOST_PLACES])
    return f"   (also in {named}{more})\n" if places else ""


def _short(chunk: Chunk) -> str:
    text = " ".join(safe(_readable(chunk.text)).split())
    return text if len(text) <= 200 else text[:200] + "..."


def _readable(text: str) -> str:
    from docpipe.tables import without_tags

    return without_tags(text)


def _citation(citation: Citation) -> str:
    place = _web_place(citation) if citation.url else _place(citation.uri, citation.pages)
    proof = "" if citation.verified else "  (not verified: the quote was not found again in the source)"
    proof += f"  ({_STALE})" if citation.stale else ""
    quote = " ".join(safe(_readable(citation.quote)).split())
    return f"{citation.marker} {place}{proof}\n    “{quote}”\n{_elsewhere(citation.also_in)}"


def _web_place(citation: Citation) -> str:
    date = f", {citation.published}" if citation.published else ""
    return " ".join(safe(f"{citation.title} <{citation.url}>{date}").split())


def _money(usd: float) -> str:
    return f"{usd:.4f} USD"


def _tokens(usage: Usage) -> str:
    cached = f" ({usage.cached_tokens:,} of them cached)" if usage.cached_tokens else ""
    return f"{usage.prompt_tokens:,} tokens read{cached}, {usage.completion_tokens:,} written"


def _shown(text: str) -> str:
    return repr(text) if text else "(its end)"
