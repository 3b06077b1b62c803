"""EmbeddedChunks <-> Arrow rows of the index: the schema and its version (pure)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from struct import Struct
from typing import TYPE_CHECKING, Any

from docpipe._dates import period
from docpipe._ids import text_key
from docpipe._metadata import packed as packed_metadata
from docpipe._metadata import unpacked as unpacked_metadata
from docpipe.errors import IndexFailed, IndexMismatch
from docpipe.geometry import Geometry
from docpipe.types import BlockKind, Chunk, EmbeddedChunk, PageBox, Source, Span

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

SCHEMA_VERSION = 1
"""Raise it when a column changes; an index of another version is refused."""

VERSION_KEY, MODEL_KEY, DIM_KEY, MADE_BY_KEY = "docpipe.schema", "docpipe.model", "docpipe.dim", "docpipe.made_by"
ACTIVE_KEY, PINNED_KEY = "docpipe.active", "docpipe.pinned"
VECTOR = "vector"
"""The first column of vectors; another model's gets a name of its own."""
PRIMARY_KEY = {b"lance-schema:unenforced-primary-key": b"true"}
COMPRESSED = {b"lance-encoding:compression": b"zstd"}

_BOX = Struct("<5d")
_TEXTS = ("id", "document_id", "uri", "media_type", "digest", "text", "context", "kind", "title", "language")
_NUMBERS = ("size", "modified", "span_start", "span_end", "token_count", "position")
CHUNK_COLUMNS = (
    *_TEXTS,
    *_NUMBERS,
    "headings",
    "block_ids",
    "pages",
    "boxes",
    "geometry_records",
    "geometry_edges",
    "metadata",
)
"""What `chunks` needs to give chunks back; all else only serves the searches."""
LATER_COLUMNS = {
    "metadata": "''",
    "document_created": "cast(NULL as bigint)",
    "document_modified": "cast(NULL as bigint)",
}
"""Columns that tables of before do not have, and what stands in them until a document is written anew, as SQL."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What a table of chunks says of itself. It stands in the schema, so each version has its own."""

    schema_version: str
    model: str
    dim: int
    column: str
    """Which column holds the vectors that readers use."""
    made_by: str
    pinned: int
    """The version that readers are held at; 0 for none."""


NOTHING = Facts(schema_version="", model="", dim=0, column=VECTOR, made_by="", pinned=0)
"""What is said of a table that was not made yet."""


def facts(schema: "pa.Schema") -> Facts:
    """What a table's schema says of it."""
    whole, own = _texts(schema.metadata), _texts(schema.field("id").metadata)
    column = own.get(ACTIVE_KEY, VECTOR)
    field = schema.field(column) if column in schema.names else None
    vector = _texts(field.metadata) if field is not None else {}
    model = vector.get(MODEL_KEY, whole.get(MODEL_KEY, ""))
    return Facts(
        schema_version=whole.get(VERSION_KEY, "0"),
        model=model,
        dim=field.type.list_size if field is not None else 0,
        column=column,
        made_by=vector.get(MADE_BY_KEY, ""),
        pinned=int(own.get(PINNED_KEY) or 0),
    )


def is_vectors(name: str) -> bool:
    """Whether a column of this name holds vectors, be they the ones that count or not."""
    return name == VECTOR or name.startswith(f"{VECTOR}_")


def _texts(metadata: Mapping[bytes, bytes] | None) -> dict[str, str]:
    return {key.decode(): value.decode("utf-8", "replace") for key, value in (metadata or {}).items()}


def vector_field(name: str, *, model: str, dim: int, made_by: str = "") -> "pa.Field":
    """A column of vectors; the first one of a table is never null."""
    import pyarrow as pa

    metadata = {MODEL_KEY: storable(model), MADE_BY_KEY: storable(made_by)}
    return pa.field(name, pa.list_(pa.float32(), dim), nullable=name != VECTOR, metadata=metadata)


def schema(*, model: str, dim: int, made_by: str = "") -> "pa.Schema":
    """The schema of a new table; its metadata says version, model and dimension."""
    import pyarrow as pa

    def texts(*names: str) -> list[pa.Field]:
        return [pa.field(name, pa.string(), nullable=False) for name in names]

    def lists(kind: pa.DataType, *names: str) -> list[pa.Field]:
        return [pa.field(name, pa.list_(kind), nullable=False) for name in names]

    fields = [
        pa.field("id", pa.string(), nullable=False, metadata=PRIMARY_KEY),
        *texts(*_TEXTS[1:], "content", "text_key", "model", "metadata"),
        *(pa.field(name, pa.int64()) for name in ("document_created", "document_modified")),
        *(pa.field(name, pa.int64(), nullable=False) for name in (*_NUMBERS, "first_page", "last_page")),
        *lists(pa.string(), "headings", "block_ids"),
        *lists(pa.int32(), "pages"),
        *(
            pa.field(name, pa.binary(), nullable=False, metadata=COMPRESSED)
            for name in ("boxes", "geometry_records", "geometry_edges")
        ),
        vector_field(VECTOR, model=model, dim=dim, made_by=made_by),
    ]
    facts = {VERSION_KEY: str(SCHEMA_VERSION), MODEL_KEY: model, DIM_KEY: str(dim)}
    return pa.schema(fields, metadata={key: value.encode("utf-8", "replace") for key, value in facts.items()})


