"""Names in uris, and globs."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe.load.names import file_name, is_temporary, matcher, uri_name

NAMES = st.binary(min_size=1, max_size=12).map(lambda data: data.decode("utf-8", "surrogateescape")) | st.text(
    "%25FFabé中\n'", max_size=12
)


@given(name=NAMES)
def test_a_uri_name_is_valid_unicode_and_gives_the_file_name_back(name: str) -> None:
    part = uri_name(name)
    part.encode("utf-8")
    assert file_name(part) == unicodedata.normalize("NFC", name)


@given(one=NAMES, other=NAMES)
def test_two_names_share_a_uri_only_where_unicode_says_they_are_the_same(one: str, other: str) -> None:
    same = unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)
    assert (uri_name(one) == uri_name(other)) == same


@pytest.mark.parametrize("name", ["100% sure.md", "My%20File.pdf", "50%.txt", "report (1).pdf", "资料.md"])
def test_common_names_stay_as_they_are(name: str) -> None:
    assert uri_name(name) == name


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("*.pdf", "a.pdf", True),
        ("*.pdf", "deep/er/a.PDF", True),
        ("*.pdf", "a.pdfx", False),
        ("docs/*.md", "docs/a.md", True),
        ("docs/*.md", "docs/deep/a.md", False),
        ("docs/**/*.md", "docs/a.md", True),
        ("docs/**/*.md", "docs/deep/er/a.md", True),
        ("docs/", "docs/a/b.md", True),
        ("docs/", "docs/", True),
        ("docs", "old/docs", True),
        ("**/old/**", "a/old/b.md", True),
        ("a?.md", "ab.md", True),
        ("a?.md", "a/.md", False),
        ("[ab].md", "b.md", True),
        ("[!ab].md", "b.md", False),
        ("[", "[", True),
        ("a.md", "aXmd", False),
        ("./a.md", "a.md", True),
        ("中*.md", "中文.md", True),
        ("a\nb*", "a\nb c", True),
    ],
)
def test_a_glob_fits(pattern: str, path: str, fits: bool) -> None:
    assert matcher([pattern])(path) is fits


def test_no_pattern_fits_nothing_and_the_widest_fits_all() -> None:
    assert not matcher([])("a.md")
    assert matcher(["**/*"])("a\n/b.md")


@given(pattern=st.text("ab*?[]!/.\\^-", max_size=8), path=st.text("ab/.", max_size=8))
def test_any_text_is_a_glob(pattern: str, path: str) -> None:
    assert matcher([pattern])(path) in (True, False)


@pytest.mark.parametrize(
    ("pattern", "fits", "fits_not"),
    [
        ("[^a].md", "^.md", "b.md"),
        ("[!a-c].md", "d.md", "b.md"),
        ("[]x].md", "].md", "y.md"),
        ("[z-a].md", "", "m.md"),
        ("[!z-a].md", "m.md", "/.md"),
        ("a[!b]c.md", "axc.md", "a/c.md"),
        ("[a&&b].md", "&.md", "c.md"),
    ],
)
def test_a_set_of_characters_is_just_that(pattern: str, fits: str, fits_not: str) -> None:
    assert not fits or matcher([pattern])(fits)
    assert not matcher([pattern])(fits_not)


@pytest.mark.parametrize("name", ["~$a.docx", ".~lock.a.odt#", "a.txt~", "#a.txt#", ".a.swp", "A.part", "desktop.ini"])
def test_what_editors_leave_is_known(name: str) -> None:
    assert is_temporary(name)


@pytest.mark.parametrize("name", ["a~b.md", "#1 notes.md", "swap.md", "part.md", "~notes.md"])
def test_other_names_are_not_taken_for_it(name: str) -> None:
    assert not is_temporary(name)
