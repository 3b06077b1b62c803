"""Pipeline files: what they mean, and that every problem of one is told at once, with its line."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from docpipe.errors import ConfigError, InvalidOption, UnknownName
from docpipe.pipeline.file.problems import Place, Problems, did_you_mean
from docpipe.pipeline.file.spec import PipelineSpec, load
from docpipe.pipeline.file.stage_options import make
from docpipe.pipeline.file.yaml_tree import read, tree_of

GOOD = """\
version: 1
name: small
source:
  use: load.files
  path: docs
  include: ["**/*.md"]
stages:
  - use: parse.text
  - use: embed.hashing
index:
  use: index.memory
retrieve: {mode: text, limit: 3}
run: {workers: 1, timeout: 5, memory_mb: 512}
"""

Load = Callable[..., PipelineSpec]


@pytest.fixture
def load_text(tmp_path: Path) -> Load:
    def write(text: str, environment: Mapping[str, str] | None = None) -> PipelineSpec:
        path = tmp_path / "p.yaml"
        path.write_text(text, encoding="utf-8")
        return load(path, environment=environment or {})

    return write


def told(load_text: Load, text: str, **environment: str) -> list[str]:
    """The lines of the error, without the folder."""
    with pytest.raises(ConfigError) as caught:
        load_text(text, environment)
    return [line.rpartition("p.yaml")[2].lstrip(":") for line in str(caught.value).splitlines()]


def test_a_file_becomes_what_it_says(load_text: Load, tmp_path: Path) -> None:
    spec = load_text(GOOD)
    assert (spec.name, spec.version, spec.path) == ("small", 1, tmp_path / "p.yaml")
    assert [stage.name for stage in spec.stages] == ["parse.text", "embed.hashing"]
    assert spec.sources[0].options == {"path": str(tmp_path / "docs"), "include": ["**/*.md"]}
    assert (spec.retrieve.mode, spec.retrieve.limit, spec.retrieve.rerank) == ("text", 3, "none")
    assert (spec.run.workers, spec.run.timeout, spec.run.memory_mb) == (1, 5.0, 512)
    assert spec.index.where == f"{tmp_path / 'p.yaml'}:10: index"


def test_the_name_is_the_files_own_where_none_is_given(load_text: Load) -> None:
    assert load_text(GOOD.replace("name: small\n", "")).name == "p"


def test_several_sources_are_a_list(load_text: Load, tmp_path: Path) -> None:
    text = GOOD.replace(
        '  use: load.files\n  path: docs\n  include: ["**/*.md"]\n',
        "  - {use: load.files, path: a}\n  - {use: load.files, path: ../b, prefix: b/}\n",
    )
    paths = [source.options["path"] for source in load_text(text).sources]
    assert paths == [str(tmp_path / "a"), str(tmp_path.parent / "b")]


def test_an_absolute_path_stays_and_a_bucket_is_no_path(load_text: Load, tmp_path: Path) -> None:
    text = GOOD.replace("path: docs", f"path: {tmp_path / 'x'}").replace(
        "use: index.memory", "use: index.lancedb\n  uri: s3://bucket/place"
    )
    spec = load_text(text)
    assert spec.sources[0].options["path"] == str(tmp_path / "x")
    assert spec.index.options["uri"] == "s3://bucket/place"


EVERYTHING_WRONG = """\
version: 2
nmae: x
source:
  use: load.flies
stages:
  - use: load.files
    path: ${NOPE}
    include: "*.md"
    max_bytes: "7"
    hidden: yes
    hiden: true
  - user: b
index:
  use: index.memory
  use: index.memory
