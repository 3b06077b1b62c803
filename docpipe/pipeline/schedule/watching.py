"""Folders of sources -> word of their changes, once they are quiet again."""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docpipe.errors import ConfigError
from docpipe.load.files import FileLoader
from docpipe.pipeline.schedule.stopping import Stop
from docpipe.protocols import Loader

QUIET = 2.0
"""Seconds without a change after which a burst of changes counts as over."""
LONGEST = 60.0
"""Most seconds that a burst is waited for."""
AT_LEAST = 3_600.0
"""Seconds after which a run is due even if nothing was told: systems lose events, and some files wait to be retried."""
_TICK = 1.0
_POLL = 5.0
"""Seconds between two looks at all files where the system tells of no changes."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What is watched, and what of it does not count."""

    roots: tuple[Path, ...]
    """Folders, or single files."""
    own: tuple[Path, ...] = ()
    """Paths of docpipe's own, such as the index."""
    hidden: bool = False
    """Whether files and folders count whose names begin with a dot."""
    beside: tuple[Path, ...] = ()
    """Files whose change counts too, looked at from time to time: the pipeline file."""

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders in which all roots lie: of a single file, which may be replaced, the one around it."""
        return tuple(dict.fromkeys(root.parent if root.is_file() else root for root in self.roots))

    def counts(self, path: str) -> bool:
        """Whether a change of this path is a change of the sources."""
        changed = Path(path)
        root = next((root for root in self.roots if changed.is_relative_to(root)), None)
        if root is None or any(changed.is_relative_to(own) for own in self.own):
            return False
        return self.hidden or not any(part.startswith(".") for part in changed.relative_to(root).parts)

    def identity(self) -> tuple[object, ...]:
        """What differs when a root is another one than before (mounted, moved), or a file beside was written."""
        return (*(_place(folder) for folder in self.folders), *(_state(file) for file in self.beside))


def watched(loaders: Sequence[Loader], *, pipeline: Path) -> Watched:
    """What the sources of a pipeline lie in.

    Raises:
        ConfigError: none of them lies in files.
    """
    files = [loader for loader in loaders if isinstance(loader, FileLoader)]
    if not files:
        raise ConfigError(
            "no source of this pipeline lies in files, so there is nothing to watch",
            where=str(pipeline),
            remedy='let runs begin at times of their own: docpipe schedule PIPELINE --cron "0 * * * *"',
        )
    return Watched(
        roots=tuple(Path(loader.path).expanduser().resolve() for loader in files),
        own=tuple(Path(own).expanduser().resolve() for loader in files for own in loader.own),
        hidden=any(loader.hidden for loader in files),
        beside=(pipeline.resolve(),),
    )


@dataclass(kw_only=True)
class Watch:
    """Tells when a run is due. What changed is not told: a run lists everything again."""

    find: Callable[[], Watched]
    """What to watch; asked again when it became another."""
    stop: Stop
    poll: bool = False
    """Look at all files every few seconds: for network shares, of which the system tells nothing."""
    quiet: float = QUIET
    longest: float = LONGEST
    at_least: float = AT_LEAST
    tick: float = _TICK
    _last: float = field(default=0.0, init=False)

    def __iter__(self) -> Iterator[str]:
        """Why a run is due, each time that one is; first because nobody was watching before. Ends with the Stop.

        Raises:
            ConfigError: the system watches no more files.
        """
        why = "nobody was watching before"
        while not self.stop.reason:
            watched = self.find()
            if not all(folder.is_dir() for folder in watched.folders):
                self.stop.wait(self.tick)
                continue
            why = yield from self._while_the_same(watched, why)

    def _while_the_same(self, watched: Watched, why: str) -> Generator[str, None, str]:
        """Until it must begin anew, and why: its first word comes when it has begun, so that no change is missed."""
        identity = watched.identity()
        for changes in self._events(watched):
            if watched.identity() != identity:
                break
            why = why or (f"{changes} changes" if changes > 1 else "a change" if changes else "")
            if not why and time.monotonic() - self._last > self.at_least:
                why = "nothing was told of for long"
            if why:
                yield why
                self._last, why = time.monotonic(), ""
        if watched.identity() == identity:
            return "something changed whose name cannot be told"
        return "the folder or the pipeline file is another one"

    def _events(self, watched: Watched) -> Iterator[int]:
        """How many paths changed, once they are quiet; 0 after each while without a change."""
        import watchfiles
        from watchfiles._rust_notify import WatchfilesRustInternalError

        try:
            for changes in watchfiles.watch(
                *watched.folders,
                watch_filter=lambda _, path: watched.counts(path),
                step=round(self.quiet * 1000),
                debounce=round(self.longest * 1000),
                rust_timeout=round(self.tick * 1000),
                yield_on_timeout=True,
                stop_event=_Asked(self.stop),
                force_polling=self.poll or None,
                poll_delay_ms=round(_POLL * 1000),
                recursive=not all(root.is_file() for root in watched.roots),
                ignore_permission_denied=True,
            ):
                yield len(changes)
        except FileNotFoundError:
            return  # it went away between two looks
        except WatchfilesRustInternalError:
            self.poll = True  # of a file whose name is no UTF-8, the system's help fails on every reading, too
        except OSError as error:
            raise ConfigError(
                f"cannot watch {', '.join(map(str, watched.folders))}: {error.strerror or error}",
                where="watch",
                remedy="--poll does without the system's help; or raise its limit (Linux: fs.inotify.max_user_watches)",
            ) from error


@dataclass(frozen=True)
class _Asked:
    """A Stop as `watchfiles` wants it."""

    stop: Stop

    def is_set(self) -> bool:
        return bool(self.stop.reason)


def _place(folder: Path) -> object:
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _state(file: Path) -> Any:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
