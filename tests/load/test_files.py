"""The folder loader: everything that is there is either an Entry or an Outcome with its reason."""

import os
import socket
import unicodedata
from pathlib import Path

import pytest

from docpipe._ids import digest, fingerprint
from docpipe.errors import SourceError, SourceTooLarge, UnreadableSource
from docpipe.load.files import FileLoader
from docpipe.types import Entry, Outcome, Status

ROOT_USER = hasattr(os, "geteuid") and os.geteuid() == 0


def make(folder: Path, *names: str, data: bytes = b"text") -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def entries(root: Path, **options: object) -> list[Entry | Outcome]:
    return list(FileLoader(path=str(root), **options).entries())  # type: ignore[arg-type]


def uris(root: Path, **options: object) -> list[str]:
    return [found.uri for found in entries(root, **options) if isinstance(found, Entry)]


def reasons(root: Path, **options: object) -> dict[str, str]:
    found = (item for item in entries(root, **options) if isinstance(item, Outcome))
    return {outcome.uri: outcome.error.type for outcome in found if outcome.error}


def entry(root: Path, uri: str, **options: object) -> Entry:
    (found,) = (item for item in entries(root, **options) if item.uri == uri)
    assert isinstance(found, Entry)
    return found


class TestIdentity:
    def test_it_is_the_path_below_the_root_so_that_moving_the_root_changes_nothing(self, tmp_path: Path) -> None:
        make(tmp_path / "one", "b/c.md", "a.md", "b/a/x.txt")
        before = uris(tmp_path / "one")
        (tmp_path / "one").rename(tmp_path / "two")
        assert before == uris(tmp_path / "two") == ["a.md", "b/a/x.txt", "b/c.md"]

    def test_the_prefix_stands_before_every_uri(self, tmp_path: Path) -> None:
        make(tmp_path, "a.md", ".hidden")
        assert [item.uri for item in entries(tmp_path, prefix="manuals/")] == ["manuals/.hidden", "manuals/a.md"]

    def test_a_root_that_is_a_file_is_that_file(self, tmp_path: Path) -> None:
        make(tmp_path, "only.md")
        assert uris(tmp_path / "only.md") == ["only.md"]

    @pytest.mark.parametrize("name", ['it\'s "here".md', "a\nb.md", "中文 文件.md", "100%.md", "%25.md", "a b%FF.md"])
    def test_odd_names_are_valid_unicode_and_can_be_read(self, tmp_path: Path, name: str) -> None:
        make(tmp_path, name)
        loader = FileLoader(path=str(tmp_path))
        (found,) = loader.entries()
        assert isinstance(found, Entry)
        found.uri.encode("utf-8")
        assert loader.read(found).data == b"text"

    def test_a_name_that_is_no_text_is_percent_encoded_and_can_be_read(self, tmp_path: Path) -> None:
        (tmp_path / os.fsdecode(b"caf\xe9.txt")).write_bytes(b"x")
        (found,) = FileLoader(path=str(tmp_path)).entries()
        assert isinstance(found, Entry) and found.uri == "caf%E9.txt"
        assert FileLoader(path=str(tmp_path)).read(found).data == b"x"

    def test_names_are_composed_unicode_and_two_that_become_one_fail(self, tmp_path: Path) -> None:
        decomposed = unicodedata.normalize("NFD", "é.md")
        make(tmp_path, decomposed)
        assert uris(tmp_path) == ["é.md"]
        make(tmp_path, "é.md")
        if len(list(tmp_path.iterdir())) == 1:
            pytest.skip("this file system composes names itself")
        first, second = entries(tmp_path)
        assert isinstance(first, Entry) and isinstance(second, Outcome)
        assert second.status is Status.FAILED and second.error and second.error.remedy == "rename one of the two"

    def test_the_order_is_stable_whatever_the_file_system_says(self, tmp_path: Path) -> None:
        names = [f"{number:03}.md" for number in range(50)]
        make(tmp_path, *reversed(names))
        assert uris(tmp_path) == names


