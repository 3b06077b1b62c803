"""A root folder -> Entries and Outcomes, one folder's names in memory at a time."""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from docpipe.load.names import is_temporary, uri_name
from docpipe.types import Entry, Failure, Outcome, Status

_STAGE = "load.files"
_EARLIEST, _LATEST = 1 - 2**63, 2**63 - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Walk:
    """How to walk: the real path of the root, and what to leave out."""

    root: str
    prefix: str
    included: Callable[[str], bool]
    excluded: Callable[[str], bool]
    hidden: bool
    own: frozenset[str] = frozenset()
    """Real paths of files and folders of docpipe's own."""

    def __iter__(self) -> Iterator[Entry | Outcome]:
        """Depth first, names of one folder in order of their uris; never enters a link."""
        levels = [self._folder(self.root, "")]
        while levels:
            for found in levels[-1]:
                if isinstance(found, tuple):
                    levels.append(self._folder(*found))
                    break
                yield found
            else:
                levels.pop()

    def _folder(self, folder: str, below: str) -> Iterator[Entry | Outcome | tuple[str, str]]:
        """What one folder holds; a tuple is a folder to enter: its real path, and its path in uris with `/`."""
        try:
            with os.scandir(folder) as scan:
                found = sorted((uri_name(item.name), item.name, item) for item in scan)  # names differ: no ties
        except OSError as error:
            yield self._failed(below, "UnreadableSource", f"the folder cannot be listed: {error.strerror}", _PERMIT)
            return
        last, names = "", {name for name, _, _ in found}
        for name, real_name, item in found:
            if name == last:
                yield self._failed(
                    below + name,
                    "NameCollision",
                    f"another name in this folder is the same in Unicode's composed form: {real_name!a}",
                    "rename one of the two",
                )
                continue
            last = name
            if name.endswith("!") and name[:-1] in names and item.is_dir(follow_symlinks=False):
                message = f"the uris of its files would be those of files inside {name[:-1]!a}, beside it"
                yield self._failed(below + name + "/", "NameCollision", message, "rename the folder")
                continue
            try:
                yield self._judge(below + name, name, item)
            except OSError as error:
                message = f"it cannot be examined: {error.strerror}"
                yield self._failed(below + name, "UnreadableSource", message, _PERMIT)

    def _judge(self, path: str, name: str, item: os.DirEntry[str]) -> Entry | Outcome | tuple[str, str]:
        """One name of a folder: a file to index, a folder to enter, or the reason why neither."""
        is_folder = item.is_dir(follow_symlinks=False)
        shown = path + "/" if is_folder else path
        if item.path in self.own:
            return self._kept_out(shown)
        if is_temporary(name):
            return self._ignored(shown, "TemporaryFile", "an editor or the system left it", "delete it")
        if name.startswith(".") and not self.hidden:
            return self._ignored(shown, "HiddenFile", "its name begins with a dot", "set `hidden: true` to index it")
        if self.excluded(path) or (is_folder and self.excluded(shown)):
            return self._ignored(shown, "Excluded", "a glob of `exclude` fits it", "change `exclude` to index it")
        if is_folder:
            return item.path, shown
        if not self.included(path):
            return self._ignored(shown, "NotIncluded", "no glob of `include` fits it", "change `include` to index it")
        if item.is_file(follow_symlinks=False):
            facts = item.stat(follow_symlinks=False)
            return Entry(uri=self.prefix + path, location=item.path, size=facts.st_size, modified=modified(facts))
        if item.is_symlink():
            return self._link(path, item)
        return self._ignored(path, "NotAFile", "it is a socket, pipe or device", "remove it from the folder")

    def _link(self, path: str, item: os.DirEntry[str]) -> Entry | Outcome:
        """A link is followed to a file inside the root, and nowhere else."""
        try:
            target = os.path.realpath(item.path, strict=True)
            facts = Path(target).stat(follow_symlinks=False)
        except OSError as error:
            message = f"it is a link that leads nowhere or in a circle: {error.strerror}"
            return self._ignored(path, "BrokenLink", message, "repair or remove the link")
        if not (target + os.sep).startswith(self.root.rstrip(os.sep) + os.sep):
            return self._ignored(
                path,
                "LinkLeavesRoot",
                "it is a link to outside of the root",
                "copy the file here, or add its folder as a source",
            )
        if any(target == own or target.startswith(own + os.sep) for own in self.own):
            return self._kept_out(path)
        if not stat.S_ISREG(facts.st_mode):
            return self._ignored(
                path,
                "LinkedFolder",
                "it is a link to a folder or device",
                "its files are indexed where they really are",
            )
        return Entry(uri=self.prefix + path, location=target, size=facts.st_size, modified=modified(facts))

    def _kept_out(self, path: str) -> Outcome:
        message = "it is no document but the pipeline's own: its index, or its file"
        return self._ignored(path, "OwnFile", message, "keep them outside of the source")

    def _ignored(self, path: str, reason: str, message: str, remedy: str) -> Outcome:
        error = Failure(stage=_STAGE, type=reason, message=message, remedy=remedy)
        return Outcome(uri=self.prefix + path, status=Status.IGNORED, error=error)

    def _failed(self, path: str, reason: str, message: str, remedy: str) -> Outcome:
        error = Failure(stage=_STAGE, type=reason, message=message, remedy=remedy, retryable=reason != "NameCollision")
        return Outcome(uri=self.prefix + path, status=Status.FAILED, error=error)


def modified(facts: os.stat_result) -> int:
    """When a file was changed, in nanoseconds since 1970; times that 64 bits cannot hold are the nearest they can."""
    time = facts.st_mtime_ns
    return time if _EARLIEST <= time <= _LATEST else max(_EARLIEST, min(time, _LATEST))


_PERMIT = "give the user that runs docpipe the right to read it"
