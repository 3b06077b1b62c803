"""Small Office files, made of the XML that a test is about."""

import zipfile
from collections.abc import Mapping
from io import BytesIO

from docpipe._ids import digest
from docpipe.protocols import Parser
from docpipe.types import FURNITURE, Blob, Block, BlockKind, Document, Source

BASE = "http://schemas.openxmlformats.org/"
RELATION = BASE + "officeDocument/2006/relationships"
SPACES = " ".join(
    f'xmlns:{name}="{BASE}{rest}"'
    for name, rest in {
        "w": "wordprocessingml/2006/main",
        "a": "drawingml/2006/main",
        "p": "presentationml/2006/main",
        "s": "spreadsheetml/2006/main",
        "m": "officeDocument/2006/math",
        "r": "officeDocument/2006/relationships",
        "c": "drawingml/2006/chart",
        "dgm": "drawingml/2006/diagram",
        "wp": "drawingml/2006/wordprocessingDrawing",
        "xdr": "drawingml/2006/spreadsheetDrawing",
        "mc": "markup-compatibility/2006",
    }.items()
)
OPEN_SPACES = (
    " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{rest}"'
        for name, rest in {
            "office": "office:1.0",
            "text": "text:1.0",
            "table": "table:1.0",
            "draw": "drawing:1.0",
            "style": "style:1.0",
            "presentation": "presentation:1.0",
            "svg": "svg-compatible:1.0",
            "fo": "xsl-fo-compatible:1.0",
            "manifest": "manifest:1.0",
            "meta": "meta:1.0",
        }.items()
    )
    + ' xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:dc="http://purl.org/dc/elements/1.1/"'
)
CHART = (
    f"<c:chartSpace {SPACES}><c:chart><c:title><a:p><a:r><a:t>Ducks by year</a:t></a:r></a:p></c:title><c:plotArea>"
    "<c:barChart><c:ser><c:tx><c:v>Wild</c:v></c:tx>"
    '<c:cat><c:pt idx="0"><c:v>2019</c:v></c:pt><c:pt idx="1"><c:v>2020</c:v></c:pt></c:cat>'
    '<c:val><c:pt idx="0"><c:v>120</c:v></c:pt><c:pt idx="1"><c:v>0.30000000000000004</c:v></c:pt></c:val>'
    "</c:ser></c:barChart></c:plotArea></c:chart></c:chartSpace>"
)


def zipped(parts: Mapping[str, str | bytes]) -> bytes:
    """A zip of these parts."""
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in parts.items():
            file.writestr(name, data, zipfile.ZIP_STORED if name == "mimetype" else None)
    return stream.getvalue()


def relations(*links: tuple[str, str, str], external: bool = False) -> str:
    """A part with links: id, last word of the type, target. Hyperlinks are external in any case."""
    inner = "".join(
        f'<Relationship Id="{name}" Type="{RELATION}/{kind}" Target="{target}"'
        + (' TargetMode="External"/>' if external or kind == "hyperlink" else "/>")
        for name, kind, target in links
    )
    return f'<Relationships xmlns="{BASE}package/2006/relationships">{inner}</Relationships>'


def docx(body: str, *, styles: str = "", numbering: str = "", parts: Mapping[str, str] | None = None) -> bytes:
    """A Word document with this body; `parts` are others, by their whole names."""
    return zipped({
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": relations(("rId1", "officeDocument", "word/document.xml")),
        "word/document.xml": f"<w:document {SPACES}><w:body>{body}</w:body></w:document>",
        "word/styles.xml": f"<w:styles {SPACES}>{styles}</w:styles>",
        "word/numbering.xml": f"<w:numbering {SPACES}>{numbering}</w:numbering>",
        "word/_rels/document.xml.rels": relations(
            ("s", "styles", "styles.xml"),
            ("n", "numbering", "numbering.xml"),
            ("f", "footnotes", "footnotes.xml"),
            ("h", "header", "header1.xml"),
            ("m", "comments", "comments.xml"),
            ("l", "hyperlink", "https://example.org/lake"),
            ("c", "chart", "charts/chart1.xml"),
            ("d", "diagramData", "diagrams/data1.xml"),
        ),
        **(parts or {}),
    })  # fmt: skip


def paragraph(text: str, properties: str = "", run: str = "") -> str:
    """A Word paragraph of one run."""
    return (
        f'<w:p><w:pPr>{properties}</w:pPr><w:r><w:rPr>{run}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'
    )


