"""What says the same is one hit that tells where else it stands; what differs in a number, a name or a `not` stays."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import docpipe
from docpipe.console import hits_text
from docpipe.pipeline.report import json_forms
from docpipe.retrieve.once import Once
from docpipe.similar import Fingerprint, alike, resemblance
from docpipe.testing import samples
from docpipe.types import Chunk, Elsewhere

_PIPELINE = """
version: 1
source: {{use: load.files, path: {source}}}
stages:
  - use: parse.auto
  - {{use: chunk.layout, max_tokens: 256}}
  - {{use: embed.hashing, dim: 32}}
index: {{use: index.lancedb, uri: {index}}}
chat: {{use: chat.extractive}}
run: {{workers: 1}}
"""
_LEASE = (
    "The tenant pays the rent on the first working day of each month to the account of the landlord. Repairs of "
    "windows, doors and locks are paid by the tenant, all others by the landlord. The garden may be used by all "
    "tenants of the house, and the cellar is locked at night. Whoever moves out hands back 3 keys and leaves the "
    "rooms swept clean."
)


@pytest.mark.parametrize(
    "other",
    [
        _LEASE,
        _LEASE.replace("\n", " ").replace(" ", "  "),
        _LEASE.replace(". ", ".\n"),
        _LEASE.upper().lower(),
        _LEASE.replace("first", "ﬁrst"),
        _LEASE.replace("swept clean", "swept"),
        f"- {_LEASE}",
    ],
    ids=["equal", "blanks", "lines", "case", "ligature", "a-word-less", "bullet"],
)
def test_the_same_text_in_another_form_is_alike(other: str) -> None:
    small = _LEASE.lower() if other == _LEASE.lower() else _LEASE
    assert alike(Fingerprint(small), Fingerprint(other))


@pytest.mark.parametrize(
    "other",
    [
        _LEASE.replace("3 keys", "4 keys"),
        _LEASE.replace("3 keys", "keys"),
        _LEASE.replace("may be used", "may not be used"),
        _LEASE.replace("to the account of the landlord", "to the account of Mr Olsen"),
        _LEASE[: len(_LEASE) // 2],
    ],
    ids=["number", "no-number", "not", "name", "half"],
)
def test_what_differs_in_what_tells_is_not_alike(other: str) -> None:
    assert not alike(Fingerprint(_LEASE), Fingerprint(other))


def test_chinese_texts_are_compared_by_letters() -> None:
    text = "租客应在每月第一个工作日支付租金。窗户、门和锁的维修费用由租客承担,其他维修由房东承担。花园供全体租客使用。"
    assert alike(Fingerprint(text), Fingerprint(text.replace("。", "。\n")))
    assert not alike(Fingerprint(text), Fingerprint(text.replace("花园供", "花园不供")))


@given(one=st.text(max_size=80), other=st.text(max_size=80))
def test_resemblance_is_a_share_and_the_same_both_ways(one: str, other: str) -> None:
    first, second = Fingerprint(one), Fingerprint(other)
    assert 0 <= resemblance(first, second) == resemblance(second, first) <= 1
    assert resemblance(first, Fingerprint(one)) == 1
    assert alike(first, second) == alike(second, first)


def _chunk(text: str, uri: str) -> Chunk:
    return samples.chunk(text, uri=uri)


def test_two_invoices_that_differ_in_the_amount_both_stay() -> None:
    once = Once()
    invoice = f"Invoice of the harbour office. {_LEASE} The amount due is 1,250.00 euros."
    assert once.is_new(_chunk(invoice, "a.pdf"))
    assert once.is_new(_chunk(invoice.replace("1,250.00", "1,350.00"), "b.pdf"))


def test_copies_are_told_once_each_in_the_order_of_their_rank() -> None:
    once = Once()
    first = _chunk(_LEASE, "a.pdf")
    assert once.is_new(first)
    assert not once.is_new(_chunk(_LEASE, "c.md"))
    assert not once.is_new(_chunk(_LEASE.replace(". ", ".\n"), "b.docx"))
    assert not once.is_new(_chunk(_LEASE, "c.md"))
    assert once.elsewhere(first.id) == (Elsewhere("c.md", (1, 2)), Elsewhere("b.docx", (1, 2)))


_REPAIRS = (
    "Repairs of windows, doors and locks are paid by the tenant. Whoever moves out hands back 3 keys and leaves the "
    "rooms swept clean."
)


def test_the_text_of_a_copy_makes_room_for_another_and_an_answer_tells_where_it_stands(tmp_path: Path) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "lease.md").write_text(f"# Lease\n\n{_REPAIRS}\n")
    (folder / "copy.md").write_text(f"# Lease\n\n- {_REPAIRS}\n")
    (folder / "other.md").write_text(f"# Lease\n\n{_REPAIRS.replace('windows', 'gates')}\n")
    file = tmp_path / "lease.yaml"
    file.write_text(_PIPELINE.format(source=folder, index=tmp_path / "index"), encoding="utf-8")
    with docpipe.open(file) as pipe:
        pipe.run()
        hits = pipe.search("Who pays for the repair of windows?", limit=2)
        answer = pipe.ask("Who pays for the repair of windows?")
        found = json_forms.search("", hits)["hits"]
        told = json_forms.ask(answer)["citations"]
    assert "other.md" in {hit.chunk.source.uri for hit in hits} and len(hits) == 2
    (copied,) = [hit for hit in hits if hit.also_in]
    assert {copied.chunk.source.uri, copied.also_in[0].uri} == {"lease.md", "copy.md"}
    assert [hit["also_in"] for hit in found if hit["also_in"]] == [[{"uri": copied.also_in[0].uri, "pages": []}]]
    assert f"(also in {copied.also_in[0].uri})" in hits_text(hits, {})
    assert [one["also_in"] for one in told if one["uri"] == copied.chunk.source.uri][:1] == [
        [{"uri": copied.also_in[0].uri, "pages": []}]
    ]


def test_short_texts_are_the_same_only_where_they_are_equal() -> None:
    once = Once()
    assert once.is_new(_chunk("The door is locked at night.", "a.md"))
    assert once.is_new(_chunk("The door is locked at night!", "b.md"))
    assert not once.is_new(_chunk("The door is locked at night.", "c.md"))
