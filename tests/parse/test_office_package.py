"""Packages that are damaged, locked, or made to do harm; laws of the parts that Office formats share."""

import zipfile
from io import BytesIO
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from office_samples import (
    SPACES,
    blob,
    check,
    docx,
    epub,
    opendocument,
    paragraph,
    pptx,
    relations,
    shape,
    sheet,
    texts,
    xlsx,
    zipped,
)

from docpipe.errors import CorruptSource, DocpipeError, EncryptedSource, SourceTooLarge
from docpipe.parse.docx import DocxParser
from docpipe.parse.epub import EpubParser
from docpipe.parse.office import package
from docpipe.parse.office.equations import latex
from docpipe.parse.office.numerals import numeral
from docpipe.parse.office.package import Package, joined
from docpipe.parse.office.word_numbering import read_numbering
from docpipe.parse.opendocument import OpenDocumentParser
from docpipe.parse.pptx import PptxParser
from docpipe.parse.xlsx import XlsxParser
from docpipe.protocols import Parser

CHAPTER = "<html><body><h1>One</h1><p>text</p></body></html>"
SAMPLES: dict[str, tuple[Parser, bytes]] = {
    "docx": (DocxParser(), docx(paragraph("text") * 3)),
    "pptx": (PptxParser(), pptx(shape("text", role="title"), shape("more"))),
    "xlsx": (XlsxParser(), xlsx(sheet({"A1": "Name", "B1": "N", "A2": "duck", "B2": "3"}))),
    "odt": (OpenDocumentParser(), opendocument("<office:text><text:p>text</text:p></office:text>")),
    "epub": (EpubParser(), epub(CHAPTER)),
}
NO_PACKAGE = {"empty": b"", "head": b"PK\x03\x04", "text": b"no zip", "zip": zipped({"a": "b"})}
PARSERS = [pytest.param(parser, id=name) for name, (parser, _) in SAMPLES.items()]


def word(document: str) -> bytes:
    return docx("", parts={"word/document.xml": document})


class TestBombs:
    def test_a_part_that_grows_too_much_is_refused(self) -> None:
        data = docx("", parts={"word/document.xml": f"<w:document {SPACES}>{' ' * (8 << 20)}</w:document>"})
        with pytest.raises(SourceTooLarge, match=r"grows [\d,]+ times when it is unpacked"):
            list(DocxParser()(blob(data)))

    def test_a_part_that_is_too_large_is_refused_before_it_is_unpacked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(package, "LARGEST_TREE", 100)
        with pytest.raises(SourceTooLarge, match="unpacks to more than"):
            list(DocxParser()(blob(docx(paragraph("text " * 99)))))

    def test_all_parts_together_are_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(package, "MOST_IN_ALL", 2_000)
        with pytest.raises(SourceTooLarge, match="its parts unpack to more than"):
            list(PptxParser()(blob(pptx(*[shape("text")] * 20))))

    def test_too_many_parts_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(package, "MOST_PARTS", 5)
        with pytest.raises(SourceTooLarge, match="parts, more than 5"):
            list(DocxParser()(blob(docx(""))))

    def test_a_size_that_is_a_lie_gains_nothing(self) -> None:
        data = docx(paragraph("x" * 5_000))
        name = b"word/document.xml"
        at = data.rindex(name) - 46 + 24
        with pytest.raises(CorruptSource):
            list(DocxParser()(blob(data[:at] + (100).to_bytes(4, "little") + data[at + 4 :])))

    def test_entities_are_refused(self) -> None:
        levels = "".join(f"<!ENTITY e{n} '{f'&e{n - 1};' * 10}'>" for n in range(1, 10))
        bomb = f'<!DOCTYPE x [<!ENTITY e0 "ha">{levels}]><w:document {SPACES}><w:t>&e9;</w:t></w:document>'
        with pytest.raises(CorruptSource, match=r"word/document\.xml declares XML entities"):
            list(DocxParser()(blob(word(bomb))))

    def test_files_of_the_machine_are_not_read(self) -> None:
        outside = f'<!DOCTYPE x SYSTEM "file:///etc/hostname"><w:document {SPACES}><w:body>{paragraph("a")}</w:body>'
        (document,) = DocxParser()(blob(word(outside + "</w:document>")))
        assert document.text == "a"
        with pytest.raises(CorruptSource):
            entity = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
            list(DocxParser()(blob(word(f"{entity}<w:document {SPACES}><w:body>&e;</w:body></w:document>"))))

    def test_elements_within_elements_without_end_are_damage_or_cut(self) -> None:
        depth = 5_000
        body = f"<w:document {SPACES}><w:body>{'<w:sdt>' * depth}{paragraph('x')}{'</w:sdt>' * depth}</w:body>"
        try:
            (document,) = DocxParser()(blob(word(body + "</w:document>")))
        except CorruptSource as error:
            assert "nested too deeply" in error.message
        else:
            assert document.text in ("", "x")


