"""A small file of each format, with all that the README's table of formats speaks of."""

# ruff: noqa: E501  markup of other formats is not broken into lines

import json
from collections.abc import Callable, Mapping

from office_samples import SPACES, docx, epub, opendocument, paragraph, pptx, shape, sheet, styled, xlsx
from old_workbooks import OldSheet, xls

GONE = "Leftoutword"
"""Stands in what the table says is left out."""

MARKDOWN = f"""---
title: The title
authors: [Li]
date: 2024-05-01
updated: 2024-06-01
tags: [ducks]
---
# Heading one

- Item one
- Item two

| Name | Size |
|---|---|
| Cell one | 2 |

<!-- {GONE} -->
"""
RST = f"""Heading one
===========

:Authors: Li
:Date: 2024-05-01
:Keywords: ducks

- Item one
- Item two

.. table:: Caption one

   ======== ====
   Name     Size
   ======== ====
   Cell one 2
   ======== ====

Words [1]_.

.. [1] Note one.

.. raw:: html

   {GONE}
"""
PAGE = f"""<html><head><title>The title</title><meta name="author" content="Li"><meta name="keywords" content="ducks">
<meta property="article:published_time" content="2024-05-01"><meta property="article:modified_time" content="2024-06-01">
</head><body><script>{GONE}</script><h1>Heading one</h1><p>{"Words about ducks. " * 20}</p><ul><li>Item one</li>
<li>Item two</li></ul><table><caption>Caption one</caption><tr><th>Name</th></tr><tr><td>Cell one</td></tr></table>
</body></html>"""
MHTML = (
    "From: <Saved by Blink>\r\nSnapshot-Content-Location: https://example.org/\r\nMIME-Version: 1.0\r\n"
    f'Content-Type: multipart/related; type="text/html"; boundary="B"\r\n\r\n--B\r\nContent-Type: text/html\r\n\r\n{PAGE}\r\n'
    f"--B\r\nContent-Type: text/css\r\n\r\n{GONE}\r\n--B--\r\n"
)
RTF = (
    r"{\rtf1\ansi{\stylesheet{\s1 heading 1;}{\s8 caption;}}{\info{\title The title}{\author Li}{\keywords ducks}"
    r"{\creatim\yr2024\mo5\dy1}{\revtim\yr2024\mo6\dy1}}\pard\s1 Heading one\par{\listtext 1.\tab}\pard\ls1 Item one\par"
    r"\pard\s8 Caption one\par\trowd\cellx1\cellx2\pard\intbl Name\cell Size\cell\row\trowd\cellx1\cellx2"
    r"\pard\intbl Cell one\cell 2\cell\row\pard Words{\footnote Note one.}\par{\object{\result " + GONE + "}}}"
)
NOTEBOOK = json.dumps({
    "nbformat": 4,
    "metadata": {"title": "The title", "authors": [{"name": "Li"}], "kernelspec": {"language": "python"}},
    "cells": [
        {"cell_type": "markdown", "source": MARKDOWN.partition("---\n# ")[2].join(["# ", ""])},
        {"cell_type": "code", "source": "print(1)", "outputs": [
            {"output_type": "error", "ename": "ValueError", "evalue": "x", "traceback": [GONE]}]},
    ],
})  # fmt: skip
RSS = (
    "<rss><channel><title>The title</title><managingEditor>Li</managingEditor><lastBuildDate>2024-06-01</lastBuildDate>"
    "<item><title>Heading one</title><description>&lt;ul&gt;&lt;li&gt;Item one&lt;/li&gt;&lt;/ul&gt;"
    "&lt;table&gt;&lt;tr&gt;&lt;th&gt;Name&lt;/th&gt;&lt;/tr&gt;&lt;tr&gt;&lt;td&gt;Cell one&lt;/td&gt;&lt;/tr&gt;"
    f"&lt;/table&gt;</description><guid>{GONE}</guid></item></channel></rss>"
)
DATA = {"title": "The title", "ducks": [{"name": "Cell one", "size": 1}, {"name": "b", "size": 2}]}
CORE = {
    "docProps/core.xml": '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"><dc:title>The title</dc:title>'
    "<dc:creator>Li</dc:creator><cp:keywords>ducks</cp:keywords><dcterms:created>2024-05-01T00:00:00Z</dcterms:created>"
    "<dcterms:modified>2024-06-01T00:00:00Z</dcterms:modified></cp:coreProperties>",
}
META = {
    "meta.xml": '<office:document-meta xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:meta="urn:oasis:names:tc:opendocument:xmlns:meta:1.0"><office:meta>'
    "<dc:title>The title</dc:title><meta:initial-creator>Li</meta:initial-creator><meta:keyword>ducks</meta:keyword>"
    "<meta:creation-date>2024-05-01T00:00:00</meta:creation-date><dc:date>2024-06-01T00:00:00</dc:date></office:meta>"
    "</office:document-meta>",
}
_DOCX_STYLES = (
    '<w:style w:type="paragraph" w:styleId="H1"><w:name w:val="heading 1"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="Cap"><w:name w:val="caption"/></w:style>'
)
_NUMBERING = (
    '<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>'
    '</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
)


