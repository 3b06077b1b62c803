"""A chat stage asked without a pipeline."""

from typing import Any

from docpipe.chat.session import World, run
from docpipe.protocols import Answerer, Retriever
from docpipe.types import Answer, Turn


def answered(stage: Answerer, question: str, library: Retriever, **turn: Any) -> Answer:
    """The answer of a stage to one question to a library."""
    return run(stage.flow(Turn(question=question, **turn)), World(library))
