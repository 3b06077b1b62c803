"""The steps from a question to a grounded answer: find, judge, look further, write, prove (pure)."""

from collections.abc import Generator, Mapping, Sequence
from functools import partial
from typing import Any

from docpipe._zai.values import ChatReply, ChatRequest, Message
from docpipe.chat.calling import Asked, Written, written
from docpipe.chat.claims import is_neutral
from docpipe.chat.following import leans_back, rewriting, rewritten
from docpipe.chat.glm import GlmChat
from docpipe.chat.needs import Complete, Compute, Flow, ReadPages, Retrieve, SearchWeb
from docpipe.chat.questions import checked, no_answer
from docpipe.chat.spending import Spent
from docpipe.chat.sufficing import JUDGE, SURE, confidence, verdict
from docpipe.chat.support import Ground, Proofs
from docpipe.chat.terms import is_chinese
from docpipe.chat.web import WebFound, pages_to_read, web_query
from docpipe.chat.writing import Writing
from docpipe.errors import BadReply, Refused, ServiceError
from docpipe.prompt.builder import Built, instructed, messages, user_message
from docpipe.prompt.prefix import digest, predicted_cached
from docpipe.types import Answer, Exchange, Hit, Prompt, Query, TextPiece, Turn

__all__ = ["Question", "request_messages"]

Steps = Generator[Any, Any, Any]
_SMALL = 512
"""Tokens of a rewritten question or of a judgement."""


