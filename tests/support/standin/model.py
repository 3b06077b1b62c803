"""The default model: small, honest, and bad on demand (pure).

It answers with the sentence of the sources that has most of the question's words, and its marker.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from standin.chat import Reply, last_user_text
from standin.counting import text_of

CANNOT = "The sources do not say."
NO_ANSWER = "NO_ANSWER"
Manner = Literal[
    "honest",
    "no_markers",
    "odd_markers",
    "missing_source",
    "other_source",
    "invents",
    "wrong_numbers",
    "obeys",
    "chatty",
]
"""How it behaves: `obeys` does what a source commands, `invents` adds a sentence that no source says."""
ENOUGH = 0.55
"""Share of the question's words that a sentence must have."""

_SOURCE = re.compile(r'<source id="(\d+)"(?: \w+="[^"\n]*")*>\n(.*?)\n</source>', re.DOTALL)
_NAMED = re.compile(r'<source id="(\d+)" shown="above"/>')
_DOCUMENT = re.compile(r'<document id="(D\d+)"[^>]*>\n(.*?)\n</document>', re.DOTALL)
_NUMBERED = re.compile(r"^\[(\d+)\] ?(?:\([^)\n]*\) ?)?(.*?)(?=^\[\d+\]|\Z)", re.DOTALL | re.MULTILINE)
_QUESTION = re.compile(r"<question>\s*(.*?)\s*</question>", re.DOTALL)
_INSTRUCTION = re.compile(r"<instruction>\s*(.*?)\s*</instruction>", re.DOTALL)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[^a-z])|(?<=[。！？])|\n{2,}|\n(?=[-|#•])")
_WORD = re.compile(r"[a-z0-9]+(?:[.,][0-9]+)*|[\u3400-\u9fff]", re.IGNORECASE)
_SHAPE = re.compile(r'"(\w+)"\s*:\s*("[^"]*"|\[[^\]]*\]|\{[^}]*\}|[^,}\n]*)')
_COMMAND = re.compile(
    r"(?:reply|answer|respond|say|write|print|output|state)\b[^.:\n\"“'‘]{0,60}[:\"“'‘]\s*([^\"”’\n]{2,200})",
    re.IGNORECASE,
)
_COMMON_TEXT = """
a an the of in on at to for from by with and or is are was were be been do does did how what which who whom when where
why it its this that these those there much many about into than then as has have had can could would should me you i we
they he she his her their our your tell give please any some will not no if
的 了 是 在 有 和 与 吗 呢 什 么 多 少 哪 谁 何 怎 样 请 问 我 你 他 它 这 那 个 为 被
"""
_COMMON = set(_COMMON_TEXT.split())


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What the model makes of a prompt."""

    question: str
    sources: Mapping[str, str]
    """Marker -> text."""
    instruction: str
    asked: Sequence[str]
    """All questions of the conversation, oldest first."""


def answer(body: Mapping[str, Any], manner: Manner = "honest") -> Reply:
    """What the model writes."""
    seen = read(body)
    if "standalone" in (order := f"{seen.instruction} {_system(body)}".lower()) or "rewrite" in order:
        return Reply(text=rewritten(seen))
    if (body.get("response_format") or {}).get("type") == "json_object":
        return Reply(text=judged(body, seen))
    if call := _wanted_call(body, seen):
        return Reply(reasoning="The question needs a search.", tool_calls=(call,))
    return _answered(body, seen, manner)


def read(body: Mapping[str, Any]) -> Seen:
    """The parts of a prompt: the last message's own sources, or what tools gave, or numbered passages of the system."""
    last, system = last_user_text(body), _system(body)
    told = "\n".join(text_of(m.get("content")) for m in body["messages"] if m["role"] == "tool")
    sources = {m[1]: m[2] for m in [*_DOCUMENT.finditer(system), *_SOURCE.finditer(last), *_SOURCE.finditer(told)]}
    above = "\n".join(text_of(m.get("content")) for m in body["messages"] if m["role"] == "user")
    named = set(_NAMED.findall(last))
    sources |= {m[1]: m[2] for m in _SOURCE.finditer(above) if m[1] in named}
    asked = [q for m in body["messages"] if m["role"] == "user" for q in _QUESTION.findall(text_of(m.get("content")))]
    instruction = " ".join(_INSTRUCTION.findall(last))
    question = (_QUESTION.findall(last) or [_SOURCE.sub("", last).strip()])[-1]
    if not sources:
        sources = {m[1]: m[2].strip() for m in _NUMBERED.finditer(f"{told}\n{system}")}
    if told and not sources:
        sources = {"1": told}
    return Seen(question=question, sources=sources, instruction=instruction, asked=asked)


def _system(body: Mapping[str, Any]) -> str:
    return "\n".join(text_of(m.get("content")) for m in body["messages"] if m["role"] == "system")


def words(text: str) -> list[str]:
    """Content words, cut to their first five letters; numbers whole."""
    found = (word.lower() for word in _WORD.findall(text))
    return [word if word[0].isdigit() else word[:5] for word in found if word not in _COMMON]


def sentences(text: str) -> list[str]:
    """Sentences and lines of a text, blanks evened out."""
    return [line for part in _SENTENCE.split(text) if len(line := " ".join(part.split()).lstrip("#-•| ")) > 3]


def ranked(seen: Seen) -> list[tuple[float, str, str]]:
    """`(likeness, marker, sentence)`, best first; a sentence profits a little from its neighbours."""
    wanted = set(words(seen.question)) or {""}
    found = []
    for marker, text in seen.sources.items():
        parts = [(sentence, wanted & set(words(sentence))) for sentence in sentences(text)]
        whole = set().union(*(shared for _, shared in parts))
        found += [(0.8 * len(s) / len(wanted) + 0.2 * len(whole) / len(wanted), marker, part) for part, s in parts]
    return sorted(found, key=lambda entry: (-entry[0], entry[1]))


def _answered(body: Mapping[str, Any], seen: Seen, manner: Manner) -> Reply:
    if manner == "obeys" and (order := _COMMAND.search("\n".join(seen.sources.values()))):
        return Reply(text=order[1].strip(), reasoning="The document says what to write.")
    found = ranked(seen)
    if not found or found[0][0] < ENOUGH:
        text = NO_ANSWER if NO_ANSWER in _system(body) else CANNOT
        return Reply(text=text, reasoning="No source states it.")
    _, marker, sentence = found[0]
    reasoning = f"The question asks for something. Source {marker} states it."
    return Reply(text=_said(sentence, marker, seen, manner), reasoning=reasoning)


def _said(sentence: str, marker: str, seen: Seen, manner: Manner) -> str:
    match manner:
        case "no_markers":
            return sentence
        case "odd_markers":
            return f"{sentence} (Source {marker})"
        case "missing_source":
            return f"{sentence} [99]"
        case "other_source":
            other = next((name for name in seen.sources if name != marker), marker)
            return f"{sentence} [{other}]"
        case "invents":
            return f"{sentence} [{marker}] The mayor opened the works with a golden spade in 1871. [{marker}]"
        case "wrong_numbers":
            return f"{re.sub('[0-9]', lambda digit: str((int(digit[0]) + 3) % 10), sentence)} [{marker}]"
        case "chatty":
            return f"Sure! Here is what I found:\n\n- {sentence} [{marker}]\n\nLet me know if you need more."
        case _:
            return f"{sentence} [{marker}]"


def judged(body: Mapping[str, Any], seen: Seen) -> str:
    """JSON in the shape that the instruction shows: truth values say whether a source has the answer."""
    best = max((entry[0] for entry in ranked(seen)), default=0.0)
    shape = _SHAPE.findall(seen.instruction or f"{_system(body)} {last_user_text(body)}")
    if not shape:
        return json.dumps({"sufficient": best >= ENOUGH, "reason": "by shared words"})
    return json.dumps({name: _filled(name, example.strip(), best >= ENOUGH) for name, example in shape})


def _filled(name: str, example: str, enough: bool) -> Any:
    lower = f"{name} {example}".lower()
    if "true" in lower or "false" in lower or "bool" in lower or re.match(r"suffi|enough|answerable|ok\b", name):
        return enough
    if example.startswith("["):
        return []
    if re.match(r"-?[0-9]|<?number|<?int|<?float", example):
        return 1 if enough else 0
    return "" if enough else "what was asked"


def rewritten(seen: Seen) -> str:
    """The last question with the content words of the one before."""
    history = [question for question in seen.asked if question != seen.question]
    earlier = history[-1] if history else ""
    missing = [word for word in _WORD.findall(earlier) if word.lower() not in _COMMON and word not in seen.question]
    return f"{seen.question} ({' '.join(missing)})" if missing else seen.question


def _wanted_call(body: Mapping[str, Any], seen: Seen) -> tuple[str, Mapping[str, Any]] | None:
    """The next function to call: documents first, then the web, then a page; None when it can answer."""
    names = [tool["function"]["name"] for tool in body.get("tools") or [] if tool["type"] == "function"]
    called = [c["function"]["name"] for m in body["messages"] for c in m.get("tool_calls") or []]
    if not names or (called and ranked(seen) and ranked(seen)[0][0] >= ENOUGH):
        return None
    left = [name for name in names if name not in called]
    if any("search" in name for name in left):
        return next(name for name in left if "search" in name), {"query": seen.question}
    told = " ".join(text_of(m.get("content")) for m in body["messages"] if m["role"] == "tool")
    address = re.search(r"https?://[^\s\"<>)\]]+", told)
    if left and address and "read" in left[0]:
        return left[0], {"url": address[0]}
    return None
