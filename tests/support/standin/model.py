"""The default model: small, honest, and bad on demand."""

import json
import re
from collections.abc import Mapping
from typing import Any

from standin.chat import Reply, last_user_text
from standin.small import overlap

CANNOT = "The sources do not say."
_SOURCE = re.compile(r"<source\b[^>]*?(?:id|number|n)=\"?(\d+)\"?[^>]*>\n?(.*?)\n?</source>", re.DOTALL | re.IGNORECASE)
_NUMBERED = re.compile(r"^\[(\d+)\]\s*(.*?)(?=^\[\d+\]|\Z)", re.DOTALL | re.MULTILINE)
_SENTENCE = re.compile(r"[^.!?。！？\n]+(?:[.!?](?=\s|$|[^\w])|[。！？]|\n|$|\.)(?:[^\s.!?。！？]+[.!?。！？])*")


def answer(body: Mapping[str, Any]) -> Reply:
    """The sentence of the sources that has most words of the question, with its marker; or that it cannot say."""
    question, sources = read(body)
    if (body.get("response_format") or {}).get("type") == "json_object":
        best = max((overlap(question, text) for text in sources.values()), default=0.0)
        return Reply(text=json.dumps({"sufficient": best > 0.4, "reason": "by shared words"}))
    ranked = sorted(
        (
            (overlap(question, sentence), -number, sentence)
            for number, text in sources.items()
            for sentence in sentences(text)
        ),
        reverse=True,
    )
    if not ranked or ranked[0][0] < 0.3:
        return Reply(text=CANNOT, reasoning="The question asks for something. No source states it.")
    _, number, sentence = ranked[0]
    reasoning = f"The question asks for something. Source {-number} states it."
    return Reply(text=f"{sentence} [{-number}]", reasoning=reasoning)


def read(body: Mapping[str, Any]) -> tuple[str, dict[int, str]]:
    """-> the question, and number -> text of the sources in the prompt."""
    last = last_user_text(body)
    sources = {int(match[1]): match[2].strip() for match in _SOURCE.finditer(last)}
    question = _SOURCE.sub("", last).strip().split("\n")[-1]
    if not sources:
        everything = "\n".join(str(m.get("content") or "") for m in body["messages"] if m["role"] in ("system", "tool"))
        sources = {int(m[1]): m[2].strip() for m in _NUMBERED.finditer(everything)}
    return question, sources


def sentences(text: str) -> list[str]:
    """Sentences of a text."""
    return [" ".join(match.group().split()) for match in _SENTENCE.finditer(text) if len(match.group().strip()) > 3]