def table(rows: Sequence[EmbeddedChunk], *, schema: "pa.Schema") -> "pa.Table":
    """Rows as one Arrow table, made column by column.

    Args:
        schema: of the table they are for, as `schema` made it, perhaps with another column of vectors.

    Raises:
        ValueError: a vector is not of shape (dim,), or holds something that is not a finite number.
    """
    import pyarrow as pa

    about = facts(schema)
    columns = _columns([row.chunk for row in rows])
    columns["model"] = [row.model for row in rows]
    arrays = [
        _vectors(rows, about.dim) if field.name == about.column else _array(columns[field.name], field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def packed(table: "pa.Table") -> bytes:
    """A table as an Arrow stream, compressed, with all that its schema says."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table.combine_chunks())
    return bytes(sink.getvalue())


def unpacked(data: bytes, *, index: str) -> "pa.Table":
    """What `packed` packed.

    Raises:
        IndexFailed: the bytes are damaged.
    """
    import pyarrow as pa

    try:
        with pa.ipc.open_stream(pa.py_buffer(data)) as reader:
            return reader.read_all()
    except (pa.ArrowInvalid, OSError) as error:
        raise IndexFailed(
            f"kept rows of the index {index!r} are damaged ({error})",
            stage="index",
            item=index,
            remedy="run again with `--full`: the document is read anew",
        ) from error


def fitted(table: "pa.Table", schema: "pa.Schema") -> "pa.Table":
    """Kept rows in the form of a schema with the same columns, whatever its column of vectors is called.

    Columns that came later are empty where the rows were kept before.
    """
    import pyarrow as pa

    was, now = facts(table.schema).column, facts(schema).column
    arrays = [
        _unknown(field, table.num_rows)
        if field.name in LATER_COLUMNS and field.name not in table.column_names
        else table.column(was if field.name == now else field.name)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _unknown(field: "pa.Field", count: int) -> "pa.Array":
    import pyarrow as pa

    return pa.array([None if field.nullable else ""] * count, type=field.type)


def chunk_columns(schema: "pa.Schema") -> list[str]:
    """Those of `CHUNK_COLUMNS` that a table has."""
    return [name for name in CHUNK_COLUMNS if name in schema.names or name not in LATER_COLUMNS]


def by_document(table: "pa.Table") -> "dict[str, pa.Table]":
    """The rows of each document, by position."""
    table = table.sort_by([("document_id", "ascending"), ("position", "ascending")])
    ids = table.column("document_id").to_pylist()
    starts = [number for number, key in enumerate(ids) if not number or ids[number - 1] != key]
    ends = [*starts[1:], len(ids)][: len(starts)]
    return {ids[start]: table.slice(start, end - start) for start, end in zip(starts, ends, strict=True)}


def sorted_tuples(table: "pa.Table | None", columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """The rows of a few columns, sorted by them in their order."""
    if table is None:
        return []
    return sorted(zip(*(table.column(name).to_pylist() for name in columns), strict=True))


def embedded(table: "pa.Table") -> tuple[EmbeddedChunk, ...]:
    """The rows of a whole table, with their vectors."""
    about = facts(table.schema)
    vectors = matrix(table.column(about.column), dim=about.dim)
    return tuple(
        EmbeddedChunk(chunk=chunk, vector=vector, model=about.model)
        for chunk, vector in zip(chunks(table), vectors, strict=True)
    )


def check_matrix(matrix: "NDArray[np.float32]", *, shape: tuple[int, int]) -> None:
    """Vectors must have this shape and be finite, or ValueError."""
    import numpy as np

    if matrix.shape != shape:
        raise ValueError(f"vectors must have the shape {shape}, got {matrix.shape}")
    if not np.isfinite(matrix).all():
        raise ValueError("a vector holds something that is not a finite number")


def not_complete(index: str, *, found: str, wanted: str, missing: int) -> IndexMismatch:
    """The error of a switch that comes too early."""
    return IndexMismatch(
        f"the index {index!r} cannot go from {found!r} to {wanted!r}: {missing} texts have no vector of it yet",
        found=found,
        wanted=wanted,
        index=index,
        remedy="run again: the missing vectors are made, then it is switched",
    )


def chunks(table: "pa.Table") -> list[Chunk]:
    """The chunks of a table that has at least `chunk_columns`, in its order."""
    names = chunk_columns(table.schema)
    columns = [table.column(name).to_pylist() for name in names]
    return [_chunk(dict(zip(names, values, strict=True))) for values in zip(*columns, strict=True)]


def matrix(column: "pa.ChunkedArray", *, dim: int) -> "NDArray[np.float32]":
    """A vector column as float32, shape (rows, dim)."""
    import numpy as np

    parts = [part.flatten().to_numpy(zero_copy_only=False) for part in column.chunks]
    flat = np.concatenate(parts) if parts else np.empty(0, dtype=np.float32)
    return np.asarray(flat, dtype=np.float32).reshape(-1, dim)


def _columns(chunks: Sequence[Chunk]) -> dict[str, list[Any]]:
    """Every column but `model` and `vector`."""
    sources = [chunk.source for chunk in chunks]
    contents = [chunk.content for chunk in chunks]
    plain = ("id", "document_id", "text", "context", "title", "language", "token_count", "position")
    columns: dict[str, list[Any]] = {name: [getattr(chunk, name) for chunk in chunks] for name in plain}
    for name in ("uri", "media_type", "digest", "size", "modified"):
        columns[name] = [getattr(source, name) for source in sources]
    return columns | {
        "content": contents,
        "text_key": [text_key(content) for content in contents],
        "kind": [str(chunk.kind) for chunk in chunks],
        "span_start": [chunk.span.start for chunk in chunks],
        "span_end": [chunk.span.end for chunk in chunks],
        "first_page": [min(chunk.pages, default=0) for chunk in chunks],
        "last_page": [max(chunk.pages, default=0) for chunk in chunks],
        "headings": [chunk.headings for chunk in chunks],
        "block_ids": [chunk.block_ids for chunk in chunks],
        "pages": [chunk.pages for chunk in chunks],
        "boxes": [pack_boxes(chunk.boxes) for chunk in chunks],
        "geometry_records": [chunk.geometry.records for chunk in chunks],
        "geometry_edges": [chunk.geometry.edges for chunk in chunks],
        "metadata": [packed_metadata(chunk.metadata) for chunk in chunks],
        "document_created": [began(chunk, "created") for chunk in chunks],
        "document_modified": [began(chunk, "modified") for chunk in chunks],
    }


def began(chunk: Chunk, key: str) -> int | None:
    """When what a document says of its dates begins, in nanoseconds since 1970; None where it says nothing."""
    date = chunk.metadata.get(key, "")
    try:
        return period(date)[0] if date else None
    except ValueError:
        return None


def pack_boxes(boxes: Iterable[PageBox]) -> bytes:
    """Boxes as bytes, without loss."""
    flat = list(chain.from_iterable(boxes))
    return Struct(f"<{len(flat)}d").pack(*flat)


def unpack_boxes(data: bytes) -> tuple[PageBox, ...]:
    """What `pack_boxes` packed."""
    return tuple(PageBox(int(page), *box) for page, *box in _BOX.iter_unpack(data))


def _vectors(rows: Sequence[EmbeddedChunk], dim: int) -> "pa.Array":
    import numpy as np
    import pyarrow as pa

    stacked = np.stack([row.vector for row in rows]) if rows else np.empty((0, dim))
    flat = np.ascontiguousarray(stacked, dtype=np.float32)
    if flat.shape != (len(rows), dim):
        raise ValueError(f"vectors must have shape ({dim},), got {flat.shape[1:]}")
    if not np.isfinite(flat).all():
        raise ValueError("a vector holds something that is not a finite number")
    return pa.FixedSizeListArray.from_arrays(pa.array(flat.ravel()), dim)


def _array(values: list[Any], kind: "pa.DataType") -> "pa.Array":
    """One column. Half a surrogate pair cannot be stored: it becomes U+FFFD, so that offsets stay true."""
    import pyarrow as pa

    try:
        return pa.array(values, type=kind)
    except UnicodeEncodeError:
        return pa.array([_storable(value) for value in values], type=kind)


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    return [_storable(part) for part in value] if isinstance(value, tuple) else value


def storable(text: str) -> str:
    """The text with lone surrogates replaced by U+FFFD, one for one."""
    if text.isascii():
        return text
    return "".join("\ufffd" if "\ud800" <= character <= "\udfff" else character for character in text)


def _chunk(row: Mapping[str, Any]) -> Chunk:
    source = Source(
        uri=row["uri"],
        media_type=row["media_type"],
        digest=row["digest"],
        size=row["size"],
        modified=row["modified"],
    )
    return Chunk(
        id=row["id"],
        document_id=row["document_id"],
        source=source,
        span=Span(row["span_start"], row["span_end"]),
        text=row["text"],
        context=row["context"],
        headings=tuple(row["headings"]),
        block_ids=tuple(row["block_ids"]),
        kind=BlockKind(row["kind"]),
        pages=tuple(row["pages"]),
        boxes=unpack_boxes(row["boxes"]),
        token_count=row["token_count"],
        position=row["position"],
        title=row["title"],
        language=row["language"],
        geometry=Geometry(row["geometry_records"], row["geometry_edges"]),
        metadata=unpacked_metadata(row.get("metadata", "")),
    )
