"""Reports, hits, answers, errors -> the JSON promised to programs (pure). Fields may be added, never renamed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from docpipe._language import language_of_part
from docpipe.errors import ConfigError, DocpipeError
from docpipe.geometry import PageBox
from docpipe.pipeline.report.reports import Account, FailureRow, Plan, RunReport, StatusReport
from docpipe.types import Answer, Block, Chunk, Citation, Document, Failure, Hit, Outcome

Json = dict[str, Any]

_COUNTS = ("indexed", "updated", "unchanged", "deleted", "failed", "ignored")
_WORK = ("pages", "ocr_pages", "chunks", "embedded", "reused", "seconds", "version", "recognised", "remembered")
_MONEY = ("cost_usd", "requests", "tokens")
_WHEN = ("run_id", "started", "ended", "renamed", "touched", "stale", "waiting", "stopped", "published", "page")

_STANDING = ("stale", "waiting", "next_try", "pages", "characters", "covered", "published", "lease")


def run(report: RunReport) -> Json:
    """What `docpipe run --json` prints."""
    return {
        "pipeline": report.pipeline,
        **{name: getattr(report, name) for name in _COUNTS + _WORK + _MONEY + _WHEN},
        "account": account(report.account),
        "holds": asdict(report.holds),
        "slowest": [{**outcome(item), "seconds": round(item.seconds, 3)} for item in report.slowest],
        "failing": report.failing,
        "upkeep": list(report.upkeep),
        "staged": dict(report.staged),
        "ended_by": None if report.ended_by is None else _failure(report.ended_by),
        "remarks": list(report.remarks),
        "failures": [outcome(item) for item in report.failures],
        "left_out": [outcome(item) for item in report.left_out],
        "needs_ocr": [{"uri": item.uri, "pages": list(item.pages)} for item in report.needs_ocr],
        "stage_seconds": {name: round(seconds, 3) for name, seconds in report.stage_seconds.items()},
    }


def account(closed: Account) -> Json:
    """Where everything went that a run found, and what is accounted for nowhere."""
    return {
        "files": {**asdict(closed.files), "gap": closed.files.gap},
        "pages": {**asdict(closed.pages), "gap": closed.pages.gap},
        "characters": closed.characters,
        "covered": closed.covered,
        "left_out": dict(closed.left_out),
        "gaps": list(closed.gaps),
        "closed": closed.closed,
    }


def outcome(item: Outcome) -> Json:
    """A document that was not indexed: why, and what to try."""
    return {"uri": item.uri, "status": str(item.status), **_failure(item.error)}


def plan(wanted: Plan) -> Json:
    """What `docpipe plan --json` prints."""
    names = ("added", "changed", "unchanged", "deleted", "pages", "ocr_pages", "embed_tokens", "cost_usd", "requests")
    more = ("renamed", "touched", "waiting", "minutes")
    return {
        **{name: getattr(wanted, name) for name in names + more},
        "remarks": list(wanted.remarks),
        "items": [asdict(item) for item in wanted.items],
    }


def search(query: str, hits: Sequence[Hit], *, around: Mapping[str, Sequence[Chunk]] | None = None) -> Json:
    """What `docpipe search --json` prints.

    Args:
        around: chunk id -> the chunks that stand around that hit, where they were asked for.
    """
    found = []
    for hit in hits:
        form = _hit(hit)
        if around is not None:
            form["neighbours"] = [_neighbour(chunk) for chunk in around.get(hit.chunk.id, ())]
        found.append(form)
    return {"query": query, "hits": found}


def ask(answer: Answer) -> Json:
    """What `docpipe ask --json` prints."""
    usage = answer.usage
    return {
        "question": answer.question,
        "answer": answer.text,
        "origin": answer.origin,
        "citations": [_citation(citation) for citation in answer.citations],
        "usage": {
            "prompt_tokens": usage.prompt_tokens,
            "cached_tokens": usage.cached_tokens,
            "completion_tokens": usage.completion_tokens,
            "predicted_cached_tokens": usage.predicted_cached_tokens,
            "prefix": usage.prefix,
        },
        "cost_usd": answer.cost_usd,
        "partial": answer.partial,
        "unsupported": list(answer.unsupported),
        "remarks": list(answer.remarks),
        "reasoning": answer.reasoning,
    }


def status(report: StatusReport) -> Json:
    """What `docpipe status --json` prints."""
    stats = report.stats
    return {
        "pipeline": report.name,
        "index": report.index,
        "version": report.version,
        "documents": report.documents,
        "chunks": report.chunks,
        "failed": report.failed,
        "bytes": stats.bytes,
        "text_rows": stats.text_rows,
        "vector_index": stats.vector_index,
        "vector_recall": stats.vector_recall,
        "facts": dict(stats.facts),
        "last_run": dict(report.last_run),
        **{name: getattr(report, name) for name in _STANDING},
        "left_out": dict(report.left_out),
        "gaps": list(report.gaps),
        "runs": [dict(one) for one in report.runs],
    }


def failures(rows: Iterable[FailureRow]) -> Json:
    """What `docpipe failures --json` prints. Times are seconds since 1970 (UTC)."""
    return {
        "failures": [
            {
                "uri": row.uri,
                **_failure(row.error),
                "stage": row.stage,
                "attempts": row.attempts,
                "first": row.first,
                "last": row.last,
            }
            for row in rows
        ]
    }


def document(parsed: Document) -> Json:
    """What `docpipe parse --json` prints."""
    languages = _languages(parsed)
    return {
        "uri": parsed.source.uri,
        "media_type": parsed.source.media_type,
        "digest": parsed.source.digest,
        "metadata": dict(parsed.metadata),
        "pages": [
            {
                "number": page.number,
                "width": page.width,
                "height": page.height,
                "needs_ocr": page.needs_ocr,
                "language": languages.get(page.number, ""),
            }
            for page in parsed.pages
        ],
        "outline": [entry._asdict() for entry in parsed.contents],
        "links": [link._asdict() for link in parsed.links],
        "blocks": [_block(block, parsed.text) for block in parsed.blocks],
    }


def _languages(parsed: Document) -> dict[int, str]:
    """Primary language of each page: the document's, unless the page plainly is in another."""
    texts: dict[int, list[str]] = {}
    for block in parsed.blocks:
        if block.page is not None and block.is_content:
            texts.setdefault(block.page, []).append(block.span.of(parsed.text))
    usual = parsed.metadata.get("language", "").partition("-")[0].lower()
    return {page: language_of_part("\n".join(parts), usual=usual) for page, parts in texts.items()}


