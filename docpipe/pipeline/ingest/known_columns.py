"""The ledger as columns: which of many listed sources are as they were, found without an object for each."""

from collections.abc import Collection, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from docpipe.load.inside.members import SEPARATOR
from docpipe.pipeline.ingest.ledger import Known, Ledger, Stamp
from docpipe.pipeline.ingest.plan import RACY_SECONDS, Terms
from docpipe.types import Entry, Status

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    type_mask = NDArray[np.bool_]
    type_numbers = NDArray[np.int64]

_REPEATED = ("status", "parsed_by", "chunked_by")
"""Columns of few values: kept as numbers of these."""
_PIECE = 8_192
"""Rows of which Python sees the uris at once."""


class Compared(NamedTuple):
    """A slice of a listing beside the ledger, an element for each entry."""

    rows: "type_numbers"
    """Number of the entry's row; -1 where it is not known."""
    settled: "type_mask"
    """Nothing is to be done with it."""
    twice: "type_mask"
    """It is known, and was listed before."""


class KnownColumns:
    """What the ledger knows of all sources: about 100 bytes for each, and which of them were seen in a listing."""

    def __init__(self, ledger: Ledger | None, by: Stamp, terms: Terms) -> None:
        import numpy as np

        names = ("uri", *Known._fields)
        found = ledger.table.arrow(*names) if ledger is not None else None
        self.count = found.num_rows if found is not None else 0
        self._table = _compact(found) if found is not None and self.count else None
        self._ledger = ledger
        self._seen = np.zeros(self.count, dtype=bool)
        self._settled = self._find_settled(by, terms)

    def compare(self, entries: Sequence[Entry]) -> "Compared":
        """Look these up, and remember that they were seen."""
        import numpy as np

        if self._table is None:
            nothing = np.zeros(len(entries), dtype=bool)
            return Compared(rows=np.full(len(entries), -1), settled=nothing, twice=nothing)
        rows = self._numbers([entry.uri for entry in entries])
        known = rows >= 0
        again = np.ones(len(rows), dtype=bool)
        again[np.unique(rows, return_index=True)[1]] = False
        twice = known & (again | self._seen[rows])
        size = np.fromiter((entry.size for entry in entries), np.int64, len(entries))
        modified = np.fromiter((entry.modified for entry in entries), np.int64, len(entries))
        settled = known & ~twice & self._settled[rows] & (self._sizes[rows] == size) & (self._times[rows] == modified)
        self._seen[rows[known]] = True
        return Compared(rows=rows, settled=settled, twice=twice)

    def rows(self, numbers: "Sequence[int] | type_numbers") -> list[Known]:
        """Whole rows by number."""
        columns = self._taken(numbers, Known._fields)
        return list(map(Known._make, zip(*columns, strict=True)))

    def may_hold(self, numbers: "type_numbers") -> "type_mask":
        """Which of these rows are of files that may hold files."""
        import numpy as np

        if self._table is None:
            return np.zeros(len(numbers), dtype=bool)
        marked: type_mask = self._marked[numbers]
        return marked

    def inside(self, uri: str) -> list[tuple[str, int, int]]:
        """Of all that is known directly inside a file: uri, size and time of change."""
        numbers = self._inside.get(uri, [])
        columns = self._taken(numbers, ("uri", "size", "modified"))
        return list(zip(*columns, strict=True))

    def unseen(self) -> list[tuple[str, Known]]:
        """The sources that were in no listing, by uri."""
        import numpy as np

        numbers = np.flatnonzero(~self._seen)
        if not len(numbers):
            return []
        (uris,) = self._taken(numbers, ("uri",))
        return sorted(zip(uris, self.rows(numbers), strict=True), key=lambda pair: pair[0])

    def digests(self, uris: Collection[str], sizes: Collection[int]) -> dict[str, str]:
        """Digests of those of these sources that have one of these sizes (bytes)."""
        if self._ledger is None or not uris or not sizes:
            return {}
        import pyarrow as pa
        import pyarrow.compute as pc

        table = self._ledger.table.arrow("uri", "size", "digest", "status")
        fits = pc.and_(
            pc.is_in(table["size"], value_set=pa.array(sorted(sizes), pa.int64())),
            pc.is_in(table["status"], value_set=pa.array([Status.INDEXED.value, ""])),
        )
        table = table.filter(fits)
        pairs = zip(table["uri"].to_pylist(), table["digest"].to_pylist(), strict=True)
        return {uri: digest for uri, digest in pairs if digest and uri in uris}

    def count_by(self, prefixes: Collection[str]) -> dict[str, int]:
        """How many sources there are by the longest of these prefixes that their uri begins with."""
        import numpy as np
        import pyarrow.compute as pc

        counts = dict.fromkeys(prefixes, 0)
        if self._table is None:
            return counts
        free = np.ones(self.count, dtype=bool)
        for prefix in sorted(prefixes, key=len, reverse=True):
            fits = free & pc.starts_with(self._table["uri"], prefix).to_numpy(zero_copy_only=False)
            counts[prefix] = int(np.count_nonzero(fits))
            free &= ~fits
        return counts

    def _numbers(self, uris: Sequence[str]) -> "type_numbers":
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        assert self._table is not None
        try:
            wanted = pa.array(uris, pa.string())
        except UnicodeEncodeError:  # of a loader that gives uris that are no text: never known
            wanted = pa.array([uri if _is_text(uri) else None for uri in uris], pa.string())
        hashes, order = self._hashes
        wanted_hashes = np.fromiter(map(hash, uris), np.int64, len(uris))
        at = np.minimum(np.searchsorted(hashes, wanted_hashes), len(hashes) - 1)
        rows = order[at]
        likely = hashes[at] == wanted_hashes
        equal = pc.equal(self._table["uri"].take(pa.array(rows)), wanted).fill_null(False)
        same = equal.to_numpy(zero_copy_only=False)
        for place in np.flatnonzero(likely & ~same):  # two uris of one hash
            found = pc.index_in(wanted[place : place + 1], value_set=self._table["uri"])[0].as_py()
            rows[place], same[place] = (found, True) if found is not None else (-1, False)
        return np.where(same, rows, -1)

    def _find_settled(self, by: Stamp, terms: Terms) -> "type_mask":
        """Rows with which nothing is to be done while the file is as it was."""
        import numpy as np
        import pyarrow.compute as pc

        if self._table is None or terms.full or terms.detect == "digest":
            return np.zeros(self.count, dtype=bool)
        fits = np.ones(self.count, dtype=bool)
        for name, value in (("status", Status.INDEXED.value), ("parsed_by", by.parse), ("chunked_by", by.chunk)):
            fits &= pc.equal(self._table[name], value).to_numpy(zero_copy_only=False)
        read, changed = self._column("last_tried"), self._times // 10**9
        racy = (read > 0) & (read - RACY_SECONDS <= changed) & (changed <= int(terms.now))
        return fits & ~racy

    @cached_property
    def _hashes(self) -> "tuple[type_numbers, type_numbers]":
        """Hashes of all uris, rising, and the rows that they belong to."""
        import numpy as np

        assert self._table is not None
        pieces = (self._table["uri"].slice(start, _PIECE).to_pylist() for start in range(0, self.count, _PIECE))
        hashes = np.fromiter((hash(uri) for piece in pieces for uri in piece), np.int64, self.count)
        order = np.argsort(hashes)
        return hashes[order], order

    @cached_property
    def _marked(self) -> "type_mask":
        import pyarrow.compute as pc

        assert self._table is not None
        marked: type_mask = pc.not_equal(self._table["members"], "").to_numpy(zero_copy_only=False)
        return marked

    @cached_property
    def _inside(self) -> dict[str, list[int]]:
        """Rows of files inside others, by the one around them."""
        import numpy as np
        import pyarrow.compute as pc

        found: dict[str, list[int]] = {}
        if self._table is None:
            return found
        numbers = np.flatnonzero(pc.match_substring(self._table["uri"], SEPARATOR).to_numpy(zero_copy_only=False))
        (uris,) = self._taken(numbers, ("uri",))
        for number, uri in zip(numbers.tolist(), uris, strict=True):
            found.setdefault(uri.rpartition(SEPARATOR)[0], []).append(number)
        return found

    @cached_property
    def _sizes(self) -> "type_numbers":
        return self._column("size")

    @cached_property
    def _times(self) -> "type_numbers":
        return self._column("modified")

    def _column(self, name: str) -> "type_numbers":
        assert self._table is not None
        found: type_numbers = self._table[name].to_numpy(zero_copy_only=False)
        return found

    def _taken(self, numbers: "Sequence[int] | type_numbers", names: Sequence[str]) -> list[list[Any]]:
        import pyarrow as pa

        if self._table is None or not len(numbers):
            return [[] for _ in names]
        some = self._table.select(list(names)).take(pa.array(numbers, pa.int64()))
        return [some[name].to_pylist() for name in names]


def _compact(table: "pa.Table") -> "pa.Table":
    """Whole columns in one piece, those of few values as numbers."""
    for place, name in enumerate(table.column_names):
        if name in _REPEATED:
            table = table.set_column(place, name, table[name].dictionary_encode())
    return table.combine_chunks()


def _is_text(uri: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in uri)