def styled(text: str, style: str) -> str:
    """A Word paragraph in a style."""
    return paragraph(text, f'<w:pStyle w:val="{style}"/>')


def pptx(*slides: str, layout: str = "", master: str = "", parts: Mapping[str, str] | None = None) -> bytes:
    """A presentation of 720 x 540 points with these shape trees."""
    numbers = range(1, len(slides) + 1)
    files = {f"ppt/slides/slide{number}.xml": _shapes("p:sld", slides[number - 1]) for number in numbers}
    links = relations(
        ("l", "slideLayout", "../slideLayouts/slideLayout1.xml"),
        ("n", "notesSlide", "../notesSlides/notesSlide1.xml"),
        ("m", "comments", "../comments/comment1.xml"),
        ("a", "hyperlink", "https://example.org/lake"),
        ("c", "chart", "../charts/chart1.xml"),
        ("d", "diagramData", "../diagrams/data1.xml"),
    )
    files |= {f"ppt/slides/_rels/slide{number}.xml.rels": links for number in numbers}
    entries = "".join(f'<p:sldId r:id="r{number}"/>' for number in numbers)
    return zipped({
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": relations(("rId1", "officeDocument", "ppt/presentation.xml")),
        "ppt/presentation.xml": f"<p:presentation {SPACES}><p:sldIdLst>{entries}</p:sldIdLst>"
        '<p:sldSz cx="9144000" cy="6858000"/></p:presentation>',
        "ppt/_rels/presentation.xml.rels": relations(
            ("a", "commentAuthors", "commentAuthors.xml"),
            *((f"r{n}", "slide", f"slides/slide{n}.xml") for n in numbers),
        ),
        "ppt/slideLayouts/slideLayout1.xml": _shapes("p:sldLayout", layout),
        "ppt/slideLayouts/_rels/slideLayout1.xml.rels": relations(
            ("m", "slideMaster", "../slideMasters/slideMaster1.xml")
        ),
        "ppt/slideMasters/slideMaster1.xml": f"<p:sldMaster {SPACES}>{master}</p:sldMaster>",
        **files,
        **(parts or {}),
    })  # fmt: skip


def _shapes(root: str, inner: str) -> str:
    return f"<{root} {SPACES}><p:cSld><p:spTree>{inner}</p:spTree></p:cSld></{root}>"


def shape(*texts: str, role: str = "", box: tuple[float, float, float, float] | None = None, about: str = "") -> str:
    """A shape with a paragraph for each text.

    Args:
        role: type of its placeholder.
        box: left, top, width, height as fractions of the slide.
        about: properties of each paragraph.
    """
    held = f'<p:ph type="{role}"/>' if role else ""
    place = "" if box is None else f"<a:xfrm>{_place(box)}</a:xfrm>"
    inner = "".join(f"<a:p>{about}<a:r><a:t>{text}</a:t></a:r></a:p>" for text in texts)
    return (
        f"<p:sp><p:nvSpPr><p:cNvPr/><p:nvPr>{held}</p:nvPr></p:nvSpPr><p:spPr>{place}</p:spPr>"
        f"<p:txBody>{inner}</p:txBody></p:sp>"
    )


def _place(box: tuple[float, float, float, float]) -> str:
    x, y, width, height = (int(part * (9_144_000, 6_858_000)[number % 2]) for number, part in enumerate(box))
    return f'<a:off x="{x}" y="{y}"/><a:ext cx="{width}" cy="{height}"/>'


def xlsx(
    *sheets: str,
    names: tuple[str, ...] = (),
    states: tuple[str, ...] = (),
    strings: str = "",
    styles: str = "",
    parts: Mapping[str, str] | None = None,
) -> bytes:
    """A workbook with these sheets, each the inside of a `worksheet`."""
    numbers = range(1, len(sheets) + 1)
    entries = "".join(
        f'<s:sheet name="{names[n - 1] if names else f"Sheet{n}"}" state="{states[n - 1] if states else "visible"}"'
        f' r:id="r{n}"/>'
        for n in numbers
    )
    files = {f"xl/worksheets/sheet{n}.xml": f"<s:worksheet {SPACES}>{sheets[n - 1]}</s:worksheet>" for n in numbers}
    return zipped({
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": relations(("rId1", "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f"<s:workbook {SPACES}><s:sheets>{entries}</s:sheets></s:workbook>",
        "xl/_rels/workbook.xml.rels": relations(
            ("s", "sharedStrings", "sharedStrings.xml"),
            ("y", "styles", "styles.xml"),
            *((f"r{n}", "worksheet", f"worksheets/sheet{n}.xml") for n in numbers),
        ),
        "xl/sharedStrings.xml": f"<s:sst {SPACES}>{strings}</s:sst>",
        "xl/styles.xml": f"<s:styleSheet {SPACES}>{styles}</s:styleSheet>",
        **files,
        **(parts or {}),
    })  # fmt: skip


