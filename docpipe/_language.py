"""Text -> its language, by script and by the commonest short words (pure)."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import chain

_SAMPLE = 4000
"""Code points looked at in each of three places of the text: start, middle, end."""
_LETTERS = 20
"""Fewer letters than this say nothing."""

_SCRIPTS = {
    "latin": re.compile(r"[a-zA-Z\u00c0-\u024f\u1e00-\u1eff]"),
    "han": re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"),
    "kana": re.compile(r"[\u3040-\u30ff]"),
    "ko": re.compile(r"[\uac00-\ud7af\u1100-\u11ff]"),
    "cyrillic": re.compile(r"[\u0400-\u04ff]"),
    "arabic": re.compile(r"[\u0600-\u06ff]"),
    "el": re.compile(r"[\u0370-\u03ff]"),
    "he": re.compile(r"[\u0590-\u05ff]"),
    "th": re.compile(r"[\u0e00-\u0e7f]"),
    "hi": re.compile(r"[\u0900-\u097f]"),
}
_HAN_WEIGHT = 3
"""A Han character says about as much as three letters, so that Chinese with many product names stays Chinese."""

_STOP_WORDS = {
    "en": "the of and to in is that for it with as was on are be by this which from or an at not have has",
    "de": "der die und das den von zu mit ist des im für auf ein eine nicht dem sich auch als werden einer bei",
    "fr": "le la les de des et en un une du est que qui dans pour par sur au avec pas sont ce plus ne il aux",
    "es": "el la los las de y en que un una del se por con para es al como más su lo no sus son fue entre",
    "pt": "o a os as de e em que um uma do da dos das para com não por no na é ao como mais se são foi pelo",
    "it": "il la di e che in un una del della per con non sono le dei da al nel si è alla come gli più anche",
    "nl": "de het een en van in is dat op te voor met zijn niet aan er om ook als bij door naar wordt worden",
    "pl": "i w na z do się nie jest to że o jak przez dla od są po oraz ale za co być tym jego",
    "sv": "och i att det som en på är av för med den till inte om ett har de var kan från vid",
    "tr": "ve bir bu da de için ile olarak olan daha çok en gibi kadar sonra her ne ise",
    "vi": "và của là có các trong được cho không một những với này người để đã khi từ",
    "id": "yang dan di dari untuk dengan pada ini itu tidak dalam adalah akan oleh sebagai juga",
}
_WORDS = {language: frozenset(words.split()) for language, words in _STOP_WORDS.items()}
_LANGUAGES_OF = {
    word: tuple(language for language, words in _WORDS.items() if word in words) for word in chain(*_WORDS.values())
}
_WORD = re.compile(r"[^\W\d_]+")
_ALIKE: dict[str, str] = {"zh": "han", "ja": "han", "ru": "cyrillic", "uk": "cyrillic", "ar": "arabic", "fa": "arabic"}
"""Languages that share a script with another one that is told apart here; all that are not named are in Latin letters,
or alone in theirs."""
_OWN_SCRIPT = frozenset({"ko", "el", "he", "th", "hi"})
_SURE_WORDS, _SURE_SHARE, _SURE_TIMES = 5, 6, 3
"""Short words of another language than the document's that a part must hold: so many, one in so many of its words, and
so many times those of the document's."""
_USUAL_SHARE = 5
"""One in so many words is a short word of its language in running text; of another language hardly one in ten is."""
_SURE_LETTERS = 60
"""Letters that must be there without any sign of the document's language, where one script is written in two."""
_SIMPLIFIED, _TRADITIONAL = (
    frozenset(
        "们这个为来时国说对会学发经动过还关现没点进样问间见车东长门开风马书买卖头实将带听请让认识话语电气机务员华业产专应该无从"
    ),
    frozenset(
        "們這個為來時國說對會學發經動過還關現沒點進樣問間見車東長門開風馬書買賣頭實將帶聽請讓認識話語電氣機務員華業產專應該無從"
    ),
)
"""The commonest letters that Chinese writes in two ways."""
_UKRAINIAN = re.compile(r"[іїєґ]", re.I)
_PERSIAN = re.compile(r"[پچژگ]")
_TAG = re.compile(r"<[^<>]{1,40}>")


