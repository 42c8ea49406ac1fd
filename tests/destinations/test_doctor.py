"""`doctor`: every check says what it found and what to do; nothing is written."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from destinations_support import WarmTarget, seeded_fields
from scene_support import TEXT, there
from simulators_api import Api
from simulators_support import Simulator
from target_activecampaign import doctor_checks
from target_activecampaign.doctor_checks import Level
from target_activecampaign.settings import DEFAULT_STREAMS
from target_support import lines, record, schema

MakeTarget = Callable[..., WarmTarget]
LISTS = {
    "consent": {
        "column": "consent", "granted_at": "at", "evidence": "proof", "purpose": "ads",
    },
    "lists": {"News": {"when": True, "consent": "ads"}},
}  # fmt: skip


def stream(**options: Any) -> dict[str, Any]:
    return {"contacts": {**DEFAULT_STREAMS["contacts"], **options}}


def findings(target: WarmTarget, *options: str) -> tuple[int, dict[str, tuple[str, str, str]]]:
    """The exit code, and (level, cause, next step) by check; each that is bad has both."""
    done = target.operate("doctor", *options)
    found: dict[str, tuple[str, str, str]] = {}
    name = ""
    for line in done.stdout.splitlines():
        if line.startswith("         next: "):
            level, cause, _ = found[name]
            found[name] = (level, cause, line.removeprefix("         next: "))
        else:
            name, cause = line[9:].split(": ", 1)
            found[name] = (line[:9].strip(), cause, "")
    for name, (level, cause, step) in found.items():
        assert bool(step) == (level in ("warning", "FAIL")), (name, cause)
    return done.returncode, found


def levels(found: dict[str, tuple[str, str, str]]) -> dict[str, str]:
    return {name: level for name, (level, _, _) in found.items() if level != "ok"}


def test_a_healthy_account_is_told_check_by_check(sim: Simulator, make_target: MakeTarget) -> None:
    """S4-38, S4-40: 0 writes, before the first run and after it, when a SCHEMA is known."""
    sim.seed({"fields": seeded_fields(), "lists": ["News"], "contacts": [there("a@example.com")]})
    target = make_target(streams=stream(**LISTS), create_fields=False)
    code, found = findings(target)
    assert code == 0
    assert levels(found) == {"permission to write": "?", "types of contacts": "?", "rate": "?"}
    assert not (target.home / "state").exists()
    assert sim.requests(writes=True) == []
    more = dict.fromkeys(("consent", "at", "proof"), TEXT)
    target.run([schema(**more), record(1)])
    sim.forget_requests()
    code, found = findings(target)
    assert (code, found["types of contacts"][0]) == (0, "ok")
    assert found["credentials"] == ("ok", "ActiveCampaign takes the key", "")
    assert found["lists"] == ("ok", "all 1 are there", "")
    assert found["reads"][1].startswith("contacts come with their values")
    assert found["clock"][0] == "ok"
    assert found["state_dir"] == ("ok", "private and writable", "")
    assert sim.requests(writes=True) == []


def test_a_refused_key_ends_with_3_and_says_so_once(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S4-40: what the key would have to show is not asked any more; what is local still is."""
    code, found = findings(make_target(api_key="wrong"))
    assert code == 3
    assert found["credentials"][0] == "FAIL"
    assert found["credentials"][2].startswith("copy api_key anew from Settings > Developer")
    assert "state_dir" in found
    assert "permission lists" not in found
    assert len(sim.requests()) == 1


@pytest.mark.parametrize("resource", ["lists", "tags", "fields", "accounts"])
def test_each_missing_permission_is_named(
    sim: Simulator, make_target: MakeTarget, resource: str
) -> None:
    """S4-40: by the page that is refused; the others are told all the same."""
    sim.seed({"fields": seeded_fields(), "accountFields": [{"fieldLabel": "BUBSACTID"}]})
    sim.switches(forbidden=resource)
    account = {"key": "org_id", "key_field": "BUBSACTID"}
    code, found = findings(make_target(streams=stream(account=account)))
    bad = {name for name, (level, _, _) in found.items() if level == "FAIL"}
    assert (code, bad) == (3, {f"permission {resource}"})
    assert "403" in found[f"permission {resource}"][1]


