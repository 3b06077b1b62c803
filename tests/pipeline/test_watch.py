"""Changes of files -> word that a run is due: once they are quiet, and never of docpipe's own."""

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from docpipe.errors import ConfigError
from docpipe.load.files import FileLoader
from docpipe.load.web import WebLoader
from docpipe.pipeline.schedule import watching as watching_module
from docpipe.pipeline.schedule.stopping import TERMINATED, Stop
from docpipe.pipeline.schedule.watching import Watch, Watched, watched

UNNAMED = "something changed whose name cannot be told"
FIRST, CHANGE, CHANGES = "nobody was watching before", "a change", "changes"
ANOTHER, HOURLY = "the folder or the pipeline file is another one", "nothing was told of for long"


@contextmanager
def watching(find: Callable[[], Watched], *, poll: bool = False, at_least: float = 3_600.0) -> Iterator[list[str]]:
    """Why runs were due, as they come; the first is there when the body begins."""
    stop, told = Stop(), list[str]()
    watch = Watch(find=find, stop=stop, poll=poll, quiet=0.1, longest=1.0, tick=0.1, at_least=at_least)
    thread = threading.Thread(target=lambda: told.extend(watch))
    thread.start()
    try:
        yield told
    finally:
        stop.set(TERMINATED)
        thread.join(20)
        assert not thread.is_alive()


def wait_for(told: list[str], count: int, seconds: float = 20.0) -> list[str]:
    until = time.monotonic() + seconds
    while len(told) < count:
        assert time.monotonic() < until, f"only {told} was told"
        time.sleep(0.02)
    return told


def of(folder: Path, *own: Path, hidden: bool = False, beside: tuple[Path, ...] = ()) -> Callable[[], Watched]:
    return lambda: Watched(roots=(folder,), own=own, hidden=hidden, beside=beside)


def test_a_run_is_due_at_first_and_once_for_a_burst_of_changes(tmp_path: Path) -> None:
    with watching(of(tmp_path)) as told:
        assert wait_for(told, 1) == [FIRST]
        for name in "abc":
            (tmp_path / name).write_text(name)
        assert CHANGES in wait_for(told, 2)[1]
        time.sleep(0.4)
        assert len(told) == 2
        (tmp_path / "a").unlink()
        assert wait_for(told, 3)[2] == CHANGE


def test_a_file_deep_in_a_new_folder_is_noticed(tmp_path: Path) -> None:
    with watching(of(tmp_path)) as told:
        wait_for(told, 1)
        (tmp_path / "x" / "y").mkdir(parents=True)
        wait_for(told, 2)
        (tmp_path / "x" / "y" / "deep.md").write_text("new")
        wait_for(told, 3)


def test_what_is_docpipes_own_or_hidden_begins_no_run(tmp_path: Path) -> None:
    index = tmp_path / "index"
    index.mkdir()
    with watching(of(tmp_path, index)) as told:
        wait_for(told, 1)
        (index / "rows.lance").write_text("rows")
        (tmp_path / ".report.md.swp").write_text("an editor's")
        time.sleep(0.5)
        assert told == [FIRST]
        (tmp_path / "report.md").write_text("a person's")
        wait_for(told, 2)


def test_hidden_files_count_where_they_are_indexed(tmp_path: Path) -> None:
    assert of(tmp_path, hidden=True)().counts(str(tmp_path / ".notes" / "a.md"))
    assert not of(tmp_path)().counts(str(tmp_path / ".notes" / "a.md"))
    assert not of(tmp_path)().counts("/elsewhere/a.md")


def test_a_single_file_is_watched_also_after_an_editor_replaced_it(tmp_path: Path) -> None:
    file = tmp_path / "book.md"
    file.write_text("first")
    with watching(of(file)) as told:
        wait_for(told, 1)
        (tmp_path / "other.md").write_text("not watched")
        for text in ("second", "third"):
            before = len(told)
            (tmp_path / "new").write_text(text)
            (tmp_path / "new").replace(file)
            wait_for(told, before + 1)
    assert set(told[1:]) <= {CHANGE, "2 changes"}


def test_a_folder_that_goes_away_is_waited_for_and_watched_again(tmp_path: Path) -> None:
    folder = tmp_path / "share"
    folder.mkdir()
    with watching(of(folder)) as told:
        wait_for(told, 1)
        folder.rename(tmp_path / "away")
        time.sleep(0.5)
        (tmp_path / "away").rename(folder)
        before = wait_for(told, 2)[1:]
        assert set(before) <= {ANOTHER, CHANGE, "2 changes"}
        time.sleep(0.3)
        before = list(told)
        (folder / "a.md").write_text("new")
        wait_for(told, len(before) + 1)


