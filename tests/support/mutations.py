"""Sound files -> damaged ones, the same for the same seed (pure)."""

import random
import zipfile
from collections.abc import Iterator, Mapping
from io import BytesIO

_MARKS = (
    b"\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"<",
    b"&",
    b"]]>",
    b"%",
    b"99999999999",
    b"-1",
    b"\r\n\r\n",
    b"{",
    b'"',
)


def mutated(files: Mapping[str, bytes], *, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """So many damaged files, each with a name of its own that keeps the kind; every file is damaged in its turn."""
    names = sorted(files)
    for number in range(count):
        rng = random.Random(f"{seed}/{number}")
        name = names[number % len(names)]
        data = files[name]
        if data.startswith(b"PK\3\4") and rng.random() < 0.7:
            data = _in_a_member(data, rng, files[rng.choice(names)])
        else:
            data = _damaged(data, rng, files[rng.choice(names)])
        yield f"{number:05}-{name}", data


def _damaged(data: bytes, rng: random.Random, other: bytes) -> bytes:
    for _ in range(rng.choice((1, 1, 2, 4))):
        data = rng.choice((_flipped, _cut, _spliced, _repeated, _marked, _shortened))(data, rng, other)
    return data


def _in_a_member(data: bytes, rng: random.Random, other: bytes) -> bytes:
    """A package one of whose members is damaged, with checksums that fit, so that what is inside is read."""
    made = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(made, "w") as new:
        infos = old.infolist()
        chosen = rng.choice([info for info in infos if info.file_size] or infos)
        for info in infos:
            inside = old.read(info)
            new.writestr(info, _damaged(inside, rng, other) if info is chosen else inside)
    return made.getvalue()


def _flipped(data: bytes, rng: random.Random, other: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(min(len(changed), rng.choice((1, 4, 40)))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _cut(data: bytes, rng: random.Random, other: bytes) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _spliced(data: bytes, rng: random.Random, other: bytes) -> bytes:
    start, stop = _stretch(other, rng)
    at = rng.randrange(len(data) + 1)
    return data[:at] + other[start:stop] + data[at + rng.choice((0, stop - start)) :]


def _repeated(data: bytes, rng: random.Random, other: bytes) -> bytes:
    start, stop = _stretch(data, rng)
    times = min(rng.choice((2, 20, 500)), 1 + 200_000 // (stop - start + 1))
    return data[:start] + data[start:stop] * times + data[stop:]


def _marked(data: bytes, rng: random.Random, other: bytes) -> bytes:
    for _ in range(rng.choice((1, 5))):
        at, mark = rng.randrange(len(data) + 1), rng.choice(_MARKS)
        data = data[:at] + mark + data[at + rng.choice((0, len(mark))) :]
    return data


def _shortened(data: bytes, rng: random.Random, other: bytes) -> bytes:
    start, stop = _stretch(data, rng)
    return data[:start] + data[stop:]


def _stretch(data: bytes, rng: random.Random) -> tuple[int, int]:
    start = rng.randrange(len(data) + 1)
    return start, min(len(data), start + rng.choice((1, 16, 256, 4096)))
