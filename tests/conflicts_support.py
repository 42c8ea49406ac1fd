"""Every kind of conflict, as people and other tools plant it beside healthy rows, and its repair.

Keys and addresses of each are its own, so that all can be planted in one account and one run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from destinations_support import contact_of
from scene_support import LAST_MONTH, Message, Scene, consent, just_now, there
from target_support import record

Act = Callable[[Scene], object]


@dataclass(frozen=True)
class Conflict:
    """How it comes about and goes again.

    `contacts` are there from the start, `before` the rows of earlier runs, `act` what happens then,
    `rows` what the run of the conflict is given. `repair` is what people do about it, `then` the
    rows that come with the next run. `ends` are address and key of each contact after that. `news`
    is who is active by then. `carried_out` says that the row is, but for consent; `meanwhile` are
    contacts that others make in the middle of the run.
    """

    kind: str
    who: tuple[str, ...]
    rows: tuple[Message, ...]
    ends: dict[str, str]
    contacts: tuple[dict[str, Any], ...] = ()
    before: tuple[tuple[Message, ...], ...] = ()
    act: Act | None = None
    switches: dict[str, Any] = field(default_factory=dict)
    repair: Act | None = None
    then: Callable[[], tuple[Message, ...]] = tuple
    news: frozenset[str] = frozenset()
    carried_out: bool = False
    meanwhile: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return self.kind


def _hijack(scene: Scene) -> None:
    """Somebody takes the new address in the moment before it is written."""
    path = f"/contacts/{contact_of(scene.sim, 'nt1@example.com')['id']}$"
    taken = {"type": "create_contact", "values": there("nt2@example.com")}
    action = {"type": "event", "event": taken, "when": "before"}
    scene.sim.faults([{"match": {"method": "PUT", "path": path}, "times": 1, "action": action}])


def _twin_accounts(scene: Scene) -> None:
    named = [{"name": f"Twin {n}", "fields": {"BUBSACTID": "700"}} for n in (1, 2)]
    scene.sim.seed({"accounts": named})


def _part_accounts(scene: Scene) -> None:
    twin = next(a for a in scene.sim.state()["accounts"] if a["name"] == "Twin 2")
    [meta] = scene.sim.state()["accountCustomFieldMeta"]
    fields = [{"customFieldId": int(meta["id"]), "fieldValue": ""}]
    assert (
        scene.api.put(f"accounts/{twin['id']}", {"account": {"fields": fields}}).status_code < 300
    )


def _hand_over(scene: Scene) -> None:
    scene.delete("nt2@example.com")
    scene.edit("nt1@example.com", newEmail="nt2@example.com")


_NEW = {"given_name": "New"}
CONFLICTS = (
    Conflict(
        "ambiguous_key",
        ("key:10",),
        (record(10, "ak1@example.com", **_NEW),),
        {"ak1@example.com": "10", "ak2@example.com": ""},
        contacts=(there("ak1@example.com", 10), there("ak2@example.com", 10)),
        repair=lambda scene: scene.edit("ak2@example.com", fieldValues={"BUBSCTTID": ""}),
    ),
    Conflict(
        "ambiguous_address",
        ("key:20",),
        (record(20, "aa@example.com", **_NEW),),
        {"aa@example.com": "20"},
        switches={"email_unique_ignores_case": False},
        act=lambda scene: [scene.api.contact(a) for a in ("AA@example.com", "aa@example.com")],
        repair=lambda scene: scene.api.delete(
            f"contacts/{contact_of(scene.sim, 'AA@example.com')['id']}"
        ),
    ),
    Conflict(
        "ambiguous_account_key",
        ("key:30",),
        (record(30, "ac@example.com", act_id=700),),
        {"ac@example.com": "30"},
        contacts=(there("ac@example.com", 30),),
        act=_twin_accounts,
        repair=_part_accounts,
    ),
    Conflict(
        "address_of_other_key",
        ("key:40",),
        (record(40, "ot@example.com", **_NEW),),
        {"ot@example.com": "41", "ot2@example.com": "40"},
        contacts=(there("ot@example.com", 41),),
        then=lambda: (record(40, "ot2@example.com", **_NEW),),
    ),
    Conflict(
        "address_of_former_contact",
        ("key:50",),
        (record(50, "fo@example.com", **_NEW),),
        {"fo@example.com": "50"},
        contacts=(there("fo@example.com", "former:51"),),
        repair=lambda scene: scene.delete("fo@example.com"),
    ),
    Conflict(
        "address_taken",
        ("key:60",),
        (record(60, "ta2@example.com", **_NEW),),
        {"ta2@example.com": "60"},
        contacts=(there("ta1@example.com", 60), there("ta2@example.com", 61)),
        repair=lambda scene: scene.delete("ta2@example.com"),
    ),
    Conflict(
        "address_reserved",
        ("key:70",),
        (record(70, "re@example.com", **_NEW),),
        {"re@example.com": "70"},
        contacts=(there("re@example.com"),),
        switches={"archived_email_reserved": True},
        act=lambda scene: scene.delete("re@example.com"),
        repair=lambda scene: scene.sim.switches(archived_email_reserved=False),  # purged
    ),
    Conflict(
        "address_shared",
        ("email:sh@example.com",),
        (record(80, "sh@example.com"), record(None, "sh@example.com", **_NEW)),
        {"sh@example.com": "", "sh2@example.com": "80"},
        contacts=(there("sh@example.com", 80),),
        then=lambda: (record(80, "sh2@example.com"),),
    ),
    Conflict(
        "address_not_taken_over",
        ("key:90",),
        (record(90, "nt2@example.com"),),
        {"nt2@example.com": "90"},
        contacts=(there("nt1@example.com", 90),),
        switches={"put_email_conflict": "email_ignored", "idle_update_bumps_udate": False},
        act=_hijack,
        meanwhile=frozenset({"nt2@example.com"}),
        repair=_hand_over,
    ),
    Conflict(
        "contact_gone",
        ("key:100",),
        (record(100, "go@example.com", **_NEW),),
        {"go@example.com": "100"},
        before=((record(100, "go@example.com"),),),
        act=lambda scene: scene.delete("go@example.com"),
        repair=lambda scene: scene.make("go@example.com", 100),
    ),
    Conflict(
        "contradicting_rows",
        ("key:110",),
        (record(110, "co@example.com", **_NEW), record(110, "co@example.com", given_name="B")),
        {"co@example.com": "110"},
        then=lambda: (record(110, "co@example.com", **_NEW),),
    ),
    Conflict(
        "email_change_held",
        ("key:120",),
        (record(120, "person@held.example.com"),),
        {"person@held.example.com": "120"},
        contacts=(there("info@held.example.com", 120),),
        repair=lambda scene: scene.target.operate("approve", "--key", "120"),
    ),
    Conflict(
        "email_swap",
        ("key:130", "key:131"),
        (record(130, "sb@example.com", **_NEW), record(131, "sa@example.com", **_NEW)),
        {"sa@example.com": "131", "sb@example.com": "130"},
        contacts=(there("sa@example.com", 130), there("sb@example.com", 131)),
        switches={"email_reserved_domains": False},
        repair=lambda scene: scene.edit("sa@example.com", newEmail="aside@example.com"),
    ),
    Conflict(
        "key_field_unreadable",
        ("key:140",),
        (record(140, "ku@example.com", **_NEW),),
        {"ku@example.com": "140"},
        contacts=(there("ku@example.com", "n/a"),),
        repair=lambda scene: scene.edit("ku@example.com", fieldValues={"BUBSCTTID": "140"}),
    ),
    Conflict(
        "no_evidence_for_address",
        ("key:150",),
        (record(150, "ne2@example.com", **consent(LAST_MONTH)),),
        {"ne2@example.com": "150"},
        contacts=(there("ne1@example.com", 150, lists={"News": 1}),),
        then=lambda: (record(150, "ne2@example.com", **consent(just_now(), "ne2@example.com")),),
        news=frozenset({"ne2@example.com"}),
        carried_out=True,
    ),
    Conflict(
        "unsubscribed_before",
        ("key:160",),
        (record(160, "ub@example.net", **consent(LAST_MONTH, "ub@example.net")),),
        {"ub@example.com": "former:160", "ub@example.net": "160"},
        contacts=(there("ub@example.com", 160, lists={"News": 2}),),
        then=lambda: (record(160, "ub@example.net", **consent(just_now(), "ub@example.net")),),
        news=frozenset({"ub@example.net"}),
        carried_out=True,
    ),
    Conflict(
        "old_address_lives",
        ("key:170",),
        (record(170, "ol2@example.com"),),
        {"ol2@example.com": "170"},
        before=((record(170, "ol1@example.com"),), (record(170, "ol2@example.com"),)),
        act=lambda scene: scene.make("ol1@example.com"),
        repair=lambda scene: scene.delete("ol1@example.com"),
        then=lambda: (record(170, "ol2@example.com"),),
    ),
)
