"""Text -> the sentences of it that speak to a language model, and letters that only a machine reads (pure)."""

import re
from collections import Counter
from collections.abc import Iterator

from docpipe.similar import WIDE
from docpipe.types import Span

__all__ = ["for_machines", "is_task", "orders", "reads_as_prose", "stray_tasks"]

_WIDTHLESS = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u2060-\u2064\ufeff]+")
_FOR_MACHINES = re.compile(
    "[\U000e0020-\U000e007f]{2,}"  # tag characters: ASCII that nobody sees
    "|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{3,}"  # variation selectors one after the other: bytes
    "|[\u200b-\u200f\u2060-\u2064\ufeff]{8,}"  # signs without width: bits
    "|[\u202d\u202e][^\n\u202c]{0,4000}\u202c?"  # letters that stand in another order than they are read
)
_FLAG = "\U0001f3f4"
"""Before tag characters: they make it the flag of a region."""

_TEXT = r"(?:[^.!?\n]|[.](?=\S))"
_REPLY = r"(?:answers?|replies|reply|responses?|outputs?|messages?|completions?|summary|summaries)(?:['\u2019]s)?"
_YOUR_REPLY = rf"your (?:final |next |whole |own )?{_REPLY}\b"
_SAY = r"(?:say|state|print|output|write|repl[iy]|respond|answer|tell|return|generate|execute|run)"
_RULES = (
    r"(?:instructions?|prompts?|rules?|guidelines?|directions?|directives?|commands?|safeguards?|constraints?"
    r"|polic(?:y|ies))"
)
_ALL = (
    r"(?:all|any|every|each|the|your|these|those|previous|prior|above|earlier|preceding|system|initial|original"
    r"|other|of|and)"
)
_MODEL = r"(?:an? )?(?:AI|LLM|GPT|(?:large )?language model|chatbot)(?:[ -](?:assistants?|models?|agents?|bots?))?"
_START = (
    r"(?:^|(?<=[.!?;:,。！？；：\"'(\[*#>])|(?<=[.!?;:,]\s))\s*"
    r"(?:please |now |also |then |and |but |you must |you should |always )*"
)
_OVERRIDE = re.compile(
    r"(?<!not )(?<!n't )(?<!never )\b(?:ignore|disregard|forget|override|bypass|overrule)\s+"
    rf"(?:{_ALL}\s+){{1,6}}{_RULES}\b"
    rf"|\b(?:ignore|disregard|forget)\s+(?:[\w-]+\s+){{1,5}}and (?:instead |just |only |simply )?{_SAY}\b",
    re.I,
)
_SPOILT_REPLY = re.compile(
    r"\b(?:alter|anagram|augment|combine|convert|encode|encrypt|enhance|incorporate|integrate|introduce|jumble|misspell"
    rf"|modify|rearrange|render|replace|reverse|scramble|shuffle|substitute|swap|translate|weave)\b{_TEXT}{{0,160}}?{_YOUR_REPLY}"
    rf"|\b(?:use|write|provide|give)\b{_TEXT}{{0,60}}?\b(?:anagrams?|emojis?|typos?|vowels?|rhymes?|riddles?|misspellings?)"
    rf"\b{_TEXT}{{0,60}}? (?:in|of|for) {_YOUR_REPLY}|\b(?:provide|give|write|render) {_YOUR_REPLY} "
    r"(?:using|with|in) (?:[\w-]+ ){0,2}(?:substitution|misspellings?|typos?|rhymes?|code|anagrams?|riddles?)\b"
    rf"|{_START}in {_YOUR_REPLY},? (?:suggest|tease|promote|recommend|advertise|mention|claim|hint|urge|pretend)\b"
    r"|\b(?:add|include|insert|append|put|embed|hide)\b(?: an?| the| some)?(?: [\w-]+)?(?: [\w-]+)? ?"
    r"(?:[\"\u201c'\u2018].{1,200}?|(?:sentence|link|headline|phrase|reason|reminder|tip|advert\w*|image)s?\b"
    rf"{_TEXT}{{0,100}}?) (?:to|in|into|at the end of|within) {_YOUR_REPLY}",
    re.I | re.S,
)
_PLAY = re.compile(
    rf"{_START}(?:(?:(?:dear|attention|note to|message (?:to|for)|instructions? (?:to|for)|important[:,]?(?: for)?|hey"
    rf"|hi|hello)[ :,]+)(?:the |any |all |every )?{_MODEL}(?:\s*[:,!.\-\u2014]|\s+(?:reading|processing|you)\b))"
    rf"|\bif you(?:['\u2019]re| are) {_MODEL}"
    r"|\byou are now (?:an?|in|no longer|free|acting|operating|DAN)\b[^.!?\n]{0,80}"
    r"\b(?:AI|assistant|mode|model|bot|restrictions?|rules|DAN|persona)\b"
    r"|\b(?:reveal|print|repeat|show|output|disclose|expose)\s[^.!?\n]{0,30}"
    r"\b(?:system prompt|(?:your|hidden|initial) instructions)\b"
    r"|(?:^|[\[<(#*] ?)(?:new |updated |important )?(?:system|developer) (?:prompt|message|instructions?|override)\s*:",
    re.I,
)
_CHINESE = re.compile(
    r"(?:忽略|无视|無視|忘记|忘記|不要理会|不要遵守|绕过)[^。！？\n]{0,14}(?:指令|指示|提示词|提示詞|系统提示|規則|规则|设定|要求)"
    r"|(?:你|您)的(?:回答|回复|回覆|答复|输出|輸出)(?:中|里|裡|末尾|开头)?[^。！？\n]{0,8}(?:加入|添加|插入|推荐|提到|宣传|附上)"
    r"|(?:你|您)现在是(?:一个|一名)?(?:不受|没有|无)限制"
)
_LETTERS = re.compile(
    r"^\s*(?:please )?(?:replace|misspell|anagram|scramble|jumble|rearrange|swap|capitali[sz]e)\b"
    r"[^.!?\n]{0,60}\b(?:letters?|vowels?|consonants?|words?)\b",
    re.I,
)
_FAMILIES = (
    (("ignore ", "disregard", "forget ", "override ", "bypass ", "overrule "), _OVERRIDE),
    (("your answer", "your repl", "your respon", "your output", "your messag", "your complet", "your summar",
      "your final ", "your next ", "your own ", "your whole "), _SPOILT_REPLY),
    (("language model", " ai", "an ai ", "llm", "gpt", "chatbot", "you are now", "system prompt", "instructions",
      "system message", "system override", "developer "), _PLAY),
    (("replace every", "vowels", "misspell", "anagram", "scramble", "jumble"), _LETTERS),
    (("忽略", "无视", "無視", "忘记", "忘記", "不要理会", "不要遵守", "绕过", "你的", "您的",
      "你现在是", "您现在是"), _CHINESE),
)  # fmt: skip
"""Words, one of which stands in every text that the pattern matches, as small letters: they are quick to look for."""
_TASK = re.compile(
    r"(?:(?:please|now|also|then),? )?"
    r"(?:(?:describe|explain|summari[sz]e|translate|compose|draft|develop|write|generate|create|provide|list|tell me"
    r"|give me|show me|recite|outline|break down|compare|define|solve|calculate)\s(?=\S)"
    r"|(?:can|could|would|will) you\s|how (?:do|does|can|would) (?:i|you|we|\w+)\s|what(?:'s|\u2019s| is| are) )"
    r"[^.!?\n]{10,200}[.!?](?=\s|$)",
    re.I,
)
_AFTER = re.compile(r"(?:^|[.!?]\s{1,9}|\n[^\S\n]{0,99})(?=[A-Z])")
_MOST_TASKS = 2
"""More of them are an exercise sheet or a page of questions and answers."""
_LEAST_WORDS = 30
"""Of four letters and more, in a text, to say what it is about."""
_WORD = re.compile(r"[^\W\d_]{4,}")
_COMMON = frozenset((
    "about", "above", "after", "also", "answer", "are", "between", "brief", "briefly", "could", "describe", "details",
    "does", "each", "example", "explain", "following", "from", "give", "have", "here", "into", "list", "main", "make",
    "more", "most", "much", "only", "other", "over", "please", "primary", "provide", "simple", "some", "such",
    "summary", "tell", "terms", "than", "that", "their", "them", "then", "there", "these", "they", "this", "those",
    "using", "very", "what", "when", "where", "which", "will", "with", "would", "write", "your", "generate", "create",
    "compose", "draft", "develop", "translate", "outline", "define", "show",
))  # fmt: skip
_SENTENCE_END = re.compile(r"[.!?](?=\s)|[。！？\n]")
_LONGEST_SENTENCE = 600
_MOST_PLACES = 500
"""Of each kind of words in a text: more are looked at by nobody, and would take time."""
_FEWEST_WORDS = 4
_MARKUP = re.compile(r"[<>{}=|]|\w\(\)|--")


