"""What review would repeat: who may import whom, what is imported lazily, how things are named and sized.

The lists of exceptions may only shrink.
"""

import ast
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import docpipe

ROOT = Path(docpipe.__file__).parent
MODULES = {
    ".".join(("docpipe", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
}
TREES = {name: ast.parse(path.read_text("utf-8")) for name, path in MODULES.items()}

LAYERS = (
    ("cli", "commands", "console", "conversation", "drawing", "page_html", "markdown", "output", "serve", "testing"),
    ("pipeline",),
    ("chat",),
    ("load", "parse", "chunk", "embed", "index", "retrieve", "prompt"),
    ("split",),
    ("_*",),
    ("protocols",),
    ("errors",),
    ("types", "places", "geometry", "tables", "copies", "repeated", "similar"),
)
"""From the top down: a module imports from its own part or from lower layers only; `_*`: what all steps share."""
STEPS = LAYERS[3]

HEAVY = {
    "fastapi",
    "httpx",
    "lancedb",
    "lxml",
    "numpy",
    "onnxruntime",
    "opentelemetry",
    "pyarrow",
    "pymupdf",
    "pypdf",
    "rich",
    "tokie",
    "trafilatura",
    "yaml",
}
"""Imported inside the functions of their adapter, when they are used."""

LONG_MODULES: set[str] = set()
LONG_FUNCTIONS: set[str] = set()


def part(module: str) -> str:
    """`docpipe.parse.pdf` -> `parse`."""
    return module.split(".")[1] if "." in module else ""


def layer(module: str) -> int:
    for number, members in enumerate(LAYERS):
        if part(module) in members or (part(module).startswith("_") and "_*" in members):
            return number
    raise AssertionError(f"{module} has no layer: give it one in LAYERS")


def imports(tree: ast.AST, *, only_top: bool = False) -> Iterator[str]:
    for node in _top_level(tree) if only_top else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _top_level(tree: ast.AST) -> Iterator[ast.AST]:
    """Statements that run on import: not in functions, not under TYPE_CHECKING."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        yield from _top_level(node)


@pytest.mark.parametrize("module", [name for name in MODULES if name != "docpipe"])
def test_imports_point_downwards_only(module: str) -> None:
    for wanted in imports(TREES[module]):
        if wanted not in MODULES or wanted == "docpipe" or part(wanted) == part(module):
            continue
        if part(wanted).startswith("_") and part(module).startswith("_"):
            continue
        assert layer(wanted) >= layer(module), f"{module} imports {wanted}, which stands above it"
        if part(module) in STEPS:
            assert part(wanted) not in STEPS, f"the step {part(module)} imports the step {part(wanted)}"


@pytest.mark.parametrize("module", MODULES)
def test_heavy_packages_are_imported_inside_functions(module: str) -> None:
    found = {name.partition(".")[0] for name in imports(TREES[module], only_top=True)} & HEAVY
    assert not found, f"{module} imports {sorted(found)} as soon as it is imported"
    if module != "docpipe.cli" and not module.startswith("docpipe.commands."):
        assert "typer" not in {name.partition(".")[0] for name in imports(TREES[module])}


def test_lancedb_has_one_importer() -> None:
    importers = {module for module, tree in TREES.items() if "lancedb" in set(imports(tree))}
    assert all(module.startswith("docpipe.index.") for module in importers)


def loaded_by(code: str) -> set[str]:
    """Names of the modules that a fresh Python has loaded after `code`."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; sys.stderr.write('\\n'.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.split())


def test_importing_docpipe_loads_nothing_heavy() -> None:
    loaded = loaded_by("import docpipe")
    assert not loaded & (HEAVY | {"typer", "asyncio", "inspect", "dataclasses"})
    assert {name for name in loaded if name.startswith("docpipe")} == {"docpipe"}


def test_importing_every_module_loads_nothing_heavy() -> None:
    names = [
        info.name
        for info in pkgutil.walk_packages([str(ROOT)], "docpipe.")
        if info.name != "docpipe.cli" and not info.name.startswith("docpipe.commands.")
    ]
    loaded = loaded_by("\n".join(f"import {name}" for name in names))
    assert not loaded & (HEAVY | {"typer"})


def test_help_loads_nothing_heavy() -> None:
    code = "import sys, io; sys.stdout = io.StringIO(); from docpipe.cli import main; main(['--help'])"
    loaded = loaded_by(code)
    assert "typer" in loaded
    assert not loaded & HEAVY
    assert not [name for name in loaded if name.startswith("docpipe.pipeline.") and "report" not in name]


def test_public_names_are_sorted_and_all_there() -> None:
    assert docpipe.__all__ == sorted(docpipe.__all__)
    for name in docpipe.__all__:
        assert getattr(docpipe, name) is not None
    assert set(docpipe.__all__) <= set(dir(docpipe))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        getattr(docpipe, "nothing")  # noqa: B009


@pytest.mark.parametrize("module", MODULES)
def test_only_the_commands_print(module: str) -> None:
    calls = [node for node in ast.walk(TREES[module]) if isinstance(node, ast.Call)]
    prints = [node.lineno for node in calls if isinstance(node.func, ast.Name) and node.func.id == "print"]
    assert not prints or module == "docpipe.cli", f"{module} prints in lines {prints}"


@pytest.mark.parametrize("module", MODULES)
def test_a_module_and_what_it_offers_explain_themselves(module: str) -> None:
    tree = TREES[module]
    if MODULES[module].read_text("utf-8").strip():
        assert ast.get_docstring(tree), f"{module} has no docstring"
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{module}.{node.name} has no docstring"


@pytest.mark.parametrize("module", MODULES)
def test_names_are_the_fields_own(module: str) -> None:
    words = {"manager", "helper", "helpers", "utils", "util", "misc", "common"}
    assert not set(module.lower().replace("_", ".").split(".")) & words
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.ClassDef):
            assert not node.name.startswith("Base"), node.name
            assert not node.name.endswith(("Manager", "Helper", "Util", "Utils")), node.name


@pytest.mark.parametrize("module", MODULES)
def test_modules_and_functions_stay_readable(module: str) -> None:
    lines = MODULES[module].read_text("utf-8").count("\n")
    assert lines <= 450 or module in LONG_MODULES, f"{module} has {lines} lines: which two subjects are in it?"
    for node in ast.walk(TREES[module]):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            assert size <= 70 or f"{module}.{node.name}" in LONG_FUNCTIONS, f"{module}.{node.name} has {size} lines"


@pytest.mark.parametrize("module", MODULES)
def test_no_error_is_swallowed_unnamed(module: str) -> None:
    for node in ast.walk(TREES[module]):
        if not isinstance(node, ast.ExceptHandler):
            continue
        assert node.type is not None, f"{module}:{node.lineno}: a bare except"
        wide = isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException")
        silent = all(isinstance(statement, (ast.Pass, ast.Continue)) for statement in node.body)
        assert not (wide and silent), f"{module}:{node.lineno}: every error is swallowed"
