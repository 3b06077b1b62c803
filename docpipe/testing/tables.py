"""What every index does with the small tables beside its chunks."""

import threading

from docpipe.errors import IndexMismatch
from docpipe.testing.samples import Opened, refused

ROW = {"key": "a", "size": 3, "cost": 0.5, "data": b"x", "good": True}
COLUMNS = {"key": "str", "size": "int", "cost": "float", "data": "bytes", "good": "bool"}


class TableContract(Opened):
    """Rows by key."""

    def test_a_keyed_table_keeps_one_row_per_key(self) -> None:
        columns = {"uri": "str", "size": "int", "cost": "float", "data": "bytes", "good": "bool"}
        table = self.make().table("things", columns=columns, key="uri")
        assert table.columns("uri", "size") == {"uri": [], "size": []}
        assert table.get(["x"]) == {}
        table.remove(["x"])
        row = {"uri": "it's", "size": 2**40, "cost": 0.5, "data": b"\x00\xff", "good": True}
        table.put([row, {**row, "uri": "b", "size": 1}])
        table.put([{**row, "size": 3}])
        assert table.get(["it's", "gone"]) == {"it's": {**row, "size": 3}}
        assert sorted(table.columns("uri")["uri"]) == ["b", "it's"]
        table.remove(["it's", "gone"])
        assert table.columns("uri", "size") == {"uri": ["b"], "size": [1]}

    def test_tidying_a_keyed_table_changes_no_row(self) -> None:
        table = self.make().table("things", columns={"key": "str", "size": "int"}, key="key")
        table.tidy()
        for size in range(5):
            table.put([{"key": str(size % 3), "size": size}])
        before = table.get(["0", "1", "2"])
        table.tidy()
        assert table.get(["0", "1", "2"]) == before

    def test_rows_are_found_by_any_column(self) -> None:
        table = self.make().table("things", columns=COLUMNS, key="key")
        assert table.find("size", 3) == []
        table.put([ROW, {**ROW, "key": "c"}, {**ROW, "key": "it's", "size": 4, "good": False}])
        assert [row["key"] for row in table.find("size", 3)] == ["a", "c"]
        assert table.find("good", False) == [{**ROW, "key": "it's", "size": 4, "good": False}]
        assert table.find("key", "it's")[0]["size"] == 4
        assert table.find("key", "' OR '1'='1") == []

    def test_a_table_is_counted_and_its_version_rises_with_each_change(self) -> None:
        table = self.make().table("things", columns=COLUMNS, key="key")
        assert (table.count(), table.version()) == (0, 0)
        table.put([ROW, {**ROW, "key": "b"}])
        first = table.version()
        assert (table.count(), first > 0) == (2, True)
        table.put([{**ROW, "size": 9}])
        second = table.version()
        table.remove(["b"])
        assert table.count() == 1
        assert first < second < table.version()

    def test_columns_come_as_arrow(self) -> None:
        table = self.make().table("things", columns=COLUMNS, key="key")
        assert table.arrow("key", "size").num_rows == 0
        assert table.arrow().column_names == list(COLUMNS)
        table.put([ROW])
        assert table.arrow("size", "key").to_pylist() == [{"size": 3, "key": "a"}]

    def test_what_a_row_does_not_say_has_its_default(self) -> None:
        table = self.make().table("things", columns=COLUMNS, key="key")
        table.put([{"key": "a", "size": None}])
        assert table.get(["a"]) == {"a": {"key": "a", "size": 0, "cost": 0.0, "data": b"", "good": False}}

    def test_a_column_that_came_later_has_its_default_in_older_rows(self) -> None:
        index = self.make()
        index.table("things", columns={"key": "str", "size": "int"}, key="key").put([{"key": "a", "size": 3}])
        table = index.table("things", columns=COLUMNS, key="key")
        old = {"key": "a", "size": 3, "cost": 0.0, "data": b"", "good": False}
        assert table.get(["a"]) == {"a": old}
        assert table.columns("cost", "key") == {"cost": [0.0], "key": ["a"]}
        assert (table.find("good", False), table.find("good", True)) == ([old], [])
        assert table.arrow("data").to_pylist() == [{"data": b""}]
        table.put([{**ROW, "key": "b"}])
        assert table.get(["a", "b"]) == {"a": old, "b": {**ROW, "key": "b"}}
        assert table.find("cost", 0.0) == [old]
        table.remove_where("key", ["a"])
        assert table.count() == 1

    def test_a_column_of_a_newer_docpipe_is_refused(self) -> None:
        index = self.make()
        index.table("things", columns=COLUMNS, key="key").put([ROW])
        older = index.table("things", columns={"key": "str", "size": "int"}, key="key")
        for work in (
            lambda: older.get(["a"]),
            lambda: older.columns("size"),
            lambda: older.put([{"key": "a", "size": 1}]),
        ):
            error = refused(IndexMismatch, work)
            assert "upgrade docpipe" in error.remedy
        assert index.table("things", columns=COLUMNS, key="key").get(["a"]) == {"a": ROW}

    def test_rows_are_removed_by_any_column(self) -> None:
        table = self.make().table("things", columns={"key": "str", "run": "str"}, key="key")
        table.remove_where("run", ["1"])
        table.put([{"key": key, "run": run} for key, run in zip("abcd", ["1", "2", "", "it's"], strict=True)])
        table.remove_where("run", [])
        table.remove_where("run", ["1", "it's", "gone"])
        assert sorted(table.columns("key")["key"]) == ["b", "c"]
        table.remove_where("run", [""])
        assert table.columns("key")["key"] == ["b"]

    def test_a_swap_happens_only_where_the_row_is_as_expected(self) -> None:
        table = self.make().table("things", columns=COLUMNS, key="key")
        assert not table.swap("a", {"size": 3}, ROW)
        assert table.swap("a", None, ROW)
        assert not table.swap("a", None, {**ROW, "size": 4})
        assert not table.swap("a", {"size": 2}, {**ROW, "size": 4})
        assert not table.swap("a", {"size": 3, "good": False}, {**ROW, "size": 4})
        assert table.swap("a", {"size": 3, "good": True}, {**ROW, "size": 4})
        assert table.swap("it's", None, {**ROW, "key": "it's"})
        assert table.get(["a"])["a"]["size"] == 4
        assert table.count() == 2

    def test_of_many_swaps_at_once_one_wins(self) -> None:
        table = self.make().table("things", columns=COLUMNS, key="key")
        table.put([ROW])
        won: list[int] = []

        def swap(number: int) -> None:
            if table.swap("a", {"size": 3}, {**ROW, "size": 10 + number}):
                won.append(number)

        threads = [threading.Thread(target=swap, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [table.get(["a"])["a"]["size"]] == [10 + number for number in won]