def test_imports_that_are_not_allowed_are_a_warning(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """A run can do without them; a target that writes one by one does not ask."""
    sim.seed({"fields": seeded_fields()})
    sim.switches(forbidden="import")
    code, found = findings(make_target(strategy="auto"))
    assert (code, found["permission import"][0]) == (0, "warning")
    assert "strategy: single" in found["permission import"][2]
    assert "permission import" not in findings(make_target(strategy="single"))[1]


def test_an_account_that_does_not_answer_ends_with_7(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S4-40: not waited for as long as by a run."""
    sim.faults([{"match": {}, "action": {"type": "status", "status": 503}}])
    code, found = findings(make_target(deadline_seconds=2))
    assert (code, found["credentials"][0]) == (7, "FAIL")


def test_what_the_settings_name_and_the_account_lacks_is_told_in_one_go(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S4-38: lists, the key field and other fields, each with what to do."""
    sim.seed({"fields": [{"perstag": "LAND"}]})
    code, found = findings(make_target(streams=stream(**LISTS), create_fields=False))
    assert code == 2
    assert found["lists"][0] == "FAIL"
    assert "no list of this name" in found["lists"][1]
    level, cause, step = found["fields of contacts"]
    assert (level, step) == ("FAIL", "create it there or set create_fields: true")
    assert cause == "ActiveCampaign has no custom field BUBSCTTID, SPRACHE, MOBIL"
    _, made = findings(make_target(streams=stream(**LISTS), create_fields=True))
    assert made["fields of contacts"][1].startswith("the next run makes BUBSCTTID")


@pytest.mark.parametrize("option", ["--catalog", "--input"])
def test_columns_that_do_not_fit_are_found_before_the_first_run(
    sim: Simulator, make_target: MakeTarget, option: str
) -> None:
    """S4-38: by a catalogue or messages: a type that no field takes, a column that is missing."""
    fields = [{"perstag": p} for p in ("SPRACHE", "MOBIL", "BUBSCTTID")]
    sim.seed({"fields": [{"perstag": "LAND", "type": "number"}, *fields]})
    target = make_target(streams=stream(version_column=None, account=None))
    message = schema(org_country={"type": "string", "format": "date"})
    del message["schema"]["properties"]["ctt_id"]
    catalog = {"streams": [{"tap_stream_id": "x", "stream": "contacts", **message}]}
    path = target.home / "given"
    path.write_bytes(
        json.dumps(catalog).encode() if option == "--catalog" else lines([message, record(1)])
    )
    code, found = findings(target, option, str(path))
    assert code == 2
    assert found["types of contacts"][1] == (
        "streams.contacts: org_country (date) can't go into LAND (number)"
    )
    assert found["columns of contacts"][1] == "the SCHEMA has no column ctt_id"
    path.write_text("{}" if option == "--catalog" else '{"type":"SCHEMA"')
    assert target.operate("doctor", option, str(path)).returncode == 2


def test_others_who_use_the_account_are_noticed(sim: Simulator, make_target: MakeTarget) -> None:
    """By RateLimit-Remaining of calls that were alone in their second."""
    sim.seed({"fields": seeded_fields()})
    sim.switches(rate_limit=True, rate_limit_per_second=20)
    alone = findings(make_target(requests_per_second=20))[1]
    assert alone["rate"] == (
        "ok", "19 of 20 requests a second were left; nobody else uses them", "",
    )  # fmt: skip
    assert findings(make_target(requests_per_second=50))[1]["rate"][0] == "FAIL"
    ended = threading.Event()

    def others() -> None:
        api = Api(sim)
        with api.session:
            while not ended.wait(0.1):
                api.get("users/me")

    thread = threading.Thread(target=others)
    thread.start()
    try:
        level, cause, _ = findings(make_target(requests_per_second=20))[1]["rate"]
    finally:
        ended.set()
        thread.join()
    assert level == "warning"
    assert "are used by others" in cause


@pytest.mark.parametrize(
    ("off", "level"), [(0, Level.OK), (59, Level.OK), (62, Level.WARNING), (-62, Level.WARNING)]
)
def test_a_clock_that_is_off_by_more_than_a_minute_is_told(off: int, level: Level) -> None:
    """Consent is compared by time; what the answers carry is the vendor's."""
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    date = format_datetime(now - timedelta(seconds=off), usegmt=True)
    assert doctor_checks.clock(date, now).level is level
    assert doctor_checks.clock(None, now).level is Level.OPEN


@pytest.mark.parametrize(
    ("free", "code"), [(50 * 1024**2, 1), (500 * 1024**2, 0), (2 * 1024**3, 0)]
)
def test_a_full_disk_fails_and_a_nearly_full_one_warns(free: int, code: int) -> None:
    """What the input needs is not known before it comes."""
    check = doctor_checks.space(free)
    assert check.code == code
    assert (check.level is Level.OK) == (free > 1024**3)


def test_an_open_state_directory_and_what_waits_for_people_are_warnings(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S4-40: rejects by cause and the worklist by kind, without any name."""
    contacts = [there("a@example.com", 1), there("b@example.com", 2)]
    sim.seed({"fields": seeded_fields(), "contacts": contacts})
    target = make_target()
    target.deliver([record(1, "b@example.com"), record(3, "no address")])
    code, found = findings(target)
    assert code == 0
    assert found["rejects of contacts"][1] == "1 email_syntax, 1 address_taken"
    assert found["worklist of contacts"][1] == "1 address_taken"
    (target.home / "state").chmod(0o755)
    code, found = findings(target)
    assert (code, found["state_dir"][0]) == (0, "warning")
    assert (target.home / "state").stat().st_mode & 0o777 == 0o755  # nothing is changed by looking


@pytest.mark.ledgers
def test_the_ledger_is_looked_at_and_not_made(sim: Simulator, make_target: MakeTarget) -> None:
    """On SQLite and PostgreSQL: reachable before the first run, its worklist after it."""
    sim.seed({"fields": seeded_fields()})
    target = make_target()
    assert findings(target)[1]["ledger"] == ("ok", "can be reached; the first run makes it", "")
    target.deliver([record(1)])
    assert findings(target)[1]["worklist of contacts"][0] == "ok"


def test_a_ledger_that_cannot_be_reached_is_a_failure(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """X7: with the code a run would end with; no part of the URL is told."""
    sim.seed({"fields": seeded_fields()})
    target = make_target(ledger_url="postgresql://somebody:canary@127.0.0.1:1/backoffice")
    done = target.operate("doctor")
    assert done.returncode == 1
    assert "FAIL     ledger: " in done.stdout
    assert "canary" not in done.stdout + done.stderr


def test_person_accounts_are_told_by_their_tags_and_streams(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S4-37, S4-38, S4-39: who decides them, whether the tags were applied, and tags that look
    like merged ones.
    """
    person, lead = "created-from-salesforce-person-account", "created-from-salesforce-lead"
    tagged = [there(f"{n}@example.com", n, tags=[person]) for n in (1, 2)]
    sim.seed(
        {
            "fields": [*seeded_fields(), {"perstag": "BUBSTAGDUE"}],
            "tags": [person, lead, "Created from Salesforce Contact"],
            "contacts": [*tagged, there("3@example.com", 3, tags=[lead])],
        }
    )
    contacts = stream(provenance={"record_type": "contact", "legacy_tags": ["old-tag"]})
    done = make_target(streams=contacts).operate("doctor")
    assert done.returncode == 0
    for said in (
        "ok       source of truth: contact by contacts",
        "warning  person accounts: no stream decides them: they are not enabled here",
        "the tag 'Created from Salesforce Contact' looks like created-from-salesforce-contact",
        "legacy_tags names old-tag, which ActiveCampaign does not have",
        f"2 {person}, 1 {lead}",
        "rows of contacts that are person accounts are left out",
    ):
        assert said in " ".join(done.stdout.split("\n")), said
    persons = {**contacts["contacts"], "provenance": {"record_type": "person_account"}}
    _, found = findings(make_target(streams={"persons": persons}))
    assert found["source of truth"] == ("ok", "person_account by persons", "")
    assert found["tags applied"][0] == "ok"
    assert sim.requests(writes=True) == []


def test_files_that_would_stop_a_run_are_told(sim: Simulator, make_target: MakeTarget) -> None:
    """S4-40: who was forgotten or deleted can't be read, or not any more with this key."""
    sim.seed({"fields": seeded_fields(), "contacts": [there("a@example.com", 1)]})
    target = make_target()
    target.run(
        [schema(_sdc_deleted_at=TEXT), record(1, "a@example.com", _sdc_deleted_at="2026-01-01")]
    )
    assert target.operate("forget", "--key", "2").returncode == 0
    code, found = findings(target)
    assert (code, found["forgotten"][0], found["tombstones"][0]) == (0, "ok", "ok")
    state = target.home / "state"
    key = state / "log-hash.key"
    kept = key.rename(state / "kept.key")
    code, found = findings(target)
    assert (code, found["forgotten"][0]) == (1, "FAIL")
    assert not key.exists()
    kept.rename(key)
    for name in ("forgotten.jsonl", "tombstones.sqlite"):
        (state / name).write_bytes(b"damaged " * 1000)
        code, found = findings(target)
        assert (code, found[name.partition(".")[0]][0]) == (1, "FAIL")
