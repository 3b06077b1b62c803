"""Text -> the words that carry its meaning, in scripts with and without blanks; question -> what it asks for (pure)."""

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum

__all__ = ["Wanted", "is_chinese", "offers", "shares", "specific", "terms", "wanted"]

_WORD = re.compile(
    r"(?P<han>[\u3400-\u9fff\uf900-\ufaff]+)"
    r"|(?P<code>[A-Za-z]{1,5}-?\d[A-Za-z\d]*(?![.,]\d))"
    r"|\d+(?:[.,:]\d+)*"
    r"|[^\W\d_]+(?:['’][^\W\d_]+)?"
)
_QUARTERS = {f"q{number}": (name, "quarter") for number, name in enumerate(("first", "second", "third", "fourth"), 1)}
"""Column names of half the world's reports, against how people ask."""
_FUNCTION_WORDS = """
a an the this that these those it its he him his she her hers they them their theirs we us our you your i my
me is am are was were be been being do does did done have has had having will would shall should can could may
might must of in on at by for from to with without into onto over under about as than then and or but nor so
if because while there here not no what which who whom whose when where why how many much long old far often
also any some each every all both such same own other another get got make made give given gives use used
using called name named please tell say says said
"""
_STOP = frozenset(_FUNCTION_WORDS.split())
_STOP_HAN = re.compile(
    "什么|什麼|甚麼|怎么|怎麼|怎样|怎樣|如何|多少|几|幾|哪些|哪里|哪裡|哪儿|哪个|哪個|哪|谁|誰|何时|何時|何处|何處|何|"
    "为什么|為什麼|是否|吗|嗎|呢|吧|的|了|是|在|和|与|與|及|或|被|把|将|將|由|于|於|从|從|到|对|對|也|都|就|而|其|"
    "之|这|這|那|一个|一個|有|请问|請問|时候|時候"
)


def terms(text: str) -> list[str]:
    """Words in order, without function words: stems for alphabets, pairs of neighbours for Han, numbers as they are."""
    return [term for run in _runs(text) for term in run]


def shares(question: str) -> dict[str, float]:
    """How much each term of a question counts: `n` pairs of one Han run like `sqrt(n)` words, or long names would drown
    what is asked about them.
    """
    found: dict[str, float] = {}
    for run in _runs(question):
        for term in run:
            found[term] = max(found.get(term, 0.0), len(run) ** -0.5)
    return found


def _runs(text: str) -> Iterator[Sequence[str]]:
    """The terms of each run of Han letters between function words, of each code, number or word."""
    for match in _WORD.finditer(text):
        word = match[0].casefold()
        if match["han"]:
            yield from (_pairs(run) for run in _STOP_HAN.split(match["han"]))
        elif match["code"]:
            yield from ((term,) for term in _QUARTERS.get(word, (word,)))
        elif word[0].isdecimal():
            yield (word.replace(",", ""),)
        elif word not in _STOP:
            yield (_stem(word),)


def _pairs(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(len(run) - 1)] if len(run) > 1 else [run] * len(run)


def _stem(word: str) -> str:
    """A crude stem: enough that `greased` and `greases` meet `grease`; both sides of a comparison are cut alike."""
    word = re.sub(r"['’]s?$", "", word)
    if len(word) < 4 or not word.isascii():
        return word
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-3] + "y" if word.endswith("ies") and len(word) > 4 else word[:-1]
    ending = next((ending for ending in ("ing", "ed", "ly") if word.endswith(ending)), "")
    if ending and len(word) - len(ending) >= 3:
        word = word.removesuffix(ending)
    return word.removesuffix("e") if len(word) > 4 else word


def specific(question: str) -> list[str]:
    """Terms of the names and numbers in a question: what a passage about something else is most likely to lack."""
    first, *_ = question.split(maxsplit=1) or [""]
    behind = question[len(first) :]
    names = [match[0] for match in _NAMES.finditer(behind)]
    return terms(" ".join(names + [match[0] for match in _DIGITS.finditer(question)] + _QUOTED.findall(question)))


