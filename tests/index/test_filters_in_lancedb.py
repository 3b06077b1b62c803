"""A filter means the same in SQL as over one chunk."""

from dataclasses import replace

import pytest

from docpipe.index.filters import matches, parse, quoted
from docpipe.index.lancedb import LanceIndex
from docpipe.protocols import DocumentRows
from docpipe.testing import AWKWARD, chunk, embedded, vectors

SAID: list[dict[str, str]] = [
    {},
    {"authors": "O'Neil; 王伟", "created": "2024"},
    {"authors": AWKWARD[4], "created": "2024-05-31T23:30:00+08:00", "x": "\\%_"},
    {"subject": "authors", "modified": "2024-02-29", "日": "水", "a.b": "1"},
    {"keywords": "a; b", "created": "not a date", "xx": "1"},
    {"authors": "", "created": "1650-01-01", "meta": "m"},
]
CHUNKS = [
    replace(chunk("word", uri=uri, position=n, page=n + 1, language="zh" if n % 2 else "en"), metadata=SAID[n])
    for n, uri in enumerate(AWKWARD)
]
QUESTIONS = [
    *(f"uri = {quoted(uri)}" for uri in AWKWARD),
    *(f"uri != {quoted(uri)}" for uri in AWKWARD),
    *(f"uri ~ {quoted(uri[:3] + '*')}" for uri in AWKWARD),
    *(f"page {operator} 3" for operator in ("=", "!=", "<", "<=", ">", ">=")),
    *(f"modified {operator} 2024-05-01" for operator in ("=", "!=", "<", "<=", ">", ">=")),
    "uri ~ '*'",
    "uri ~ '*_x.pdf'",
    "uri ~ '?\n?\t*'",
    "uri ~ '*\\*'",
    "uri > b",
    "page in (1, 4)",
    "modified in (2024-05-01, 2023-01-01)",
    "not (language = zh or page <= 2)",
    'title = "It\'s a title" and kind in (paragraph, table) and size = 7',
    *(f"created {operator} 2024-05" for operator in ("=", "!=", "<", "<=", ">", ">=")),
    *(f"not meta.modified {operator} 2024-02-29" for operator in ("=", "!=", "<", ">=")),
    *(f"authors {operator} {quoted(AWKWARD[4])}" for operator in ("=", "!=", "<", ">=")),
    "created = 2024-05-31T15:30",
    "authors ~ \"O'*\" or authors = ''",
    "not authors ~ '*王*'",
    "meta.x = '\\%_' or meta.x ~ '\\*'",
    "meta.subject in (authors, '')",
    "meta.xx = 1",
    "meta.meta = m and meta.me != m",
    "meta.\\%_ = '' and meta.日 = 水 and meta.a.b != ''",
    "meta.日 ~ '*' and meta.-- != x and meta.;drop = ''",
    " and ".join(["page < 100"] * 200),
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> LanceIndex:
    made = LanceIndex(uri=str(tmp_path_factory.mktemp("filters")))
    made.replace([DocumentRows(document_id=one.document_id, chunks=(embedded(one),)) for one in CHUNKS])
    return made


@pytest.mark.parametrize("text", QUESTIONS, ids=lambda text: ascii(text)[:30])
def test_the_database_and_the_values_agree(index: LanceIndex, text: str) -> None:
    wanted = {one.id for one in CHUNKS if matches(parse(text), one)}
    (hits,) = index.search_vector(vectors((1, 0, 0, 0)), limit=99, where=text)
    assert {key for key, _ in hits} == wanted
    assert {key for key, _ in index.search_text("word", limit=99, where=text)} == wanted
