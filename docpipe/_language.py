"""Text -> its primary language, by script and by the commonest short words (pure)."""

import re
from collections import Counter

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
_WORD = re.compile(r"[^\W\d_]+")
_UKRAINIAN = re.compile(r"[іїєґ]", re.I)
_PERSIAN = re.compile(r"[پچژگ]")
_TAG = re.compile(r"<[^<>]{1,40}>")


def primary_language(text: str) -> str:
    """The language that most of a text is in.

    Returns:
        A BCP 47 primary language (`en`, `zh`, `ja` ...), or nothing where the text does not tell.
    """
    sample = _TAG.sub(" ", _sampled(text))
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


def _sampled(text: str) -> str:
    if len(text) <= 3 * _SAMPLE:
        return text
    middle = len(text) // 2
    return f"{text[:_SAMPLE]}\n{text[middle : middle + _SAMPLE]}\n{text[-_SAMPLE:]}"


def _latin(sample: str) -> str:
    """The language whose short words are commonest; nothing where hardly any is met."""
    words = Counter(_WORD.findall(sample.lower()))
    total = sum(words.values())
    scores = {language: sum(words[word] for word in known) for language, known in _WORDS.items()}
    best = max(scores, key=lambda language: scores[language])
    enough = scores[best] >= 2 and scores[best] * 12 >= total
    return best if enough else ""
