"""Stage name -> its class."""

from importlib import import_module
from typing import Any

from docpipe import _plug_ins
from docpipe.errors import ConfigError, UnknownName
from docpipe.pipeline.file.problems import did_you_mean

STAGES = {
    "chat.extractive": "docpipe.chat.extractive:ExtractiveChat",
    "chat.glm": "docpipe.chat.glm:GlmChat",
    "chunk.layout": "docpipe.chunk.layout:LayoutChunker",
    "embed.hashing": "docpipe.embed.hashing:HashingEmbedder",
    "embed.http": "docpipe.embed.http:HttpEmbedder",
    "embed.local": "docpipe.embed.local:LocalEmbedder",
    "index.lancedb": "docpipe.index.lancedb:LanceIndex",
    "index.memory": "docpipe.index.memory:MemoryIndex",
    "load.files": "docpipe.load.files:FileLoader",
    "load.web": "docpipe.load.web:WebLoader",
    "parse.auto": "docpipe.parse.auto:AutoParser",
    "parse.delimited": "docpipe.parse.delimited:DelimitedParser",
    "parse.docx": "docpipe.parse.docx:DocxParser",
    "parse.epub": "docpipe.parse.epub:EpubParser",
    "parse.glm_ocr": "docpipe.parse.glm_ocr:GlmOcrParser",
    "parse.html": "docpipe.parse.html:HtmlParser",
    "parse.legacy": "docpipe.parse.legacy:LegacyParser",
    "parse.mail": "docpipe.parse.mail:MailParser",
    "parse.markdown": "docpipe.parse.markdown:MarkdownParser",
    "parse.mhtml": "docpipe.parse.mhtml:MhtmlParser",
    "parse.notebook": "docpipe.parse.notebook:NotebookParser",
    "parse.ocr": "docpipe.parse.ocr:OcrParser",
    "parse.opendocument": "docpipe.parse.opendocument:OpenDocumentParser",
    "parse.pdf": "docpipe.parse.pdf:PdfParser",
    "parse.pptx": "docpipe.parse.pptx:PptxParser",
    "parse.pypdf": "docpipe.parse.pypdf:PypdfParser",
    "parse.restructured": "docpipe.parse.restructured:RestructuredTextParser",
    "parse.rtf": "docpipe.parse.rtf:RtfParser",
    "parse.source_code": "docpipe.parse.source_code:SourceCodeParser",
    "parse.structured": "docpipe.parse.structured:StructuredParser",
    "parse.subtitles": "docpipe.parse.subtitles:SubtitlesParser",
    "parse.text": "docpipe.parse.text:TextParser",
    "parse.xls": "docpipe.parse.xls:XlsParser",
    "parse.xlsx": "docpipe.parse.xlsx:XlsxParser",
}

RERANKERS = {
    "local": "docpipe.retrieve.rerank:LocalReranker",
    "zai": "docpipe.retrieve.rerank_zai:ZaiReranker",
}
"""What `retrieve: {rerank: ...}` may name, besides `none`."""


def names() -> list[str]:
    """All stage names, those of other packages included, sorted."""
    return sorted({*STAGES, *_plug_ins.names()})


def stage_class(name: str) -> type[Any]:
    """The class of a stage; ours win over another package's of the same name.

    Raises:
        UnknownName: no stage has this name.
        ConfigError: the stage's module cannot be imported, or two packages bring a stage of this name.
    """
    if name in STAGES:
        return _imported(name, STAGES[name])
    found = _plug_ins.stage_class(name)
    if found is not None:
        return found
    raise UnknownName(f"no stage is called `{name}`", remedy=did_you_mean(name, names()))


def reranker_class(name: str) -> type[Any]:
    """The class of a reranker.

    Raises:
        UnknownName: no reranker has this name.
    """
    if name not in RERANKERS:
        raise UnknownName(f"no reranker is called `{name}`", remedy=did_you_mean(name, ["none", *RERANKERS]))
    return _imported(f"rerank {name}", RERANKERS[name])


def _imported(name: str, target: str) -> type[Any]:
    """A class of ours. Raises ConfigError where what it needs is not installed."""
    module, _, attribute = target.partition(":")
    try:
        found: type[Any] = getattr(import_module(module), attribute)
    except ImportError as error:
        raise ConfigError(
            f"the stage `{name}` cannot be imported from {target}: {error}",
            remedy="repair the installation: `pip install --force-reinstall docpipe`",
        ) from error
    return found