class Question:
    """One question on its way to its answer."""

    def __init__(self, chat: GlmChat, turn: Turn) -> None:
        self.chat, self.turn = chat, turn
        self.asked = checked(turn.question, longest=chat.longest_question)
        self.query = self.asked
        self.spent = Spent(model=chat.model, free=not chat.service.key)
        self.remarks: list[str] = []
        self.may_search = chat.asks_web and turn.web and chat.grounds is not None
        self.searched = False
        self.grounds: Mapping[str, Ground] = {}
        self.built: Built | None = None

    def answer(self) -> Flow:
        """The flow."""
        yield from self._stand_alone()
        hits: list[Hit] = yield Retrieve(Query(text=self.query, limit=self.chat.limit, where=self.turn.where))
        grounds = [Ground(chunk=hit.chunk) for hit in hits]
        if not (yield from self._suffice(hits)):
            grounds = [*(yield from self._web()), *grounds] if self.may_search else []
            if not grounds or (self.searched and not any(one.kind == "web" for one in grounds)):
                return (yield from self._silence())
        said: Written = yield from self._written(grounds)
        if _declined(said) and self.may_search and not self.searched:
            found = yield from self._web()
            if found:
                said = yield from self._written([*found, *grounds])
        return (yield from self.concluded(said))

    def _stand_alone(self) -> Steps:
        """Make a follow-up a question of its own, where it is none."""
        history = self.turn.history
        if self.chat.rewrite == "never" or not leans_back(self.asked, history):
            return
        try:
            reply = yield from self._small(rewriting(self.asked, history), as_json=False)
        except (Refused, BadReply):
            text = ""
        else:
            text = reply.text
        self.query = rewritten(text, self.asked, history)

    def _suffice(self, hits: Sequence[Hit]) -> Steps:
        """Whether the model should answer from these hits and the pinned documents."""
        if not hits:
            return bool(self.chat.pinned_chunks())
        if self.chat.judge == "never" or (self.chat.judge == "auto" and not self.may_search):
            return True
        if self.chat.judge == "auto":
            query = self.query
            likely: float = yield Compute(lambda: confidence(query, hits))
            if likely >= SURE:
                return True
        return (yield from self._judged([Ground(chunk=hit.chunk) for hit in hits]))

    def _judged(self, grounds: Sequence[Ground]) -> Steps:
        built: Built = yield Compute(lambda: self.chat.assembled(self.asked, self.turn.history, grounds))
        self.built = built
        prompt = instructed(built.prompt, JUDGE)
        for _ in range(2):
            try:
                reply = yield from self._small(request_messages(prompt), as_json=True, prompt=prompt)
            except (Refused, BadReply):
                return True
            said = verdict(reply.text)
            if said is not None:
                return said
        return True

    def _small(self, said: Sequence[Message], *, as_json: bool, prompt: Prompt | None = None) -> Steps:
        """A call whose answer is short and not shown."""
        request = ChatRequest(
            model=self.chat.model,
            messages=tuple(said),
            max_tokens=_SMALL,
            greedy=True,
            thinking=False,
            as_json=as_json,
        )
        predicted: int = (yield from self._predicted(prompt)) if prompt else 0
        reply: ChatReply = yield Complete(request)
        self.spent.add(reply.tokens if reply.has_usage else None, predicted=predicted)
        return reply

    def _predicted(self, prompt: Prompt) -> Steps:
        """Tokens of a prompt that should be cached; it is remembered as sent."""
        earlier, count = self.chat.sent.copy(), self.chat.count
        predicted: int = yield Compute(lambda: predicted_cached(prompt, earlier, count))
        self.chat.sent.append(prompt)
        return predicted

    def _web(self) -> Steps:
        """What the web says, as grounds; remarks tell what went wrong."""
        self.searched = True
        options, grounds, query = self.chat.web, self.chat.grounds, self.query
        assert grounds is not None
        try:
            results = yield SearchWeb(web_query(query))
        except ServiceError as error:
            self.remarks.append(f"the web could not be searched: {error.message}")
            return []
        self.spent.searches += 1
        urls = pages_to_read(results, options)
        replies = (yield ReadPages(urls)) if urls else []
        pages = dict(zip(urls, replies, strict=True))
        found: WebFound = yield Compute(lambda: grounds.find(query, results, pages, options=options))
        self.remarks += found.remarks
        return web_grounds(found)

    def _written(self, grounds: Sequence[Ground]) -> Steps:
        said: Written = yield from written(
            partial(self._prepare, grounds), self.spent, self.remarks, stream=self.turn.stream
        )
        return said

    def _prepare(self, grounds: Sequence[Ground], shorter: bool) -> Generator[Any, Any, Asked]:
        built: Built = yield Compute(
            lambda: self.chat.assembled(self.asked, self.turn.history, grounds, shorter=shorter)
        )
        by_key = {ground.chunk.id: ground for ground in grounds}
        self.built = built
        self.grounds = self.pinned_grounds() | {str(one.number): by_key[one.key] for one in built.shown}
        predicted = yield from self._predicted(built.prompt)
        return Asked(request=self.request(request_messages(built.prompt)), writing=self.writing(), predicted=predicted)

    def pinned_grounds(self) -> dict[str, Ground]:
        """The pinned documents by their labels."""
        pinned = self.chat.pinned_chunks()
        return {f"D{number}": Ground(chunk=one, kind="pinned") for number, one in enumerate(pinned, start=1)}

    def writing(self) -> Writing:
        """A fresh page, proved from today's grounds."""
        proofs = Proofs(grounds=self.grounds, question=self.query, source_text=self.chat.source_text)
        return Writing(check=proofs.check, strict=self.chat.strict, chinese=is_chinese(self.asked))

    def request(self, said: Sequence[Message]) -> ChatRequest:
        """What the model is asked."""
        thinking = self.chat.thinking == "enabled" if self.turn.thinking is None else self.turn.thinking
        return ChatRequest(
            model=self.chat.model,
            messages=tuple(said),
            max_tokens=self.chat.max_tokens,
            temperature=self.chat.temperature,
            greedy=self.chat.greedy,
            thinking=thinking,
        )

    def concluded(self, said: Written) -> Flow:
        """The answer from what was written, and the exchange for the history."""
        writing = said.asked.writing
        if not writing.empty and self.built is not None:
            yield self.exchange(said)
        if not writing.text.strip():
            return (yield from self._silence(said))
        text = writing.text
        if not (writing.citations or writing.unsupported or is_neutral(text)):
            writing.unsupported.append(" ".join(text.split()))
            text += yield from _piece(f" {writing.mark}")
        web = any(self.grounds[one.marker.strip("[]")].kind == "web" for one in writing.citations)
        return self._answer(
            text,
            origin="none" if not writing.citations else "web" if web else "documents",
            citations=tuple(writing.citations),
            unsupported=tuple(writing.unsupported),
            partial=said.partial,
            reasoning=said.reasoning,
            remarks=tuple(writing.remarks),
        )

    def exchange(self, said: Written) -> Exchange:
        """The turn, word for word, for the prompts that follow."""
        assert self.built is not None
        return Exchange(
            question=self.turn.question,
            message=user_message(self.built.prompt),
            answer=said.asked.writing.raw,
            reasoning=said.reasoning,
        )

    def _silence(self, said: Written | None = None) -> Flow:
        """The answer where there is none."""
        unsupported = tuple(said.asked.writing.unsupported) if said else ()
        text = yield from _piece(no_answer(self.asked, web=self.searched))
        return self._answer(
            text,
            origin="none",
            unsupported=unsupported,
            partial=bool(said and said.partial),
            reasoning=said.reasoning if said else "",
            remarks=tuple(said.asked.writing.remarks) if said else (),
        )

    def _answer(self, text: str, *, remarks: tuple[str, ...], origin: Any, **rest: Any) -> Answer:
        prefix = digest(self.built.prompt) if self.built else ""
        told = dict.fromkeys((*self.remarks, *remarks, *self.spent.remarks))
        return Answer(
            question=self.turn.question,
            text=text,
            origin=origin,
            usage=self.spent.usage(prefix=prefix),
            cost_usd=self.spent.usd,
            remarks=tuple(told),
            **rest,
        )


def request_messages(prompt: Prompt) -> tuple[Message, ...]:
    """A prompt as messages of a request."""
    return tuple(Message(role=role, content=content) for role, content in messages(prompt))


def web_grounds(found: WebFound) -> list[Ground]:
    """Passages of the web as grounds."""
    return [
        Ground(chunk=hit.chunk, kind="web", published=found.published.get(hit.chunk.source.uri, ""))
        for hit in found.hits
    ]


def _declined(said: Written) -> bool:
    return said.asked.writing.declined and not said.asked.writing.text.strip()


def _piece(text: str) -> Generator[Any, Any, str]:
    yield TextPiece(text=text)
    return text
