"""What is kept of a page comes back as it was, and damage is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe.parse.scan.layout import Element
from docpipe.parse.scan.reply import packed, unpacked
from docpipe.types import BBox

fractions = st.integers(0, 10**6).map(lambda n: n / 10**6)
found = st.lists(
    st.builds(Element, st.text(max_size=9), st.text(max_size=40), st.none() | st.builds(BBox, *[fractions] * 4))
)


@given(found)
def test_elements_come_back_as_they_were(elements: list[Element]) -> None:
    assert unpacked(packed(elements)) == elements


@pytest.mark.parametrize(
    "data", [b"", b"nothing", packed([])[:-3], packed([Element("text", "words", None)])[3:]], ids=repr
)
def test_damaged_bytes_are_told(data: bytes) -> None:
    with pytest.raises(ValueError, match="no page that was read"):
        unpacked(data)
