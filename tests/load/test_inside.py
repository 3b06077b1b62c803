"""A file that holds files -> the files inside it."""

import contextlib
import io
import lzma
import random
import stat
import struct
import tarfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from compound import compound, outlook_message
from hypothesis import given
from hypothesis import strategies as st
from packed import gzipped, mail, mailbox, overlapping_zip, put, tarred, with_zip_names, zipped

from docpipe.errors import (
    CorruptSource,
    DocpipeError,
    EncryptedSource,
    SourceError,
    SourceTooLarge,
    UnreadableSource,
    UnsupportedMedia,
)
from docpipe.load.files import FileLoader
from docpipe.load.inside import opening
from docpipe.load.inside.members import Named, shown, stamp, wrong_name
from docpipe.types import Entry, Outcome


@pytest.fixture(autouse=True)
def _nothing_stays_open() -> Iterator[None]:
    yield
    while opening._at_hand:
        opening._at_hand.pop().close()


def loader(root: Path, **options: Any) -> FileLoader:
    return FileLoader(path=str(root), **options)


def entry(source: FileLoader, uri: str) -> Entry:
    """The entry of a file, however deep it lies."""
    outer, *names = uri.split("!/")
    found = next(one for one in source.entries() if isinstance(one, Entry) and one.uri == outer)
    for depth in range(len(names)):
        wanted = "!/".join([outer, *names[: depth + 1]])
        found = next(one for one in source.members(found) if isinstance(one, Entry) and one.uri == wanted)
    return found


def inside(root: Path, name: str, data: bytes, **options: Any) -> list[str]:
    """Uris of what is inside a file of this name."""
    put(root / name, data, seconds=1_600_000_000)
    source = loader(root, **options)
    return [one.uri for one in source.members(entry(source, name))]


def read(root: Path, uri: str, **options: Any) -> bytes:
    source = loader(root, **options)
    return source.read(entry(source, uri)).data


FILES = {"a.txt": "alpha", "folder/b.txt": "beta"}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        pytest.param("box.zip", zipped(FILES), id="zip"),
        pytest.param("box.tar", tarred(FILES), id="tar"),
        pytest.param("box.tar.gz", tarred(FILES, mode="w:gz"), id="tar.gz"),
        pytest.param("box.tgz", tarred(FILES, mode="w:gz"), id="tgz"),
        pytest.param("box.tar.bz2", tarred(FILES, mode="w:bz2"), id="tar.bz2"),
        pytest.param("box.tar.xz", tarred(FILES, mode="w:xz"), id="tar.xz"),
        pytest.param("no extension", zipped(FILES), id="zip without an extension"),
    ],
)
def test_the_files_of_an_archive_are_sources_in_its_own_order(name: str, data: bytes, tmp_path: Path) -> None:
    assert inside(tmp_path, name, data) == [f"{name}!/a.txt", f"{name}!/folder/b.txt"]
    blob = loader(tmp_path).read(entry(loader(tmp_path), f"{name}!/folder/b.txt"))
    assert (blob.data, blob.source.media_type, blob.source.size) == (b"beta", "text/plain", 4)
    assert blob.source.modified == entry(loader(tmp_path), f"{name}!/folder/b.txt").modified


@pytest.mark.parametrize(
    ("name", "data"),
    [
        pytest.param("report.txt.gz", gzipped(b"alpha"), id="gz"),
        pytest.param("report.txt.xz", lzma.compress(b"alpha"), id="xz"),
        pytest.param("report.txt.xz", lzma.compress(b"al") + lzma.compress(b"pha"), id="xz of two streams"),
    ],
)
def test_a_packed_file_is_one_source_under_its_own_name(name: str, data: bytes, tmp_path: Path) -> None:
    assert inside(tmp_path, name, data) == [f"{name}!/report.txt"]
    assert read(tmp_path, f"{name}!/report.txt") == b"alpha"