def orders(text: str) -> list[Span]:
    """The sentences that give orders to a model that reads them, in order, apart from each other.

    Signs without width between the letters change nothing. Precision goes before recall: what people write to each
    other, requests for offers included, is left alone.
    """
    bare, places = _without_width(text)
    small = _small(bare)
    found: set[Span] = set()
    for words, pattern in _FAMILIES:
        for start, end in _around(bare, small, words):
            if pattern.search(bare[start:end]):
                found.add(Span(start, end))
    return _apart([Span(places[a], places[b - 1] + 1) if places else Span(a, b) for a, b in found])


def is_task(text: str) -> bool:
    """Whether a text begins by setting a task or asking a question."""
    return _TASK.match(text) is not None


def stray_tasks(text: str) -> list[Span]:
    """Sentences that set a task and share no word with the rest: put there for a model.

    None in a short text, nor where more than two set tasks, as in a sheet of exercises.
    """
    found = [match for begin in _AFTER.finditer(text) if (match := _TASK.match(text, begin.end()))]
    if not 0 < len(found) <= _MOST_TASKS:
        return []
    words = Counter(map(_stem, _WORD.findall(text)))
    if words.total() < _LEAST_WORDS:
        return []
    return [Span(*match.span()) for match in found if _is_stray(match[0], words)]


