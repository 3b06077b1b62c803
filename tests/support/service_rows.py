"""The contract's table of errors, row by row: what must come of each (data)."""

from dataclasses import dataclass
from typing import Literal

from docpipe.errors import OutOfCredit, RateLimited, Refused, ServiceError, Unauthorized, Unavailable

Kind = Literal["again", "account", "wrong", "content"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One code, or one bare HTTP status."""

    code: str = ""
    status: int = 0
    """Of a row without a code."""
    kind: Kind
    """`again`: it may pass; `account`: somebody must act, or wait; `wrong`: this call; `content`: this content."""
    error: type[ServiceError]
    calls: int
    """How often a call is sent where it never passes."""

    @property
    def name(self) -> str:
        """For ids."""
        return self.code or f"HTTP-{self.status}"


def _rows(kind: Kind, error: type[ServiceError], calls: int, *names: str | int) -> list[Row]:
    return [
        Row(kind=kind, error=error, calls=calls, **({"status": name} if isinstance(name, int) else {"code": name}))
        for name in names
    ]


ROWS: tuple[Row, ...] = (
    *_rows("again", Unavailable, 5, "500", "1200", "1230", "1234", 408, 425, 500, 502, 503, 504),
    *_rows("again", Unavailable, 2, "1100"),
    *_rows("again", Unavailable, 3, "1120", "1312"),
    *_rows("again", RateLimited, 5, "1302", "1303", "1305", "1701", 429),
    *_rows("again", RateLimited, 3, "1399"),
    *_rows("again", Refused, 2, "1231"),
    *_rows("account", Unauthorized, 1, "1000", "1002", "1003", "1004", "1005", "1110", "1111", "1112", "1121", "1220"),
    *_rows("account", Unauthorized, 1, "1311", "1313", "1314", "1315", "1702", "1098", "1199", 401, 403, 434),
    *_rows("account", OutOfCredit, 1, "1113", "1304", "1308", "1309", "1310"),
    *_rows("account", OutOfCredit, 1, "1316", "1317", "1318", "1319", "1320", "1321"),
    *_rows("wrong", Refused, 1, "1001", "1210", "1211", "1212", "1213", "1214", "1215", "1221", "1222"),
    *_rows("wrong", Refused, 1, "1261", "1299", "1703", 400, 404, 413, 435),
    *_rows("content", Refused, 1, "1300", "1301"),
)
"""1098, 1199, 1299 and 1399 stand for codes of the families that nobody has described."""

WITH_RESET_TIME = {"1308", "1310", "1316", "1317", "1318", "1319", "1320", "1321"}
"""Their message holds a time, in UTC+8."""
