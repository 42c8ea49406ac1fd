"""The target killed at any request between making contacts and tagging them, and in a clean-up."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import pytest
from destinations_support import contact_of, seeded_fields
from faults.kills import At, hurt_at, points
from faults.support import Proxy, Zygote
from simulators_support import Simulator
from target_support import Target, record, schema, state

#: Requests of the scene when nothing goes wrong; the first test keeps this number true.
REQUESTS = 23
SHARE = 12
CREATED = "created-from-salesforce-person-account"
CONVERTED = "salesforce-lead-converted-to-person-account"
LEGACY = "created-from-salesforce-lead"
TEXT = {"type": ["string", "null"]}
STREAM: dict[str, Any] = {
    "key": "ctt_id",
    "key_field": "BUBSCTTID",
    "fields": {"email": "email", "firstName": "given_name"},
    "provenance": {
        "record_type": "person_account",
        "converted_from": "before",
        "clean_up": True,
        "legacy_tags": [LEGACY],
    },
}
#: By key: what tags each contact has afterwards, however often a run was cut short.
WANTED = {1: [CREATED], 2: [CREATED, CONVERTED], 3: [CONVERTED, "vip"], 4: []}


def messages() -> list[dict[str, Any]]:
    """A new person account, a converted lead that is new, one that is known, and somebody whom
    others brought into the account.
    """
    rows = [record(1), record(2, before="lead"), record(3, before="lead"), record(4)]
    return [schema(before=TEXT), *rows, state(len(rows))]


@pytest.fixture
def target(sim: Simulator, proxy: Proxy, target_at: Callable[..., Target]) -> Target:
    lead = {"fieldValues": {"BUBSCTTID": "3"}, "tags": [LEGACY, "vip"]}
    sim.seed({
        "fields": seeded_fields({"perstag": "BUBSTAGDUE", "type": "hidden"}),
        "tags": [LEGACY, "vip"],
        "contacts": [{"email": "person3@example.com", **lead}, {"email": "person4@example.com"}],
    })  # fmt: skip
    return target_at(proxy.url, streams={"contacts": STREAM}, reads="crawl", create_fields=False)


def assert_tagged(sim: Simulator) -> None:
    """Everybody has their tags, nothing is due any more, and no tag was made twice."""
    for key, tags in WANTED.items():
        one = contact_of(sim, f"person{key}@example.com")
        assert one["tags"] == tags, key
        assert not one["fieldValues"].get("BUBSTAGDUE")
    state = sim.state()
    assert len(state["contacts"]) == len(WANTED)
    assert sorted(tag["tag"] for tag in state["tags"]) == sorted(
        [CREATED, CONVERTED, LEGACY, "vip"]
    )


def test_without_a_kill_everybody_is_tagged(
    zygote: Zygote, sim: Simulator, proxy: Proxy, target: Target
) -> None:
    """S4-18, S4-19, S4-27: the fault-free run is the model, and a second one writes nothing."""
    assert zygote.run(target, messages()).code == 0
    assert len(proxy.seen) == REQUESTS
    assert_tagged(sim)
    sim.forget_requests()
    assert zygote.run(target, messages()).code == 0
    assert sim.requests(writes=True) == []


@pytest.mark.kills
@pytest.mark.parametrize("at", points(REQUESTS, 418, SHARE), ids=lambda at: f"{at[0]}-{at[1]}")
def test_a_kill_between_creation_and_tag_is_made_good(
    zygote: Zygote, sim: Simulator, proxy: Proxy, target: Target, at: At
) -> None:
    """S4-18, S4-21, S4-28: nothing is cleaned up before the new tag is on; the next run tags whom
    the killed one made, and nobody else.
    """
    killed = hurt_at(zygote, proxy, target, messages(), at, signal.SIGKILL)
    assert killed.code == -signal.SIGKILL or at == (REQUESTS, "answered")  # it may have just ended
    proxy.forget()
    known = contact_of(sim, "person3@example.com")["tags"]
    assert LEGACY in known or CONVERTED in known
    assert contact_of(sim, "person4@example.com")["tags"] == []
    again = zygote.run(target, messages())
    assert again.code == 0, again.stderr
    assert_tagged(sim)