def _word() -> bytes:
    body = (
        styled("Heading one", "H1")
        + paragraph("Item one", '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>')
        + styled("Caption one", "Cap")
        + f"<w:tbl><w:tr><w:tc>{paragraph('Name')}</w:tc><w:tc>{paragraph('Size')}</w:tc></w:tr>"
        f"<w:tr><w:tc>{paragraph('Cell one')}</w:tc><w:tc>{paragraph('2')}</w:tc></w:tr></w:tbl>"
        + '<w:p><w:r><w:t>Words</w:t><w:footnoteReference w:id="2"/></w:r></w:p>'
        + f"<w:p><w:del><w:r><w:delText>{GONE}</w:delText></w:r></w:del></w:p>"
    )
    notes = f'<w:footnotes {SPACES}><w:footnote w:id="2">{paragraph("Note one.")}</w:footnote></w:footnotes>'
    return docx(body, styles=_DOCX_STYLES, numbering=_NUMBERING, parts={"word/footnotes.xml": notes, **CORE})


def _slides() -> bytes:
    bullets = '<a:pPr><a:buChar char="-"/></a:pPr>'
    table = (
        "<p:graphicFrame><a:graphic><a:graphicData><a:tbl>"
        "<a:tr><a:tc><a:txBody><a:p><a:r><a:t>Name</a:t></a:r></a:p></a:txBody></a:tc></a:tr>"
        "<a:tr><a:tc><a:txBody><a:p><a:r><a:t>Cell one</a:t></a:r></a:p></a:txBody></a:tc></a:tr>"
        "</a:tbl></a:graphicData></a:graphic></p:graphicFrame>"
    )
    notes = f"<p:notes {SPACES}><p:cSld><p:spTree>{shape('Note one.', role='body')}</p:spTree></p:cSld></p:notes>"
    inner = shape("Heading one", role="title") + shape("Item one", "Item two", about=bullets) + table
    timing = {"ppt/media/movie.bin": GONE}
    return pptx(inner, parts={"ppt/notesSlides/notesSlide1.xml": notes, **timing, **CORE})


def _workbook() -> bytes:
    cells = sheet({"A1": "Name", "B1": "Size", "A2": "Cell one", "B2": "2"})
    return xlsx(cells, names=("Heading one",), parts={"xl/vbaProject.bin": GONE, **CORE})


def _open_text() -> bytes:
    body = (
        '<office:text><text:h text:outline-level="1">Heading one</text:h><text:list><text:list-item><text:p>Item one</text:p>'
        '</text:list-item></text:list><text:p text:style-name="Caption">Caption one</text:p><table:table><table:table-row>'
        "<table:table-cell><text:p>Name</text:p></table:table-cell></table:table-row><table:table-row><table:table-cell>"
        "<text:p>Cell one</text:p></table:table-cell></table:table-row></table:table><text:p>Words<text:note "
        'text:note-class="footnote"><text:note-citation>1</text:note-citation><text:note-body><text:p>Note one.</text:p>'
        "</text:note-body></text:note></text:p></office:text>"
    )
    return opendocument(body, parts={"Basic/script.xml": GONE, **META})


def _open_slides() -> bytes:
    body = (
        '<office:presentation><draw:page draw:name="p1"><draw:frame presentation:class="title"><draw:text-box><text:p>'
        "Heading one</text:p></draw:text-box></draw:frame><draw:frame><draw:text-box><text:list><text:list-item><text:p>"
        "Item one</text:p></text:list-item></text:list></draw:text-box></draw:frame><draw:frame><table:table><table:table-row>"
        "<table:table-cell><text:p>Name</text:p></table:table-cell></table:table-row><table:table-row><table:table-cell>"
        "<text:p>Cell one</text:p></table:table-cell></table:table-row></table:table></draw:frame>"
        '<presentation:notes><draw:frame presentation:class="notes"><draw:text-box><text:p>Note one.</text:p></draw:text-box></draw:frame>'
        "</presentation:notes></draw:page></office:presentation>"
    )
    parts = {"mimetype": "application/vnd.oasis.opendocument.presentation", "Basic/script.xml": GONE, **META}
    return opendocument(body, parts=parts)


