"""OpenAI's SDK against Troupe. `pytest` needs TROUPE_URL and TROUPE_TOKEN: `troupe serve`, and `troupe app create NAME`.

The last two tests need a server with TROUPE_AGENTS_API=true.
"""

import os
import uuid

import openai
import pytest

URL = os.environ.get("TROUPE_URL", "http://127.0.0.1:8420")


@pytest.fixture
def client():
    with openai.OpenAI(base_url=f"{URL}/v1", api_key=os.environ["TROUPE_TOKEN"], timeout=60) as client:
        yield client


def test_models_are_agents(client):
    assert "demo" in [model.id for model in client.models.list()]


def test_a_response_and_the_next_of_its_session(client):
    first = client.responses.create(model="demo", input="hello")
    assert first.status == "completed"
    assert first.output_text == "You said: hello (turn 1)"
    second = client.responses.create(model="demo", input="recall", previous_response_id=first.id)
    assert second.output_text == '["hello"]'


def test_a_response_is_read_as_it_happens_and_again_from_any_event(client):
    events = list(client.responses.create(model="demo", input="slow 3 10", stream=True))
    assert events[0].type == "response.created"
    assert events[-1].type == "response.completed"
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == events[-1].response.output_text
    response = events[-1].response.id
    middle = events[len(events) // 2].sequence_number
    rest = list(client.responses.retrieve(response, stream=True, starting_after=middle))
    assert [event.sequence_number for event in rest] == [
        event.sequence_number for event in events if event.sequence_number > middle
    ]


def test_a_response_in_the_background_is_cancelled(client):
    begun = client.responses.create(model="demo", input="slow 1000 50", background=True)
    assert begun.status in ("queued", "in_progress")
    assert client.responses.cancel(begun.id).status in ("cancelled", "in_progress")
    for _ in client.responses.retrieve(begun.id, stream=True):
        pass
    assert client.responses.retrieve(begun.id).status == "cancelled"


def test_a_key_has_one_effect(client):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first = client.responses.create(model="demo", input="hello", extra_headers=key)
    again = client.responses.create(model="demo", input="hello", extra_headers=key)
    assert again.id == first.id


def test_a_refusal_is_the_sdks_own_error(client):
    with pytest.raises(openai.NotFoundError) as refused:
        client.responses.retrieve("resp_none")
    assert refused.value.status_code == 404
    with pytest.raises(openai.UnprocessableEntityError, match="temperature has no counterpart"):
        client.responses.create(model="demo", input="hello", temperature=0.5)


def test_a_session_of_an_agent_goes_on(client):
    sessions = client.beta.agents.sessions
    session = sessions.create(agent_id="demo", environment={"type": "none"})
    message = {
        "type": "agent.session.input.message",
        "input": [{"role": "user", "content": [{"type": "input_text", "text": "hello"}]}],
    }
    sessions.events.create(session.id, events=[message], idempotency_key="first")
    types = []
    with sessions.events.stream(session.id) as stream:
        for event in stream:
            types.append(event.type)
            if event.type in ("agent.session.turn.completed", "agent.session.turn.failed"):
                break
    assert types[-1] == "agent.session.turn.completed"
    said = [item for item in sessions.items.list(session.id) if item.type == "message"]
    assert "You said: hello (turn 1)" in str(said)


def test_what_has_no_counterpart_is_refused_with_the_reason(client):
    with pytest.raises(openai.UnprocessableEntityError) as refused:
        client.beta.agents.sessions.create(agent_id="demo", environment={"type": "openai_hosted"})
    assert "openai_hosted" in str(refused.value)
