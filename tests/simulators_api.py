"""A bare client of the ActiveCampaign API for tests: paths in, responses out."""

from __future__ import annotations

from typing import Any

import requests
from simulators_support import Simulator


class Api:
    """Calls `/api/3/<path>` of a simulator with its default key."""

    def __init__(self, simulator: Simulator) -> None:
        self.base = f"{simulator.url}/api/3"
        self.session = requests.Session()
        self.session.headers["Api-Token"] = "sim-key"

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        """Make one call; `body` is sent as JSON when given."""
        more.setdefault("timeout", 10)
        if body is not None:
            more["json"] = body
        return self.session.request(method, f"{self.base}/{path}", **more)

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> requests.Response:
        return self.call("POST", path, body, **more)

    def put(self, path: str, body: Any = None, **more: Any) -> requests.Response:
        return self.call("PUT", path, body, **more)

    def delete(self, path: str, **more: Any) -> requests.Response:
        return self.call("DELETE", path, **more)

    def contact(self, email: str, **attributes: Any) -> str:
        """Create a contact and return its id."""
        answer = self.post("contacts", {"contact": {"email": email, **attributes}})
        assert answer.status_code == 201, answer.text
        number: str = answer.json()["contact"]["id"]
        return number

    def field(self, title: str, kind: str = "text", **attributes: Any) -> str:
        """Create a custom field and return its id."""
        answer = self.post("fields", {"field": {"title": title, "type": kind, **attributes}})
        assert answer.status_code == 201, answer.text
        number: str = answer.json()["field"]["id"]
        return number

    def list(self, name: str) -> str:
        """Create a mailing list and return its id."""
        body = {
            "name": name,
            "stringid": name,
            "sender_url": "https://example.com",
            "sender_reminder": "You signed up.",
        }
        answer = self.post("lists", {"list": body})
        assert answer.status_code == 201, answer.text
        number: str = answer.json()["list"]["id"]
        return number

    def tag(self, name: str) -> str:
        """Create a tag and return its id."""
        answer = self.post("tags", {"tag": {"tag": name, "tagType": "contact"}})
        assert answer.status_code == 201, answer.text
        number: str = answer.json()["tag"]["id"]
        return number

    def account(self, name: str) -> str:
        """Create an account and return its id."""
        answer = self.post("accounts", {"account": {"name": name}})
        assert answer.status_code == 201, answer.text
        number: str = answer.json()["account"]["id"]
        return number

    def subscribe(self, contact: str, mailing_list: str, status: int = 1, **more: Any) -> Any:
        """Set a contact's standing on a list and return the response."""
        row = {"contact": contact, "list": mailing_list, "status": status, **more}
        return self.post("contactLists", {"contactList": row})