class TestLocks:
    @pytest.mark.parametrize("parser", PARSERS[:4])
    def test_a_file_with_a_password_says_so(self, parser: Parser) -> None:
        data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le")
        with pytest.raises(EncryptedSource, match="it needs a password") as caught:
            list(parser(blob(data)))
        assert "passwords: [NAME]" in caught.value.remedy

    def test_an_old_file_under_a_new_name_says_so(self) -> None:
        with pytest.raises(CorruptSource, match="Office before 2007"):
            list(DocxParser()(blob(b"\xd0\xcf\x11\xe0" + bytes(600))))

    def test_a_part_that_is_locked_in_its_zip_says_so(self) -> None:
        data = bytearray(docx(paragraph("x")))
        for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            at = -1
            while (at := data.find(mark, at + 1)) >= 0:
                data[at + offset] |= 1
        with pytest.raises(EncryptedSource):
            list(DocxParser()(blob(bytes(data))))


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("data", NO_PACKAGE.values(), ids=NO_PACKAGE)
def test_what_is_no_such_file_is_damage_with_what_to_do(parser: Parser, data: bytes) -> None:
    with pytest.raises(CorruptSource) as caught:
        list(parser(blob(data)))
    assert caught.value.remedy and caught.value.where == "folder/file"


@pytest.mark.parametrize("name", SAMPLES)
def test_any_damage_gives_a_document_or_a_typed_error(name: str) -> None:
    parser, data = SAMPLES[name]
    random = Random(name)
    for _ in range(150):
        broken = bytearray(data)
        for _ in range(random.choice((1, 3, 20))):
            broken[random.randrange(len(broken))] = random.randrange(256)
        try:
            stop = random.choice((len(broken), random.randrange(len(broken))))
            (document,) = parser(blob(bytes(broken[:stop])))
        except DocpipeError as error:
            assert error.remedy
        else:
            check(document)


@pytest.mark.parametrize("name", SAMPLES)
def test_damage_inside_the_parts_gives_a_document_or_a_typed_error(name: str) -> None:
    parser, data = SAMPLES[name]
    random = Random(name)
    with zipfile.ZipFile(BytesIO(data)) as file:
        parts = {info.filename: file.read(info) for info in file.infolist()}
    for _ in range(150):
        changed = {key: bytearray(part) for key, part in parts.items()}
        part = changed[random.choice([key for key, part in parts.items() if part])]
        for _ in range(random.choice((1, 2, 8))):
            at = random.randrange(len(part))
            part[at : at + random.randrange(3)] = random.choice((b"", b"<", b">", b'"', b"&#0;", b"9" * 30, b"\xff"))
            if not part:
                break
        try:
            (document,) = parser(blob(zipped({key: bytes(part) for key, part in changed.items()})))
        except DocpipeError as error:
            assert error.remedy
        else:
            check(document)


def test_names_of_parts_may_differ_in_case_and_slashes() -> None:
    body = f"<w:document {SPACES}><w:body>{paragraph('a')}</w:body></w:document>"
    links = relations(("r", "officeDocument", "/Word/Document.xml"))
    data = zipped({"_rels\\.rels": links, "word/document.xml": body})
    (document,) = DocxParser()(blob(data))
    assert document.text == "a"


def test_the_strict_form_of_the_format_is_read() -> None:
    strict = f"<w:document {SPACES}><w:body>{paragraph('a')}</w:body></w:document>".replace(
        "http://schemas.openxmlformats.org/wordprocessingml/2006/", "http://purl.oclc.org/ooxml/wordprocessingml/"
    )
    (document,) = DocxParser()(blob(word(strict)))
    assert texts(document) == ["a"]


@pytest.mark.parametrize(
    ("folder", "target", "expected"),
    [
        ("word", "media/a.png", "word/media/a.png"),
        ("word", "/xl/a.xml", "xl/a.xml"),
        ("ppt/slides", "../notes/n.xml", "ppt/notes/n.xml"),
        ("OPS", "c%201.xhtml#top", "OPS/c 1.xhtml"),
        ("OPS", "#top", "OPS"),
        ("", "", ""),
        ("a", "../../../etc/passwd", "../../etc/passwd"),
    ],
)
def test_links_name_parts(folder: str, target: str, expected: str) -> None:
    assert joined(folder, target) == expected


