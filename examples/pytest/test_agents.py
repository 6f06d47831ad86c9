"""A session over HTTP. `pytest` needs TROUPE_URL and TROUPE_TOKEN: `troupe serve`, and `troupe app create NAME`."""

import json
import os

import pytest
import requests

URL = os.environ.get("TROUPE_URL", "http://127.0.0.1:8420")


@pytest.fixture
def troupe():
    with requests.Session() as http:
        http.headers["authorization"] = f"Bearer {os.environ['TROUPE_TOKEN']}"
        yield http


@pytest.fixture
def session(troupe):
    created = troupe.post(f"{URL}/sessions", json={"agent": "demo"}, timeout=60)
    created.raise_for_status()
    path = f"{URL}/sessions/{created.json()['session_id']}"
    yield path
    troupe.delete(path, timeout=60)


def test_a_turn_is_answered(troupe, session):
    turn = troupe.post(f"{session}/turn", json={"prompt": "hello"}, timeout=660).json()
    assert turn["ok"]
    assert turn["final_text"] == "You said: hello (turn 1)"


def test_a_turn_is_read_as_it_happens(troupe, session):
    answer = troupe.post(
        f"{session}/turn",
        json={"prompt": "slow 3"},
        headers={"accept": "text/event-stream"},
        stream=True,
        timeout=60,
    )
    event, texts, result = None, [], None
    for line in answer.iter_lines(decode_unicode=True):
        if line.startswith("event: "):
            event = line.removeprefix("event: ")
        elif line.startswith("data: "):
            data = json.loads(line.removeprefix("data: "))
            if event == "result":
                result = data
            update = data.get("params", {}).get("update", {})
            if update.get("sessionUpdate") == "agent_message_chunk":
                texts.append(update["content"]["text"])
    assert "".join(texts) == result["final_text"]


def test_a_refusal_says_what_to_do(troupe):
    refused = troupe.get(f"{URL}/sessions/none", timeout=60)
    assert refused.status_code == 404
    assert refused.json()["error"] == "session_not_found"
