"""A damaged index is told as such, mended, and after the next run as good as new."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from examined import SOURCES, Examined, World
from hypothesis import given, settings
from hypothesis import strategies as st
from nights import DIM, MODEL, digest, state

from docpipe import _ids
from docpipe.commands.care_text import examination_text
from docpipe.errors import IndexDamaged, IndexFailed, IndexMismatch
from docpipe.index.memory import MemoryIndex
from docpipe.pipeline.care import checks
from docpipe.pipeline.care.doctor import Mending, examine, unlock
from docpipe.pipeline.care.findings import LISTED, Examination, Finding
from docpipe.pipeline.care.seen import Entered, Seen, Space, Tenant, look
from docpipe.pipeline.history.rows import HISTORY, IMAGE_COLUMNS, RUN_COLUMNS, RUNS, RunRow
from docpipe.pipeline.ingest.ledger import parsed_key
from docpipe.pipeline.report.care_forms import examination
from docpipe.protocols import IndexCheck, Shelved, Unreadable

SOUND = IndexCheck(rows=3, model=MODEL, dim=DIM, text_rows=3, versions=4, bytes={"chunks": 2**20})


DAMAGED = Unreadable(table="chunks", part="fragment 3", document_ids=(), reason="damaged")


def seen(**parts: Any) -> Seen:
    """A sound index of one document with three chunks, but for these parts."""
    row = Entered("a.txt", "A", "indexed", 3, "d", "m", "p")
    sound: dict[str, Any] = {
        "index": SOUND,
        "ledger": {"A": row},
        "shelved": {"A": Shelved("a.txt", 3)},
        "parsed": frozenset([parsed_key("d", "p", "m")]),
        "runs": (RunRow(id="r1", seq=1, started=50, ended=60, base=True, changed=True, published=True, floor=1),),
        "images": {},
        "space": Space("/index", 2**30),
    }
    return Seen(now=100.0, path="p.yaml", model=MODEL, **{**sound, **parts})


def only(found: Sequence[Finding], check: str) -> Finding:
    (finding,) = [one for one in found if not one.ok]
    assert finding.check == check
    return finding


def test_a_sound_index_is_told_as_such() -> None:
    found = checks.findings(seen())
    assert all(finding.ok and not finding.repair and finding.what for finding in found)
    assert [finding.check for finding in found] == [
        *("readable", "rows", "ledger", "account", "duplicates", "vectors", "model", "text", "nearest", "parsed"),
        *("versions", "history", "leftovers", "lease", "disk", "clock"),
    ]


def test_an_index_that_was_never_written_is_sound() -> None:
    assert all(finding.ok for finding in examine(Examined(MemoryIndex())))


RUN = RunRow(id="r2", seq=2, started=70, ended=80, changed=True, published=True, floor=1)


@pytest.mark.parametrize(
    ("check", "parts", "words"),
    [
        ("rows", {"shelved": {"A": Shelved("a.txt", 3), "B": Shelved("b.txt", 2)}}, "knows nothing"),
        ("ledger", {"shelved": {}}, "other chunks"),
        ("ledger", {"shelved": {"A": Shelved("a.txt", 2)}}, "other chunks"),
        ("account", {"gaps": ("a.txt",)}, "in no chunk"),
        ("duplicates", {"index": replace(SOUND, duplicates=("c1",))}, "more than one row"),
        ("vectors", {"index": replace(SOUND, bad_vectors=("c1",))}, "no vector"),
        ("vectors", {"index": replace(SOUND, foreign=("c1",))}, "another model"),
        ("text", {"index": replace(SOUND, found_by_text=False)}, "words do not find"),
        ("nearest", {"index": replace(SOUND, found_by_vector=False)}, "vectors do not find"),
        ("nearest", {"recall": 0.5}, "finds 50% of the nearest"),
        ("parsed", {"parsed": frozenset()}, "parse them again"),
        ("versions", {"index": replace(SOUND, held=3)}, "held at version 3"),
        ("versions", {"index": replace(SOUND, versions=5000)}, "5,000 versions"),
        ("history", {"images": {"unknown": 7}}, "1 runs nothing but that is known"),
        ("history", {"runs": (RUN,)}, "1 runs replaced is lost"),
        ("leftovers", {"index": replace(SOUND, leftovers=("x.tmp",))}, "nothing uses"),
        ("lease", {"tenant": Tenant("process 9 on here (run r1)", True, 0.0, False)}, "has died"),
        ("lease", {"tenant": Tenant("process 9 on there (run r1)", False, 0.0, True)}, "run out"),
        (
            "readable",
            {"index": replace(SOUND, unreadable=(DAMAGED,))},
            "cannot be read",
        ),
        ("readable", {"unread": {"ledger": IndexDamaged("it is damaged", stage="index")}}, "ledger: it is damaged"),
    ],
)
def test_what_a_repair_can_mend_names_the_command_that_does_it(check: str, parts: dict[str, Any], words: str) -> None:
    found = only(checks.findings(seen(**parts)), check)
    assert words in found.what
    assert (found.repair, found.fixable) == ("docpipe doctor p.yaml --fix", True)


@pytest.mark.parametrize(
    ("check", "parts", "repair"),
    [
        ("model", {"index": replace(SOUND, model="older")}, "docpipe run p.yaml"),
        ("disk", {"space": Space("/index", 2**20)}, "free 1.0 MB on the disk of /index, then docpipe run p.yaml"),
        ("clock", {"runs": (replace(RUN, base=True, ended=9e9),)}, "set the clock, then docpipe run p.yaml"),
        (
            "readable",
            {
                "unread": {
                    "ledger": IndexMismatch(
                        "a newer docpipe's", found="9", wanted="1", index="i", remedy="upgrade docpipe"
                    )
                }
            },
            "upgrade docpipe",
        ),
        (
            "readable",
            {"unread": {"ledger": IndexFailed("there is no permission", stage="index", remedy="check the owner")}},
            "check the owner",
        ),
    ],
)
def test_what_no_repair_can_mend_says_what_to_do(check: str, parts: dict[str, Any], repair: str) -> None:
    found = only(checks.findings(seen(**parts)), check)
    assert (found.repair, found.fixable) == (repair, False)


def test_a_living_holder_and_a_wanted_pin_are_no_faults() -> None:
    staged = (replace(RUN, base=True, published=False),)
    tenant = Tenant("process 9 on there (run r1)", False, 0.0, False)
    found = checks.findings(seen(index=replace(SOUND, held=3), runs=staged, tenant=tenant))
    assert all(finding.ok for finding in found)
    assert any("held at version 3" in finding.what for finding in found)


def test_documents_in_hand_are_left_to_the_next_run() -> None:
    row = Entered("a.txt", "A", "", 1, "", "", "")
    for shelved in ({}, {"A": Shelved("a.txt", 3)}):
        found = checks.findings(seen(ledger={"A": row}, shelved=shelved))
        assert all(finding.ok for finding in found)
        assert any("1 were in hand" in finding.what for finding in found)


def test_of_many_items_some_are_named_and_all_are_counted() -> None:
    shelved = {str(number): Shelved(f"{number}.txt", 1) for number in range(100)} | {"A": Shelved("a.txt", 3)}
    found = only(checks.findings(seen(shelved=shelved)), "rows")
    assert (found.count, len(found.items)) == (100, LISTED)


def test_a_pipeline_file_with_a_blank_in_its_name_is_quoted() -> None:
    found = only(checks.findings(replace(seen(gaps=("a.txt",)), path="my night.yaml")), "account")
    assert found.repair == "docpipe doctor 'my night.yaml' --fix"


def test_what_changes_while_it_is_looked_at_is_no_damage() -> None:
    world = World()
    reads = iter(range(100))

    class Moving:
        """A run commits chunks between our looks, and its ledger row a moment later."""

        def __getattr__(self, name: str) -> Any:
            if name == "document_ids":
                moment = next(reads)
                if moment == 0:
                    world.index.delete([_ids.document_id("a.txt")])
                else:
                    world.ledger.remove(["a.txt"])
            return getattr(world.index, name)

    found = look(replace(world.stages, index=Moving()))
    assert next(reads) == 2
    assert not checks.again(found)


DAMAGES: dict[str, Callable[[World, str], Any]] = {
    "chunks of a document are lost": lambda world, uri: world.index.delete([_ids.document_id(uri)]),
    "a row is lost": lambda world, uri: world.index.remove_rows(
        world.index.chunk_ids([_ids.document_id(uri)]).get(_ids.document_id(uri), ())[:1]
    ),
    "the ledger forgot a document": lambda world, uri: world.ledger.remove([uri]),
    "the ledger is lost": lambda world, uri: world.ledger.remove(list(world.ledger.known())),
    "a parsed document is lost": lambda world, uri: world.ledger.parsed_table.remove(
        [parsed_key(digest(SOURCES[uri]), "", "")]
    ),
    "readers are held for nothing": lambda world, uri: world.index.hold(),
    "the history of a run is lost": lambda world, uri: world.table(HISTORY, IMAGE_COLUMNS, "key").remove_where(
        "run", world.table(RUNS, RUN_COLUMNS, "id").columns("id")["id"][-1:]
    ),
    "a run is forgotten": lambda world, uri: world.table(RUNS, RUN_COLUMNS, "id").remove(
        world.table(RUNS, RUN_COLUMNS, "id").columns("id")["id"][1:2]
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_damage_is_noticed(damage: str) -> None:
    world = World()
    assert not world.failing()
    DAMAGES[damage](world, "a.txt")
    assert world.failing()


@settings(max_examples=30, deadline=None)
@given(damages=st.lists(st.tuples(st.sampled_from(sorted(DAMAGES)), st.sampled_from(sorted(SOURCES))), max_size=5))
def test_after_a_repair_and_a_run_an_index_is_as_good_as_new(damages: list[tuple[str, str]]) -> None:
    world = World()
    for damage, uri in damages:
        DAMAGES[damage](world, uri)
    world.mend()
    assert not world.failing()
    world.run()
    assert not world.failing()
    assert state(world.index) == state(World().index)


def test_a_source_that_is_gone_leaves_nothing_after_a_repair() -> None:
    world = World()
    world.ledger.remove(["a.txt"])
    world.mend()
    world.run({uri: text for uri, text in SOURCES.items() if uri != "a.txt"})
    assert not world.failing()
    assert _ids.document_id("a.txt") not in world.index.document_ids()


def test_a_sound_index_is_not_touched_by_a_repair() -> None:
    world = World()
    before = (world.index.versions(), world.ledger.table.version())
    assert world.mend() == ()
    assert (world.index.versions(), world.ledger.table.version()) == before


def test_nothing_is_repaired_once_the_lease_is_lost() -> None:
    class Lost(Exception):
        """Somebody else writes."""

    def check() -> None:
        raise Lost

    world = World()
    world.index.delete([_ids.document_id("a.txt")])
    before = world.ledger.table.version()
    with pytest.raises(Lost):
        Mending(world.stages, check=check)()
    assert world.ledger.table.version() == before


def test_versions_that_lost_what_they_need_are_not_offered_any_more() -> None:
    world = World()
    oldest = world.nights.index.table(RUNS, columns=RUN_COLUMNS, key="id").columns("id")["id"][0]
    DAMAGES["the history of a run is lost"](world, "a.txt")
    assert "versions that cannot be had back any more are not offered any more" in world.mend()
    from docpipe.errors import ConfigError

    with pytest.raises(ConfigError, match="no longer kept"):
        world.nights.restore(oldest)


def test_a_lease_that_can_be_read_is_left_alone() -> None:
    assert unlock(MemoryIndex()) == ()


def test_text_and_json_say_the_same() -> None:
    found = Examination(pipeline="mine", findings=checks.findings(seen(gaps=("a\x1b.txt",))), done=("did this",))
    text, form = examination_text(found), examination(found)
    assert "mended  did this" in text
    assert "repair: docpipe doctor p.yaml --fix" in text
    assert "\x1b" not in text
    assert "1 of 16 checks failed" in text
    assert json.loads(json.dumps(form))["ok"] is False
    assert form["findings"][3]["items"] == ["a\x1b.txt"]
    assert examination_text(Examination(pipeline="mine", findings=())) == "mine: all is well\n"
