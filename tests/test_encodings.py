"""Decoding: any bytes give a text, the right one for the common encodings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe._encodings import decode, wide_encoding

SIMPLIFIED = "用户可以在这里找到所有的说明，以及各种参数的含义。"
TRADITIONAL = "使用者可以在這裡找到所有的說明，以及各種參數的含義。"
WESTERN = "Größe über alles, naïve café — “quoted”, déjà vu"
FRENCH = "Le système a été testé à l'été; les résultats sont présentés ci-après, où figurent les données. "
POLISH = "Aby zainstalować program, należy uruchomić plik i postępować zgodnie ze wskazówkami. "
RUSSIAN = "Это документ о настройках системы и параметрах."
JAPANESE = "これは日本語の文書です。システムの設定について説明しています。"


@pytest.mark.parametrize(
    ("text", "written", "read"),
    [
        (SIMPLIFIED, "utf-8", "utf-8"),
        (SIMPLIFIED, "utf-8-sig", "utf-8"),
        (SIMPLIFIED, "utf-16", "utf-16-le"),
        (SIMPLIFIED, "utf-32", "utf-32-le"),
        ("Latin text without a mark", "utf-16-le", "utf-16-le"),
        ("Latin text without a mark", "utf-16-be", "utf-16-be"),
        ("Latin text without a mark", "utf-32-be", "utf-32-be"),
        (SIMPLIFIED, "gb18030", "gb18030"),
        (SIMPLIFIED, "gbk", "gb18030"),
        (TRADITIONAL, "big5", "big5"),
        (WESTERN, "cp1252", "cp1252"),
        (FRENCH, "cp1252", "cp1252"),
        (POLISH, "cp1250", "cp1250"),
        (RUSSIAN, "cp1251", "cp1251"),
        (JAPANESE, "shift_jis", "shift_jis"),
        ("", "utf-8", "utf-8"),
    ],
)
@pytest.mark.parametrize("repeated", [1, 3000], ids=["short", "long"])
def test_common_encodings_are_known(text: str, written: str, read: str, repeated: int) -> None:
    assert decode((text * repeated).encode(written)) == (text * repeated, read, 0)


def test_non_ascii_far_into_a_long_file_is_found() -> None:
    text = "plain " * 50_000 + SIMPLIFIED
    assert decode(text.encode("gb18030")).text == text


def test_what_the_file_declares_helps_where_it_is_true() -> None:
    data = "ą".encode("iso8859-2")
    assert decode(data, declared="ISO-8859-2").text == "ą"
    assert decode(SIMPLIFIED.encode("gbk"), declared="gb2312").text == SIMPLIFIED
    assert decode(SIMPLIFIED.encode("utf-8"), declared="gb2312").text == SIMPLIFIED
    assert decode("é".encode("cp1252"), declared="no-such-encoding").errors == 0
    assert decode(WESTERN.encode("cp1252"), declared="utf-16").text == WESTERN


def test_of_encodings_that_give_the_same_text_the_commonest_is_named() -> None:
    assert decode("# können\n\näöüß\n".encode("cp1252")) == ("# können\n\näöüß\n", "cp1252", 0)


def test_damaged_utf8_stays_utf8_and_the_damage_is_counted() -> None:
    data = SIMPLIFIED.encode() * 5 + b"\xff" + SIMPLIFIED.encode() * 5
    assert decode(data) == (SIMPLIFIED * 5 + "\ufffd" + SIMPLIFIED * 5, "utf-8", 1)


@given(data=st.binary(max_size=200))
def test_any_bytes_give_a_text(data: bytes) -> None:
    read = decode(data)
    assert read.errors == read.text.count("\ufffd") or read.encoding == "utf-8"


@given(text=st.text())
def test_utf8_is_read_as_it_was_written(text: str) -> None:
    text = text.replace("\x00", "").removeprefix("\ufeff")
    assert decode(text.encode("utf-8")).text == text


def test_zero_bytes_that_follow_no_pattern_are_no_wide_encoding() -> None:
    assert wide_encoding(bytes(range(256)) * 20) == ""
    assert wide_encoding(b"") == ""


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("koi8-r", "Это инструкция о маяке. Прочитайте её внимательно."),
        ("cp1251", "Это инструкция о маяке. Прочитайте её внимательно."),
        ("cp866", "Это инструкция о маяке. Прочитайте её внимательно."),
        ("iso8859-5", "Это инструкция о маяке. Прочитайте её внимательно."),
        ("cp1255", "זהו מדריך על המגדלור. קרא אותו בעיון."),
        ("cp1256", "هذا دليل عن المنارة. اقرأه بعناية من فضلك."),
        ("cp1253", "Αυτό είναι ένα εγχειρίδιο για τον φάρο."),
        ("iso8859-2", "Zażółć gęślą jaźń. To jest instrukcja."),
        ("cp1250", "Zażółć gęślą jaźń. To jest instrukcja."),
    ],
)
def test_letters_of_other_alphabets_are_told_apart_by_how_often_they_come(encoding: str, text: str) -> None:
    assert decode(text.encode(encoding)).text == text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize(
    "text",
    [
        "这是一份关于灯塔的说明书，请仔细阅读。第二段在这里。",
        "Это инструкция о маяке. Вот она.",
        "これは灯台の説明書です。よく読む。",
    ],
    ids=["chinese", "russian", "japanese"],
)
def test_wide_text_without_a_mark_is_known_by_its_letters(encoding: str, text: str) -> None:
    assert decode(text.encode(encoding)).text == text


@pytest.mark.parametrize("encoding", ["gb18030", "big5", "shift_jis", "euc_jp", "cp949", "cp1252", "utf-8"])
def test_text_of_narrow_encodings_is_not_taken_for_wide_text(encoding: str) -> None:
    text = {"cp949": "이것은 등대에 대한 설명서입니다. 읽으십시오.", "cp1252": "Größe über Füße, café"}.get(
        encoding, "東京中文 2024, 山川。"
    )
    assert wide_encoding((text * 3).encode(encoding)) == ""
