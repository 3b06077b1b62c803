"""Locked files and passwords -> their contents."""

import io
import random
import struct
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from office_samples import docx, paragraph
from packed import put, zipped

from docpipe._ids import digest, fingerprint
from docpipe._passwords import names_set, spellings, values
from docpipe.errors import EncryptedSource
from docpipe.load.files import FileLoader
from docpipe.load.inside import opening
from docpipe.types import Blob, Entry

WORD = "Sesam öffne dich"
_TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'


@pytest.fixture(autouse=True)
def _passwords(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("WRONG_PASSWORD", "not this one")
    monkeypatch.setenv("RIGHT_PASSWORD", WORD)
    yield
    while opening._at_hand:
        opening._at_hand.pop().close()


def read(root: Path, uri: str, *names: str) -> Blob:
    source = FileLoader(path=str(root), passwords=names)
    found = next(one for one in source.entries() if isinstance(one, Entry))
    if "!/" in uri:
        found = next(one for one in source.members(found) if isinstance(one, Entry) and one.uri == uri)
    return source.read(found)


def locked_pdf() -> bytes:
    import pymupdf

    document = pymupdf.open()
    document.new_page().insert_text((72, 72), "alpha")
    made: bytes = document.tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw=WORD, owner_pw="owner")
    return made


def locked_office() -> bytes:
    pytest.importorskip("msoffcrypto")
    from msoffcrypto.format.ooxml import OOXMLFile

    filling = random.Random(1).randbytes(8_192)  # what makes locked files cannot write short ones
    with zipfile.ZipFile(
        plain := io.BytesIO(docx(paragraph("alpha"), parts={"[Content_Types].xml": _TYPES})), "a"
    ) as file:
        file.writestr("filling.bin", filling)
    made = io.BytesIO()
    OOXMLFile(plain).encrypt(WORD, made)
    return made.getvalue()


def locked_zip() -> bytes:
    pyzipper = pytest.importorskip("pyzipper")
    made = io.BytesIO()
    with pyzipper.AESZipFile(made, "w", encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(WORD.encode())
        archive.writestr("a.txt", "alpha")
    return made.getvalue()


def weakly_locked_zip() -> bytes:
    """With the lock of PKZIP, written as the standard library reads it."""
    data, check = b"alpha", zlib.crc32(b"alpha")
    keys = [0x12345678, 0x23456789, 0x34567890]

    def crc(byte: int, value: int) -> int:
        table = value ^ byte
        table &= 0xFF
        for _ in range(8):
            table = (table >> 1) ^ (0xEDB88320 if table & 1 else 0)
        return (value >> 8) ^ table

    def feed(byte: int) -> None:
        keys[0] = crc(byte, keys[0])
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = crc(keys[1] >> 24, keys[2])

    def hidden(byte: int) -> int:
        key = keys[2] | 2
        found = byte ^ (((key * (key ^ 1)) >> 8) & 0xFF)
        feed(byte)
        return found

    for byte in WORD.encode():
        feed(byte)
    packed = bytes(hidden(byte) for byte in bytes(11) + bytes([check >> 24]) + data)
    name = b"a.txt"
    facts = struct.pack("<5H3L2H", 20, 1, 0, 0, 0x5821, check, len(packed), len(data), len(name), 0)
    local = b"PK\x03\x04" + facts + name + packed
    central = b"PK\x01\x02" + struct.pack("<H", 20) + facts + struct.pack("<3H2L", 0, 0, 0, 0, 0) + name
    return local + central + b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 1, 1, len(central), len(local), 0)


MAKERS = {"a.pdf": locked_pdf, "a.docx": locked_office}


@pytest.mark.parametrize("name", MAKERS)
def test_a_locked_file_is_opened_by_the_password_that_fits(name: str, tmp_path: Path) -> None:
    data = MAKERS[name]()
    put(tmp_path / name, data, seconds=1)
    blob = read(tmp_path, name, "WRONG_PASSWORD", "RIGHT_PASSWORD")
    assert blob.data != data and b"EncryptedPackage" not in blob.data
    assert (blob.source.digest, blob.source.size) == (digest(data), len(data))  # of the file's own bytes
    assert blob.source.media_type.endswith(("pdf", "wordprocessingml.document"))


