"""The bytes of a zipped document -> its parts, within limits; XML as trees that fetch and expand nothing."""

import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from docpipe.errors import CorruptSource, EncryptedSource, SourceTooLarge
from docpipe.types import Blob, Source

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

MOST_PARTS = 50_000
LARGEST_PART = 256 << 20
LARGEST_TREE = 48 << 20
"""A tree takes about ten times the bytes of its text."""
MOST_IN_ALL = 512 << 20
STEEPEST = 400
"""Bytes out for a byte in: Office files reach about a hundred, deflate's own bound is 1,032."""
_FLAT = 4 << 20
"""Below this size a part may be as dense as it likes."""

_OLE = b"\xd0\xcf\x11\xe0"
_LOCKED = "EncryptedPackage".encode("utf-16-le")
_STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/")
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OverflowError)
_RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"


class Relation(NamedTuple):
    """A link from one part to another; `target` is a part's name, or an address that is never fetched."""

    type: str
    """The last word of its type's address: `image`, `slide`, `notesSlide` ..."""
    target: str
    external: bool


class Package:
    """An open package. Names of parts are as written in it, without a leading `/`; letter case does not count.

    Every method raises `CorruptSource`, `SourceTooLarge` or `EncryptedSource`, and no error of the libraries below.
    """

    def __init__(self, blob: Blob) -> None:
        self.source = blob.source
        self._spent = 0
        if blob.data.startswith(_OLE):
            raise _old_or_locked(blob)
        with self._damage("the package"):
            self._zip = zipfile.ZipFile(BytesIO(blob.data))
        infos = self._zip.infolist()
        if len(infos) > MOST_PARTS:
            self._zip.close()
            raise _too_large(self.source, f"it holds {len(infos):,} parts, more than {MOST_PARTS:,}")
        self._infos = {_folded(info.filename): info for info in infos}

    def __enter__(self) -> "Package":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._zip.close()

    def __contains__(self, name: str) -> bool:
        return _folded(name) in self._infos

    @property
    def names(self) -> list[str]:
        """All parts, as the package lists them."""
        return [info.filename for info in self._infos.values()]

    def read(self, name: str, *, most: int = LARGEST_PART) -> bytes:
        """A part's bytes; none where the package does not have it.

        Args:
            most: how many bytes it may have, unpacked.
        """
        info = self._infos.get(_folded(name))
        if info is None:
            return b""
        if info.flag_bits & 1:
            raise encrypted(self.source)
        self._allow(info, most)
        with self._damage(name), self._zip.open(info) as stream:
            data = stream.read(most + 1)
        self._spent += len(data)
        if len(data) > most or self._spent > MOST_IN_ALL:
            raise _too_large(self.source, f"its parts unpack to more than {MOST_IN_ALL >> 20} MB")
        return data

    def tree(self, name: str) -> "Element | None":
        """A part's root element; None where the part is missing or empty."""
        data = self.read(name, most=LARGEST_TREE)
        return parse_xml(data, source=self.source, name=name) if data.strip() else None

    def relations(self, name: str) -> dict[str, Relation]:
        """The links of a part, by their ids; nothing for a part without."""
        folder, file = posixpath.split(name)
        tree = self.tree(posixpath.join(folder, "_rels", f"{file}.rels"))
        found: dict[str, Relation] = {}
        for element in tree.iter(_RELATION) if tree is not None else ():
            external = element.get("TargetMode") == "External"
            target = element.get("Target") or ""
            found[element.get("Id") or ""] = Relation(
                (element.get("Type") or "").rpartition("/")[2],
                target if external else joined(folder, target),
                external,
            )
        return found

    def main_part(self, kind: str = "officeDocument") -> str:
        """Name of the part where reading begins.

        Raises:
            CorruptSource: the package does not say, or does not hold it.
        """
        for relation in self.relations("").values():
            if relation.type == kind and relation.target in self:
                return relation.target
        raise CorruptSource(
            f"the package names no {kind} part",
            source=self.source.uri,
            remedy="open it in its program and save it anew",
        )

    def _allow(self, info: zipfile.ZipInfo, most: int) -> None:
        if info.file_size > most:
            raise _too_large(self.source, f"its part {info.filename} unpacks to more than {most >> 20} MB")
        if info.file_size > _FLAT and info.file_size > STEEPEST * max(1, info.compress_size):
            ratio = info.file_size // max(1, info.compress_size)
            raise _too_large(self.source, f"its part {info.filename} grows {ratio:,} times when it is unpacked")

    @contextmanager
    def _damage(self, name: str) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            if isinstance(error, (NotImplementedError, RecursionError)):
                raise _damaged(self.source, name, error) from error
            raise encrypted(self.source) from error
        except (*_DAMAGE, OSError, ValueError, KeyError) as error:
            raise _damaged(self.source, name, error) from error


def parse_xml(data: bytes, *, source: Source, name: str) -> "Element | None":
    """XML as a tree: damage is read over, entities stay unread, nothing is fetched. None where nothing can be read.

    Names of the strict form of Office's formats are given as those of the usual one.

    Raises:
        CorruptSource: it declares entities of its own, as no program does.
    """
    from lxml import etree

    if b"purl.oclc.org/ooxml" in data[:8192]:
        data = _STRICT.sub(rb"http://schemas.openxmlformats.org/\1/2006/", data)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        load_dtd=False,
        recover=True,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    if root is not None:
        document_type = root.getroottree().docinfo.internalDTD
        if document_type is not None and next(iter(document_type.entities()), None) is not None:
            raise CorruptSource(
                f"{name} declares XML entities", source=source.uri, remedy="open it in its program and save it anew"
            )
    return root


@contextmanager
def within_depth(source: Source) -> Iterator[None]:
    """Elements nested deeper than Python can follow are damage of the file."""
    try:
        yield
    except RecursionError as error:
        raise CorruptSource(
            "its elements are nested too deeply", source=source.uri, remedy="open it in its program and save it anew"
        ) from error


def joined(folder: str, target: str) -> str:
    """A part's name from a link to it; a link that leads out of the package names nothing in it."""
    target = unquote(target.partition("#")[0])
    path = target.lstrip("/") if target.startswith("/") else posixpath.join(folder, target)
    return posixpath.normpath(path) if path else ""


def encrypted(source: Source) -> EncryptedSource:
    """It cannot be read without a password."""
    return EncryptedSource(
        "it needs a password",
        source=source.uri,
        remedy="put the password into an environment variable and name it in the source: "
        "`load.files: {passwords: [NAME]}`; or leave it out with `exclude`",
    )


def _old_or_locked(blob: Blob) -> EncryptedSource | CorruptSource:
    """A file of Office that is no zip: one with a password, or one of another format."""
    if _LOCKED in blob.data:
        return encrypted(blob.source)
    return CorruptSource(
        "it is a file of Office before 2007 under another name",
        source=blob.source.uri,
        remedy="save it anew as docx, xlsx or pptx",
    )


def _folded(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()


def _too_large(source: Source, message: str) -> SourceTooLarge:
    return SourceTooLarge(message, source=source.uri, remedy="split it, or leave it out with `exclude`")


def _damaged(source: Source, name: str, error: BaseException) -> CorruptSource:
    return CorruptSource(
        f"{name} cannot be unpacked: {error}", source=source.uri, remedy="fetch or save it again: it may be cut short"
    )
