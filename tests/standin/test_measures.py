"""How busy a service was kept, from what it recorded."""

from standin import Call, measures


def call(started: float, ended: float, *, status: int = 200, code: str = "", pages: tuple[str, ...] = ()) -> Call:
    return Call(path="/p", body={}, headers={}, started=started, ended=ended, status=status, code=code, pages=pages)


def test_use_counts_good_calls_only() -> None:
    calls = [call(0, 2), call(0, 1), call(1, 2), call(0.5, 0.6, status=429, code="1302"), call(1, 0)]
    use = measures.use(calls, slots=2)
    assert (use.calls, use.refused, use.most, use.busy, use.seconds) == (4, 0.25, 2, 1.0, 2)


def test_no_calls_are_no_use() -> None:
    assert measures.use([], slots=4) == measures.Use(calls=0, refused=0.0, most=0, busy=0.0, seconds=0.0)


def test_pages_sent_twice_are_named_once() -> None:
    calls = [call(0, 1, pages=("a", "b")), call(0, 1, pages=("b", "c", "b")), call(0, 1, status=500, pages=("a",))]
    assert measures.sent_twice(calls) == ["b"]
