"""Sentences of a document that speak to a language model: they are never a proof (pure)."""

import re

__all__ = ["commands"]

_SPEAK = r"(?:reply|answer|respond|say|write|print|output|state|tell)"
_ORDER = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b.{0,60}\b(?:instruction|rule|prompt|guideline|above|previous|earlier|prior)"
    rf"|(?:^|[,;:.]\s*|\b(?:and|then|must|should|always|please|now)\s+){_SPEAK}\b[^.\n]{{0,60}}[:\"“‘「]"
    rf"|\b(?:assistants?|language models?|chatbots?|system prompts?|\bAIs?)\b.{{0,60}}\b(?:must|should|{_SPEAK}|obey)\b"
    r"|(?:忽略|无视|無視|忘记|忘記).{0,20}(?:指令|指示|规则|規則|提示|以上|之前)"
    r"|(?:回答|回复|回覆|输出|輸出)(?:说|說|：|:|“|「|\")|(?:助手|模型|机器人).{0,12}(?:必须|必須|应当|请|回答|输出)",
    re.I | re.S,
)


def commands(text: str) -> bool:
    """Whether a sentence looks as if it gave orders to whoever reads it by machine."""
    return _ORDER.search(text) is not None
