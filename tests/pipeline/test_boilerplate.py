"""What stands in many documents is found behind all else, as long as it does."""

from toy_world import World

from docpipe.pipeline.ingest.boilerplate import CommonLines
from docpipe.retrieve.retriever import IndexRetriever
from docpipe.types import Hit, Query

FOOTER = "Harbour office, open daily, ask for the harbour master"


def asked(world: World) -> list[Hit]:
    stages = world.stages
    retriever = IndexRetriever(stages.index, stages.embedder, common_lines=CommonLines(stages.index).read)
    return retriever.search(Query(text="harbour office harbour master", limit=20, mode="text"))


def fill(world: World, count: int) -> None:
    world.write(**{f"m{number}": f"note {number} on the harbour\n\n{FOOTER}" for number in range(count)})


def test_a_footer_of_all_documents_is_one_hit_behind_all_others(world: World) -> None:
    fill(world, 9)
    world.run()
    hits = asked(world)
    assert [hit.boilerplate for hit in hits] == [False] * (len(hits) - 1) + [True]
    assert hits[-1].chunk.text == FOOTER
    assert len(hits[-1].also_in) == 8
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))


def test_it_is_an_ordinary_text_again_when_few_documents_have_it(world: World) -> None:
    fill(world, 9)
    world.run()
    for number in range(3):
        (world.root / f"m{number}.txt").unlink()
    world.run()
    hits = asked(world)
    assert hits[0].chunk.text == FOOTER
    assert not any(hit.boilerplate for hit in hits)


def test_it_does_not_matter_in_how_many_runs_the_documents_came(world: World) -> None:
    for count in (2, 5, 9):
        fill(world, count)
        world.run()
    assert asked(world)[-1].boilerplate
