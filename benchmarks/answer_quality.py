"""How well `chat.extractive` answers and refuses: `python benchmarks/answer_quality.py [--data FOLDER] [--fit]`.

Each set's passages are indexed one chunk a passage, its questions asked, and counted: does the answer hold the known
answer, is an answerable question refused, is an unanswerable one answered. Besides the questions that a set calls
unanswerable, each question is asked again with its right passages withheld. `--fit` fits the weights of
`docpipe.chat.judging` on every second question first, prints them, and reports on the other half with them.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from zlib import crc32

import numpy as np
from evaluation import lines

from docpipe._ids import document_id
from docpipe.chat import judging
from docpipe.chat.evidence import gather
from docpipe.chat.extractive import chosen
from docpipe.chat.judging import Judged, Judgement, Weights
from docpipe.chat.terms import is_chinese
from docpipe.embed.hashing import HashingEmbedder
from docpipe.embed.local import LocalEmbedder
from docpipe.index.memory import MemoryIndex
from docpipe.protocols import DocumentRows, Embedder, Reranker
from docpipe.retrieve.rerank import LocalReranker
from docpipe.retrieve.retriever import IndexRetriever
from docpipe.types import BlockKind, Chunk, EmbeddedChunk, Hit, Query, Source, Span

ENGLISH = ("retrieval-en/wikiqa", "retrieval-en/covidqa", "retrieval-en/techdocs")
CHINESE = ("retrieval-zh/cmrc2018", "retrieval-zh/drcd")
NOISY = ("grounding/rgb_en_fact", "grounding/rgb_zh_fact", "grounding/rgb_zh_refine")
CURVE = (0.15, 0.20, 0.25, 0.30, 0.35, 0.40, 0.50)
READ_DOUBTS = ("best", "alone", "several", "numbers")
WORD_DOUBTS = ("window", "chunk", "specifics", "numbers", "rank", "length", "terms")


@dataclass(frozen=True, kw_only=True)
class Example:
    """A question with what was found for it."""

    question: str
    answers: tuple[str, ...]
    answerable: bool
    withheld: bool
    """Its right passages were taken out of the hits."""
    hits: tuple[Hit, ...]


@dataclass
class Remembering:
    """A reranker that reads no pair twice."""

    inner: Reranker
    depth: int = 12
    languages: tuple[str, ...] = ("en",)
    known: dict[tuple[str, str], float] = field(default_factory=dict)

    def score(self, question: str, texts: Sequence[str], /) -> list[float]:
        """As the inner one scores."""
        new = [text for text in dict.fromkeys(texts) if (question, text) not in self.known]
        if new:
            scores = self.inner.score(question, new)
            self.known.update({(question, text): score for text, score in zip(new, scores, strict=True)})
        return [self.known[question, text] for text in texts]


def chunk_of(row: dict) -> Chunk:
    """A passage as a chunk of a document of its own."""
    title, text = row.get("title") or "", row["text"]
    return Chunk(
        id=row["_id"],
        document_id=document_id(row["_id"]),
        source=Source(uri=row["_id"], media_type="text/plain", digest="", size=len(text), modified=0),
        span=Span(0, len(text)),
        text=text,
        context=f"{title}\n" if title else "",
        headings=(title,) if title else (),
        block_ids=(),
        kind=BlockKind.PARAGRAPH,
        pages=(),
        boxes=(),
        token_count=0,
        position=0,
        title=title,
    )


def retriever(chunks: Sequence[Chunk]) -> IndexRetriever:
    """Passages in an index of their own; Chinese ones are searched by words only."""
    embedder: Embedder = HashingEmbedder() if is_chinese(chunks[0].text) else LocalEmbedder(threads=1)
    vectors = embedder.embed_passages([chunk.content for chunk in chunks])
    index = MemoryIndex()
    index.open(model=embedder.model, dim=embedder.dim)
    rows = [EmbeddedChunk(chunk=c, vector=v, model=embedder.model) for c, v in zip(chunks, vectors, strict=True)]
    index.replace([DocumentRows(document_id=row.chunk.document_id, chunks=(row,)) for row in rows])
    return IndexRetriever(index, embedder)


def examples(folder: Path, *, limit: int) -> list[Example]:
    """Questions of a set, as they are and with their right passages withheld."""
    right: dict[str, set[str]] = {}
    for line in (folder / "qrels.tsv").read_text("utf-8").splitlines()[1:]:
        query, passage, _ = line.split("\t")
        right.setdefault(query, set()).add(passage)
    rows = lines(folder / "queries.jsonl")[:limit]
    rows += [row | {"unanswerable": True} for row in lines(folder / "queries_unanswerable.jsonl")[:limit]]
    mode = "text" if is_chinese(rows[0]["text"]) else "hybrid"
    shelf = retriever([chunk_of(row) for row in lines(folder / "corpus.jsonl")])
    found = shelf.search_many([Query(text=row["text"], limit=8, mode=mode) for row in rows])
    return [one for row, hits in zip(rows, found, strict=True) for one in _cases(row, hits, right)]


def noisy_examples(path: Path, *, limit: int) -> list[Example]:
    """Questions with passages of their own: four that answer among four that do not, and the latter alone."""
    found = []
    for row in lines(path)[:limit]:
        answers = tuple(str(answer) for answer in _flat(row["answer"]))
        case = partial(Example, question=row["query"], answers=answers)
        wrong, right = row["negative"][:4], row["positive"][:4]
        found.append(case(answerable=True, withheld=False, hits=_hits(row["query"], wrong + right)))
        if wrong and not any(_holds(text, answers) for text in wrong):
            found.append(case(answerable=False, withheld=True, hits=_hits(row["query"], wrong)))
    return found


def _hits(question: str, texts: Sequence[str]) -> tuple[Hit, ...]:
    chunks = [chunk_of({"_id": str(number), "text": text}) for number, text in enumerate(dict.fromkeys(texts))]
    return tuple(retriever(chunks).search(Query(text=question, limit=8)))


def _flat(answer: object) -> Iterator[object]:
    if isinstance(answer, list):
        for one in answer:
            yield from _flat(one)
    else:
        yield answer


def _cases(row: dict, hits: Sequence[Hit], right: dict[str, set[str]]) -> Iterator[Example]:
    answers = tuple(answer for answer in row.get("answers", ()) if answer.strip())
    case = partial(Example, question=row["text"], answers=answers)
    yield case(answerable="unanswerable" not in row, withheld=False, hits=tuple(hits))
    rest = [hit for hit in hits if hit.chunk.id not in right.get(row["_id"], ())]
    if "unanswerable" not in row and rest and answers and not any(_holds(hit.chunk.text, answers) for hit in rest):
        ranked = tuple(replace(hit, rank=rank) for rank, hit in enumerate(rest, start=1))
        yield case(answerable=False, withheld=True, hits=ranked)


def _holds(text: str, answers: Sequence[str]) -> bool:
    return any(answer.strip().casefold() in text.casefold() for answer in answers)


def half(example: Example) -> int:
    """Which half a question belongs to, withheld or not: 0 to fit on, 1 to report on."""
    return crc32(example.question.encode()) % 2


def judged(example: Example, reranker: Reranker | None, weights: Weights | None = None) -> Judgement:
    """As the chat judges."""
    candidates = gather(example.question, example.hits)
    return judging.judge(example.question, candidates, reranker=reranker, weights=weights)


def fitted(facts: Sequence[dict[str, float]], right: Sequence[bool], share: Sequence[float]) -> dict[str, float]:
    """Weights of a logistic model by ridge-penalised Newton steps; the key "" is the bias."""
    names = [name for name in facts[0] if len({one[name] for one in facts}) > 1]
    matrix = np.array([[one[name] for name in names] + [1.0] for one in facts])
    spread = np.append(matrix[:, :-1].std(axis=0), 1.0)
    scaled, wanted, weight = matrix / spread, np.array(right, float), np.array(share)
    penalty = np.append(np.full(len(names), 3.0), 1e-6)
    found = np.zeros(len(names) + 1)
    for _ in range(40):
        guess = 1 / (1 + np.exp(-scaled @ found))
        slope = scaled.T @ (weight * (guess - wanted)) + penalty * found
        curve = (scaled * (weight * guess * (1 - guess))[:, None]).T @ scaled + np.diag(penalty)
        found -= np.linalg.solve(curve, slope)
    return {name: round(float(value), 3) for name, value in zip([*names, ""], found / spread, strict=True)}


def fit(sets: Sequence[Sequence[Example]], reranker: Reranker | None, *, doubts: Sequence[str]) -> Weights:
    """Both models from one half of the examples."""
    facts, right, share = [], [], []
    train = [example for found in sets for example in found if half(example) == 0]
    for example in train:
        ranked = judged(example, reranker).ranked if example.answerable else ()
        holds = [_holds(one.candidate.statement.text, example.answers) for one in ranked]
        if any(holds):
            facts += [dict(one.facts) for one in ranked]
            right += holds
            share += [8 / len(ranked)] * len(ranked)
    first = Weights(statement=fitted(facts, right, share), confidence={})
    judgements = [judged(example, reranker, first).doubts for example in train]
    known = [(found, example.answerable) for found, example in zip(judgements, train, strict=True) if found]
    answerable = np.array([is_answerable for _, is_answerable in known])
    balance = np.where(answerable, 0.5 / answerable.mean(), 0.5 / (1 - answerable.mean()))
    chosen = [{name: getattr(found, name) for name in doubts} for found, _ in known]
    return replace(first, confidence=fitted(chosen, answerable.tolist(), balance.tolist()))


def report(name: str, found: Sequence[Example], reranker: Reranker | None, weights: Weights | None) -> None:
    """One line: containment in 1, 2 and 3 sentences, and the shares refused at several confidences."""
    cases: dict[str, Callable[[Example], bool]] = {
        "answerable": lambda example: example.answerable,
        "unanswerable": lambda example: not example.answerable and not example.withheld,
        "withheld": lambda example: example.withheld,
    }
    judgements = [judged(example, reranker, weights) for example in found]
    told = [
        [
            *(_holds(_quoted(judgement.ranked[:count]), example.answers) for count in (1, 2, 3)),
            _holds(_quoted(chosen(judgement.ranked, 3)), example.answers),
        ]
        for example, judgement in zip(found, judgements, strict=True)
        if example.answerable and any(_holds(hit.chunk.text, example.answers) for hit in example.hits)
    ]
    shares = np.mean(told, axis=0) if told else np.full(4, np.nan)
    print(f"{name:20} holds the answer ({len(told):3}), 1, 2, 3 sentences, as told:", *(f"{one:.2f}" for one in shares))
    for case, belongs in cases.items():
        sure = np.array([j.confidence for e, j in zip(found, judgements, strict=True) if belongs(e)])
        if len(sure):
            curve = "  ".join(f"{level:.2f}: {np.mean(sure < level):.2f}" for level in CURVE)
            print(f"    {case:13} ({len(sure):3}) refused below confidence  {curve}")


def _quoted(told: Sequence[Judged]) -> str:
    return " ".join(one.candidate.statement.text for one in told)


def main() -> None:
    """Read the arguments and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--limit", type=int, default=1000, help="questions of each set")
    arguments = parser.parse_args()
    if not (arguments.data / ENGLISH[0]).exists():
        print(f"skipped: no data at {arguments.data}")
        return
    begun = time.process_time()
    sets = {name: examples(arguments.data / name, limit=arguments.limit) for name in ENGLISH + CHINESE}
    noisy = {name: noisy_examples(arguments.data / f"{name}.jsonl", limit=arguments.limit) for name in NOISY}
    reader = Remembering(LocalReranker(threads=1))
    by_words = by_reading = None
    if arguments.fit:
        by_words = fit([sets[name] for name in (ENGLISH[0], *CHINESE)], None, doubts=WORD_DOUBTS)
        judging.BY_WORDS = by_words  # it chooses what is read
        by_reading = fit([sets[ENGLISH[0]]], reader, doubts=READ_DOUBTS)
        print(f"BY_WORDS = {by_words}\nBY_READING = {by_reading}\nbelow: the half that was not fitted on")
        sets, noisy = ({n: [e for e in f if half(e)] for n, f in some.items()} for some in (sets, noisy))
    for name, found in sets.items():
        report(f"{name.split('/')[1]}, words", found, None, by_words)
    for name in ENGLISH:
        report(f"{name.split('/')[1]}, reader", sets[name], reader, by_reading)
    for name, found in noisy.items():
        chinese = is_chinese(found[0].question)
        report(name.split("/")[1], found, None if chinese else reader, by_words if chinese else by_reading)
    print(f"{time.process_time() - begun:.0f} CPU seconds")


if __name__ == "__main__":
    main()