def primary_language(text: str) -> str:
    """The language that most of a text is in.

    Returns:
        A BCP 47 primary language (`en`, `zh`, `ja` ...), or nothing where the text does not tell.
    """
    sample = _TAG.sub(" ", _sampled(text))
    if sample.isascii():
        return _latin(sample) if sum(map(str.isalpha, sample)) >= _LETTERS else ""
    counts = {name: len(pattern.findall(sample)) for name, pattern in _SCRIPTS.items()}
    weights = {**counts, "han": counts["han"] * _HAN_WEIGHT, "kana": counts["kana"] * _HAN_WEIGHT}
    script = max(weights, key=lambda name: weights[name])
    if weights[script] < _LETTERS and counts["han"] + counts["kana"] < 2:
        return ""
    if script in ("han", "kana"):
        return "ja" if counts["kana"] * 10 > counts["han"] else "zh"
    if script == "cyrillic":
        return "uk" if len(_UKRAINIAN.findall(sample)) * 50 > counts["cyrillic"] else "ru"
    if script == "arabic":
        return "fa" if len(_PERSIAN.findall(sample)) * 50 > counts["arabic"] else "ar"
    return _latin(sample) if script == "latin" else script


def language_tag(text: str) -> str:
    """The language as a BCP 47 tag: `zh-Hans` or `zh-Hant` where Chinese letters tell which, else the primary one."""
    language = primary_language(text)
    if language != "zh":
        return language
    letters = Counter(_sampled(text))
    simplified = sum(letters[letter] for letter in _SIMPLIFIED - _TRADITIONAL)
    traditional = sum(letters[letter] for letter in _TRADITIONAL - _SIMPLIFIED)
    if simplified == traditional:
        return language
    return "zh-Hans" if simplified > traditional else "zh-Hant"


def language_of_part(text: str, *, usual: str) -> str:
    """The primary language of a part of a document: the document's own, unless the part plainly is in another.

    Args:
        usual: the document's primary language, or nothing where it is not known.
    """
    if _is_usual(text, usual):
        return usual
    found = primary_language(text)
    if not found or found == usual:
        return usual
    if not usual or _script(found) != _script(usual):
        return found
    return found if _is_sure(_TAG.sub(" ", _sampled(text)), found, usual) else usual


def _is_usual(text: str, usual: str) -> bool:
    """Whether plain letters hold so many short words of the document's language that no other need be thought of."""
    known = _WORDS.get(usual)
    if known is None or not text.isascii():
        return False
    words = text.lower().split()
    return sum(word in known for word in words) * _USUAL_SHARE >= len(words) > 0


def _script(language: str) -> str:
    return language if language in _OWN_SCRIPT else _ALIKE.get(language, "latin")


def _is_sure(sample: str, found: str, usual: str) -> bool:
    """Whether a text in a script that both languages write is in the first, beyond doubt."""
    if _script(found) == "han" and usual == "ja":
        return len(_SCRIPTS["han"].findall(sample)) >= _SURE_LETTERS and not _SCRIPTS["kana"].search(sample)
    if _script(found) != "latin":
        return found in ("uk", "fa", "ja") or sum(map(str.isalpha, sample)) >= _SURE_LETTERS
    words = _WORD.findall(sample.lower())
    score, rival = (_scores(words)[one] for one in (found, usual))
    return score >= _SURE_WORDS and score * _SURE_SHARE >= len(words) and score >= _SURE_TIMES * rival


def _sampled(text: str) -> str:
    if len(text) <= 3 * _SAMPLE:
        return text
    middle = len(text) // 2
    return f"{text[:_SAMPLE]}\n{text[middle : middle + _SAMPLE]}\n{text[-_SAMPLE:]}"


def _latin(sample: str) -> str:
    """The language whose short words are commonest; nothing where hardly any is met, or two are as common."""
    words = _WORD.findall(sample.lower())
    scores = _scores(words)
    (best, score), (_, rival) = (*scores.most_common(2), ("", 0), ("", 0))[:2]
    if score * 12 < len(words) or score <= rival:
        return ""
    telling = {word for word in words if len(word) > 1 and best in _LANGUAGES_OF.get(word, ())}
    return best if len(telling) > 1 else ""  # single letters are names of quantities, too


def _scores(words: Sequence[str]) -> Counter[str]:
    """How many short words of each language are among these."""
    return Counter(language for word in words for language in _LANGUAGES_OF.get(word, ()))
