"""Files that are made to harm whoever opens them, each small to make: name -> bytes."""

import json
import zipfile
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from io import BytesIO

from office_samples import OPEN_SPACES, SPACES, docx, epub, opendocument, paragraph, pptx, relations, shape, sheet, xlsx

SECRET = "the-content-of-a-secret-file"
"""What the file that external entities name holds."""
DEEP = 100_000


def laughs(root: str, use: str, *, secret: str) -> str:
    """XML whose entities unfold a billion times, and name a file of this machine."""
    levels = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    kind = f'<!DOCTYPE {root.split()[0]} [<!ENTITY a0 "laugh">{levels}<!ENTITY file SYSTEM "{secret}">]>'
    closing = root.split()[0]
    return f'<?xml version="1.0"?>{kind}<{root}>{use.format(text="&a9; and &file;")}</{closing}>'


def blowup(root: str, use: str) -> str:
    """XML that repeats one long entity."""
    kind = f'<!DOCTYPE {root.split()[0]} [<!ENTITY long "{"x" * 100_000}">]>'
    return f'<?xml version="1.0"?>{kind}<{root}>{use.format(text="&long;" * 20_000)}</{root.split()[0]}>'


def xml_files(make: Callable[[str, str], str]) -> dict[str, bytes]:
    """Every format with XML inside, with `make(root, text's place)` in it."""
    word = make(f"w:document {SPACES}", "<w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body>")
    cells = (
        '<s:sheetData><s:row r="1"><s:c r="A1" t="inlineStr"><s:is><s:t>{text}</s:t></s:is></s:c></s:row></s:sheetData>'
    )
    book = make("html", "<body><h1>One</h1><p>{text}</p></body>")
    slide = "<p:cSld><p:spTree>" + shape("{text}") + "</p:spTree></p:cSld>"
    shared = "<s:si><s:t>{text}</s:t></s:si>"
    body = "<office:body><office:text><text:p>{text}</text:p></office:text></office:body>"
    return {
        "word.docx": docx("", parts={"word/document.xml": word}),
        "utf-16.docx": _with(docx(""), {"word/document.xml": word.encode("utf-16")}),
        "styles.docx": docx(paragraph("body"), parts={"word/styles.xml": make(f"w:styles {SPACES}", "{text}")}),
        "sheet.xlsx": xlsx("", parts={"xl/worksheets/sheet1.xml": make(f"s:worksheet {SPACES}", cells)}),
        "strings.xlsx": xlsx(
            '<s:sheetData><s:row r="1"><s:c r="A1" t="s"><s:v>0</s:v></s:c></s:row></s:sheetData>',
            parts={"xl/sharedStrings.xml": make(f"s:sst {SPACES}", shared)},
        ),
        "slides.pptx": pptx("", parts={"ppt/slides/slide1.xml": make(f"p:sld {SPACES}", slide)}),
        "text.odt": opendocument("", parts={"content.xml": make(f"office:document-content {OPEN_SPACES}", body)}),
        "book.epub": epub(book),
        "page.html": make("html", "<body><h1>One</h1><p>{text}</p></body>").encode(),
        "data.xml": make("data", "<row>{text}</row>").encode(),
        "picture.svg": make('svg xmlns="http://www.w3.org/2000/svg"', "<text>{text}</text>").encode(),
    }


