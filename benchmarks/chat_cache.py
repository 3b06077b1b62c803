"""Conversations of ten turns: what the service reads from its cache, and what another layout of the prompts would cost.

Runs against the stand-in platform of the tests, over real HTTP; it caches by the longest common prefix with earlier
prompts, as the platform is understood to. The other layouts send the same conversation with sources in the system
message: all that the conversation has seen, the newest first or last, or those of the last question only.

    python benchmarks/chat_cache.py
"""

import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

from standin import Call, StandIn  # noqa: E402
from standin.counting import prompt_tokens  # noqa: E402

import docpipe  # noqa: E402
from docpipe._http import loop  # noqa: E402
from docpipe._http.endpoint import Endpoint  # noqa: E402
from docpipe._zai.chat import Chat  # noqa: E402
from docpipe._zai.values import ChatRequest, Message  # noqa: E402
from docpipe.prompt.prices import price  # noqa: E402

MODEL = "glm-4.6"
PATH = "/chat/completions"
CONVERSATIONS = {
    "one manual": (
        "How many times may the same pump be started in one hour?",
        "What does fault code E23 mean?",
        "And what does fault code E11 mean?",
        "What is the limit of the bearing temperature?",
        "How often are the bearings greased?",
        "What is checked on the pumps every week?",
        "What has to be done before a pump is started?",
        "Who is the electrician on call?",
        "How many hours does the fuel of the diesel generator last?",
        "Which fault codes stop a pump?",
    ),
    "ten topics": (
        "How much electricity does the tidal backflush save in a year?",
        "What does fault code E23 mean?",
        "How much water was delivered to the North Farms in the third quarter of 2025?",
        "At what depth is the bottle filled?",
        "On which date is Rope Walk without water?",
        "When was sensor S-311 installed?",
        "海水淡化二期工程什么时候投产？",
        "第二阶梯的水价是多少？",
        "Who is the members' auditor?",
        "Within how many hours must a sample reach the harbour laboratory?",
    ),
}
PIPELINE = f"""
version: 1
name: conversation
source: {{{{use: load.files, path: {ROOT / "sample_docs"}, exclude: ["*.py", "*.jsonl", "README.md", "scan/**"]}}}}
stages:
  - use: parse.auto
  - {{{{use: chunk.layout, max_tokens: 256, overlap: 32}}}}
  - use: embed.local
index: {{{{use: index.lancedb, uri: {{index}}}}}}
chat: {{{{use: chat.glm, model: {MODEL}, thinking: disabled}}}}
"""
SOURCES = re.compile(r"<sources>.*?</sources>\n*", re.DOTALL)
SOURCE = re.compile(r'<source id="(\d+)"(?: \w+="[^"\n]*")*>\n.*?\n</source>\n', re.DOTALL)
NAMED = re.compile(r'<source id="(\d+)" shown="above"/>\n')

type_messages = list[dict[str, Any]]


def main() -> None:
    """Print what each layout reads in each conversation, and what that costs."""
    for name, questions in CONVERSATIONS.items():
        print(f"\n{name}, turns 2 to {len(questions)}")
        with tempfile.TemporaryDirectory() as folder:
            calls = conversation(Path(folder), questions)
        prompts = [call.body["messages"] for call in calls]
        print(f"{'layout':<48}{'prompt':>8}{'repeated':>9}{'cached':>8}{'share':>8}{'USD in':>9}")
        ours = told("docpipe: append-only, sources with their turn", calls)
        others = {
            "all sources in the system message, newest first": lambda one: in_system(one, newest_first=True),
            "all sources in the system message, newest last": lambda one: in_system(one, newest_first=False),
            "the last question's in the system message": last_in_system,
        }
        for layout, moved in others.items():
            usd = told(layout, asked([moved(one) for one in prompts]))
            print(f"{'':<48}input cost of docpipe against it: {ours / usd:.2f}")


def conversation(folder: Path, questions: Sequence[str]) -> list[Call]:
    """The calls of one session."""
    path = folder / "conversation.yaml"
    path.write_text(PIPELINE.format(index=folder / "index"), encoding="utf-8")
    with StandIn() as platform:
        os.environ |= {"ZAI_API_KEY": platform.key, "ZAI_BASE_URL": platform.base_url}
        with docpipe.open(path) as pipe:
            pipe.run()
            session = pipe.session()
            for question in questions:
                session.ask(question)
            usage = session.report().usage
        print(f"predicted {usage.predicted_cached_tokens} cached tokens, the service told {usage.cached_tokens}")
        return platform.calls(PATH)


def asked(prompts: Sequence[type_messages]) -> list[Call]:
    """The same number of calls with other messages, on a service with an empty cache."""
    with StandIn() as platform:
        chat = Chat(Endpoint(base_url=platform.base_url))
        for messages in prompts:
            said = tuple(Message(role=one["role"], content=one["content"]) for one in messages)
            loop.wait(chat.complete(ChatRequest(model=MODEL, messages=said, thinking=False)))
        return platform.calls(PATH)


def in_system(messages: type_messages, *, newest_first: bool) -> type_messages:
    """All sources of a conversation in its system message."""
    later = messages[1:]
    return [with_sources(messages[0], later[::-1] if newest_first else later), *without_sources(later)]


def last_in_system(messages: type_messages) -> type_messages:
    """Those of the last question only, written out where ours only names what an earlier turn showed."""
    shown = {m.group(1): m.group() for one in messages for m in SOURCE.finditer(one["content"])}
    named = NAMED.sub(lambda match: shown.get(match.group(1), ""), messages[-1]["content"])
    return [with_sources(messages[0], [{"content": named}]), *without_sources(messages[1:])]


def with_sources(system: dict[str, Any], messages: type_messages) -> dict[str, Any]:
    """The system message with the sources of some others behind it."""
    found = [match.group() for one in messages for match in SOURCES.finditer(one["content"])]
    return {**system, "content": system["content"] + "\n\n" + "".join(found)}


def without_sources(messages: type_messages) -> Iterator[dict[str, Any]]:
    """Messages without their sources."""
    for one in messages:
        yield {**one, "content": SOURCES.sub("", one["content"])}


def told(layout: str, calls: Sequence[Call]) -> float:
    """Print a layout's figures for the turns behind the first; returns USD of the input."""
    later = calls[1:]
    prompt, cached = sum(call.prompt_tokens for call in later), sum(call.cached_tokens for call in later)
    repeated = sum(prompt_tokens(call.body["messages"][:-1]) for call in later)
    rate = price(MODEL)
    assert rate is not None
    usd = ((prompt - cached) * rate.input + cached * rate.cached) / 1e6
    print(f"{layout:<48}{prompt:>8}{repeated:>9}{cached:>8}{min(1, cached / repeated):>8.1%}{usd:>9.5f}")
    return usd


if __name__ == "__main__":
    main()