class TestLeavingOut:
    def test_hidden_and_temporary_files_come_with_their_reason(self, tmp_path: Path) -> None:
        make(tmp_path, ".git/config", ".env", "~$report.docx", "a.md~", "Thumbs.db", ".DS_Store", "a.md")
        assert uris(tmp_path) == ["a.md"]
        assert reasons(tmp_path) == {
            ".DS_Store": "TemporaryFile",
            ".env": "HiddenFile",
            ".git/": "HiddenFile",
            "Thumbs.db": "TemporaryFile",
            "a.md~": "TemporaryFile",
            "~$report.docx": "TemporaryFile",
        }

    def test_hidden_files_are_indexed_where_asked_for(self, tmp_path: Path) -> None:
        make(tmp_path, ".notes/a.md", ".DS_Store")
        assert uris(tmp_path, hidden=True) == [".notes/a.md"]

    def test_globs_choose_and_what_they_leave_out_is_reported(self, tmp_path: Path) -> None:
        make(tmp_path, "a.pdf", "b.txt", "deep/c.PDF", "drafts/d.pdf", "drafts/e.pdf")
        options = {"include": ("*.pdf",), "exclude": ("drafts/",)}
        assert uris(tmp_path, **options) == ["a.pdf", "deep/c.PDF"]
        assert reasons(tmp_path, **options) == {"b.txt": "NotIncluded", "drafts/": "Excluded"}

    def test_every_outcome_says_what_to_do(self, tmp_path: Path) -> None:
        make(tmp_path, ".env", "a.md~", "b.txt", "c.md")
        found = [item for item in entries(tmp_path, include=("*.md",)) if isinstance(item, Outcome)]
        assert len(found) == 3
        assert all(item.status is Status.IGNORED and item.error and item.error.remedy for item in found)

    def test_a_pipe_and_a_socket_are_never_opened(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe.md")
        with socket.socket(socket.AF_UNIX) as listener:
            here = Path.cwd()
            os.chdir(tmp_path)
            try:
                listener.bind("s.md")
            finally:
                os.chdir(here)
            assert reasons(tmp_path) == {"pipe.md": "NotAFile", "s.md": "NotAFile"}


class TestLinks:
    def test_a_link_to_a_file_inside_is_followed(self, tmp_path: Path) -> None:
        make(tmp_path, "real.md")
        (tmp_path / "latest.md").symlink_to("real.md")
        assert uris(tmp_path) == ["latest.md", "real.md"]
        assert FileLoader(path=str(tmp_path)).read(entry(tmp_path, "latest.md")).data == b"text"

    def test_links_that_leave_circle_break_or_lead_to_folders_are_refused(self, tmp_path: Path) -> None:
        make(tmp_path, "outside/secret.md", "root/deep/a.md", "rootless.md")
        root = tmp_path / "root"
        (root / "out.md").symlink_to(tmp_path / "outside" / "secret.md")
        (root / "near.md").symlink_to(tmp_path / "rootless.md")
        (root / "self.md").symlink_to("self.md")
        (root / "gone.md").symlink_to("nowhere.md")
        (root / "deep" / "up").symlink_to(root)
        assert uris(root) == ["deep/a.md"]
        assert reasons(root) == {
            "deep/up": "LinkedFolder",
            "gone.md": "BrokenLink",
            "near.md": "LinkLeavesRoot",
            "out.md": "LinkLeavesRoot",
            "self.md": "BrokenLink",
        }

    def test_the_root_itself_may_be_a_link(self, tmp_path: Path) -> None:
        make(tmp_path, "real/a.md")
        (tmp_path / "link").symlink_to("real")
        assert FileLoader(path=str(tmp_path)).read(entry(tmp_path / "link", "a.md")).data == b"text"

    def test_a_link_swapped_in_after_listing_is_not_followed(self, tmp_path: Path) -> None:
        make(tmp_path, "root/a.md", "root/deep/b.md", "outside/a.md", "outside/b.md", data=b"secret")
        loader = FileLoader(path=str(tmp_path / "root"))
        file, inner = entry(tmp_path / "root", "a.md"), entry(tmp_path / "root", "deep/b.md")
        (tmp_path / "root" / "a.md").unlink()
        (tmp_path / "root" / "a.md").symlink_to(tmp_path / "outside" / "a.md")
        (tmp_path / "root" / "deep").rename(tmp_path / "moved")
        (tmp_path / "root" / "deep").symlink_to(tmp_path / "outside")
        for swapped in (file, inner):
            with pytest.raises(UnreadableSource):
                loader.read(swapped)

    def test_a_pipe_swapped_in_does_not_block(self, tmp_path: Path) -> None:
        make(tmp_path, "a.md")
        found = entry(tmp_path, "a.md")
        (tmp_path / "a.md").unlink()
        os.mkfifo(tmp_path / "a.md")
        with pytest.raises(UnreadableSource, match="a link or a device took its place") as caught:
            FileLoader(path=str(tmp_path)).read(found)
        assert caught.value.remedy == "run again"


class TestReading:
    def test_a_blob_has_digest_size_and_type(self, tmp_path: Path) -> None:
        data = b"\x89PNG\r\n\x1a\n" + bytes(100_000)
        make(tmp_path, "named.pdf", data=data)
        blob = FileLoader(path=str(tmp_path)).read(entry(tmp_path, "named.pdf"))
        assert blob.data == data
        assert blob.source.digest == digest(data) and blob.source.size == len(data)
        assert blob.source.media_type == "image/png"
        assert blob.source.modified == (tmp_path / "named.pdf").stat().st_mtime_ns

    def test_an_empty_file_is_read(self, tmp_path: Path) -> None:
        make(tmp_path, "empty.pdf", data=b"")
        blob = FileLoader(path=str(tmp_path)).read(entry(tmp_path, "empty.pdf"))
        assert (blob.data, blob.source.media_type) == (b"", "application/pdf")

    def test_too_large_a_file_is_refused_and_the_option_named(self, tmp_path: Path) -> None:
        make(tmp_path, "a.bin", data=b"\x00\x01" * 50)
        with pytest.raises(SourceTooLarge, match="it has 100 bytes, more than max_bytes = 99") as caught:
            FileLoader(path=str(tmp_path), max_bytes=99).read(entry(tmp_path, "a.bin"))
        assert "raise `max_bytes` of load.files" in caught.value.remedy

    def test_text_has_a_limit_of_its_own(self, tmp_path: Path) -> None:
        make(tmp_path, "a.txt", data=b"word " * 20)
        make(tmp_path, "a.png", data=b"\x89PNG\r\n\x1a\n" + bytes(92))
        loader = FileLoader(path=str(tmp_path), max_text_bytes=99)
        assert loader.read(entry(tmp_path, "a.png")).source.size == 100
        with pytest.raises(SourceTooLarge, match="max_text_bytes = 99"):
            loader.read(entry(tmp_path, "a.txt"))

    def test_a_huge_text_is_refused_without_being_read(self, tmp_path: Path) -> None:
        make(tmp_path, "a.txt", data=b"word " * 20_000)
        os.truncate(tmp_path / "a.txt", 200_000_000)
        with pytest.raises(SourceTooLarge, match="200,000,000 bytes"):
            FileLoader(path=str(tmp_path)).read(entry(tmp_path, "a.txt"))

    def test_a_vanished_file_may_be_tried_again(self, tmp_path: Path) -> None:
        make(tmp_path, "a.md")
        found = entry(tmp_path, "a.md")
        (tmp_path / "a.md").unlink()
        with pytest.raises(UnreadableSource, match="No such file") as caught:
            FileLoader(path=str(tmp_path)).read(found)
        assert caught.value.retryable and "vanished" in caught.value.remedy and caught.value.source == "a.md"

    def test_a_file_that_grows_while_it_is_read_is_not_half_read(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make(tmp_path, "a.md")
        real, calls = os.fstat, []

        def growing(handle: int) -> os.stat_result:
            calls.append(handle)
            if len(calls) == 2:
                with (tmp_path / "a.md").open("ab") as file:
                    file.write(b"more")
            return real(handle)

        found = entry(tmp_path, "a.md")
        monkeypatch.setattr("docpipe.load.files.os.fstat", growing)
        with pytest.raises(UnreadableSource, match="changed while it was being read"):
            FileLoader(path=str(tmp_path)).read(found)

    @pytest.mark.skipif(ROOT_USER, reason="nothing is forbidden to this user")
    def test_a_forbidden_file_says_so(self, tmp_path: Path) -> None:
        make(tmp_path, "a.md")
        (tmp_path / "a.md").chmod(0)
        with pytest.raises(UnreadableSource, match="Permission denied") as caught:
            FileLoader(path=str(tmp_path)).read(entry(tmp_path, "a.md"))
        assert "right to read" in caught.value.remedy


class TestRoot:
    def test_a_missing_root_is_an_error_with_a_remedy(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match="No such file") as caught:
            entries(tmp_path / "missing")
        assert "set `path` to a folder that exists" in caught.value.remedy

    def test_a_root_that_is_a_device_is_refused(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(SourceError, match="neither a folder nor a file"):
            entries(tmp_path / "pipe")

    def test_an_empty_folder_gives_nothing(self, tmp_path: Path) -> None:
        assert entries(tmp_path) == []

    def test_one_folder_that_cannot_be_listed_does_not_stop_the_rest(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make(tmp_path, "a/x.md", "b/y.md", "c.md")
        real = os.scandir

        def scandir(path: str) -> object:
            if str(path).endswith("/a"):
                raise PermissionError(13, "Permission denied")
            return real(path)

        monkeypatch.setattr("docpipe.load.walk.os.scandir", scandir)
        found = entries(tmp_path)
        assert [item.uri for item in found] == ["a/", "b/y.md", "c.md"]
        assert isinstance(found[0], Outcome) and found[0].status is Status.FAILED
        assert found[0].error and found[0].error.retryable and "cannot be listed" in found[0].error.message

    def test_only_one_folder_is_listed_before_the_first_entry_comes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make(tmp_path, *(f"{number}/a.md" for number in range(5)))
        real, listed = os.scandir, []
        monkeypatch.setattr("docpipe.load.walk.os.scandir", lambda path: listed.append(path) or real(path))
        walk = FileLoader(path=str(tmp_path)).entries()
        next(walk)
        assert len(listed) == 2 + 1  # the root looked at, the root walked, the first folder


class TestOptions:
    def test_one_glob_instead_of_a_list_is_refused(self) -> None:
        with pytest.raises(ValueError, match="include must be a list of globs"):
            FileLoader(path=".", include="*.md")  # type: ignore[arg-type]

    def test_a_limit_below_one_is_refused(self) -> None:
        with pytest.raises(ValueError, match="max_bytes must be at least 1, got 0"):
            FileLoader(path=".", max_bytes=0)

    def test_the_fingerprint_follows_the_options(self) -> None:
        assert fingerprint(FileLoader(path="a")) == fingerprint(FileLoader(path="a"))
        assert fingerprint(FileLoader(path="a")) != fingerprint(FileLoader(path="a", hidden=True))