def sheet(cells: Mapping[str, str], after: str = "") -> str:
    """The inside of a worksheet with these texts (numbers where they are), by their places: `B2`."""
    rows: dict[int, list[str]] = {}
    for place, text in cells.items():
        number = int(place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        bare = text.replace(".", "", 1).isdecimal()
        inner = f"<s:v>{text}</s:v>" if bare else f"<s:is><s:t>{text}</s:t></s:is>"
        rows.setdefault(number, []).append(f'<s:c r="{place}" t="{"n" if bare else "inlineStr"}">{inner}</s:c>')
    data = "".join(f'<s:row r="{number}">{"".join(row)}</s:row>' for number, row in rows.items())
    return f"<s:sheetData>{data}</s:sheetData>{after}"


def opendocument(body: str, *, styles: str = "", automatic: str = "", parts: Mapping[str, str] | None = None) -> bytes:
    """An OpenDocument with this inside of `office:body`."""
    return zipped({
        "mimetype": "application/vnd.oasis.opendocument.text",
        "content.xml": f"<office:document-content {OPEN_SPACES}><office:automatic-styles>{automatic}"
        f"</office:automatic-styles><office:body>{body}</office:body></office:document-content>",
        "styles.xml": f"<office:document-styles {OPEN_SPACES}>{styles}</office:document-styles>",
        **(parts or {}),
    })  # fmt: skip


def epub(*chapters: str, manifest: str = "", about: str = "", parts: Mapping[str, str] | None = None) -> bytes:
    """A book whose spine lists these chapters; `about` is put behind what it says of itself."""
    numbers = range(1, len(chapters) + 1)
    items = "".join(f'<item id="c{n}" href="c%20{n}.xhtml" media-type="application/xhtml+xml"/>' for n in numbers)
    spine = "".join(f'<itemref idref="c{n}"/>' for n in numbers)
    return zipped({
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<container><rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>',
        "OPS/book.opf": '<package xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>The Lake</dc:title>'
        "<dc:creator>A. Duck</dc:creator><dc:creator>B. Swan</dc:creator><dc:language>en</dc:language>"
        f"{about}</metadata><manifest>{items}{manifest}</manifest><spine>{spine}</spine></package>",
        **{f"OPS/c {n}.xhtml": chapters[n - 1] for n in numbers},
        **(parts or {}),
    })  # fmt: skip


def blob(data: bytes, uri: str = "folder/file") -> Blob:
    """A blob as a loader would give it."""
    return Blob(source=Source(uri=uri, media_type="x/y", digest=digest(data), size=len(data), modified=0), data=data)


def read(parser: Parser, data: bytes) -> Document:
    """The one document of a parser, its laws checked."""
    (document,) = parser(blob(data))
    check(document)
    return document


def check(document: Document) -> None:
    """Blocks are ordered, disjoint, not empty, on pages that there are; furniture is last; all can be stored."""
    at = 0
    for block in document.blocks:
        assert at <= block.span.start < block.span.end <= len(document.text)
        at = block.span.end
        assert block.page is None or 1 <= block.page <= len(document.pages)
        if block.bbox is not None:
            assert block.page and 0 <= block.bbox.left < block.bbox.right <= 1
            assert 0 <= block.bbox.top < block.bbox.bottom <= 1
    assert [page.number for page in document.pages] == list(range(1, len(document.pages) + 1))
    furniture = [block.kind in FURNITURE for block in document.blocks]
    assert furniture == sorted(furniture)
    document.text.encode("utf-8")


def texts(document: Document, *kinds: BlockKind) -> list[str]:
    """Texts of the blocks of these kinds; of all but furniture where none is given."""
    wanted = kinds or tuple(kind for kind in BlockKind if kind not in FURNITURE)
    return [block.span.of(document.text) for block in document.blocks if block.kind in wanted]


def found(document: Document, text: str) -> Block:
    """The block with this text."""
    (block,) = (block for block in document.blocks if block.span.of(document.text) == text)
    return block
