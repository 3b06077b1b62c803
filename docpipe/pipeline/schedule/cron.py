"""A cron expression and a time zone -> the times at which a run is due."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cached_property

from docpipe.errors import InvalidOption

_EXAMPLES = 'give five fields, as "0 2 * * *" (every night at two) or "*/15 8-18 * * MON-FRI"'


@dataclass(frozen=True, kw_only=True)
class Timetable:
    """When runs are due, as Debian's cron understands it: also when summer time begins and ends."""

    cron: str
    """Minute, hour, day of the month, month, day of the week."""
    timezone: str = ""
    """As `Europe/Berlin`; this machine's own unless given."""

    def __post_init__(self) -> None:
        self.after(datetime.now(UTC))

    def after(self, moment: datetime) -> datetime:
        """The first time after a moment; both have their time zone.

        Raises:
            InvalidOption: the expression cannot be read, or never comes; or nobody knows the time zone.
        """
        from cronsim import CronSim, CronSimError

        try:
            return next(CronSim(self.cron.upper(), moment.astimezone(self._zone)))
        except CronSimError as error:
            raise InvalidOption(f"cannot read {self.cron!r}: {error}", where="--cron", remedy=_EXAMPLES) from error
        except StopIteration:
            raise InvalidOption(f"{self.cron!r} never comes", where="--cron", remedy=_EXAMPLES) from None

    @cached_property
    def _zone(self) -> tzinfo:
        try:
            return _zone(self.timezone)
        except (ValueError, OSError, KeyError) as error:  # not found is a KeyError
            raise InvalidOption(
                f"there is no time zone {self.timezone!r}",
                where="--timezone",
                remedy="name one as `Europe/Berlin` or `UTC`; where the system has none, pip install tzdata",
            ) from error


def _zone(name: str) -> tzinfo:
    if name:
        from zoneinfo import ZoneInfo

        return ZoneInfo(name)
    import tzlocal

    return tzlocal.get_localzone()