def test_a_folder_that_another_one_took_the_place_of_is_watched(tmp_path: Path) -> None:
    folder = tmp_path / "share"
    folder.mkdir()
    with watching(of(folder)) as told:
        wait_for(told, 1)
        (tmp_path / "new").mkdir()
        folder.rename(tmp_path / "old")
        (tmp_path / "new").rename(folder)
        assert ANOTHER in wait_for(told, 2)
        time.sleep(0.3)
        count = len(told)
        (folder / "a.md").write_text("new")
        wait_for(told, count + 1)


def test_a_changed_pipeline_file_is_noticed(tmp_path: Path) -> None:
    folder, pipeline = tmp_path / "docs", tmp_path / "p.yaml"
    folder.mkdir()
    pipeline.write_text("one")
    with watching(of(folder, beside=(pipeline,))) as told:
        wait_for(told, 1)
        pipeline.write_text("three")
        assert wait_for(told, 2)[1] == ANOTHER


def test_a_run_is_due_from_time_to_time_even_if_nothing_is_told(tmp_path: Path) -> None:
    with watching(of(tmp_path), at_least=0.3) as told:
        assert wait_for(told, 3)[:3] == [FIRST, HOURLY, HOURLY]


def test_what_changes_during_a_run_is_told_after_it(tmp_path: Path) -> None:
    stop = Stop()
    watch = iter(Watch(find=of(tmp_path), stop=stop, quiet=0.1, longest=1.0, tick=0.1))
    assert next(watch) == FIRST
    (tmp_path / "a.md").write_text("while nobody asks for more")
    time.sleep(0.3)
    assert next(watch) == CHANGE
    stop.set(TERMINATED)
    assert next(watch, "end") == "end"


def test_changes_that_never_pause_are_told_of_all_the_same(tmp_path: Path) -> None:
    with watching(of(tmp_path)) as told:
        wait_for(told, 1)
        until = time.monotonic() + 3.0
        while time.monotonic() < until and len(told) < 2:
            (tmp_path / "log.md").write_text(str(time.monotonic()))
            time.sleep(0.02)
        assert len(told) >= 2


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="names of files are UTF-8 elsewhere")
@pytest.mark.slow
def test_a_file_whose_name_is_not_utf8_ends_no_watch_and_its_reading_begins_no_run_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching_module, "_POLL", 0.1)
    named = tmp_path / os.fsdecode(b"caf\xe9.md")
    with watching(of(tmp_path)) as told:
        wait_for(told, 1)
        named.write_text("new")
        assert wait_for(told, 2)[1] == UNNAMED
        named.read_text()
        time.sleep(0.8)
        assert len(told) == 2
        (tmp_path / "b.md").write_text("new")
        assert "change" in wait_for(told, 3)[2]


def test_polling_finds_changes_without_the_systems_help(tmp_path: Path) -> None:
    with watching(of(tmp_path), poll=True) as told:
        wait_for(told, 1)
        (tmp_path / "a.md").write_text("new")
        assert CHANGE in wait_for(told, 2, 30.0)


def test_a_system_that_watches_no_more_files_is_told_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import watchfiles

    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "OS file watch limit reached")

    monkeypatch.setattr(watchfiles, "watch", refuse)
    with pytest.raises(ConfigError, match=r"watch limit reached.*--poll"):
        next(iter(Watch(find=of(tmp_path), stop=Stop())))


def test_what_a_pipelines_sources_lie_in_is_watched_and_its_own_left_out(tmp_path: Path) -> None:
    link = tmp_path / "link"
    (tmp_path / "docs").mkdir()
    link.symlink_to(tmp_path / "docs")
    loader = FileLoader(path=str(link), own=(str(tmp_path / "docs" / "index"),))
    found = watched([loader], pipeline=tmp_path / "p.yaml")
    assert found.folders == (tmp_path / "docs",)
    assert found.counts(str(tmp_path / "docs" / "a.md"))
    assert not found.counts(str(tmp_path / "docs" / "index" / "rows.lance"))


def test_a_pipeline_without_files_cannot_be_watched(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing to watch.*docpipe schedule"):
        watched([WebLoader(urls=("https://example.org/",))], pipeline=tmp_path / "p.yaml")


def test_a_folder_without_permission_is_no_end(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o000)
    try:
        with watching(of(tmp_path)) as told:
            wait_for(told, 1)
            (tmp_path / "a.md").write_text("new")
            wait_for(told, 2)
    finally:
        closed.chmod(0o700)
        shutil.rmtree(closed)
    assert [path.name for path in tmp_path.iterdir()] == ["a.md"]
