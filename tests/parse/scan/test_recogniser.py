"""Pages are sent in pieces, each is looked at, and what came out wrong is healed or left out; a fake reads them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from docpipe.errors import CorruptSource, OutOfCredit, Refused, Unavailable
from docpipe.parse.scan.layout import Element
from docpipe.parse.scan.recogniser import IMAGE, LOWER, UPPER, WHOLE, PageRecogniser
from docpipe.parse.scan.reply import unpacked
from docpipe.protocols import Payload, Wanted
from docpipe.types import BBox

LOOP = [Element("text", "and the tide " * 80, None)]


def page(number: int) -> list[Element]:
    return [Element("text", f"This is page {number}.", BBox(0.1, 0.2, 0.9, 0.6))]


@dataclass
class FakeService:
    """Reads pages of which `make` says no more than numbers and way."""

    answer: Callable[[tuple[int, ...], str], list[list[Element]]] = lambda pages, way: [page(n) for n in pages]
    width: int = 4
    seconds: float = 0.0
    largest: int = 100
    blank: frozenset[int] = frozenset()
    calls: list[tuple[tuple[int, ...], str]] = field(default_factory=list)
    kept: dict[str, bytes] = field(default_factory=dict)
    keeps: list[tuple[str, ...]] = field(default_factory=list)
    busy: int = 0
    most_busy: int = 0
    made: int = 0
    most_held: int = 0

    async def read(self, payload: Payload, /) -> list[list[Element]]:
        way = payload.data.decode()
        self.calls.append((payload.pages, way))
        self.busy += 1
        self.most_busy = max(self.most_busy, self.busy)
        try:
            await asyncio.sleep(self.seconds)
            return self.answer(payload.pages, way)
        finally:
            self.busy -= 1
            self.made -= 1

    async def make(self, pages: tuple[int, ...], way: str) -> Payload:
        self.made += 1
        self.most_held = max(self.most_held, self.made)
        fitting = pages[: self.largest]
        shown = {UPPER: (BBox(0, 0, 1, 0.4),), LOWER: (BBox(0, 0.4, 1, 1),)}.get(way, ())
        ink = tuple(n not in self.blank for n in fitting)
        return Payload(data=way.encode(), media_type="application/pdf", pages=fitting, ink=ink, regions=shown)

    def keep(self, finished: Mapping[str, bytes]) -> None:
        assert not set(finished) & set(self.kept), "a page was kept twice"
        self.kept.update(finished)
        self.keeps.append(tuple(finished))

    def run(self, wanted: Sequence[Wanted], *, piece_pages: int = 4, halves: bool = True) -> Mapping[str, bytes]:
        recogniser = PageRecogniser(reader=self, piece_pages=piece_pages, halves=halves)
        found = asyncio.run(recogniser.recognise(wanted, self.make, self.keep))
        assert dict(found) == self.kept
        return found


def wanted(*numbers: int) -> list[Wanted]:
    return [Wanted(page=number, key=f"key {number}") for number in numbers]


def texts(found: Mapping[str, bytes]) -> dict[str, str]:
    return {key: " ".join(element.text for element in unpacked(data)) for key, data in found.items()}


def expected(*numbers: int) -> dict[str, str]:
    return {f"key {number}": f"This is page {number}." for number in numbers}


def raising(error: Exception, *bad: int, ways: tuple[str, ...] = (WHOLE, IMAGE, UPPER, LOWER)) -> FakeService:
    def answer(pages: tuple[int, ...], way: str) -> list[list[Element]]:
        if way in ways and set(pages) & set(bad):
            raise error
        return [page(n) for n in pages]

    return FakeService(answer)


def wrong(*bad: int, ways: tuple[str, ...], reading: Sequence[Element] = LOOP) -> FakeService:
    def answer(pages: tuple[int, ...], way: str) -> list[list[Element]]:
        return [list(reading) if n in bad and way in ways else page(n) for n in pages]

    return FakeService(answer)


def refused(code: str = "1214", **facts: object) -> Refused:
    error = Refused("not this one", service="layout_parsing", status=400, code=code)
    error.__dict__.update(facts)
    return error


def test_each_page_is_sent_once_in_pieces_and_kept_as_its_piece_ends() -> None:
    service = FakeService(width=2)
    assert texts(service.run(wanted(*range(1, 11)), piece_pages=4)) == expected(*range(1, 11))
    assert sorted(n for pages, _ in service.calls for n in pages) == list(range(1, 11))
    assert [len(pages) for pages, _ in service.calls] == [4, 4, 2] and len(service.keeps) == 3


def test_a_short_file_uses_all_the_calls_that_are_allowed() -> None:
    service = FakeService(width=4)
    service.run(wanted(1, 2, 3, 4, 5, 6, 7, 8), piece_pages=8)
    assert [len(pages) for pages, _ in service.calls] == [2, 2, 2, 2]


def test_calls_run_at_once_and_only_a_few_pieces_are_made_ahead() -> None:
    service = FakeService(width=3, seconds=0.005)
    service.run(wanted(*range(1, 61)), piece_pages=2)
    assert service.most_busy >= 3 and service.most_held <= 3 + 2


def test_equal_pages_are_sent_once() -> None:
    service = FakeService()
    service.run([Wanted(page=n, key="blank form") for n in range(1, 9)])
    assert service.calls == [((1,), WHOLE)]


def test_pages_that_did_not_fit_are_sent_next() -> None:
    service = FakeService(width=1, largest=2)
    assert texts(service.run(wanted(1, 2, 3, 4, 5), piece_pages=5)) == expected(1, 2, 3, 4, 5)
    assert [pages for pages, _ in service.calls] == [(1, 2), (3, 4), (5,)]


@pytest.mark.parametrize("ways", [(WHOLE,), (WHOLE, IMAGE)], ids=["as an image", "by halves"])
def test_a_page_that_came_out_wrong_is_healed(ways: tuple[str, ...]) -> None:
    service = wrong(2, ways=ways)
    found = texts(service.run(wanted(1, 2, 3)))
    assert found["key 1"] == "This is page 1." and "This is page 2." in found["key 2"]
    assert [way for pages, way in service.calls if pages == (2,) and way != WHOLE] == [IMAGE, UPPER, LOWER][
        : 3 if IMAGE in ways else 1
    ]


def test_halves_are_put_together_in_their_places() -> None:
    service = wrong(1, ways=(WHOLE, IMAGE))
    upper, lower = unpacked(service.run(wanted(1))["key 1"])
    assert upper.box == pytest.approx((0.1, 0.08, 0.9, 0.24))
    assert lower.box == pytest.approx((0.1, 0.52, 0.9, 0.76))


def test_a_page_that_nothing_heals_is_left_out_and_the_others_are_not(caplog: pytest.LogCaptureFixture) -> None:
    service = wrong(2, ways=(WHOLE, IMAGE, UPPER, LOWER))
    assert texts(service.run(wanted(1, 2, 3))) == expected(1, 3)
    assert "page 2 cannot be read" in caplog.text and "the same words" in caplog.text


def test_where_halves_cannot_be_sent_none_are() -> None:
    service = wrong(1, ways=(WHOLE, IMAGE))
    assert service.run(wanted(1), halves=False) == {}
    assert [way for _, way in service.calls] == [WHOLE, IMAGE]


def test_a_doubtful_table_is_kept_where_nothing_better_comes() -> None:
    full = "<td>a</td><td>b</td><td>c</td><td>d</td>"
    cells = [full, full, "<td>a</td><td>b</td><td>c</td>", "<td>a</td><td>b</td>", "<td>a</td>"]
    table = Element("table", "<table>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>", None)
    service = wrong(1, ways=(WHOLE, IMAGE, UPPER, LOWER), reading=[table])
    assert unpacked(service.run(wanted(1))["key 1"]) == [table]


@pytest.mark.parametrize("code", ["1214", "1210", "1261", ""])
def test_a_piece_that_is_refused_is_halved_until_the_page_is_alone(code: str) -> None:
    service = raising(refused(code), 3)
    assert texts(service.run(wanted(*range(1, 9)), piece_pages=8)) == expected(1, 2, 4, 5, 6, 7, 8)
    assert len(service.calls) < 12


def test_a_refused_page_may_be_taken_as_an_image() -> None:
    assert texts(raising(refused(), 3, ways=(WHOLE,)).run(wanted(1, 2, 3))) == expected(1, 2, 3)


def test_a_page_against_the_policy_is_never_sent_again() -> None:
    service = raising(refused("1301", content_policy=True), 2)
    assert texts(service.run(wanted(1, 2, 3), piece_pages=1)) == expected(1, 3)
    assert sum(2 in pages for pages, _ in service.calls) == 1


def test_a_refusal_of_the_call_itself_is_not_asked_again_for_each_page() -> None:
    service = raising(refused("1211"), *range(1, 41))
    with pytest.raises(Refused):
        service.run(wanted(*range(1, 41)))
    assert len(service.calls) <= service.width + 2


def test_when_everything_is_refused_the_run_gives_up() -> None:
    service = raising(refused(""), *range(1, 401))
    with pytest.raises(Refused):
        service.run(wanted(*range(1, 401)))
    assert len(service.calls) < 45


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_pages_that_a_reply_lacks_are_asked_for_by_themselves(lost: int) -> None:
    service = FakeService(
        lambda pages, way: [page(n) for n in pages][: len(pages) - lost or 1] if len(pages) > 1 else [page(pages[0])]
    )
    assert texts(service.run(wanted(1, 2, 3, 4), piece_pages=4)) == expected(1, 2, 3, 4)


def test_a_reply_with_too_many_pages_is_not_believed() -> None:
    service = FakeService(
        lambda pages, way: [page(n) for n in (*pages, 99)] if len(pages) > 1 else [page(pages[0])], width=1
    )
    assert texts(service.run(wanted(1, 2, 3))) == expected(1, 2, 3)
    assert len(service.calls) == 4


def test_empty_pages_may_be_missing_in_a_reply() -> None:
    service = FakeService(lambda pages, way: [page(n) for n in pages if n != 2], width=1, blank=frozenset({2}))
    assert texts(service.run(wanted(1, 2, 3))) == expected(1, 3) | {"key 2": ""}
    assert len(service.calls) == 1


def test_where_an_empty_page_and_a_full_one_may_be_missing_no_text_lands_on_a_wrong_page() -> None:
    def answer(pages: tuple[int, ...], way: str) -> list[list[Element]]:
        return [page(n) for n in pages][-2:] if len(pages) > 1 else [page(n) for n in pages if n != 2]

    service = FakeService(answer, width=1, blank=frozenset({2}))
    found = texts(service.run(wanted(1, 2, 3, 4, 5), piece_pages=5))
    assert found["key 4"] == "This is page 4." and found["key 5"] == "This is page 5." and found["key 2"] == ""


def test_two_pages_with_one_text_are_asked_for_alone() -> None:
    long = [Element("text", "The harbour office keeps a ledger of every vessel. " * 8 + "It is long.", None)]
    service = FakeService(lambda pages, way: [long for _ in pages] if len(pages) > 1 else [page(pages[0])], width=1)
    assert texts(service.run(wanted(1, 2), piece_pages=2)) == expected(1, 2)


@pytest.mark.parametrize(
    "error",
    [
        OutOfCredit("no balance", service="layout_parsing", status=429, code="1113"),
        Unavailable("no answer", service="layout_parsing"),
    ],
    ids=["account", "transport"],
)
def test_an_error_of_the_service_ends_the_file_and_what_was_in_flight_is_kept(error: Exception) -> None:
    service = raising(error, 5)
    service.width, service.seconds = 4, 0.002
    with pytest.raises(type(error)):
        service.run(wanted(*range(1, 41)), piece_pages=2)
    assert {"key 1", "key 2", "key 3", "key 4", "key 7", "key 8"} <= set(service.kept)
    assert len(service.calls) <= 12


def test_a_page_that_cannot_be_taken_out_is_left_out() -> None:
    service = FakeService()

    async def make(pages: tuple[int, ...], way: str) -> Payload:
        if 3 in pages:
            raise CorruptSource("page 3 cannot be drawn", source="a.pdf")
        return await service.make(pages, way)

    recogniser = PageRecogniser(reader=service, piece_pages=8)
    asyncio.run(recogniser.recognise(wanted(*range(1, 9)), make, service.keep))
    assert texts(service.kept) == expected(1, 2, 4, 5, 6, 7, 8)


def test_a_payload_that_cannot_be_made_ends_the_file() -> None:
    service = FakeService()

    async def make(pages: tuple[int, ...], way: str) -> Payload:
        raise ValueError("the file is gone")

    recogniser = PageRecogniser(reader=service, piece_pages=4)
    with pytest.raises(ValueError, match="the file is gone"):
        asyncio.run(recogniser.recognise(wanted(1, 2), make, service.keep))


def test_several_files_share_the_calls() -> None:
    service = FakeService(width=2, seconds=0.003)

    async def both() -> None:
        recogniser = PageRecogniser(reader=service, piece_pages=1)
        files = [[Wanted(page=n, key=f"{file} {n}") for n in range(1, 9)] for file in "abc"]
        await asyncio.gather(*(recogniser.recognise(file, service.make, service.keep) for file in files))

    asyncio.run(both())
    assert len(service.kept) == 24 and service.most_held <= 4


def test_a_cancelled_run_leaves_no_call_behind() -> None:
    service = FakeService(width=2, seconds=30)

    async def cancelled() -> None:
        recogniser = PageRecogniser(reader=service, piece_pages=1)
        task = asyncio.create_task(recogniser.recognise(wanted(1, 2, 3), service.make, service.keep))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert service.busy == 0 and len(asyncio.all_tasks()) == 1

    asyncio.run(cancelled())