def is_chinese(text: str) -> bool:
    """Whether a question is in Chinese, or at least a fifth of its letters are."""
    letters = [letter for letter in text if letter.isalpha()]
    han = sum("\u3400" <= letter <= "\u9fff" for letter in letters)
    return han > 0 and 5 * han >= len(letters)


class Wanted(StrEnum):
    """What kind of words would answer a question."""

    PERSON = "person"
    TIME = "time"
    NUMBER = "number"
    PLACE = "place"
    OTHER = "other"


_CUES = (
    (Wanted.PERSON, re.compile(r"\b(?:who|whom|whose)\b|谁|誰|哪位|何人|什么人|什麼人", re.I)),
    (
        Wanted.TIME,
        re.compile(
            r"\bwhen\b|\b(?:what|which|in what|on what|on which) (?:\w+ )?(?:year|date|day|month|century|decade|time)\b"
            r"|何时|何時|什么时候|什麼時候|哪一?年|哪一?天|哪一?月|几月|幾月|几点|幾點|哪一?日|哪个月|星期几|什么时间|几几年|何年|时间",
            re.I,
        ),
    ),
    (
        Wanted.NUMBER,
        re.compile(
            r"\bhow (?:many|much|long|old|far|large|big|high|tall|deep|wide|often|fast|heavy|few)\b"
            r"|\bwhat (?:\w+ ){0,2}(?:percentage|number|amount|share|price|cost|rate|size|ratio|total|fraction)\b"
            r"|多少|几|幾|多大|多长|多長|多高|多远|多遠|多久|比例|人数|人數|第几",
            re.I,
        ),
    ),
    (
        Wanted.PLACE,
        re.compile(r"\bwhere\b|哪里|哪裡|哪儿|何处|何處|什么地方|什麼地方|哪个国家|哪个城市|哪座|位于", re.I),
    ),
)
_MONTH = r"January|February|March|April|May|June|July|August|September|October|November|December"
_DAY = r"Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
_TIMES = re.compile(
    rf"\b(?:1\d|20)\d\ds?\b|\b(?:{_MONTH}|{_DAY})\b|\b\d\d?:\d\d\b|\b\w+ century\b|\b\d+ (?:BC|AD|BCE|CE)\b"
    r"|\d+ ?[年月日点時时]|世纪|世紀|周[一二三四五六日]|星期"
)
_COUNT_WORDS = (
    r"one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|"
    r"seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|"
    r"million|billion|half|third|quarter|twice|once|dozen|none|several"
)
_NUMBERS = re.compile(rf"\d+(?:[.,]\d+)*|\b(?:{_COUNT_WORDS})\b|[一二三四五六七八九十百千万亿兩两萬億]", re.I)
_NAMES = re.compile(r"\b[A-Z][\w'’-]+(?: (?:[A-Z][\w'’-]+|of|the|de|van|von|al))*")

_DIGITS = re.compile(r"\d+(?:[.,:]\d+)*")
_QUOTED = re.compile(r"[《“「『\"]([^《》“”「」『』\"]{1,40})[》”」』\"]")


def wanted(question: str) -> Wanted:
    """What kind of answer the question words ask for."""
    return next((kind for kind, cue in _CUES if cue.search(question)), Wanted.OTHER)


def offers(text: str, kind: Wanted, question: str) -> bool:
    """Whether a sentence holds something of the kind that the question itself does not hold."""
    if kind is Wanted.TIME:
        return _new(_TIMES, text, question)
    if kind is Wanted.NUMBER:
        return _new(_NUMBERS, text, question)
    if kind in (Wanted.PERSON, Wanted.PLACE):
        return is_chinese(text) or _new(_NAMES, text, question)
    return True


def _new(pattern: re.Pattern[str], text: str, question: str) -> bool:
    known = question.casefold()
    return any(match[0].casefold() not in known for match in pattern.finditer(text))
