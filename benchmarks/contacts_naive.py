"""What a plain connector does for each contact: sync, a call per custom field, list, tag.

    python -m benchmarks.contacts_naive ROOT SIZE

Beside `benchmarks.contacts`, which starts it; prints wall seconds. Nothing is looked at before, and
nothing after.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping

import requests

from benchmarks.contacts_account import FIELDS, LIST, TAG, rows


def load(root: str, size: int) -> None:
    """Every contact, by 1 + k + 2 calls, on one connection."""
    session = requests.Session()
    session.headers["Api-Token"] = "sim-key"

    def call(method: str, path: str, name: str, body: Mapping[str, object]) -> dict[str, str]:
        address = f"{root}/activecampaign/api/3/{path}"
        answer = session.request(method, address, json={name: body}, timeout=60)
        answer.raise_for_status()
        made: dict[str, str] = answer.json().get(name, {})
        return made

    listed = session.get(f"{root}/activecampaign/api/3/lists").json()["lists"]
    (list_id,) = [one["id"] for one in listed if one["name"] == LIST]
    tag = call("POST", "tags", "tag", {"tag": TAG, "tagType": "contact"})["id"]
    columns = ["ctt_id", *FIELDS.values()]
    for row in rows(size):
        names = {"firstName": row["given_name"], "lastName": row["family_name"]}
        contact = call("POST", "contact/sync", "contact", {"email": row["email"], **names})["id"]
        for field, column in enumerate(columns, 1):
            value = {"contact": contact, "field": str(field), "value": str(row[column])}
            call("POST", "fieldValues", "fieldValue", value)
        joined = {"list": list_id, "contact": contact, "status": 1}
        call("POST", "contactLists", "contactList", joined)
        call("POST", "contactTags", "contactTag", {"contact": contact, "tag": tag})


if __name__ == "__main__":
    started = time.monotonic()
    load(sys.argv[1], int(sys.argv[2]))
    print(time.monotonic() - started)
