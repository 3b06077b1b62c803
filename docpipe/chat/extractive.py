"""Question + retriever -> an answer in the documents' own sentences, each with its proof."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Literal

from docpipe.chat.evidence import gather
from docpipe.chat.folding import is_cjk
from docpipe.chat.grounding import SourceText, citation
from docpipe.chat.judging import Judged, judge
from docpipe.chat.needs import Compute, Flow, Retrieve
from docpipe.chat.terms import is_chinese
from docpipe.errors import InvalidOption
from docpipe.protocols import Reranker
from docpipe.retrieve.fusion import speaks
from docpipe.types import Answer, Citation, Hit, Query, TextPiece, Turn

__all__ = ["ExtractiveChat", "chosen"]


@dataclass(frozen=True, kw_only=True)
class ExtractiveChat:
    """Answers by quoting. Nothing is written that no document says, so nothing in a document can give it orders."""

    VERSION = 2

    sentences: int = 3
    """The most sentences or table rows in an answer."""
    limit: int = 8
    """How many chunks are searched for them."""
    confidence: float = 0.35
    """Below this estimated probability that the documents answer, it says that it found nothing; 0 always answers."""
    reader: Literal["local", "none"] = "local"
    """What weighs English sentences: the packaged cross-encoder, about 0.2 CPU seconds a question, or words alone."""
    read: int = 12
    """How many sentences the reader reads."""
    longest_sentence: int = 400
    """Code points; a longer one is quoted in part."""
    longest_question: int = 4000
    """Code points; a longer one is refused."""
    reranker: Reranker | None = field(default=None, compare=False, repr=False)
    """Reads in place of the packaged one."""
    source_text: SourceText | None = field(default=None, compare=False, repr=False)
    """Where quotes are looked up again; the stored chunk where there is none."""

    def __post_init__(self) -> None:
        for name in ("sentences", "limit", "read", "longest_question"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")
        if self.longest_sentence < 40:
            raise ValueError(f"longest_sentence must be at least 40, got {self.longest_sentence}")
        if not 0 <= self.confidence <= 1:
            raise ValueError(f"confidence is a probability from 0 to 1, got {self.confidence:g}")
        if self.reader not in ("local", "none"):
            raise ValueError(f"reader must be `local` or `none`, got {self.reader!r}")

    def flow(self, turn: Turn, /) -> Flow:
        """One to `sentences` quoted sentences or rows with markers, in the order of their text within a chunk.

        Each question stands for itself: what was said before is not looked at.

        Raises:
            InvalidOption: the question is empty or too long, or `where` cannot be read.
        """
        asked = self._checked(turn.question)
        hits = yield Retrieve(Query(text=asked, limit=self.limit, where=turn.where))
        answer: Answer = yield Compute(partial(self._answer, turn.question, asked, hits))
        for line in answer.text.splitlines(keepends=True):
            yield TextPiece(text=line)
        yield from answer.citations
        return answer

    def _answer(self, question: str, asked: str, hits: Sequence[Hit]) -> Answer:
        candidates = gather(asked, hits, longest=self.longest_sentence)
        judgement = judge(asked, candidates, reranker=self._reader(asked))
        if not judgement.ranked or judgement.confidence < self.confidence:
            return _nothing(question)
        proven = self._proven(chosen(judgement.ranked, self.sentences))
        if not proven:
            return _nothing(question)
        citations = tuple(found for _, found in proven)
        return Answer(question=question, text=_told(proven), origin="documents", citations=citations)

    def _checked(self, question: str) -> str:
        asked = " ".join(question.split())
        if not any(letter.isalnum() for letter in asked):
            raise InvalidOption("the question is empty", where="question", remedy="ask in a few words")
        if len(asked) > self.longest_question:
            raise InvalidOption(
                f"the question has {len(asked)} characters, at most {self.longest_question} are read",
                where="question",
                remedy="ask in fewer words, or raise `chat.longest_question`",
            )
        return asked

    def _reader(self, question: str) -> Reranker | None:
        """The reranker, where it knows the question's language."""
        reader = self.reranker or (self._packaged if self.reader == "local" else None)
        return reader if reader and speaks(question, reader.languages) else None

    @cached_property
    def _packaged(self) -> Reranker:
        from docpipe.retrieve.rerank import LocalReranker

        return LocalReranker(depth=self.read)

    def _proven(self, chosen: Sequence[Judged]) -> list[tuple[Judged, Citation]]:
        """Those whose words were found again, with their markers."""
        proven: list[tuple[Judged, Citation]] = []
        for judged in chosen:
            statement, chunk = judged.candidate.statement, judged.candidate.hit.chunk
            marker = f"[{len(proven) + 1}]"
            found = citation(marker, chunk, statement.text, span=statement.span, source_text=self.source_text)
            if found.verified:
                proven.append((judged, found))
        return proven


_MARGIN = 1.6
"""Log odds that a further sentence may be worse than the best one."""


def chosen(ranked: Sequence[Judged], most: int) -> list[Judged]:
    """At most `most`: the best and what is nearly as good. One chunk's follow its text, the best one's chunk first."""
    kept: list[Judged] = []
    for judged in ranked:
        text = judged.candidate.statement.text
        if len(kept) == most or judged.score < ranked[0].score - _MARGIN:
            break
        if not any(text in other.candidate.statement.text for other in kept):
            kept.append(judged)
    chunks = list(dict.fromkeys(judged.candidate.hit.chunk.id for judged in kept))
    return sorted(
        kept,
        key=lambda judged: (chunks.index(judged.candidate.hit.chunk.id), judged.candidate.statement.span.start),
    )


def _told(proven: Sequence[tuple[Judged, Citation]]) -> str:
    parts = []
    for judged, found in proven:
        told = judged.candidate.statement.told
        parts.append(f"{told}{'' if is_cjk(told[-1]) or told[-1] in '。！？；' else ' '}{found.marker}")
    rows = any(judged.candidate.statement.is_row for judged, _ in proven)
    return ("\n" if rows else " ").join(parts)


def _nothing(question: str) -> Answer:
    text = "在这些文档中没有找到答案。" if is_chinese(question) else "The documents do not say."
    return Answer(question=question, text=text, origin="none")
