"""Stages that other packages bring: their entry points, and whose they are."""

from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from types import TracebackType

from docpipe.errors import ConfigError, DocpipeError, StageDefect

GROUP = "docpipe.stages"
"""Entry points of this group add stages: `chunk.mine = "my_package.module:MyChunker"`."""


def points() -> list[EntryPoint]:
    """All stages of other packages, sorted by name."""
    return sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value))


def names() -> list[str]:
    """What they are called, each once."""
    return list(dict.fromkeys(point.name for point in points()))


def stage_class(name: str) -> type | None:
    """The class of another package's stage; None where no package brings one of this name.

    Raises:
        ConfigError: its module cannot be imported, it is no class, or two packages bring one of this name.
    """
    found = [point for point in points() if point.name == name]
    if len({point.value for point in found}) > 1:
        packages = " and ".join(_package(point) for point in found)
        raise ConfigError(
            f"the stage `{name}` is brought by {packages}", remedy="uninstall one of them, or ask it for another name"
        )
    return _imported(found[0]) if found else None


def blamed(error: Exception) -> Exception:
    """An error that no stage meant to raise, as one that names the package whose stage it was; any other as it is."""
    if isinstance(error, DocpipeError):
        return error
    modules = {point.module.partition(".")[0]: _package(point) for point in points()}
    for module in _modules(error.__traceback__):
        package = modules.get(module.partition(".")[0])
        if package:
            return StageDefect(f"{type(error).__name__} in {module}: {error}", package=package)
    return error


def _modules(traceback: TracebackType | None) -> list[str]:
    """Modules that an error went through, the innermost first."""
    found = []
    while traceback is not None:
        found.append(str(traceback.tb_frame.f_globals.get("__name__", "")))
        traceback = traceback.tb_next
    return found[::-1]


def _imported(point: EntryPoint) -> type:
    package = _package(point)
    try:
        found: object = import_module(point.module)
        for part in point.attr.split("."):
            found = getattr(found, part)
    except Exception as error:  # another package's module may raise anything
        raise ConfigError(
            f"the stage `{point.name}` of {package} cannot be imported from {point.value}: "
            f"{type(error).__name__}: {error}",
            remedy=f"repair or upgrade {package.partition(' ')[0]}, or leave the stage out",
        ) from error
    if not isinstance(found, type):
        raise ConfigError(
            f"the stage `{point.name}` of {package} ({point.value}) is not a class",
            remedy="let its entry point name a class",
        )
    return found


def _package(point: EntryPoint) -> str:
    """The package's name and version."""
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else point.module.partition(".")[0]