def error(problem: BaseException) -> Json:
    """What every command prints with `--json` when it fails."""
    if isinstance(problem, DocpipeError):
        message, remedy, where = problem.message, problem.remedy, problem.where
    else:
        message, remedy, where = str(problem) or type(problem).__name__, "", ""
    form: Json = {"type": type(problem).__name__, "message": message, "where": where, "remedy": remedy}
    if notes := getattr(problem, "__notes__", ()):
        form["notes"] = list(notes)
    if isinstance(problem, ConfigError) and problem.problems:
        form["problems"] = [error(one)["error"] for one in problem.problems]
    return {"error": form}


def _failure(error: Failure | None) -> Json:
    if error is None:
        return {"stage": "", "type": "", "error": "", "remedy": "", "retryable": False}
    return {
        "stage": error.stage,
        "type": error.type,
        "error": error.message,
        "remedy": error.remedy,
        "retryable": error.retryable,
    }


def _boxes(boxes: Iterable[PageBox]) -> list[Json]:
    return [{name: _fraction(value) for name, value in box._asdict().items()} for box in boxes]


def _fraction(value: float) -> float:
    return value if isinstance(value, int) else round(value, 5)


def _hit(hit: Hit) -> Json:
    chunk = hit.chunk
    return {
        "rank": hit.rank,
        "score": hit.score,
        "uri": chunk.source.uri,
        "chunk_id": chunk.id,
        "pages": list(chunk.pages),
        "boxes": _boxes(chunk.boxes),
        "headings": list(chunk.headings),
        "text": chunk.text,
        "found_by": list(hit.found_by),
        "stale": hit.stale,
        "boilerplate": hit.boilerplate,
        "also_in": [{"uri": place.uri, "pages": list(place.pages)} for place in hit.also_in],
        "title": chunk.title,
        "kind": str(chunk.kind),
        "language": chunk.language,
        "metadata": dict(chunk.metadata),
    }


def _neighbour(chunk: Chunk) -> Json:
    return {"chunk_id": chunk.id, "position": chunk.position, "pages": list(chunk.pages), "text": chunk.text}


def _citation(citation: Citation) -> Json:
    return {
        "marker": citation.marker,
        "uri": citation.uri,
        "chunk_id": citation.chunk_id,
        "pages": list(citation.pages),
        "boxes": _boxes(citation.boxes),
        "quote": citation.quote,
        "verified": citation.verified,
        "stale": citation.stale,
        "also_in": [{"uri": place.uri, "pages": list(place.pages)} for place in citation.also_in],
        "url": citation.url,
        "title": citation.title,
        "published": citation.published,
    }


def _block(block: Block, text: str) -> Json:
    box = block.bbox
    return {
        "id": block.id,
        "kind": str(block.kind),
        "level": block.level,
        "page": block.page,
        "box": None if box is None else {name: _fraction(value) for name, value in box._asdict().items()},
        "span": list(block.span),
        "text": block.span.of(text),
        "native_label": block.native_label,
    }