@pytest.mark.parametrize("name", MAKERS)
def test_a_locked_file_says_that_no_password_fits(name: str, tmp_path: Path) -> None:
    put(tmp_path / name, MAKERS[name](), seconds=1)
    with pytest.raises(EncryptedSource, match="none of the given passwords") as caught:
        read(tmp_path, name, "WRONG_PASSWORD")
    assert "`load.files: {passwords: [NAME]}`" in caught.value.remedy
    assert "not this one" not in str(caught.value)


@pytest.mark.parametrize("name", MAKERS)
def test_without_passwords_a_file_is_handed_on_as_it_is(name: str, tmp_path: Path) -> None:
    put(tmp_path / name, data := MAKERS[name](), seconds=1)
    assert read(tmp_path, name).data == data
    assert read(tmp_path, name, "NOT_SET").data == data


@pytest.mark.parametrize("make", [locked_zip, weakly_locked_zip])
def test_members_of_a_locked_zip_are_opened(make: Any, tmp_path: Path) -> None:
    put(tmp_path / "box.zip", make(), seconds=1)
    assert read(tmp_path, "box.zip!/a.txt", "WRONG_PASSWORD", "RIGHT_PASSWORD").data == b"alpha"
    with pytest.raises(EncryptedSource, match="it needs a password"):
        read(tmp_path, "box.zip!/a.txt")
    with pytest.raises(EncryptedSource, match="none of the given"):
        read(tmp_path, "box.zip!/a.txt", "WRONG_PASSWORD")


def test_a_locked_file_inside_an_archive_is_opened(tmp_path: Path) -> None:
    put(tmp_path / "box.zip", zipped({"a.pdf": locked_pdf()}), seconds=1)
    assert b"/Encrypt" not in read(tmp_path, "box.zip!/a.pdf", "RIGHT_PASSWORD").data


def test_what_is_not_locked_is_left_alone(tmp_path: Path) -> None:
    put(tmp_path / "a.docx", data := docx(paragraph("alpha")), seconds=1)
    assert read(tmp_path, "a.docx", "RIGHT_PASSWORD").data == data


def test_a_damaged_locked_file_is_left_to_its_parser(tmp_path: Path) -> None:
    for name in MAKERS:
        data = MAKERS[name]()[:700]
        put(tmp_path / name, data, seconds=1)
        assert read(tmp_path, name, "RIGHT_PASSWORD").data == data
        (tmp_path / name).unlink()


def test_a_password_itself_is_no_option(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="names of environment variables") as caught:
        FileLoader(path=str(tmp_path), passwords=("hunter 2!",))
    assert "hunter" not in str(caught.value)
    with pytest.raises(ValueError, match="got a text"):
        FileLoader(path=str(tmp_path), passwords="secret")  # type: ignore[arg-type]


def test_passwords_are_in_no_fingerprint_and_no_repr(tmp_path: Path) -> None:
    source = FileLoader(path=str(tmp_path), passwords=("RIGHT_PASSWORD",))
    assert WORD not in repr(source)
    assert len(fingerprint(source)) == 32
    assert source.environment_names == ("RIGHT_PASSWORD",)


def test_passwords_are_written_as_newer_pdfs_ask_for_them() -> None:
    assert spellings("S\u00aaSL\u00adprep") == ("S\u00aaSL\u00adprep", "SaSLprep")
    assert spellings("plain") == ("plain",)


def test_variables_that_hold_nothing_count_as_not_set() -> None:
    environment = {"A": "x", "B": "", "C": "x"}
    assert names_set(("A", "B", "C", "D"), environment) == ("A", "C")
    assert values(("A", "B", "C", "D"), environment) == ("x",)


def test_a_lock_that_nothing_here_opens_is_told_apart_from_a_wrong_password(tmp_path: Path) -> None:
    data = locked_office().replace(b'keyBits="256"', b'keyBits="160"')
    put(tmp_path / "a.docx", data, seconds=1)
    with pytest.raises(EncryptedSource, match="of a kind that is not opened here"):
        read(tmp_path, "a.docx", "RIGHT_PASSWORD")


@pytest.mark.parametrize(
    ("package", "name", "uri"), [("msoffcrypto", "a.docx", "a.docx"), ("pyzipper", "a.zip", "a.zip!/a.txt")]
)
def test_what_is_not_installed_is_named(
    package: str, name: str, uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / name, locked_office() if name == "a.docx" else locked_zip(), seconds=1)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(EncryptedSource, match="not installed") as caught:
        read(tmp_path, uri, "RIGHT_PASSWORD")
    assert caught.value.remedy == "pip install 'docpipe[passwords]'"
