"""What `doctor` reads at ActiveCampaign. Nothing is written: what only a write can tell stays open.

Permissions are probed by the page of each resource; sources are named in the clients' docstrings,
that of the probe for imports is bulk-import-status-list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from target_kit.clock import Clock
from target_kit.errors import (
    CallFailed,
    CallRefused,
    ConfigurationError,
    CredentialsError,
    Interrupted,
    OutcomeUnknown,
    StopRun,
    VendorUnavailable,
)
from target_kit.http import Answer, Safety

from target_activecampaign import doctor_checks as checks
from target_activecampaign.account_client import AccountEndpoints
from target_activecampaign.account_fields import AccountFields
from target_activecampaign.client import ActiveCampaign
from target_activecampaign.compatibility import account_faults
from target_activecampaign.contact_settings import ContactStream
from target_activecampaign.doctor_checks import Check
from target_activecampaign.list_client import ListEndpoints
from target_activecampaign.lists import resolve_lists
from target_activecampaign.model import Field
from target_activecampaign.provenance_settings import RecordType
from target_activecampaign.settings import Settings

Schemas = Mapping[str, Mapping[str, Any]]
_SECOND = 1.1  # a little more than what the limit is counted over
_KEY = "copy api_key anew from Settings > Developer; look whether its user and account are active"
_GRANT = "give the key's user this permission in Settings > Users and Groups, or another plan"
_LATER = "look at status.activecampaign.com, api_url and the network, then try again"


@dataclass
class VendorChecks:
    """The checks of one account; `schemas` are those that are known, by stream."""

    settings: Settings
    client: ActiveCampaign
    clock: Clock
    schemas: Schemas

    def run(self) -> Iterator[Check]:
        """Credentials first: without them nothing else can be told."""
        first = list(self._guarded("credentials", self._credentials))
        yield from first
        if any(check.code for check in first):
            return
        yield from self._guarded("permission contacts", self._contacts)
        yield from self._guarded("permission lists", self._lists)
        yield from self._guarded("permission tags", self._tags)
        yield from self._guarded("permission fields", self._fields)
        yield from self._guarded("permission accounts", self._accounts)
        yield from self._guarded("permission import", self._imports)
        yield checks.open_(
            "permission to write",
            "can't be told without writing; a run that may not ends with 3 before anything else",
        )
        yield from self._guarded("rate", self._rate)

    def _guarded(self, name: str, read: Callable[[], Iterator[Check]]) -> Iterator[Check]:
        """What `read` finds, or what keeps it from being read."""
        try:
            yield from read()
        except Interrupted:
            raise
        except CredentialsError as error:
            step = _KEY if name == "credentials" else _GRANT
            yield checks.fail(name, str(error), step, error.code)
        except ConfigurationError as error:
            yield from checks.faults(name, [str(error)], "correct the settings", "")
        except StopRun as error:
            yield checks.fail(name, str(error), _LATER, error.code)
        except (CallFailed, CallRefused, OutcomeUnknown) as error:
            yield checks.fail(name, str(error), _LATER, VendorUnavailable.exit_code)

    def _ask(self, path: str, *params: tuple[str, str]) -> Answer:
        route = f"GET {path}"
        return self.client.api.call(
            "GET", f"/api/3/{path}", route=route, params=params, safety=Safety.SAFE
        )

    def _credentials(self) -> Iterator[Check]:
        self.client.whoami()
        yield checks.good("credentials", "ActiveCampaign takes the key")
        yield checks.clock(self._ask("users/me").headers.get("Date"), self.clock.now())

    def _contacts(self) -> Iterator[Check]:
        body = self._ask("contacts", ("limit", "1"), ("include", "fieldValues")).body
        total = self.client.total()
        yield checks.good("permission contacts", f"readable, there are {total}")
        if isinstance(body, dict) and "fieldValues" in body:
            yield checks.good("reads", "contacts come with their values (include=fieldValues)")
        elif total:
            yield checks.warning(
                "reads", "contacts come without their values: include=fieldValues has no effect",
                "nothing; a full read takes 1 call more per 100 values of each field",
            )  # fmt: skip

    def _lists(self) -> Iterator[Check]:
        endpoints = ListEndpoints(self.client.api)
        yield checks.good("permission lists", f"readable, there are {len(endpoints.lists())}")
        streams = self.settings.streams.values()
        if number := sum(len(stream.lists) for stream in streams):
            faults = []
            try:
                resolve_lists(list(streams), endpoints)
            except ConfigurationError as error:
                faults = str(error).split("; ")
            step = "create or share the list there, or correct its name in the settings"
            yield from checks.faults("lists", faults, step, f"all {number} are there")

    def _tags(self) -> Iterator[Check]:
        known = ListEndpoints(self.client.api).tags()
        yield checks.good("permission tags", f"readable, there are {len(known)}")
        streams = self.settings.streams.values()
        for stream in streams:
            rule, there = stream.tags, {name.lower() for name in known.values()}
            if rule and (gone := [tag for tag in rule.add if tag.lower() not in there]):
                said = f"ActiveCampaign has no tag {', '.join(gone)}"
                yield checks.warning(f"tags of {stream.name}", said, "nothing: it will be made")
            yield from checks.provenance_tags(stream, known.values())
        yield from checks.decided(streams)
        of = {
            tag: kind
            for stream in streams
            if stream.provenance
            for kind in RecordType
            for tag in stream.provenance.tags[kind].folded
        }
        if of:
            decides = {k for s in streams if s.provenance for k in s.provenance.decides}
            counts = {n: self._tagged(i) for i, n in known.items() if n.lower() in of}
            folded = {name.lower(): number for name, number in counts.items() if number}
            yield checks.applied_tags(folded, of, " ".join(decides))

    def _tagged(self, tag_id: str) -> int:
        """How many contacts have a tag (list-all-contacts `tagid`)."""
        body = self._ask("contacts", ("tagid", tag_id), ("limit", "1")).body
        total = body.get("meta", {}).get("total", 0) if isinstance(body, dict) else 0
        return int(total)

    def _fields(self) -> Iterator[Check]:
        known = self.client.fields()
        yield checks.good("permission fields", f"readable, there are {len(known)}")
        for stream in self.settings.streams.values():
            upper = stream.with_upper_perstags()
            yield from checks.fields(upper, known)
            yield from self._types(upper, known)

    def _types(self, stream: ContactStream, known: Mapping[str, Field]) -> Iterator[Check]:
        where = f"types of {stream.name}"
        schema = self.schemas.get(stream.name)
        if schema is None:
            said = "can't be told before a SCHEMA has come: run once, or give --catalog or --input"
            yield checks.open_(where, said)
            return
        yield from checks.columns(stream.name, stream.columns, schema)
        found = account_faults(stream, schema, known)
        step = "map another column, or another field"
        yield from checks.faults(where, found, step, "every column can go into its field")

    def _accounts(self) -> Iterator[Check]:
        contacts = [s for s in self.settings.streams.values() if s.account]
        streams = list(self.settings.account_streams.values())
        if not contacts and not streams:
            yield from self._accounts_unasked()
            return
        self._ask("accounts", ("limit", "1"))
        yield checks.good("permission accounts", "readable")
        fields = AccountFields.read(AccountEndpoints(self.client.api))
        with_schema = [(s, self.schemas.get(s.name, {})) for s in streams]
        step = "create it there, or correct the settings"
        found = fields.check(with_schema, contacts)
        yield from checks.faults("account fields", found, step, "all are there, or will be made")
        for stream, schema in with_schema:
            if schema:
                yield from checks.columns(stream.name, stream.columns, schema)
            else:
                yield checks.open_(f"types of {stream.name}", "can't be told without a SCHEMA")

    def _accounts_unasked(self) -> Iterator[Check]:
        try:
            self._ask("accounts", ("limit", "1"))
        except (CredentialsError, CallRefused):
            said = "not readable, and no stream needs them"
        else:
            said = "readable, and no stream needs them"
        yield checks.good("permission accounts", said)

    def _imports(self) -> Iterator[Check]:
        if self.settings.control.strategy == "single":
            return
        try:
            self._ask("import/bulk_import")
        except (CredentialsError, CallRefused) as error:
            yield checks.warning(
                "permission import", f"imports can't be read: {error}",
                "set strategy: single, or give the key's user the permission to import",
            )  # fmt: skip
        else:
            yield checks.good("permission import", "the state of imports is readable")

    def _rate(self) -> Iterator[Check]:
        seen: list[tuple[str | None, str | None]] = []
        for _ in range(2):
            self.clock.sleep(_SECOND)
            headers = self._ask("users/me").headers
            seen.append((headers.get("RateLimit-Limit"), headers.get("RateLimit-Remaining")))
            if seen[0][1] is None:
                break
        yield checks.rate(seen, self.settings.requests_per_second)


def known_schemas(streams: Sequence[str], given: Schemas, kept: Schemas) -> Schemas:
    """The SCHEMA of each stream: the one that was given, else the one of the last run."""
    return {name: {**kept, **given}[name] for name in streams if name in {**kept, **given}}