def nested() -> dict[str, bytes]:
    """Everything that can be nested, far too deep."""
    deep = DEEP
    return {
        "deep.docx": docx("<w:tbl><w:tr><w:tc>" * 3_000 + paragraph("x") + "</w:tc></w:tr></w:tbl>" * 3_000),
        "deeper.docx": docx("<w:sdt><w:sdtContent>" * deep + paragraph("x")),
        "deep.pptx": pptx("<p:grpSp>" * 5_000 + shape("x") + "</p:grpSp>" * 5_000),
        "deep.odt": opendocument("<office:text>" + "<text:section>" * 5_000 + "<text:p>x</text:p></office:text>"),
        "deep.epub": epub("<html><body>" + "<div>" * deep + "x</body></html>"),
        "deep.html": b"<div><blockquote>" * deep + b"x",
        "tables.html": b"<table><tr><td>" * deep + b"x",
        "deep.xml": b"<a>" * deep + b"x" + b"</a>" * deep,
        "attributes.xml": b"<a " + b" ".join(b'a%d="1"' % n for n in range(deep)) + b"/>",
        "deep.json": b"[" * deep + b"]" * deep,
        "objects.json": b'{"a":' * deep + b"1" + b"}" * deep,
        "deep.yaml": b"- " * 20_000 + b"x",
        "flow.yaml": b"[" * deep,
        "laughs.yaml": b"a: &a [x, x]\n"
        + b"".join(b"%c: &%c [*%c, *%c, *%c, *%c, *%c]\n" % (n, n, *([n - 1] * 5)) for n in range(98, 118)),
        "quotes.md": b">" * deep + b" x",
        "lists.md": b"".join(b" " * (2 * n) + b"- x\n" for n in range(1_500)),
        "brackets.md": b"[" * deep + b"x" + b"](y)" * deep,
        "emphasis.md": b"*_" * deep,
        "deep.rtf": b"{\\rtf1 " + b"{" * deep + b"x" + b"}" * deep + b"}",
        "deep.ipynb": b'{"nbformat":4,"metadata":' + b'{"a":' * deep + b"1" + b"}" * deep + b',"cells":[]}',
        "deep.rst": b"".join(b" " * n + b"* x\n\n" for n in range(800)),
        "deep.eml": _mail(400),
        "line.csv": b"a," * 300_000,
        "quotes.csv": b'"' * 1_000_001,
        "line.txt": b"x" * 4_000_000,
        "control.txt": bytes(range(32)) * 20_000,
    }


def _mail(depth: int) -> bytes:
    head = b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n'
    return b"From: a@b\r\nSubject: deep\r\n" + b"".join(head % (n, n) for n in range(depth)) + b"\r\nx\r\n"


def bombs() -> dict[str, bytes]:
    """A little that unpacks to a lot."""
    zeros = packed(100 * 2**20)
    return {
        "member.docx": _with_packed(docx(""), "word/document.xml", zeros, 100 * 2**20),
        "lying.docx": _with_packed(docx(""), "word/document.xml", zeros, 100),
        "media.docx": _with_packed(docx(paragraph("body")), "word/media/image1.png", zeros, 100 * 2**20),
        "members.xlsx": xlsx(sheet({"A1": "x"}), parts={f"xl/x{n}.xml": "" for n in range(30_000)}),
        "cells.xlsx": xlsx(
            sheet({"A1": "x", "XFD1048576": "y"}, '<s:mergeCells><s:mergeCell ref="A1:XFD1048576"/></s:mergeCells>')
        ),
        "repeated.ods": opendocument(
            '<office:spreadsheet><table:table table:name="a"><table:table-row table:number-rows-repeated="1000000">'
            '<table:table-cell table:number-columns-repeated="16000"><text:p>x</text:p></table:table-cell>'
            "</table:table-row></table:table></office:spreadsheet>"
        ),
        "spans.html": b"<table><tr><td colspan=100000000 rowspan=100000000>x</td><td>y</td></tr></table>",
        "stream.pdf": pdf({4: stream(packed(100 * 2**20), "/Filter /FlateDecode")}),
        "twice.pdf": pdf({4: stream(zlib.compress(packed(100 * 2**20), 9), "/Filter [/FlateDecode /FlateDecode]")}),
        "image.png": png(50_000, 50_000),
        "image.docx": docx(paragraph("beside a picture"), parts={"word/media/image1.png": png(50_000, 50_000)}),  # type: ignore[dict-item]
        "image.pdf": picture_pdf(50_000, 50_000),
        "pages.tiff": looping_tiff(),
        "huge.tiff": tiff(60_000, 60_000),
        "frames.gif": gif(60_000, 60_000),
    }


