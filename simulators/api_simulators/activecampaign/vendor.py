"""ActiveCampaign behind its edge: rate limit, key, permissions, then the handler."""

from __future__ import annotations

from collections import deque
from typing import Any
from urllib.parse import unquote

from api_simulators.activecampaign import (
    errors,
    import_work,
    routes,
    seeding,
    state,
    ui_events,
    untrue_answers,
)
from api_simulators.activecampaign.call import Call
from api_simulators.activecampaign.query import Query
from api_simulators.activecampaign.store import Store
from api_simulators.activecampaign.switches import TABLE
from api_simulators.clock import Clock
from api_simulators.switches import Switches
from api_simulators.wire import Answer, Request, html_answer, json_answer

PREFIX = "/api/3"
FORBIDDEN = {"message": "Forbidden"}


class ActiveCampaign:
    """One account with its data; the clock drives dates, lag and the rate window."""

    name = "activecampaign"

    def __init__(self, clock: Clock) -> None:
        self.switches = Switches(TABLE)
        self._clock = clock
        self.store = Store()
        self._recent: deque[float] = deque()

    def respond(self, request: Request) -> Answer:
        """Answer one request as the vendor would."""
        now = self._clock.now()
        self._ready(now)
        allowed, headers = self._admit(now)
        if not allowed:
            answer = self._too_many()
        else:
            try:
                answer = self._handle(request, now)
            except errors.ApiError as error:
                answer = error.answer
        answer.headers.update(headers)
        return answer

    def _admit(self, now: float) -> tuple[bool, dict[str, str]]:
        """Count the request in the sliding second; refused ones do not count."""
        if not self.switches["rate_limit"]:
            return True, {}
        limit = int(self.switches["rate_limit_per_second"])
        recent = self._recent
        while recent and (recent[0] <= now - 1.0 or recent[0] > now):
            recent.popleft()
        allowed = len(recent) < limit
        if allowed:
            recent.append(now)
        shown = self.switches["ratelimit_headers"]
        if shown == "never" or (shown == "only_429" and allowed):
            return allowed, {}
        remaining = str(max(0, limit - len(recent)))
        return allowed, {"RateLimit-Limit": str(limit), "RateLimit-Remaining": remaining}

    def _ready(self, now: float) -> None:
        """Let the store know what time and switches make of it."""
        self.store.related_bump = bool(self.switches["related_writes_bump_udate"])
        import_work.settle(self.store, self.switches, now)

    def _refused(self) -> Answer:
        status, form = int(self.switches["bad_token_status"]), self.switches["bad_token_body"]
        if form == "html":
            return html_answer(status, "Forbidden")
        return Answer(status, b"") if form == "empty" else json_answer(status, FORBIDDEN)

    def _too_many(self) -> Answer:
        status = int(self.switches["rate_limit_status"])
        form = self.switches["too_many_requests_body"]
        if form == "json":
            answer = json_answer(status, {"message": "Too Many Requests"})
        elif form == "html":
            answer = html_answer(status, "Too Many Requests")
        else:
            answer = Answer(status, b"")
        if self.switches["retry_after"]:
            answer.headers["Retry-After"] = self.switches["retry_after"]
        return answer

    def _handle(self, request: Request, now: float) -> Answer:
        if self.switches["account_lapsed"]:
            raise errors.ApiError(json_answer(402, {}))
        if request.headers.get("Api-Token", "") not in self.store.api_keys:
            return self._refused()
        path, method = request.path, request.method
        if path != PREFIX and not path.startswith(PREFIX + "/"):
            return self._unknown_path()
        path = unquote(path[len(PREFIX) :].strip("/"))
        if not path and method == "GET":
            return json_answer(200, {})
        resource = path.partition("/")[0]
        self._check_permission("exclusions" if path == "lists/exclusions" else resource, method)
        if method == "PATCH" and resource in routes.PATCHED and self.switches["patch_supported"]:
            method = "PUT"
        found = routes.find(method, path)
        if found is None:
            return self._unknown_path()
        handler, args = found
        call = Call(request, self.store, self.switches, now, args, Query(request.query))
        return untrue_answers.respond(handler, call, resource)

    def _check_permission(self, resource: str, method: str) -> None:
        if not self.switches["plan_accounts"] and resource.startswith(("account", "deal")):
            raise errors.message(403, "Upgrade your account to enable the CRM")
        if resource not in str(self.switches["forbidden"]).split(","):
            return
        if resource == "lists":
            verb = "view" if method == "GET" else "create"
            detail = f"You do not have permission to {verb} lists."
            raise errors.titled(403, "Forbidden", detail)
        if resource == "exclusions":
            raise errors.message(403, "You don't have permission to access this resource")
        raise errors.message(403, "Forbidden")

    def _unknown_path(self) -> Answer:
        if self.switches["unknown_path"] == "html":
            return html_answer(404, "Not Found")
        return json_answer(404, {"message": "No such resource"})

    def operation(self, request: Request) -> str:  # noqa: ARG002 - the path says it all
        """Return nothing: paths say what is asked for."""
        return ""

    def reset(self) -> None:
        """Forget all data and the rate window."""
        self.store = Store()
        self._recent.clear()

    def seed(self, data: dict[str, Any]) -> dict[str, Any]:
        """Add data; see `seeding`."""
        return seeding.seed(self.store, data, self._clock.now(), self._zone())

    def state(self) -> dict[str, Any]:
        """Return everything the account holds."""
        self._ready(self._clock.now())
        return state.describe(self.store, self._zone())

    def event(self, data: dict[str, Any]) -> dict[str, Any]:
        """Do what a person does in the user interface; see `ui_events`."""
        self._ready(self._clock.now())
        return ui_events.event(self.store, data, self._clock.now())

    def _zone(self) -> str:
        return str(self.switches["account_timezone"])