def test_what_is_attached_to_a_mail_is_inside_it(tmp_path: Path) -> None:
    data = mail("Hello", {"Größe.txt": b"42", "a/b.txt": b"43"})
    assert inside(tmp_path, "mail.eml", data) == ["mail.eml!/Größe.txt", "mail.eml!/a/b.txt"]
    assert read(tmp_path, "mail.eml!/Größe.txt") == b"42"
    assert read(tmp_path, "mail.eml") == data  # its own text is read as before


def test_messages_of_a_mailbox_are_named_by_their_ids_and_hold_their_files(tmp_path: Path) -> None:
    first, second = mail("One\n\nFrom here on", number=1), mail("Two", {"x.txt": b"42"}, number=2)
    uris = inside(tmp_path, "Inbox", mailbox(first, second))
    assert uris == ["Inbox!/1@example.org.eml", "Inbox!/2@example.org.eml"]
    assert read(tmp_path, uris[0]).strip() == first.strip()
    assert read(tmp_path, f"{uris[1]}!/x.txt") == b"42"


def test_a_message_that_is_put_behind_the_others_renames_and_changes_none(tmp_path: Path) -> None:
    def entries(*mails: bytes) -> list[Any]:
        put(tmp_path / "old.mbox", mailbox(*mails), seconds=1_600_000_000 + len(mails))
        source = loader(tmp_path)
        return list(source.members(entry(source, "old.mbox")))

    first, second = mail("One", number=1), mail("Two", number=2)
    assert entries(first) == entries(first, second)[:1]


def test_archives_lie_in_one_another_as_deep_as_allowed(tmp_path: Path) -> None:
    data = zipped({"a.txt": "alpha"})
    for _ in range(3):
        data = zipped({"in.zip": data})
    put(tmp_path / "box.zip", data, seconds=1)
    source = loader(tmp_path)
    deepest = entry(source, "box.zip!/in.zip!/in.zip!/in.zip")
    assert source.members(deepest) == []
    assert source.read(deepest).source.media_type == "application/zip"
    assert read(tmp_path, "box.zip!/in.zip!/in.zip!/in.zip!/a.txt", max_depth=4) == b"alpha"


def test_an_archive_itself_is_a_list_of_names(tmp_path: Path) -> None:
    put(tmp_path / "box.zip", zipped(FILES), seconds=1)
    assert read(tmp_path, "box.zip").decode() == "box.zip: archive of 2 files\n\na.txt\nfolder/b.txt"
    put(tmp_path / "empty.zip", zipped({}), seconds=1)
    assert read(tmp_path, "empty.zip") == b"empty.zip: archive of 0 files"


@pytest.mark.parametrize("name", ["a.txt", "book.docx", "archive.pdf"])
def test_files_of_other_kinds_are_not_looked_into(name: str, tmp_path: Path) -> None:
    put(tmp_path / name, "text", seconds=1)
    assert not loader(tmp_path).may_hold(name)


def test_a_file_that_only_sounds_like_an_archive_holds_nothing(tmp_path: Path) -> None:
    assert inside(tmp_path, "box.zip", b"just a text") == []
    assert read(tmp_path, "box.zip") == b"just a text"


def test_nothing_is_opened_where_nobody_wants_it(tmp_path: Path) -> None:
    assert inside(tmp_path, "box.zip", zipped(FILES), unpack=False) == []
    source = loader(tmp_path, unpack=False)
    assert source.read(entry(source, "box.zip")).source.media_type == "application/zip"


def test_what_is_hidden_temporary_or_excluded_is_left_out_by_name(tmp_path: Path) -> None:
    files = {"a.txt": "", ".git/config": "", "__MACOSX/._a.txt": "", "drafts/b.txt": "", "~$a.docx": ""}
    put(tmp_path / "box.zip", zipped(files), seconds=1)
    source = loader(tmp_path, exclude=("**/drafts/**",))
    left_out = {
        one.uri: one.error.type
        for one in source.members(entry(source, "box.zip"))
        if isinstance(one, Outcome) and one.error
    }
    assert left_out == {
        "box.zip!/.git/config": "HiddenFile",
        "box.zip!/__MACOSX/._a.txt": "TemporaryFile",
        "box.zip!/~$a.docx": "TemporaryFile",
    } | ({"box.zip!/drafts/b.txt": "Excluded"})


