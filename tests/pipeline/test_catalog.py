"""Names of stages: each leads to its class, an unknown one to the nearest."""

from importlib.metadata import EntryPoint
from importlib.util import find_spec

import pytest

from docpipe import _plug_ins
from docpipe._plug_ins import GROUP
from docpipe.errors import ConfigError, UnknownName
from docpipe.pipeline.file import catalog
from docpipe.pipeline.file.problems import Place, Problems
from docpipe.pipeline.file.stage_options import make_stage
from docpipe.pipeline.file.yaml_tree import tree_of


class Mine:
    """A stage of another package."""


NOT_A_CLASS = 3


@pytest.fixture
def others(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        EntryPoint("chunk.mine", f"{__name__}:Mine", GROUP),
        EntryPoint("parse.text", f"{__name__}:Mine", GROUP),
        EntryPoint("chunk.gone", "no_such_package.module:Thing", GROUP),
        EntryPoint("chunk.three", f"{__name__}:NOT_A_CLASS", GROUP),
        EntryPoint("chunk.twice", "one:Chunker", GROUP),
        EntryPoint("chunk.twice", "two:Chunker", GROUP),
    ]
    monkeypatch.setattr(_plug_ins, "entry_points", lambda *, group: [p for p in points if p.group == group])


@pytest.mark.parametrize("name", sorted(catalog.STAGES))
def test_a_name_is_the_path_of_its_module(name: str) -> None:
    module, _, _ = catalog.STAGES[name].partition(":")
    assert module == f"docpipe.{name}"


@pytest.mark.parametrize("name", sorted(name for name, target in catalog.STAGES.items()))
def test_every_stage_of_ours_can_be_imported_and_explains_its_options(name: str) -> None:
    if find_spec(catalog.STAGES[name].partition(":")[0]) is None:
        pytest.skip(f"{name} is not written yet")
    kind = catalog.stage_class(name)
    assert kind.__doc__
    assert isinstance(kind.VERSION, int)
    assert kind.__dataclass_params__.frozen


def test_another_package_adds_stages_by_entry_point(others: None) -> None:
    assert catalog.stage_class("chunk.mine") is Mine
    assert "chunk.mine" in catalog.names()


def test_ours_win_over_another_of_the_same_name(others: None) -> None:
    assert catalog.stage_class("parse.text") is not Mine


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(UnknownName) as caught:
        catalog.stage_class("parse.markdwon")
    assert caught.value.message == "no stage is called `parse.markdwon`"
    assert caught.value.remedy == "did you mean `parse.markdown`?"
    with pytest.raises(UnknownName, match=r"no reranker is called `locale` \(did you mean `local`\?\)"):
        catalog.reranker_class("locale")


def test_a_class_without_fields_is_no_stage(others: None) -> None:
    problems = Problems()
    assert make_stage(tree_of({"use": "chunk.mine"}, Place("p.yaml")), problems) is None
    with pytest.raises(ConfigError, match=r"the stage `chunk\.mine` is no dataclass \(.*Mine\)") as caught:
        problems.raise_all()
    assert "its fields are its options" in caught.value.remedy


def test_a_stage_that_cannot_be_imported_says_why(others: None) -> None:
    with pytest.raises(ConfigError, match=r"cannot be imported from no_such_package\.module:Thing") as caught:
        catalog.stage_class("chunk.gone")
    assert "no_such_package" in caught.value.message
    assert caught.value.remedy == "repair or upgrade no_such_package, or leave the stage out"
    with pytest.raises(ConfigError, match="is not a class"):
        catalog.stage_class("chunk.three")


def test_a_stage_that_two_packages_bring_is_refused(others: None) -> None:
    with pytest.raises(ConfigError, match=r"`chunk\.twice` is brought by one and two"):
        catalog.stage_class("chunk.twice")
    assert catalog.names().count("chunk.twice") == 1
