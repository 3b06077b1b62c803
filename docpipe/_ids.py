"""Digests: documents, chunks, texts, and the fingerprints of stages (pure)."""

import dataclasses
import hashlib
import json
from typing import Any


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def document_id(uri: str) -> str:
    """Identity of the document at a uri: 32 hexadecimal digits, whatever its bytes are today."""
    return _short("document", uri)


def chunk_id(document_id: str, content: str, repetition: int) -> str:
    """Identity of a chunk: the same words under the same headings keep it when the text around them changes.

    Args:
        content: what the embedder sees, before tags are taken out.
        repetition: how many chunks before it in the document have the same content.
    """
    return _short("chunk", document_id, content, str(repetition))


def text_key(content: str) -> str:
    """Identity of a text to embed: equal texts share one vector."""
    return _short("text", content)


def fingerprint(stage: object) -> str:
    """Identity of what a stage does: class, VERSION and the fields that take part in comparison.

    Raises:
        TypeError: the stage is not a dataclass, or a field's value is not plain data or a stage.
    """
    return _short("stage", json.dumps(_plain(stage), sort_keys=True, ensure_ascii=False))


def chain(*fingerprints: str) -> str:
    """Identity of stages that follow each other."""
    return _short("chain", *fingerprints)


def _short(*parts: str) -> str:
    joined = "\x1f".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(joined).hexdigest()[:32]


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        kind = type(value)
        fields = {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value) if f.compare}
        return {"class": f"{kind.__module__}.{kind.__qualname__}", "version": getattr(kind, "VERSION", 1), **fields}
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(_plain(item) for item in value)
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise TypeError(f"a stage's option must be plain data or a stage, got {type(value).__name__}")