class TestNames:
    @given(st.text(max_size=60))
    def test_a_shown_name_leads_nowhere(self, raw: str) -> None:
        name = shown(raw)
        parts = name.split("/")
        assert name and not name.startswith("/") and ".." not in parts and "" not in parts
        assert not any(part.endswith("!") for part in parts[:-1])
        assert name.encode() and (name.isprintable() or not name.isascii())
        assert "\x00" not in name and "\\" not in name

    @given(st.lists(st.text("aA./\\!", max_size=4), max_size=12))
    def test_no_two_members_have_one_name(self, raws: list[str]) -> None:
        named = Named()
        names = [named(raw)[0] for raw in raws]
        assert len({name.casefold() for name in names}) == len(names)

    @pytest.mark.parametrize(
        "raw",
        [
            "../a.txt",
            "a/../../b",
            "/etc/passwd",
            "C:\\a.txt",
            "c:a.txt",
            "\\\\host\\a",
            "a\x00.txt",
            "a\n.txt",
            "a\u202etxt.exe",
        ],
    )
    def test_names_that_no_honest_archive_has_are_refused(self, raw: str) -> None:
        problem = wrong_name(raw)
        assert problem is not None and issubclass(problem.kind, CorruptSource)

    @pytest.mark.parametrize("raw", ["a.txt", "folder\\a.txt", "..a/b..txt", "a..b", "./a.txt"])
    def test_ordinary_names_are_not(self, raw: str) -> None:
        assert wrong_name(raw) is None

    def test_files_with_bad_names_are_told_of_and_the_others_are_read(self, tmp_path: Path) -> None:
        files = {"../../etc/passwd": "x", "/abs.txt": "x", "good.txt": "alpha"}
        assert inside(tmp_path, "box.zip", zipped(files)) == [
            "box.zip!/%2E%2E/%2E%2E/etc/passwd",
            "box.zip!/abs.txt",
            "box.zip!/good.txt",
        ]
        with pytest.raises(CorruptSource, match="leads out of the archive"):
            read(tmp_path, "box.zip!/%2E%2E/%2E%2E/etc/passwd")
        with pytest.raises(CorruptSource, match="outside of the archive"):
            read(tmp_path, "box.zip!/abs.txt")
        assert read(tmp_path, "box.zip!/good.txt") == b"alpha"

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_files_of_one_name_are_all_kept(self, tmp_path: Path) -> None:
        data = zipped([("a.txt", "one"), ("a.txt", "two"), ("A.txt", "three")])
        assert inside(tmp_path, "box.zip", data) == ["box.zip!/a.txt", "box.zip!/a (2).txt", "box.zip!/A (3).txt"]
        assert read(tmp_path, "box.zip!/a (2).txt") == b"two"

    @pytest.mark.parametrize(
        ("encoding", "name"),
        [
            ("cp437", "Übersicht äöü.txt"),
            ("cp866", "Отчёт за 2024 год.txt"),
            ("cp949", "보고서 최종.txt"),
            ("big5", "財務報告彙總表.txt"),
            ("gb18030", "二零二四年度财务报告汇总表.txt"),
            ("shift_jis", "これは日本語のファイル名です.txt"),
            ("utf-8", "文件名.txt"),
        ],
    )
    def test_names_in_old_encodings_are_read(self, encoding: str, name: str, tmp_path: Path) -> None:
        raw = name.encode(encoding)
        stand_in = b"x" * len(raw)
        data = with_zip_names(zipped({stand_in.decode(): "alpha"}), {stand_in: raw})
        assert inside(tmp_path, "box.zip", data) == [f"box.zip!/{name}"]

    def test_a_name_in_the_unicode_extra_field_counts(self, tmp_path: Path) -> None:
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as archive:
            info = zipfile.ZipInfo("plain.txt")
            own = "schön.txt".encode()
            body = struct.pack("<BL", 1, zlib.crc32(b"plain.txt")) + own
            info.extra = struct.pack("<HH", 0x7075, len(body)) + body
            archive.writestr(info, "alpha")
        assert inside(tmp_path, "box.zip", made.getvalue()) == ["box.zip!/schön.txt"]


