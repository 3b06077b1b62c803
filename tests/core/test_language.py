"""Language of a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe._language import primary_language


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
