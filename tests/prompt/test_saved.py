import json

import pytest
from prompts import built, excerpts

from docpipe.errors import ConfigError
from docpipe.prompt import saved


def test_a_saved_prompt_is_read_as_it_was() -> None:
    found = built("Q", sources=excerpts("text [1]", "数"))
    form = json.loads(json.dumps(saved.form(found, question="Q", model="glm-4.6")))
    assert saved.read(json.dumps(form), file="a.json") == found.prompt
    assert form["total_tokens"] == found.total == sum(form["tokens"].values())
    assert form["cacheable_share"] == pytest.approx(found.tokens["system"] / found.total, abs=1e-4)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"segments": 3}',
        '{"segments": [{}]}',
        '{"segments": [{"name": "x", "role": "user"}]}',
        "[" * 99999,
    ],
)
def test_a_file_that_holds_no_prompt_is_told(text: str) -> None:
    with pytest.raises(ConfigError, match="holds no saved prompt") as error:
        saved.read(text, file="a.json")
    assert error.value.where == "a.json"