class TestStamps:
    def test_a_member_that_is_packed_again_is_as_it_was(self, tmp_path: Path) -> None:
        put(tmp_path / "box.zip", zipped(FILES), seconds=1)
        source = loader(tmp_path)
        before = list(source.members(entry(source, "box.zip")))
        put(tmp_path / "box.zip", zipped({**FILES, "c.txt": "new"}, store=True), seconds=99)
        assert list(source.members(entry(source, "box.zip")))[:2] == before

    def test_other_bytes_of_the_same_size_and_time_are_seen(self, tmp_path: Path) -> None:
        states = set()
        for text in ("alpha", "omega"):
            for name, data in {
                "z.zip": zipped({"a": text}),
                "t.tar": tarred({"a": text}),
                "m.eml": mail("", {"a": text.encode()}),
            }.items():
                put(tmp_path / name, data, seconds=1)
                source = loader(tmp_path)
                (one,) = source.members(entry(source, name))
                assert isinstance(one, Entry)
                states.add((one.uri, one.size, one.modified))
        assert len(states) == 6

    @given(st.floats(allow_nan=False), st.integers(0, 2**64))
    def test_stamps_fit_into_64_bits(self, seconds: float, content: int) -> None:
        assert -(2**63) <= stamp(seconds, content) < 2**63


class TestLimits:
    def test_too_many_files_close_the_archive(self, tmp_path: Path) -> None:
        data = zipped({f"{number}.txt": "x" for number in range(11)})
        with pytest.raises(SourceTooLarge, match="max_members = 10") as caught:
            inside(tmp_path, "box.zip", data, max_members=10)
        assert "max_members" in caught.value.remedy

    @pytest.mark.parametrize("name", ["box.zip", "box.tar", "box.tar.gz", "old.mbox"])
    def test_too_many_bytes_close_it_too(self, name: str, tmp_path: Path) -> None:
        files = {"a": "x" * 3_000, "b": "y" * 3_000}
        data = {
            "box.zip": zipped(files),
            "box.tar": tarred(files),
            "box.tar.gz": tarred(files, mode="w:gz"),
            "old.mbox": mailbox(mail("x" * 3_000), mail("y" * 3_000)),
        }[name]
        with pytest.raises(SourceTooLarge, match="max_unpacked_bytes = 5,000"):
            inside(tmp_path, name, data, max_unpacked_bytes=5_000)

    @pytest.mark.parametrize("name", ["box.zip", "box.tar.gz"])
    def test_one_large_file_costs_itself(self, name: str, tmp_path: Path) -> None:
        files = {"large": "x" * 6_000, "small": "y"}
        put(tmp_path / name, zipped(files) if name == "box.zip" else tarred(files, mode="w:gz"), seconds=1)
        with pytest.raises(SourceTooLarge, match="max_bytes = 5,000"):
            read(tmp_path, f"{name}!/large", max_bytes=5_000)
        assert read(tmp_path, f"{name}!/small", max_bytes=5_000) == b"y"

    def test_a_file_that_grows_beyond_reason_costs_itself(self, tmp_path: Path) -> None:
        put(tmp_path / "box.zip", zipped({"bomb": b"\0" * 20_000_000, "good": "y"}), seconds=1)
        with pytest.raises(SourceTooLarge, match="max_ratio = 200"):
            read(tmp_path, "box.zip!/bomb")
        assert read(tmp_path, "box.zip!/good") == b"y"

    def test_a_stream_that_grows_beyond_reason_is_given_up_early(self, tmp_path: Path) -> None:
        with pytest.raises(SourceTooLarge, match="max_ratio = 200"):
            inside(tmp_path, "bomb.gz", gzipped(b"\0" * 30_000_000))

    def test_files_that_lie_over_one_another_are_not_unpacked(self, tmp_path: Path) -> None:
        uris = inside(tmp_path, "box.zip", overlapping_zip(50))
        assert len(uris) == 50
        for uri in uris[1:3]:
            with pytest.raises(CorruptSource, match="over another file"):
                read(tmp_path, uri)

    def test_a_directory_that_is_larger_than_its_files_need_is_not_read(self, tmp_path: Path) -> None:
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as archive:
            for number in range(60):
                archive.writestr("x" * 60_000 + str(number), "")
        with pytest.raises(SourceTooLarge, match="directory"):
            inside(tmp_path, "box.zip", made.getvalue(), max_members=100)