def test_a_package_tells_what_it_holds() -> None:
    with Package(blob(zipped({"a.xml": "<a/>", "b": "x"}))) as opened:
        assert opened.names == ["a.xml", "b"]
        assert (opened.read("b"), opened.read("none"), opened.tree("b"), opened.tree("none")) == (b"x", b"", None, None)
        assert opened.relations("a.xml") == {}


@pytest.mark.parametrize(
    ("number", "form", "expected"),
    [
        (4, "lowerRoman", "iv"),
        (1994, "upperRoman", "MCMXCIV"),
        (28, "lowerLetter", "bb"),
        (3, "upperLetter", "C"),
        (7, "decimalZero", "07"),
        (22, "ordinal", "22nd"),
        (13, "ordinal", "13th"),
        (21, "chineseCounting", "二十一"),
        (3, "decimalEnclosedCircle", "③"),
        (5, "none", ""),
        (5, "unheardOf", "5"),
        (0, "upperRoman", "0"),
        (10**9, "lowerLetter", "1000000000"),
    ],
)
def test_numerals(number: int, form: str, expected: str) -> None:
    assert numeral(number, form) == expected


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 8)), max_size=60))
def test_any_order_of_items_has_numbers(items: list[tuple[int, int]]) -> None:
    level_of = '<w:lvl w:ilvl="{}"><w:start w:val="1"/><w:lvlText w:val="{}"/></w:lvl>'.format
    levels = "".join(level_of(n, "".join(f"%{k}." for k in range(1, n + 2))) for n in range(9))
    lists = "".join(f'<w:num w:numId="{n}"><w:abstractNumId w:val="{n % 2}"/></w:num>' for n in (1, 2, 3))
    families = "".join(f'<w:abstractNum w:abstractNumId="{n}">{levels}</w:abstractNum>' for n in (0, 1))
    numbering = read_numbering(etree.fromstring(f"<w:numbering {SPACES}>{families}{lists}</w:numbering>"))
    for list_id, level in items:
        marker = numbering.marker(list_id, level)
        assert (marker is None) == (list_id == 0)
        assert marker is None or marker.count(".") == level + 1


def run(text: str) -> str:
    return f"<m:r><m:t>{text}</m:t></m:r>"


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        (run("A=πr"), "A=\\pi r"),
        (f"<m:f><m:num>{run('1')}</m:num><m:den>{run('2')}</m:den></m:f>", "\\frac{1}{2}"),
        (f"<m:rad><m:deg/><m:e>{run('x')}</m:e></m:rad>", "\\sqrt{x}"),
        (f"<m:rad><m:deg>{run('3')}</m:deg><m:e>{run('x')}</m:e></m:rad>", "\\sqrt[3]{x}"),
        (
            f'<m:nary><m:naryPr><m:chr m:val="∑"/></m:naryPr><m:sub>{run("i")}</m:sub><m:sup>{run("n")}</m:sup>'
            f"<m:e>{run('i')}</m:e></m:nary>",
            "\\sum_{i}^{n}i",
        ),
        (f"<m:d><m:e>{run('x')}</m:e></m:d>", "\\left(x\\right)"),
        (
            f'<m:d><m:dPr><m:begChr m:val="["/><m:endChr m:val=""/></m:dPr><m:e>{run("x")}</m:e></m:d>',
            "\\left[x\\right.",
        ),
        (f"<m:func><m:fName>{run('sin')}</m:fName><m:e>{run('x')}</m:e></m:func>", "\\sin x"),
        (f"<m:m><m:mr><m:e>{run('1')}</m:e><m:e>{run('2')}</m:e></m:mr></m:m>", "\\begin{matrix}1 & 2\\end{matrix}"),
        (f'<m:acc><m:accPr><m:chr m:val="⃗"/></m:accPr><m:e>{run("v")}</m:e></m:acc>', "\\vec{v}"),
        (
            f"<m:sSup><m:e><m:f><m:num>{run('a')}</m:num><m:den>{run('b')}</m:den></m:f></m:e><m:sup>{run('2')}</m:sup>"
            "</m:sSup>",
            "{\\frac{a}{b}}^{2}",
        ),
    ],
)
def test_equations_become_latex(inner: str, expected: str) -> None:
    assert latex(etree.fromstring(f"<m:oMath {SPACES}>{inner}</m:oMath>")) == expected
