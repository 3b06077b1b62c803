"""What users ask -> one line that can be searched for; what they are told where nothing answers it (pure)."""

from docpipe.chat.terms import is_chinese
from docpipe.errors import InvalidOption

__all__ = ["checked", "no_answer"]


def checked(question: str, *, longest: int) -> str:
    """A question on one line.

    Raises:
        InvalidOption: it holds no letter or digit, or is longer than `longest` code points.
    """
    asked = " ".join(question.split())
    if not any(letter.isalnum() for letter in asked):
        raise InvalidOption("the question is empty", where="question", remedy="ask in a few words")
    if len(asked) > longest:
        raise InvalidOption(
            f"the question has {len(asked)} characters, at most {longest} are read",
            where="question",
            remedy="ask in fewer words, or raise `chat.longest_question`",
        )
    return asked


def no_answer(question: str, *, web: bool = False) -> str:
    """What is said where the documents, and the web if it was asked, hold no answer."""
    if is_chinese(question):
        return "在这些文档和网络上都没有找到答案。" if web else "在这些文档中没有找到答案。"
    return "Neither the documents nor the web say." if web else "The documents do not say."