class TestHostile:
    @pytest.mark.parametrize(
        ("name", "data"),
        [
            pytest.param("a.zip", zipped(FILES)[:-30], id="zip without its end"),
            pytest.param("a.zip", b"PK\x03\x04" + b"\xff" * 200, id="zip of nonsense"),
            pytest.param("a.zip", b"", id="empty zip"),
            pytest.param("a.gz", gzipped(b"x" * 1000)[:-9], id="gz cut short"),
            pytest.param("a.gz", b"\x1f\x8b\x08\x00" + b"\xff" * 50, id="gz of nonsense"),
            pytest.param("a.xz", lzma.compress(b"x" * 1000)[:-5], id="xz cut short"),
            pytest.param("a.tar", b"", id="empty tar"),
            pytest.param("a.bz2", b"BZh9" + b"\x00" * 100, id="bz2 of nonsense"),
            pytest.param("a.msg", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, id="msg of nonsense"),
        ],
    )
    def test_a_damaged_archive_is_a_typed_error(self, name: str, data: bytes, tmp_path: Path) -> None:
        with pytest.raises(CorruptSource, match="cannot be unpacked"):
            inside(tmp_path, name, data)
        if not name.endswith(".msg"):  # a mail's own text is read by a parser
            with pytest.raises(CorruptSource):
                read(tmp_path, name)

    def test_a_tar_that_is_damaged_in_its_middle_says_what_is_lost(self, tmp_path: Path) -> None:
        data = bytearray(tarred({"a": "alpha", "b": "beta", "c": "gamma"}))
        data[1024:1536] = b"\xff" * 512
        assert inside(tmp_path, "box.tar", bytes(data)) == ["box.tar!/a", "box.tar!/(damaged)"]
        with pytest.raises(CorruptSource, match="damaged from byte 1,024 on"):
            read(tmp_path, "box.tar!/(damaged)")

    def test_a_check_sum_that_does_not_fit_costs_that_file(self, tmp_path: Path) -> None:
        data = zipped({"a.txt": "alpha" * 10, "b.txt": "beta"}, store=True).replace(b"alphaalpha", b"alphabetaa", 1)
        put(tmp_path / "box.zip", data, seconds=1)
        with pytest.raises(CorruptSource, match="CRC"):
            read(tmp_path, "box.zip!/a.txt")
        assert read(tmp_path, "box.zip!/b.txt") == b"beta"

    def test_a_size_that_lies_costs_that_file(self, tmp_path: Path) -> None:
        data = bytearray(zipped({"a.txt": "alpha" * 100}))
        for mark, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
            at = data.index(mark) + offset
            data[at : at + 4] = struct.pack("<L", 7)
        put(tmp_path / "box.zip", bytes(data), seconds=1)
        with pytest.raises(CorruptSource):
            read(tmp_path, "box.zip!/a.txt")

    def test_links_and_devices_are_no_files(self, tmp_path: Path) -> None:
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w") as archive:
            for name, kind in (("link", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE), ("pipe", tarfile.FIFOTYPE)):
                info = tarfile.TarInfo(name)
                info.type, info.linkname = kind, "/etc/passwd"
                archive.addfile(info)
        assert inside(tmp_path, "box.tar", made.getvalue()) == [f"box.tar!/{name}" for name in ("link", "hard", "pipe")]
        for name in ("link", "hard", "pipe"):
            with pytest.raises(UnsupportedMedia, match="no file"):
                read(tmp_path, f"box.tar!/{name}")

    def test_a_link_in_a_zip_is_no_file(self, tmp_path: Path) -> None:
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as archive:
            info = zipfile.ZipInfo("link")
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, "/etc/passwd")
        put(tmp_path / "box.zip", made.getvalue(), seconds=1)
        with pytest.raises(UnsupportedMedia, match="a link"):
            read(tmp_path, "box.zip!/link")

    def test_a_tar_with_a_header_of_gigabytes_is_not_read_into_memory(self, tmp_path: Path) -> None:
        info = tarfile.TarInfo("././@LongLink")
        info.type, info.size = tarfile.GNUTYPE_LONGNAME, 2**33
        data = info.tobuf(format=tarfile.GNU_FORMAT) + b"x" * 2_000
        with pytest.raises(CorruptSource, match="header"):
            inside(tmp_path, "box.tar", data)

    def test_a_mailbox_of_one_endless_line_takes_no_time(self, tmp_path: Path) -> None:
        line = b"From a@example.org " + b"11:11 " * 500_000
        assert inside(tmp_path, "old.mbox", line) == []
        assert inside(tmp_path, "new.mbox", mailbox(b"To: a\n\n" + line)) == ["new.mbox!/1.eml"]

    def test_a_file_that_holds_itself_ends_at_the_depth(self, tmp_path: Path) -> None:
        """What a zip quine does, seen from its levels: each holds the next, and the last is not opened."""
        data = zipped({"a.txt": "x"})
        for _ in range(20):
            data = zipped({"r.zip": data}, store=True)
        put(tmp_path / "r.zip", data, seconds=1)
        source = loader(tmp_path)
        found = entry(source, "r.zip!/r.zip!/r.zip!/r.zip")
        assert source.members(found) == []

    def test_a_mail_nested_without_end_is_a_typed_error_or_ends(self, tmp_path: Path) -> None:
        data = b"MIME-Version: 1.0\nTo: a\n"
        for number in range(3_000):
            data += b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (number, number)
        started = time.monotonic()
        with contextlib.suppress(SourceError):
            inside(tmp_path, "a.eml", data)
        assert time.monotonic() - started < 60

    @pytest.mark.parametrize(
        "rounds", [pytest.param(60, id="some"), pytest.param(3_000, id="many", marks=pytest.mark.slow)]
    )
    def test_mutated_containers_give_members_or_typed_errors(self, rounds: int, tmp_path: Path) -> None:
        kinds = list(CONTAINERS)
        chance = random.Random(rounds)
        for number in range(rounds):
            kind = kinds[number % len(kinds)]
            put(tmp_path / f"a.{kind}", mutated(CONTAINERS[kind], chance), seconds=number)
            source = loader(tmp_path, max_bytes=10**7, max_unpacked_bytes=10**7)
            with contextlib.suppress(DocpipeError):
                for one in source.members(entry(source, f"a.{kind}")):
                    with contextlib.suppress(DocpipeError):
                        assert isinstance(one, Outcome) or source.read(one).source.uri == one.uri
            (tmp_path / f"a.{kind}").unlink()