def _open_sheet() -> bytes:
    row = (
        "<table:table-row><table:table-cell><text:p>{}</text:p></table:table-cell><table:table-cell><text:p>{}</text:p>"
    )
    rows = "".join(
        row.format(*two) + "</table:table-cell></table:table-row>" for two in (("Name", "Size"), ("Cell one", "2"))
    )
    body = f'<office:spreadsheet><table:table table:name="Heading one">{rows}</table:table><table:table table:name="Two">{rows}</table:table></office:spreadsheet>'
    parts = {"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "Basic/script.xml": GONE, **META}
    return opendocument(body, parts=parts)


def _book() -> bytes:
    about = "<dc:title>The title</dc:title><dc:creator>Li</dc:creator><dc:date>2024-05-01</dc:date><dc:subject>ducks</dc:subject>"
    inner = PAGE.partition("<body>")[2].partition("</body>")[0]
    return epub(f'<html xmlns="http://www.w3.org/1999/xhtml"><body>{inner}</body></html>', about=about)


def _mail() -> bytes:
    head = "From: Li <li@example.org>\nTo: bo@example.org\nSubject: The title\nDate: Wed, 01 May 2024 10:00:00 +0000\n"
    inner = PAGE.partition("<body>")[2].partition("</body>")[0]
    return (
        f'{head}MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="B"\n\n--B\nContent-Type: text/html\n\n{inner}\n'
        f'--B\nContent-Type: image/png; name="a.png"\nContent-Disposition: attachment\n\n{GONE}\n--B--\n'
    ).encode()


def _printed() -> bytes:
    import pymupdf

    document = pymupdf.open()
    document.set_metadata({
        "title": "The title", "author": "Li", "keywords": "ducks", "creationDate": "D:20240501000000Z",
        "modDate": "D:20240601000000Z",
    })  # fmt: skip
    page = document.new_page()
    page.insert_text((72, 72), "Heading one", fontsize=20, fontname="hebo")
    y = 110.0
    for line in (
        "Words about ducks that swim on the lake and eat bread all day long, as we saw",
        "when we were there.",
        "",
    ):
        page.insert_text((72, y), line, fontsize=11)
        y += 14
    for item in ("- Item one is here", "- Item two is there"):
        page.insert_text((80, y), item, fontsize=11)
        y += 16
    page.insert_text((72, y + 12), "Table 1. Caption one", fontsize=9)
    top = y + 24
    for row in range(4):
        page.draw_line((72, top + 20 * row), (372, top + 20 * row))
    for column in range(4):
        page.draw_line((72 + 100 * column, top), (72 + 100 * column, top + 60))
    for row, cells in enumerate((("Name", "Size", "Place"), ("Cell one", "2", "Rome"), ("Duck", "3", "Oslo"))):
        for column, text in enumerate(cells):
            page.insert_text((76 + 100 * column, top + 14 + 20 * row), text, fontsize=10)
    page.insert_text((340, 110), "1", fontsize=6)
    page.insert_text((72, 730), "1 Note one says more about ducks than the text does.", fontsize=7)
    page.add_text_annot((500, 500), GONE)
    data: bytes = document.tobytes()
    return data


_TEXT = f"1. Heading one\n\n{'Words about ducks that swim on the lake. ' * 4}\n\n- Item one\n- Item two\n"
_CODE = '"""What it does."""\n\ndef heading_one(x):\n    return x\n'
_SRT = "1\n00:00:01,000 --> 00:00:02,000\n<i>Words.</i> {\\Leftoutword}\n"

SAMPLES: Mapping[str, tuple[str, Callable[[], bytes]]] = {
    "PDF": ("a.pdf", _printed),
    "docx": ("a.docx", _word),
    "pptx": ("a.pptx", _slides),
    "xlsx": ("a.xlsx", _workbook),
    "xls": (
        "a.xls",
        lambda: xls(
            OldSheet(name="Heading one", cells={(0, 0): "Name", (0, 1): "Size", (1, 0): "Cell one", (1, 1): 2})
        ),
    ),
    "odt": ("a.odt", _open_text),
    "odp": ("a.odp", _open_slides),
    "ods": ("a.ods", _open_sheet),
    "rtf": ("a.rtf", RTF.encode),
    "epub": ("a.epub", _book),
    "eml, msg": ("a.eml", _mail),
    "HTML": ("a.html", PAGE.encode),
    "mhtml": ("a.mhtml", MHTML.encode),
    "Markdown": ("a.md", MARKDOWN.encode),
    "rst": ("a.rst", RST.encode),
    "text": ("a.txt", _TEXT.encode),
    "CSV, TSV": ("a.csv", lambda: b"Ducks\n\nName,Size,Place\nCell one,2,Rome\nb,3,Oslo\n"),
    "JSON": ("a.json", json.dumps(DATA).encode),
    "JSON lines": ("a.jsonl", lambda: "\n".join(map(json.dumps, DATA["ducks"])).encode()),
    "YAML": ("a.yaml", lambda: (json.dumps(DATA) + f" # {GONE}\n").encode()),
    "TOML": (
        "a.toml",
        lambda: (
            f'title = "The title" # {GONE}\n[[ducks]]\nname = "Cell one"\nsize = 1\n[[ducks]]\nname = "b"\nsize = 2\n'.encode()
        ),
    ),
    "XML": (
        "a.xml",
        lambda: f"<s><!-- {GONE} --><ducks><d><n>Cell one</n><z>1</z></d><d><n>b</n><z>2</z></d></ducks></s>".encode(),
    ),
    "RSS, Atom": ("a.rss", RSS.encode),
    "ipynb": ("a.ipynb", NOTEBOOK.encode),
    "programs": ("a.py", _CODE.encode),
    "srt, vtt": ("a.srt", _SRT.encode),
}
"""Row of the table -> the name and the bytes of a file."""
