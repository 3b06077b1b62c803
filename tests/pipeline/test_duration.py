"""What the last runs took -> how long a run will take."""

from hypothesis import given
from hypothesis import strategies as st

from docpipe.pipeline.ingest.duration import Expected, Rates, rates, seconds

RUN = {
    "pages": 100,
    "embedded": 50,
    "chunks": 80,
    "unchanged": 1000,
    "stage_seconds": {"list": 2.0, "parse": 25.0, "embed": 10.0, "index": 0.8},
}


def test_rates_are_those_of_the_runs_that_did_such_work() -> None:
    idle = {"unchanged": 1000, "stage_seconds": {"list": 2.0, "parse": 0.0}}
    found = rates([RUN, idle, {}])
    assert (found.listed, found.parsed, found.embedded, found.written) == (0.002, 0.25, 0.2, 0.01)


def test_without_runs_the_rates_are_the_defaults() -> None:
    assert rates([]) == rates([{"stage_seconds": None, "pages": "many"}]) == Rates()


def test_parsing_goes_on_beside_embedding_on_all_processes() -> None:
    wanted = Expected(sources=0, pages=100, read_pages=0, texts=10, processes=4)
    assert seconds(wanted, rates([RUN])) == 100 * 0.25 / 4


counts = st.builds(
    Expected,
    sources=st.integers(0, 10**6),
    pages=st.integers(0, 10**6),
    read_pages=st.integers(0, 10**6),
    texts=st.integers(0, 10**6),
    processes=st.integers(1, 64),
)


@given(wanted=counts)
def test_more_work_never_takes_less(wanted: Expected) -> None:
    more = Expected(
        sources=wanted.sources + 1,
        pages=wanted.pages + 1,
        read_pages=wanted.read_pages + 1,
        texts=wanted.texts + 1,
        processes=wanted.processes,
    )
    assert 0 <= seconds(wanted, Rates()) < seconds(more, Rates())
