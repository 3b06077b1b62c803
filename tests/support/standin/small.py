"""The small capabilities: tokenizer, embeddings, rerank (pure)."""

import base64
import hashlib
import math
import random
import re
from collections.abc import Mapping, Sequence
from typing import Any

from standin import chat, fields
from standin.counting import count, prompt_tokens
from standin.fields import FLAG, TEXT, Field
from standin.refusals import Refusal, invalid

_WORDS = re.compile(r"[a-z0-9]+|[\u3400-\u9fff]", re.IGNORECASE)
TOKENIZER_MODELS = ("glm-4.6", "glm-4.6v", "glm-4.5")
TOKENIZER = {
    "model": Field(types=(str,), required=True),
    "messages": Field(types=(list,), required=True, shortest=1),
    "tools": Field(types=(list,), longest=128),
    "request_id": fields.REQUEST_ID,
    "user_id": fields.USER_ID,
}
EMBEDDINGS = {
    "model": Field(types=(str,), required=True),
    "input": Field(types=(str, list), required=True, shortest=1),
    "dimensions": fields.whole(),
    "encoding_format": TEXT,
    "request_id": fields.REQUEST_ID,
    "user": TEXT,
    "user_id": fields.USER_ID,
}
RERANK = {
    "model": Field(types=(str,), required=True),
    "query": Field(types=(str,), required=True, shortest=1, longest=4096),
    "documents": Field(types=(list,), required=True, shortest=1, longest=128),
    "top_n": fields.whole(0),
    "return_documents": FLAG,
    "return_raw_scores": FLAG,
    "request_id": fields.REQUEST_ID,
    "user_id": fields.USER_ID,
}
OPENAI_DIMENSIONS = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072, "bge-m3": 1024}


def tokenizer(body: dict[str, Any]) -> dict[str, Any]:
    """Tokens of messages, the template's own included."""
    fields.check(body, TOKENIZER)
    if body["model"] not in TOKENIZER_MODELS:
        raise Refusal(code="1211")
    vision = body["model"] == "glm-4.6v"
    chat.check_messages(body["messages"], vision=vision, roles=("system", "user", "assistant"))
    if not any(message["role"] == "user" for message in body["messages"]):
        raise invalid("messages needs a user message")
    chat.check_tools(body.get("tools") or [])
    tokens = prompt_tokens(body["messages"], body.get("tools"))
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    if vision:
        images = sum(
            part["type"] == "image_url"
            for message in body["messages"]
            if isinstance(message["content"], list)
            for part in message["content"]
        )
        usage |= {"image_tokens": 1280 * images, "video_tokens": 0, "total_tokens": tokens + 1280 * images}
    return {"usage": usage}


def embeddings(body: dict[str, Any]) -> dict[str, Any]:
    """Vectors that are alike where words are shared; not of unit length, in any order."""
    fields.check(body, EMBEDDINGS)
    model, dimensions = body["model"], body.get("dimensions")
    texts = _texts(body["input"])
    allowed: tuple[int, ...]
    if model == "embedding-3":
        allowed, most, together = (256, 512, 1024, 2048), 3072, 0
    elif model == "embedding-2":
        allowed, most, together = (1024,), 512, 8192
    else:
        raise Refusal(code="1211")
    if dimensions is not None and dimensions not in allowed:
        raise invalid("Invalid dimensions parameter")
    if len(texts) > 64:
        raise invalid("input must hold at most 64 texts")
    sizes = [count(text) for text in texts]
    if max(sizes) > most:
        raise Refusal(code="1261", message=f"input exceeds {most} tokens")
    if together and sum(sizes) > together:
        raise Refusal(code="1261", message=f"input exceeds {together} tokens in all")
    return _embedded(model, texts, dimensions or allowed[-1], sum(sizes), encode=False)


def openai_embeddings(body: dict[str, Any]) -> dict[str, Any]:
    """As an OpenAI-compatible server does it: any model, base64 on request."""
    fields.check(body, EMBEDDINGS)
    texts = _texts(body["input"])
    dimensions = body.get("dimensions") or OPENAI_DIMENSIONS.get(body["model"], 384)
    tokens = sum(count(text) for text in texts)
    return _embedded(body["model"], texts, dimensions, tokens, encode=body.get("encoding_format") == "base64")


def _texts(value: Any) -> list[str]:
    texts = [value] if isinstance(value, str) else value
    if not all(isinstance(text, str) for text in texts):
        raise invalid("input must hold texts")
    if not all(text.strip() for text in texts):
        raise invalid("Input cannot be empty")
    return texts


def _embedded(model: str, texts: Sequence[str], dimensions: int, tokens: int, *, encode: bool) -> dict[str, Any]:
    import numpy

    data = []
    for index, text in enumerate(texts):
        vector: Any = numpy.array(embedding(text, dimensions), dtype="<f4")
        given = base64.b64encode(vector.tobytes()).decode() if encode else [round(float(x), 6) for x in vector]
        data.append({"index": index, "object": "embedding", "embedding": given})
    random.Random(len(texts)).shuffle(data)
    usage = {"prompt_tokens": tokens, "completion_tokens": 0, "total_tokens": tokens}
    return {"object": "list", "model": model, "data": data, "usage": usage}


def terms(text: str) -> list[str]:
    """Words and Chinese characters, in small letters, without plural endings."""
    return [word.lower().removesuffix("s") if len(word) > 3 else word.lower() for word in _WORDS.findall(text)]


def embedding(text: str, dimensions: int) -> list[float]:
    """Each word adds to eight places that its digest chooses; the whole is scaled by 0.5 to 2.5."""
    vector = [0.0] * dimensions
    found = terms(text) or [text]
    for word in set(found):
        weight = 1 + math.log(found.count(word))
        digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=32).digest()
        for place in range(0, 32, 4):
            position = int.from_bytes(digest[place : place + 3], "big") % dimensions
            vector[position] += weight if digest[place + 3] & 1 else -weight
    length = math.sqrt(sum(x * x for x in vector)) or 1.0
    scale = (0.5 + 2 * (hashlib.blake2b(text.encode("utf-8", "surrogatepass")).digest()[0] / 255)) / length
    return [x * scale for x in vector]


def rerank(body: dict[str, Any]) -> dict[str, Any]:
    """Scores by shared words, best first."""
    fields.check(body, RERANK)
    if body["model"] != "rerank":
        raise Refusal(code="1211")
    documents = body["documents"]
    for document in documents:
        if not isinstance(document, str) or len(document) > 4096:
            raise invalid("documents must be texts of at most 4096 characters")
        if not document.strip():
            raise invalid("Input cannot be empty")
    scores = [overlap(body["query"], document) for document in documents]
    order = sorted(range(len(documents)), key=lambda number: (-scores[number], number))
    results = [_ranked(body, number, scores[number]) for number in order[: body.get("top_n") or None]]
    tokens = sum(count(body["query"]) + count(document) for document in documents)
    return {"results": results, "usage": {"prompt_tokens": tokens, "total_tokens": tokens}}


def _ranked(body: Mapping[str, Any], number: int, score: float) -> dict[str, Any]:
    entry: dict[str, Any] = {"index": number, "relevance_score": round(score, 5)}
    if body.get("return_documents"):
        entry["document"] = body["documents"][number]
    return entry


def overlap(query: str, text: str) -> float:
    """Share of the query's words that a text has, rarer (longer) ones counting more; in [0, 1)."""
    wanted, found = set(terms(query)), set(terms(text))
    weight = sum(min(len(word), 8) for word in wanted) or 1
    return 0.98 * sum(min(len(word), 8) for word in wanted & found) / weight