retrieve: {mode: hybird, limit: 0}
run: {timeout: abc, memory_mb: 1.5}
"""


def test_every_problem_is_told_at_once_with_its_line(load_text: Load) -> None:
    assert told(load_text, EVERYTHING_WRONG) == [
        "1: version: this docpipe reads version 1, got '2' (version: 1)",
        "2: nmae: there is no such section (did you mean `name`?)",
        "4: source.use: no stage is called `load.flies` (did you mean `load.files`?)",
        "7: stages[0].path: the environment variable NOPE is not set (set NOPE, or write `${NOPE:-default}`)",
        "8: stages[0].include: expected a list, got the text '*.md' (write ['*.md'])",
        "9: stages[0].max_bytes: expected a whole number, got the text '7' (write it without quotes)",
        "10: stages[0].hidden: expected true or false, got the text 'yes'",
        "11: stages[0].hiden: there is no such option (did you mean `hidden`?)",
        "12: stages[1]: a stage needs `use` (write `use: load.files`, say, and its options)",
        "15: index.use: the key was given before, in line 14",
        "16: retrieve.mode: expected hybrid or vector or text, got the text 'hybird' (did you mean `hybrid`?)",
        "16: retrieve.limit: limit must be at least 1, got 0",
        "17: run.timeout: expected a number, got the text 'abc'",
        "17: run.memory_mb: expected a whole number, got 1.5",
    ]


def test_each_problem_can_be_read_by_itself(load_text: Load) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(EVERYTHING_WRONG)
    kinds = [type(problem).__name__ for problem in caught.value.problems]
    assert kinds[:3] == ["ConfigError", "UnknownName", "UnknownName"]
    assert caught.value.problems[1].remedy == "did you mean `name`?"


def test_a_single_problem_is_raised_as_what_it_is(load_text: Load) -> None:
    with pytest.raises(UnknownName, match=r"p\.yaml:8: stages\[0\]\.use: no stage is called `parse\.txt`"):
        load_text(GOOD.replace("parse.text", "parse.txt"))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", "the file is empty (start from pipelines/quickstart.yaml)"),
        ("- a\n", "1: a pipeline file is `key: value` lines (it needs: version, source, stages, index)"),
        ("a: [1\nb: 2", "2: this is not YAML: expected ',' or ']', but got ':'"),
        ("a: !!python/object:os.system x", "1: a: the tag 'tag:yaml.org,2002:python/object:os.system' is not allowed"),
        ("\ta: 1", "1: this is not YAML"),
        ("a: " + "[" * 5000, "values are nested more than 32 deep"),
        ("a: " + "[" * 40 + "]" * 40, "(an anchor that contains itself?)"),
        ("a: &x [*x]", "(an anchor that contains itself?)"),
        ("a: " + "x" * 1_000_001, "a pipeline file has at most 1,000,000 characters, this one has 1,000,004"),
    ],
    ids=["empty", "list", "broken", "tag", "tab", "deep", "forty", "self", "long"],
)
def test_what_is_no_pipeline_file_is_told_shortly(load_text: Load, text: str, wanted: str) -> None:
    lines = told(load_text, text)
    assert any(wanted in line for line in lines), lines
    assert max(map(len, lines)) < 300


def test_anchors_that_stand_for_billions_are_refused_at_once(load_text: Load) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    problems = told(load_text, "\n".join(lines))
    assert any("values are more than 20,000" in problem for problem in problems)


def test_a_stage_below_another_must_be_of_its_kind(load_text: Load) -> None:
    text = GOOD.replace("- use: parse.text", "- use: parse.auto\n    pdf: {use: %s}")
    (line,) = told(load_text, text % "chunk.layout")
    assert line == "9: stages[0].pdf.use: `chunk.layout` does not belong here (stages named parse.* do)"
    assert load_text(text % "parse.text").stages[0].options == {"pdf": {"use": "parse.text"}}


def test_missing_sections_are_told(load_text: Load) -> None:
    lines = told(load_text, "version: 1\n")
    assert [line.split(" (")[0] for line in lines] == [
        "1: the section `source` is missing",
        "1: the section `stages` is missing",
        "1: the section `index` is missing",
    ]


def test_a_second_index_is_refused(load_text: Load) -> None:
    (line,) = told(
        load_text, GOOD.replace("index:\n  use: index.memory", "index: [{use: index.memory}, {use: index.memory}]")
    )
    assert line == "10: index[1]: there can be one only (remove the other)"


def test_a_folder_named_like_a_section_does_not_hide_that_it_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "index" / "source.yaml"
    path.parent.mkdir()
    path.write_text("version: 1\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="the section `index` is missing"):
        load(path, environment={})


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file") as caught:
        load(tmp_path / "none.yaml", environment={})
    assert "pipelines/quickstart.yaml" in caught.value.remedy
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9")
    with pytest.raises(ConfigError, match=r"not UTF-8 text \(byte 9\)"):
        load(tmp_path / "latin.yaml", environment={})


class TestVariables:
    def test_they_are_replaced_before_the_type_is_seen(self, load_text: Load) -> None:
        text = GOOD.replace("limit: 3", 'limit: "${LIMIT:-5}"').replace("name: small", "name: ${WHO}-docs")
        spec = load_text(text, {"WHO": "our"})
        assert (spec.name, spec.retrieve.limit) == ("our-docs", 5)
        assert load_text(text, {"WHO": "our", "LIMIT": "9"}).retrieve.limit == 9

    def test_two_dollars_are_one(self, load_text: Load) -> None:
        assert load_text(GOOD.replace("name: small", "name: a$${b}")).name == "a${b}"

    def test_a_variable_that_is_not_set_fails_by_name(self, load_text: Load) -> None:
        (line,) = told(load_text, GOOD.replace("small", "${WHO}"))
        assert line == "2: name: the environment variable WHO is not set (set WHO, or write `${WHO:-default}`)"

    def test_a_half_written_one_is_refused(self, load_text: Load) -> None:
        (line,) = told(load_text, GOOD.replace("small", '"${WHO"'))
        assert "`${` begins no variable" in line

    def test_one_without_quotes_in_braces_is_explained(self, load_text: Load) -> None:
        (line,) = told(load_text, GOOD.replace("limit: 3", "limit: ${LIMIT}"))
        assert line.endswith('(inside {...} and [...] write a variable in quotes: "${NAME}")')

    def test_what_they_hold_is_neither_yaml_nor_told(self, load_text: Load) -> None:
        text = GOOD.replace("timeout: 5", 'timeout: "${T}"').replace("small", "${N}")
        (line,) = told(load_text, text, T="sk-secret-1", N="x\nindex: {use: y}")
        assert line == "13: run.timeout: expected a number, got the text '${T}'"
        with pytest.raises(ConfigError) as caught:
            load_text(text, {"T": "sk-secret-1", "N": "n"})
        assert "sk-secret" not in str(caught.value)

    def test_check_shows_their_names_only(self, load_text: Load) -> None:
        spec = load_text(GOOD.replace("path: docs", "path: docs\n  prefix: ${PRE}"), {"PRE": "sk-secret/"})
        assert spec.sources[0].options["prefix"] == "sk-secret/"
        assert spec.sources[0].shown["prefix"] == "${PRE}"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("012", 12),
        ("1:30", "1:30"),
        ("2024-01-02", "2024-01-02"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("~", None),
        ("'3'", "3"),
        ("1_000", "1_000"),
        ("0x10", "0x10"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(written: str, value: object) -> None:
    tree = read(f"a: {written}", file="f", environment={}, problems=Problems())
    assert tree is not None
    found = tree.plain()["a"]
    assert (found, type(found)) == (value, type(value))


@dataclass(frozen=True, kw_only=True)
class Inner:
    size: int = 1

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError(f"size must not be negative, got {self.size}")


@dataclass(frozen=True, kw_only=True)
class Outer:
    ratio: float = 0.5
    inner: Inner = Inner()
    names: tuple[str, ...] = ()
    pair: tuple[int, int] = (0, 0)
    maybe: int | None = None
    table: Mapping[str, int] | None = None
    word: Literal["a", "b"] = "a"


def made(options: object) -> tuple[object, list[str]]:
    problems = Problems()
    found = make(Outer, tree_of(options, Place("f")), problems)
    return found, [str(problem) for _, problem in problems.found]


def test_options_become_what_the_fields_say() -> None:
    found, problems = made(
        {"ratio": 1, "inner": {"size": 3}, "names": ["x"], "pair": [1, 2], "maybe": None, "table": {"k": 1}}
    )
    assert not problems
    assert found == Outer(ratio=1.0, inner=Inner(size=3), names=("x",), pair=(1, 2), table={"k": 1})
    assert type(getattr(found, "ratio")) is float  # noqa: B009


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"ratio": True}, "f: ratio: expected a number, got True"),
        ({"ratio": float("inf")}, "f: ratio: expected a number that is not infinite, got inf"),
        ({"maybe": "x"}, "f: maybe: expected a whole number, got the text 'x'"),
        ({"names": [1]}, 'f: names[0]: expected text, got 1 (write it in quotes: "1")'),
        ({"pair": [1]}, "f: pair: expected a list of 2, got a list"),
        ({"inner": {"size": -1}}, "f: inner.size: size must not be negative, got -1"),
        ({"inner": {"sise": 1}}, "f: inner.sise: there is no such option (did you mean `size`?)"),
        ({"inner": 3}, "f: inner: expected a stage (`use: name`) or its options, got 3"),
        ({"word": "c"}, "f: word: expected a or b, got the text 'c'"),
        ({"table": {"k": "v"}}, "f: table.k: expected a whole number, got the text 'v'"),
        ([], "f: expected `option: value` lines, got a list"),
    ],
    ids=str,
)
def test_an_option_of_the_wrong_kind_is_told(options: object, problem: str) -> None:
    found, problems = made(options)
    assert found is None
    assert problems == [problem]


def test_a_constructors_complaint_is_an_invalid_option() -> None:
    problems = Problems()
    make(Inner, tree_of({"size": -1}, Place("f", 3, "inner")), problems)
    with pytest.raises(InvalidOption, match=r"f:3: inner\.size: size must not be negative"):
        problems.raise_all()


def test_a_far_word_gets_the_list_of_known_ones() -> None:
    assert did_you_mean("zzz", ["b", "a"]) == "known: a, b"


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(alphabet=st.sampled_from("abv:-[]{}&*!|>'\"\n #${}?,%@`~1.x "), max_size=60))
def test_any_text_gives_a_spec_or_one_config_error(load_text: Load, text: str) -> None:
    with pytest.raises(ConfigError):
        load_text(text)


def test_reading_a_spec_loads_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(GOOD, encoding="utf-8")
    code = (
        "import sys; from docpipe.pipeline.file.spec import load; load(sys.argv[1], environment={});"
        "print([name for name in ('numpy', 'lancedb', 'pyarrow', 'pymupdf', 'onnxruntime') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "p.yaml")], capture_output=True, text=True, env=dict(os.environ)
    )
    assert done.stdout.strip() == "[]", done.stderr
