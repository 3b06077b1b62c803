"""The stand-in as a process of its own."""

import os
import subprocess
import sys

import httpx
from standin import SUPPORT
from standin_requests import chat


def test_it_tells_where_it_is_and_ends_when_asked() -> None:
    command = [sys.executable, "-m", "standin", "--latency", "/chat/completions=0.01", "--allow", "/chat/completions=2"]
    environment = {**os.environ, "PYTHONPATH": str(SUPPORT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stdout
        told = dict(process.stdout.readline().strip().split("=", 1) for _ in range(2))
        headers = {"Authorization": f"Bearer {told['ZAI_API_KEY']}"}
        reply = httpx.post(f"{told['ZAI_BASE_URL']}/chat/completions", json=chat("hello"), headers=headers)
        assert reply.status_code == 200
        process.terminate()
        assert process.wait(10) == 0