def pdfs() -> dict[str, bytes]:
    """PDFs that lead in circles, are made of nothing but structure, or want to act."""
    act = "/OpenAction << /S /Launch /F (/bin/sh) /Win << /F (cmd.exe) >> >> "
    act += "/AA << /O << /S /JavaScript /JS (app.alert(1); while(1){}) >> >>"
    drawing = PAGE.replace("/Font << /F 5 0 R >>", "/XObject << /F 6 0 R /G %d 0 R >>")
    form = "/Type /XObject /Subtype /Form /BBox [0 0 600 800] /Resources << /XObject << /F %d 0 R /G %d 0 R >> >>"
    calls = b"/F Do /G Do " * 2
    deep = 5_000
    chain: dict[int, str | bytes] = {
        10 + n: f"<< /Type /Pages /Kids [{11 + n} 0 R] /Count 1 /Parent {9 + n if n else 2} 0 R >>" for n in range(deep)
    }
    return {
        "kids-loop.pdf": pdf({2: "<< /Type /Pages /Kids [2 0 R 3 0 R 2 0 R] /Count 3 >>"}),
        "parent-loop.pdf": pdf({2: "<< /Type /Pages /Kids [3 0 R] /Count 1 /Parent 3 0 R >>"}),
        "deep-tree.pdf": pdf({2: "<< /Type /Pages /Kids [10 0 R] /Count 1 >>", **chain, 10 + deep: PAGE}),
        "count.pdf": pdf({2: "<< /Type /Pages /Kids [3 0 R] /Count 2000000000 >>"}),
        "forms.pdf": pdf(
            {
                3: drawing % 7,
                4: stream(b"/F Do /G Do"),
                **{n: stream(calls, form % (n + 1, n + 2)) for n in range(6, 14)},
                14: stream(b"BT (x) Tj ET", "/Type /XObject /Subtype /Form /BBox [0 0 9 9]"),
                15: stream(b"BT (x) Tj ET", "/Type /XObject /Subtype /Form /BBox [0 0 9 9]"),
            }
        ),
        "form-loop.pdf": pdf(
            {
                3: drawing % 6,
                4: stream(b"/F Do /G Do"),
                6: stream(calls, form % (6, 6)),
            }
        ),
        "outline-loop.pdf": pdf(
            {
                1: "<< /Type /Catalog /Pages 2 0 R /Outlines 6 0 R >>",
                6: "<< /Type /Outlines /First 7 0 R /Last 7 0 R /Count 1 >>",
                7: "<< /Title (again) /Parent 6 0 R /First 7 0 R /Next 7 0 R /Dest [3 0 R /Fit] >>",
            }
        ),
        "arrays.pdf": pdf({6: "[" * DEEP}, trailer="/Info 6 0 R"),
        "content.pdf": pdf({4: stream(b"[" * 1_000_000 + b"<<" * 100_000 + b"q " * 1_000_000)}),
        "huge-page.pdf": pdf({3: PAGE.replace("[0 0 600 800]", "[0 0 1e30 1e30]")}),
        "thin-page.pdf": pdf({3: PAGE.replace("[0 0 600 800]", "[0 0 0.00001 800000]")}),
        "length.pdf": pdf({4: b"<< /Length 99999999999 >>\nstream\nBT /F 12 Tf (Visible) Tj ET\nendstream"}),
        "length-loop.pdf": pdf({4: b"<< /Length 4 0 R >>\nstream\nBT /F 12 Tf (Visible) Tj ET\nendstream"}),
        "acting.pdf": pdf({1: f"<< /Type /Catalog /Pages 2 0 R {act} >>"}),
        "lines.pdf": pdf({4: stream(packed_lines(), "/Filter /FlateDecode")}),
        "text.pdf": pdf({4: stream(zlib.compress(b"BT /F 1 Tf 10 10 Td " + b"(xxxxxxxxxx) Tj " * 20_000 + b"ET"),
                                   "/Filter /FlateDecode")}),
        "prev-loop.pdf": looping_table(),
    }  # fmt: skip


