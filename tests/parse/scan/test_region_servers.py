"""Pages over a model server that reads one region at a time."""

import pytest
from standin import StandIn, printing

from docpipe import _ids
from docpipe._http.endpoint import Endpoint
from docpipe.parse.glm_ocr import GlmOcrParser
from docpipe.types import Blob, BlockKind, Source

SENTENCE = "The ferry carried 412,000 passengers in 2024. It was the best year since the pier was built again. "
SHEET = printing.sheet(
    [
        ("heading", "1 Passengers"),
        ("text", SENTENCE * 5),
        ("table", [["Route", "Crossings"], ["North pier", "4,380"], ["Lighthouse", "2,190"]]),
        ("figure", 100),
        ("text", SENTENCE * 3),
        ("heading", "2 The keeper of the light"),
        ("text", SENTENCE * 7),
    ],
    columns=2,
)


@pytest.mark.parametrize(("api", "path"), [("openai", "/v1"), ("ollama", "")])
def test_headings_tables_and_columns_of_a_scan_come_back_in_order(api: str, path: str, platform: StandIn) -> None:
    data = printing.scan([SHEET], dpi=150)
    source = Source(uri="scan.pdf", media_type="application/pdf", digest=_ids.digest(data), size=len(data), modified=0)
    server = Endpoint(base_url=platform.host_url + path)
    parser = GlmOcrParser(mode="selfhosted", api=api, service=server)  # type: ignore[arg-type]
    (document,) = parser(Blob(source=source, data=data))
    kinds = [block.kind for block in document.blocks]
    headings = [block.span.of(document.text) for block in document.blocks if block.kind is BlockKind.HEADING]
    assert headings == ["1 Passengers", "2 The keeper of the light"]
    assert [kind for kind in kinds if kind is not BlockKind.HEADING] == [
        BlockKind.PARAGRAPH,
        BlockKind.TABLE,
        BlockKind.FIGURE,
        BlockKind.PARAGRAPH,
        BlockKind.PARAGRAPH,
    ]
    assert document.text.count("412,000") == 15
    assert "4,380" in document.text