def for_machines(text: str) -> list[Span]:
    """Runs of characters that show nothing, or in another order than they are stored, and that carry words or bytes."""
    if text.isascii():
        return []
    found = _FOR_MACHINES.finditer(text)
    return [Span(*match.span()) for match in found if text[max(0, match.start() - 1) : match.start()] != _FLAG]


def reads_as_prose(text: str) -> bool:
    """Whether a text that stands outside of what is shown (a comment, an attribute) is words rather than code."""
    if _MARKUP.search(text):
        return False
    words = len(text.split()) >= _FEWEST_WORDS and len(_WORD.findall(text)) >= _FEWEST_WORDS // 2
    return words or len(WIDE.findall(text)) >= 2 * _FEWEST_WORDS


def _without_width(text: str) -> tuple[str, list[int]]:
    """The text without signs that have no width, and where each letter stood; no places where nothing changed."""
    if text.isascii() or not _WIDTHLESS.search(text):
        return text, []
    places, at = list[int](), 0
    for match in _WIDTHLESS.finditer(text):
        places += range(at, match.start())
        at = match.end()
    return _WIDTHLESS.sub("", text), [*places, *range(at, len(text))]


def _small(text: str) -> str:
    """The text in small letters, each in its place."""
    small = text.lower()
    return small if len(small) == len(text) else "".join([letter.lower()[:1] for letter in text])


def _around(text: str, small: str, words: tuple[str, ...]) -> Iterator[Span]:
    """The sentences that hold one of these words."""
    for word in words:
        at, end, count = small.find(word), 0, 0
        while at >= 0 and count < _MOST_PLACES:
            if at >= end:
                span = _sentence(text, at, at + len(word))
                end, count = span.end, count + 1
                yield span
            at = small.find(word, at + 1)


def _sentence(text: str, start: int, stop: int) -> Span:
    """The sentence around a place."""
    before = [match.end() for match in _SENTENCE_END.finditer(text, max(0, start - _LONGEST_SENTENCE), start)]
    begin = before[-1] if before else max(0, start - _LONGEST_SENTENCE)
    after = _SENTENCE_END.search(text, stop, min(len(text), stop + _LONGEST_SENTENCE))
    end = after.end() if after else min(len(text), stop + _LONGEST_SENTENCE)
    part = text[begin:end]
    return Span(begin + len(part) - len(part.lstrip()), begin + len(part.rstrip()))


def _apart(spans: list[Span]) -> list[Span]:
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.start < found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        elif span:
            found.append(span)
    return found


def _is_stray(sentence: str, words: Counter[str]) -> bool:
    """Whether none of its words stands anywhere else; `words` counts the whole text, the sentence included."""
    own = Counter(_stem(word) for word in _WORD.findall(sentence))
    telling = [_stem(word) for word in _WORD.findall(sentence) if word.casefold() not in _COMMON]
    return bool(telling) and all(words[word] <= own[word] for word in telling)


def _stem(word: str) -> str:
    return word.casefold()[:6]