def acting_office(address: str) -> dict[str, bytes]:
    """Office files that hold macros and name things at `address`."""
    links = (("a", "attachedTemplate", f"{address}/template.dotm"), ("i", "image", f"{address}/image.png"))
    beside = {
        "word/_rels/settings.xml.rels": relations(*links, external=True),
        "word/_rels/document.xml.rels": relations(*links, external=True),
        "word/settings.xml": f'<w:settings {SPACES}><w:attachedTemplate r:id="a"/></w:settings>',
        "word/vbaProject.bin": 'Sub AutoOpen() Shell("cmd") End Sub',
    }
    page = (
        f'<html><head><link rel="stylesheet" href="{address}/a.css"><base href="{address}/"></head><body><h1>One</h1>'
    )
    page += f'<p>Kept text of the page</p><img src="{address}/a.png"><iframe src="{address}/b"></iframe></body></html>'
    kind = f'<?xml version="1.0"?><!DOCTYPE data SYSTEM "{address}/data.dtd"><data><row>Kept text</row></data>'
    return {
        "macro.docm": docx(paragraph("Kept text"), parts=beside),
        "links.xlsx": xlsx(
            sheet({"A1": "Kept text"}),
            parts={"xl/externalLinks/_rels/externalLink1.xml.rels": relations(*links, external=True)},
        ),
        "links.odt": opendocument(
            f'<office:text><text:p>Kept text</text:p><draw:image xlink:href="{address}/x.png" '
            'xmlns:xlink="http://www.w3.org/1999/xlink"/></office:text>'
        ),
        "links.epub": epub(page),
        "links.html": page.encode(),
        "links.xml": kind.encode(),
        "links.md": f"# Kept text\n\n![x]({address}/x.png) <img src='{address}/y.png'>\n".encode(),
        "links.rst": f"Kept text\n=========\n\n.. image:: {address}/x.png\n\n.. include:: /etc/passwd\n\n"
        f".. raw:: html\n   :url: {address}/raw\n\n.. csv-table:: a\n   :url: {address}/csv\n".encode(),
        "links.pdf": pdf({
            3: f"{PAGE[:-2]} /Annots [<< /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI ({address}/x) >> >>] >>",
            4: stream(b"BT /F 12 Tf 50 700 Td (Kept text) Tj ET"),
        }),
        "links.ipynb": json.dumps(
            {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [
                {"cell_type": "markdown", "metadata": {}, "source": [f"# Kept text\n![x]({address}/x.png)"]}]}
        ).encode(),
    }  # fmt: skip


PAGE = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>"


def pdf(objects: Mapping[int, str | bytes] | None = None, *, trailer: str = "") -> bytes:
    """A page that says "Visible text", with some objects replaced or added."""
    parts: dict[int, str | bytes] = {
        1: "<< /Type /Catalog /Pages 2 0 R >>",
        2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: PAGE,
        4: stream(b"BT /F 12 Tf 50 700 Td (Visible text) Tj ET"),
        5: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        **(objects or {}),
    }
    out, places = bytearray(b"%PDF-1.7\n"), {}
    for number, body in sorted(parts.items()):
        places[number] = len(out)
        out += b"%d 0 obj\n" % number + (body.encode("latin-1") if isinstance(body, str) else body) + b"\nendobj\n"
    start, size = len(out), max(parts) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % size
    out += b"".join(
        b"%010d 00000 n \n" % places[n] if n in places else b"0000000000 65535 f \n" for n in range(1, size)
    )
    return bytes(out) + f"trailer << /Size {size} /Root 1 0 R {trailer} >>\nstartxref\n{start}\n%%EOF\n".encode()


def stream(data: bytes, about: str = "") -> bytes:
    """A stream object."""
    return f"<< /Length {len(data)} {about} >>\nstream\n".encode() + data + b"\nendstream"


