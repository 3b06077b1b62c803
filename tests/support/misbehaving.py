"""Work that goes wrong in every way a parser can (a module, so that workers can import it)."""

import ctypes
import os
import time
from dataclasses import dataclass

from docpipe.errors import CorruptSource


class Stubborn(Exception):
    """An exception that cannot be pickled."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(one)
        self.handle = (lambda: one, two)


@dataclass(frozen=True)
class Misbehaving:
    """Each method is one way to behave."""

    greeting: str = "hello"

    def greet(self, name: str) -> str:
        return f"{self.greeting} {name}"

    def process_id(self) -> int:
        return os.getpid()

    def crash(self) -> None:
        ctypes.string_at(0)

    def leave(self) -> None:
        os._exit(3)

    def hang(self) -> None:
        time.sleep(600)

    def swell(self) -> int:
        kept = []
        while True:
            kept.append(bytearray(os.urandom(1 << 20) * 16))

    def complain(self) -> None:
        raise CorruptSource("cut short", source="a.pdf", remedy="save it again")

    def stubborn(self) -> None:
        raise Stubborn("one", "two")

    def chatter(self) -> str:
        print("noise on standard output", flush=True)  # noqa: T201
        os.write(1, b"more noise")
        return "still understood"
