"""The error tree."""

import pickle

import pytest

from docpipe import errors
from docpipe.errors import DocpipeError

EXAMPLES = [
    errors.ConfigError("bad", where="f:1", remedy="mend"),
    errors.MissingExtra("OCR", extra="ocr"),
    errors.CorruptSource("cut", source="a.pdf", remedy="save"),
    errors.StageError("no", stage="parse", item="a.pdf", remedy="try"),
    errors.IndexMismatch("other", found="a", wanted="b", index="i", remedy="new folder"),
    errors.IndexDamaged("cut short", stage="index", item="i", remedy="docpipe doctor --fix"),
    errors.RunLocked(index="i", holder="process 1"),
    errors.Refused("no", service="chat", status=400, code="1210", remedy="shorten"),
    errors.RateLimited("wait", service="chat", retry_after=3.0, status=429),
]


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_crosses_a_process_border_with_its_facts(error: DocpipeError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert (str(copy), copy.__dict__) == (str(error), error.__dict__)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_says_what_to_try_and_where(error: DocpipeError) -> None:
    assert error.remedy in str(error)
    assert error.where or isinstance(error, (errors.MissingExtra, errors.RunLocked))


def test_a_missing_extra_names_it_and_is_an_import_error() -> None:
    with pytest.raises(ImportError, match=r"docpipe\[ocr\]"):
        raise errors.MissingExtra("local OCR", extra="ocr")


def test_an_unexpected_error_becomes_a_failure_that_asks_for_a_report() -> None:
    value = errors.failure(ZeroDivisionError("division by zero"), stage="parse")
    assert (value.type, value.stage) == ("ZeroDivisionError", "parse")
    assert "report it" in value.remedy
