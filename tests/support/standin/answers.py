"""The platform's state and its answers, path by path."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from standin import auth, chat, model, ocr, selfhosted, small, spoiling, web
from standin.counting import PromptCache
from standin.faults import Fault
from standin.refusals import Refusal
from standin.wire import Request

BASE = "/api/paas/v4"


@dataclass(kw_only=True)
class Call:
    """One request that was received."""

    path: str
    """Without the base: `/chat/completions`."""
    body: Any
    """A `file` is shortened to its media type, digest and size."""
    headers: Mapping[str, str]
    """Names in lower case."""
    started: float
    """Seconds, monotonic clock."""
    ended: float = 0.0
    """0 while it is under way."""
    status: int = 0
    """0 while nothing was answered."""
    code: str = ""
    request_id: str = ""
    pages: tuple[str, ...] = ()
    """Marks of the pages that OCR read: the printed number, or a digest of the text."""
    cached_tokens: int = 0
    prompt_tokens: int = 0


@dataclass(kw_only=True)
class Planned:
    """A fault that waits for its calls."""

    fault: Fault
    times: int
    after: int


@dataclass(kw_only=True)
class State:
    """What a test has set, and what has happened."""

    key: str
    cache: PromptCache
    boxes: ocr.Boxes
    sizes: ocr.Sizes
    lock: threading.Lock = field(default_factory=threading.Lock)
    calls: list[Call] = field(default_factory=list)
    faults: dict[str, list[Planned]] = field(default_factory=lambda: defaultdict(list))
    limits: dict[str, int] = field(default_factory=dict)
    latency: dict[str, float] = field(default_factory=dict)
    pace: dict[str, float] = field(default_factory=dict)
    in_flight: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    seen_ids: set[str] = field(default_factory=set)
    windows: dict[str, int] = field(default_factory=dict)
    web: list[Mapping[str, Any]] = field(default_factory=list)
    pages: dict[str, Any] = field(default_factory=dict)
    unreadable: str = ""
    today: Callable[[], date] = lambda: datetime.now(UTC).date()
    script: chat.Script | None = None
    manner: model.Manner = "honest"
    spoiled: list[spoiling.Spoiled] = field(default_factory=list)
    reader: ocr.Reader = field(default_factory=ocr.reader)

    def fault_for(self, path: str, body: Mapping[str, Any]) -> Fault | None:
        """The fault that this call meets, if any."""
        with self.lock:
            for planned in self.faults[path]:
                if planned.times == 0 or (planned.fault.when and not planned.fault.when(body)):
                    continue
                if planned.after > 0:
                    planned.after -= 1
                    return None
                planned.times -= planned.times > 0
                return planned.fault
        return None

    def enter(self, path: str) -> None:
        """Count a call in.

        Raises:
            Refusal: 1302, too many at once.
        """
        with self.lock:
            if self.in_flight[path] >= self.limits.get(path, 10**9):
                raise Refusal(code="1302")
            self.in_flight[path] += 1

    def leave(self, path: str) -> None:
        """Count a call out."""
        with self.lock:
            self.in_flight[path] -= 1

    def take_id(self, body: Any) -> str:
        """The request's own id, or a new one.

        Raises:
            Refusal: 1231, it was used before.
        """
        given = body.get("request_id") if isinstance(body, dict) else None
        if not isinstance(given, str):
            return new_id()
        with self.lock:
            if given in self.seen_ids:
                raise Refusal(code="1231", message=f"You already have a request: {given}")
            self.seen_ids.add(given)
        return given


_counter = iter(range(10**9))


def new_id() -> str:
    """An id as the platform makes them."""
    return f"{time.strftime('%Y%m%d%H%M%S', time.gmtime())}{next(_counter):018x}"


@dataclass(frozen=True, kw_only=True)
class Streamed:
    """An answer that is a stream of events."""

    events: list[Any]


def authorised(state: State, request: Request) -> None:
    """Raises: Refusal."""
    auth.check(request.headers, state.key, now_ms=time.time() * 1000)


def answer(state: State, path: str, body: dict[str, Any], call: Call) -> dict[str, Any] | Streamed:
    """What the platform says to a request that was let in; runs in the server's loop and may not take long.

    Raises:
        Refusal: the body is not as the contract has it.
    """
    if path == "/chat/completions":
        return _chat(state, body, call)
    payload = SMALL[path](state, body)
    common = {"id": new_id(), "created": int(time.time()), "request_id": call.request_id}
    return {**common, **payload} if path != "/embeddings" else payload


SMALL: Mapping[str, Callable[[State, dict[str, Any]], dict[str, Any]]] = {
    "/tokenizer": lambda _, body: small.tokenizer(body),
    "/embeddings": lambda _, body: small.embeddings(body),
    "/rerank": lambda _, body: small.rerank(body),
    "/web_search": lambda state, body: web.search(body, state.web, today=state.today()),
    "/reader": lambda state, body: web.read(body, state.pages, unreadable=state.unreadable),
}
PATHS = {"/chat/completions", "/layout_parsing", *SMALL}


def _chat(state: State, body: dict[str, Any], call: Call) -> dict[str, Any] | Streamed:
    chat.check(body, state.windows)
    said = state.script(body) if state.script else None
    if isinstance(said, list) and said and isinstance(said[0], (dict, bytes)):
        return Streamed(events=said)
    reply = model.answer(body, state.manner) if said is None else chat.as_reply(said)
    done = chat.complete(body, reply, state.cache, state.windows)
    call.prompt_tokens = done.usage["prompt_tokens"]
    call.cached_tokens = done.usage["prompt_tokens_details"]["cached_tokens"]
    shown: dict[str, Any] = {"id": new_id(), "created": int(time.time()), "request_id": call.request_id}
    if body.get("stream"):
        return Streamed(events=list(chat.events(body, done, **shown)))
    return chat.whole(body, done, **shown)


def layout(state: State, body: dict[str, Any], call: Call, data: bytes, media_type: str) -> dict[str, Any]:
    """The slow part of layout parsing: reads the file.

    Raises:
        Refusal: the file cannot be read.
    """
    first, last = body.get("start_page_id") or 1, body.get("end_page_id") or 0
    seen = state.reader.pages(data, media_type, first, last)
    call.pages = tuple(page["mark"] for page in seen)
    with state.lock:
        pages = spoiling.spoil(seen, state.spoiled)
    payload = ocr.reply(pages, boxes=state.boxes, sizes=state.sizes, crops=bool(body.get("return_crop_images")))
    if body.get("need_layout_visualization"):
        payload["layout_visualization"] = [f"https://files.example.com/vis/{page['mark']}.png" for page in pages]
    return {"id": new_id(), "created": int(time.time()), "request_id": call.request_id, **payload}


def hosted(state: State, body: dict[str, Any], call: Call) -> Any:
    """What a self-hosted server says; slow where it reads pictures.

    Raises:
        Refusal: in that server's own shape.
    """
    said = selfhosted.answer(call.path, body, state.reader, state.manner, state.spoiled)
    return Streamed(events=said) if isinstance(said, list) else said