CONTAINERS = {
    "zip": zipped(FILES),
    "tar": tarred(FILES),
    "tgz": tarred(FILES, mode="w:gz"),
    "tbz2": tarred(FILES, mode="w:bz2"),
    "txz": tarred(FILES, mode="w:xz"),
    "gz": gzipped(b"alpha" * 100),
    "mbox": mailbox(mail("One"), mail("Two", {"a.txt": b"x"})),
    "eml": mail("One", {"a.txt": b"x", "b.bin": bytes(range(256))}),
    "msg": compound(outlook_message(subject="One", body="-", attached={"a.bin": b"x" * 5_000})),
}


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The same with some bytes changed, a stretch repeated or taken out, or its end cut off."""
    made = bytearray(data)
    for _ in range(chance.randint(0, 6)):
        made[chance.randrange(len(made))] = chance.randrange(256)
    start = chance.randrange(len(made))
    stop = min(len(made), start + chance.randint(1, 64))
    kind = chance.randrange(6)
    if kind == 0:
        made[start:start] = made[start:stop] * chance.randint(1, 9)
    elif kind == 1:
        del made[start:stop]
    elif kind == 2:
        del made[start:]
    return bytes(made)


def test_a_locked_file_asks_for_a_password_and_costs_itself(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.txt": "alpha", "b.txt": "beta"}))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    put(tmp_path / "box.zip", bytes(data), seconds=1)
    with pytest.raises(EncryptedSource, match="needs a password") as caught:
        read(tmp_path, "box.zip!/a.txt")
    assert "passwords" in caught.value.remedy
    assert read(tmp_path, "box.zip!/b.txt") == b"beta"


def test_small_pictures_inside_the_text_of_a_mail_are_left_out(tmp_path: Path) -> None:
    from email.message import EmailMessage

    message = EmailMessage()
    message["Subject"] = "Pictures"
    message.set_content("text")
    message.add_related(b"\x89PNG" + b"x" * 100, maintype="image", subtype="png", cid="<logo>", filename="logo.png")
    message.add_related(b"\x89PNG" + b"x" * 20_000, maintype="image", subtype="png", cid="<plan>", filename="plan.png")
    assert inside(tmp_path, "a.eml", message.as_bytes()) == ["a.eml!/plan.png"]


def test_what_is_attached_to_an_outlook_message_is_inside_it(tmp_path: Path) -> None:
    inner = outlook_message(subject="Inner", body="-", attached={"map.bin": b"m" * 5_000})
    data = compound(outlook_message(subject="Outer", body="-", attached={"Plan äöü.bin": b"p" * 6_000}, enclosed=inner))
    assert inside(tmp_path, "a.msg", data) == ["a.msg!/Plan äöü.bin", "a.msg!/map.bin"]
    assert read(tmp_path, "a.msg!/map.bin") == b"m" * 5_000


def test_a_packed_archive_is_unpacked_once_for_all_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = []
    unpacked = opening.unpacked

    def counted(*given: Any) -> Any:
        count.append(given)
        return unpacked(*given)

    monkeypatch.setattr(opening, "unpacked", counted)
    put(tmp_path / "box.tar.gz", tarred({f"{number}.txt": str(number) for number in range(50)}, mode="w:gz"), seconds=1)
    source = loader(tmp_path)
    members = [one for one in source.members(entry(source, "box.tar.gz")) if isinstance(one, Entry)]
    assert [source.read(one).data.decode() for one in reversed(members)] == [
        str(number) for number in reversed(range(50))
    ]
    assert len(count) == 1


def test_an_archive_that_is_replaced_is_opened_anew(tmp_path: Path) -> None:
    put(tmp_path / "box.zip", zipped({"a.txt": "alpha"}), seconds=1)
    source = loader(tmp_path)
    found = entry(source, "box.zip!/a.txt")
    put(tmp_path / "box.zip", zipped({"a.txt": "omega"}), seconds=2)
    assert source.read(found).data == b"omega"
    assert source.read(found).source.modified != found.modified  # so that the next run reads it again
    (tmp_path / "box.zip").unlink()
    with pytest.raises(UnreadableSource, match="vanished"):
        source.read(found)
