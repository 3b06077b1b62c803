"""A run's report -> `<run id>.json`, `<run id>.html` and `latest.html` in the folder of the reports."""

import contextlib
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from docpipe.pipeline.report import json_forms
from docpipe.pipeline.report.reports import RunReport
from docpipe.pipeline.report.run_page import page

KEPT_JSON = 400
KEPT_PAGES = 60
_PLOTTED = 60
"""Earlier runs in the plots."""
_LISTED = 200
"""Items of a list that is kept; thousands of files may be left out every night."""
_LARGEST = 4_000_000
"""Bytes; a larger file is none of ours."""
_OURS = re.compile(r"\d{8}T\d{6}-[0-9a-f]{4}\.(json|html)")
_WRITTEN = re.compile(rf"{_OURS.pattern}|latest\.html")
_LISTS = ("failures", "left_out", "needs_ocr")
_PART = ".part"


class Left(NamedTuple):
    """What became of a run's report."""

    page: str
    """Path of the page; empty where none was written."""
    remark: str
    """Why not."""


def write(report: RunReport, folder: Path) -> Left:
    """Write a run's report, beside those of earlier runs, of which the last 400 (as pages: 60) are kept.

    Each file is there whole or not at all. What cannot be written is a remark: no run fails for its report.
    """
    name = report.run_id
    try:
        folder.mkdir(parents=True, exist_ok=True)
        earlier = earlier_forms(folder, but=name)
        _put(folder / f"{name}.json", json.dumps(shortened(report), default=str))
        whole = page(report, earlier)
        for file in (f"{name}.html", "latest.html"):
            _put(folder / file, whole)
        _tidy(folder, but=name)
    except OSError as error:
        return Left("", f"the report of this run could not be written to {folder}: {error.strerror or error}")
    return Left(str(folder / f"{name}.html"), "")


def earlier_forms(folder: Path, *, but: str = "") -> list[dict[str, Any]]:
    """The JSON of the last runs, oldest first; a damaged file is left out.

    Args:
        but: the run that is left out.

    Raises:
        OSError: the folder cannot be listed.
    """
    names = [name for name in _ours(folder, ".json") if name != f"{but}.json"]
    forms = (_read(folder / name) for name in names[-_PLOTTED:])
    return [form for form in forms if form is not None]


def shortened(report: RunReport) -> dict[str, Any]:
    """A run's form with the begins of its long lists; `left_off` says how many items each has beyond that."""
    long = {name: len(getattr(report, name)) - _LISTED for name in _LISTS if len(getattr(report, name)) > _LISTED}
    begins: dict[str, Any] = {name: getattr(report, name)[:_LISTED] for name in long}
    gaps = report.account.gaps
    if len(gaps) > _LISTED:
        begins["account"], long["gaps"] = replace(report.account, gaps=gaps[:_LISTED]), len(gaps) - _LISTED
    return json_forms.run(replace(report, **begins)) | {"left_off": long}


def _read(path: Path) -> dict[str, Any] | None:
    try:
        if path.stat().st_size > _LARGEST:
            return None
        form = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return form if isinstance(form, dict) else None


def _put(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}{_PART}")
    try:
        part.write_bytes(text.encode("utf-8", "backslashreplace"))
        part.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def _tidy(folder: Path, *, but: str) -> None:
    """Remove the oldest reports beyond what is kept, and what a killed run left half written; never another's file."""
    for ending, kept in ((".json", KEPT_JSON), (".html", KEPT_PAGES)):
        names = _ours(folder, ending)
        _remove(folder, [name for name in names[: max(0, len(names) - kept)] if name != f"{but}{ending}"])
    parts = (path.name for path in folder.glob(f".*{_PART}"))
    _remove(folder, [name for name in parts if _WRITTEN.fullmatch(name[1 : -len(_PART)])])


def _remove(folder: Path, names: Sequence[str]) -> None:
    for name in names:
        with contextlib.suppress(OSError):
            (folder / name).unlink()


def _ours(folder: Path, ending: str) -> list[str]:
    """Names of reports, oldest first."""
    return sorted(path.name for path in folder.glob(f"*{ending}") if _OURS.fullmatch(path.name))