def picture_pdf(width: int, height: int) -> bytes:
    """A page that is one large picture of nothing."""
    about = f"/Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace /DeviceRGB /BitsPerComponent 8"
    return pdf(
        {
            3: PAGE.replace("/Font << /F 5 0 R >>", "/XObject << /I 6 0 R >>"),
            4: stream(b"600 0 0 800 0 0 cm /I Do"),
            6: stream(packed(100 * 2**20), f"{about} /Filter /FlateDecode"),
        }
    )


def looping_table() -> bytes:
    """A cross reference table that names itself as the one before."""
    text = pdf()
    start = text.rindex(b"xref\n0")
    return text.replace(b"/Root 1 0 R", b"/Prev %d /Root 1 0 R" % start)


def many_objects(count: int) -> bytes:
    """A PDF of very many objects, none of which is on the page."""
    return pdf(dict.fromkeys(range(6, count), "<< /A [1 2 3] /B 5 0 R >>"))


@cache
def packed(size: int) -> bytes:
    """So many zeros, deflated."""
    engine, block = zlib.compressobj(9), bytes(2**20)
    whole = b"".join(engine.compress(block) for _ in range(size // 2**20))
    return whole + engine.compress(bytes(size % 2**20)) + engine.flush()


def packed_lines() -> bytes:
    """Eighty thousand lines drawn: what looks for tables has to give up on them."""
    engine = zlib.compressobj(6)
    some = b"".join(b"%d %d m %d %d l S " % (n % 600, n % 799, n % 599, n % 797) for n in range(20_000))
    return b"".join(engine.compress(some) for _ in range(4)) + engine.flush()


def png(width: int, height: int) -> bytes:
    """A white picture, two colours; of its rows there are at most those of 8 MB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes((1, 0, 0, 0, 0))
    rows = packed(min(8 * 2**20, (width // 8 + 1) * height))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def tiff(width: int, height: int, *, following: int = 0) -> bytes:
    """A picture that says it is large, with hardly a byte of it."""
    entries = [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, height), (279, 8)]
    table = b"".join(
        tag.to_bytes(2, "little") + (4).to_bytes(2, "little") + (1).to_bytes(4, "little") + value.to_bytes(4, "little")
        for tag, value in entries
    )
    head = b"II*\0" + (16).to_bytes(4, "little") + bytes(8)
    return head + len(entries).to_bytes(2, "little") + table + following.to_bytes(4, "little")


def looping_tiff() -> bytes:
    """A file of pages of which each is followed by itself."""
    return tiff(50, 50, following=16)


def gif(width: int, height: int) -> bytes:
    """Many frames of a large picture."""
    size = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    frame = b"," + bytes(4) + size + b"\0\x02\x02\x4c\x01\0"
    return b"GIF89a" + size + b"\x80\0\0" + b"\0\0\0\xff\xff\xff" + frame * 5_000 + b";"


def _with(package: bytes, parts: Mapping[str, bytes]) -> bytes:
    """The package with some parts replaced."""
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(package)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            new.writestr(info.filename, parts.get(info.filename, old.read(info)))
    return out.getvalue()


def _with_packed(package: bytes, name: str, zeros: bytes, size: int) -> bytes:
    """The package with a member whose bytes are deflated already, and whose size is said to be `size`."""
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(package)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as new:
        for info in old.infolist():
            if info.filename != name:
                new.writestr(info.filename, old.read(info))
        raw = zeros[2:-4]
        new.writestr(name, raw)
    data = bytearray(out.getvalue())
    _deflated(data, name.encode(), size)
    return bytes(data)


def _deflated(data: bytearray, name: bytes, size: int) -> None:
    """Have both headers of a stored member say that it is deflated, and how large it is unpacked."""
    for mark, method_at, size_at, name_at in ((b"PK\x03\x04", 8, 22, 30), (b"PK\x01\x02", 10, 24, 46)):
        at = data.find(mark)
        while at >= 0:
            if data[at + name_at : at + name_at + len(name)] == name:
                data[at + method_at : at + method_at + 2] = (8).to_bytes(2, "little")
                data[at + size_at : at + size_at + 4] = size.to_bytes(4, "little")
            at = data.find(mark, at + 1)
