"""Text -> tokens, and what the prompt cache remembers of earlier prompts (pure but for its memory)."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

_PLAIN = re.compile(r"[A-Za-z]{1,7}|[0-9]{1,3}|\s*\n\s*|[!-/:-@\[-`{-~\x00-\x08\x0e-\x1b\x7f]")
_CHINESE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{1,3}")
_OTHER = re.compile(r"[^\x00-\x7f\s\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
TEMPLATE = 3
"""Tokens of the chat template for each message."""
_BLOCK = 64
_KEPT = 8
_MOST = 400_000
"""Marks that are remembered, the latest used: those of some thousand prompts."""


@lru_cache(maxsize=4096)
def count(text: str) -> int:
    """Tokens of a text: a word of up to seven letters is one, three digits, two thirds of a Chinese character."""
    tokens = len(_PLAIN.findall(text))
    if text.isascii():
        return tokens
    tokens += sum(min(2, len(run)) for run in _CHINESE.findall(text))
    return tokens + sum(len(letter.encode("utf-8", "surrogatepass")) // 2 for letter in _OTHER.findall(text))


def text_of(content: Any) -> str:
    """A message's content as text; parts of other kinds count nothing here."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return ""


def serialised(messages: Sequence[Mapping[str, Any]], tools: Any = None) -> list[str]:
    """The prompt as the model reads it: tools first, then message by message."""
    parts = [f"<|tools|>\n{json.dumps(tools, ensure_ascii=False)}\n"] if tools else []
    for message in messages:
        part = f"<|{message.get('role')}|>\n"
        if message.get("reasoning_content"):
            part += f"<think>{message['reasoning_content']}</think>\n"
        part += text_of(message.get("content"))
        if message.get("tool_calls"):
            part += json.dumps(message["tool_calls"], ensure_ascii=False)
        parts.append(part + "\n")
    return parts


def prompt_tokens(messages: Sequence[Mapping[str, Any]], tools: Any = None) -> int:
    """Tokens of a prompt, the template's own included."""
    return sum(count(part) + TEMPLATE for part in serialised(messages, tools))


class PromptCache:
    """Longest common prefix with any earlier prompt of the same model."""

    def __init__(self, *, granularity: int = 1, shortest: int = 0) -> None:
        """granularity: only whole multiples of so many tokens are cached; shortest: fewer are not."""
        self._granularity, self._shortest = granularity, shortest
        self._known: dict[bytes, list[str]] = {}

    def cached(self, model: str, messages: Sequence[Mapping[str, Any]], tools: Any = None) -> int:
        """Tokens of this prompt that need not be read again; remembers the prompt."""
        prompt = model + "\0" + "".join(serialised(messages, tools))
        marks, deepest = _marks(prompt), 0
        while deepest < len(marks) and marks[deepest] in self._known:
            deepest += 1
        found = self._known[marks[deepest - 1]] if deepest else []
        common = max((common_prefix(prompt, earlier) for earlier in found), default=0)
        for mark in marks:
            self._known[mark] = [*self._known.pop(mark, [])[1 - _KEPT :], prompt]
        while len(self._known) > _MOST:
            del self._known[next(iter(self._known))]
        return self._rounded(prompt[len(model) + 1 : common])

    def _rounded(self, prefix: str) -> int:
        tokens = count(prefix) + TEMPLATE * max(
            0, len(re.findall(r"<\|(?:tools|system|user|assistant|tool)\|>", prefix))
        )
        tokens -= tokens % self._granularity
        return tokens if prefix and tokens >= self._shortest else 0


def common_prefix(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _marks(prompt: str) -> list[bytes]:
    """Running digests at every 64th character, the model's name first."""
    running = hashlib.blake2b(prompt.split("\0")[0].encode(), digest_size=12)
    marks = [running.digest()]
    for start in range(0, len(prompt) - _BLOCK + 1, _BLOCK):
        running.update(prompt[start : start + _BLOCK].encode("utf-8", "surrogatepass"))
        marks.append(running.digest())
    return marks
