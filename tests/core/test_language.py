"""Language of a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe._language import language_of_part, language_tag, primary_language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The pilot waits at the buoy until the tide is high enough for the ship.", "en"),
        ("Der Lotse wartet an der Boje, bis die Flut hoch genug für das Schiff ist.", "de"),
        ("Le pilote attend à la bouée que la marée soit assez haute pour le navire.", "fr"),
        ("El piloto espera en la boya hasta que la marea es lo bastante alta para el barco.", "es"),
        ("引航员在浮标处等待，直到潮水足够高。", "zh"),
        ("我们使用 PyMuPDF 和 LanceDB 来解析 PDF 文件并建立索引。", "zh"),
        ("水先人は潮が満ちるまで浮標のところで待っています。", "ja"),
        ("도선사는 조수가 충분히 높아질 때까지 부표에서 기다립니다. 배는 항구에 있습니다.", "ko"),
        ("Лоцман ждёт у буя, пока вода не поднимется достаточно высоко.", "ru"),
        ("Лоцман чекає біля буя, доки вода підніметься і корабель її пройде.", "uk"),
        ("ينتظر المرشد عند العوامة حتى يرتفع المد بما يكفي للسفينة", "ar"),
        ("", ""),
        ("1, 2, 3; 4.5 %", ""),
        ("xqz wvk zzt qqp lkj hgf dsa poi uyt rew", ""),
    ],
)
def test_the_language_of_a_sentence_is_told(text: str, language: str) -> None:
    assert primary_language(text) == language


def test_a_long_text_is_judged_by_its_start_middle_and_end() -> None:
    assert primary_language("1 2 3 " * 1000 + "The pilot waits at the buoy and the ship is in the bay. " * 300) == "en"


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    assert primary_language(text) == "" or primary_language(text).isalpha()


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("引航员在浮标处等待,直到潮水足够高,这个时候船才进港。", "zh-Hans"),
        ("引航員在浮標處等待,直到潮水足夠高,這個時候船才進港。", "zh-Hant"),
        ("怎样关闭水泵?", "zh-Hans"),
        ("如何關閉水泵?", "zh-Hant"),
        ("有限公司", "zh"),
        ("The pilot waits at the buoy until the tide is high.", "en"),
        ("", ""),
    ],
)
def test_the_two_ways_to_write_chinese_are_told_apart(text: str, tag: str) -> None:
    assert language_tag(text) == tag


@pytest.mark.parametrize(
    "text",
    ["Annual report 2024", "Table of contents", "Yes", "Skerrin Water Cooperative", "Condiciones de la venta", "de la",
     "Inhaltsverzeichnis", "ISO 9001:2015", "a = b + o, e = o - a, o = e",
     "iPhone 15 Pro Max", "A B C D E F G H I J K L M N O P"],
)  # fmt: skip
def test_a_short_text_that_does_not_tell_is_not_guessed(text: str) -> None:
    assert primary_language(text) == ""


ENGLISH = "The pilot waits at the buoy until the tide is high enough for the ship to come into the bay."
GERMAN = "Der Lotse wartet an der Boje, bis die Flut hoch genug für das Schiff ist und es in die Bucht kommen kann."
CHINESE = "引航员在浮标处等待,直到潮水足够高。"


@pytest.mark.parametrize(
    ("text", "usual", "language"),
    [
        pytest.param(CHINESE, "en", "zh", id="chinese-in-english"),
        pytest.param(ENGLISH, "zh", "en", id="english-in-chinese"),
        pytest.param(GERMAN, "en", "de", id="german-in-english"),
        pytest.param(ENGLISH, "de", "en", id="english-in-german"),
        pytest.param(ENGLISH, "fi", "en", id="english-in-a-language-that-is-not-known-here"),
        pytest.param("See the list of the ports.", "de", "de", id="too-short-to-tell"),
        pytest.param("Port 3 Depth 4 m 12", "en", "en", id="figures"),
        pytest.param("東京都 大阪府", "ja", "ja", id="places-in-japanese"),
        pytest.param("水先人は潮が満ちるまで待っています。", "zh", "ja", id="japanese-in-chinese"),
        pytest.param("Лоцман чекає біля буя, доки вода підніметься і корабель її пройде.", "ru", "uk", id="ukrainian"),
        pytest.param(ENGLISH, "", "en", id="nothing-known"),
        pytest.param("", "en", "en", id="nothing-there"),
    ],
)
def test_a_part_is_in_the_documents_language_unless_it_plainly_is_not(text: str, usual: str, language: str) -> None:
    assert language_of_part(text, usual=usual) == language


@given(st.text(), st.sampled_from(["", "en", "zh", "fi", "ja", "ru", "ko"]))
def test_any_part_has_a_language_where_its_document_has_one(text: str, usual: str) -> None:
    assert language_of_part(text, usual=usual) or not usual
