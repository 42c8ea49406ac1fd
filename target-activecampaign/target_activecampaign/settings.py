"""Configuration → frozen Settings, with all faults of the configuration reported at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from target_kit.errors import ConfigurationError
from target_kit.shards import Shard, read_shard
from target_kit.urls import check_base_url, is_loopback

from target_activecampaign.account_settings import AccountStream, read_account_stream
from target_activecampaign.contact_settings import ContactStream, read_contact_stream
from target_activecampaign.control_settings import Control, Mode, read_control
from target_activecampaign.provenance_settings import truth_faults

DEFAULT_STREAMS: dict[str, dict[str, Any]] = {
    "contacts": {
        "object": "contact",
        "key": "ctt_id",
        "key_field": "BUBSCTTID",
        "fields": {
            "email": "email",
            "firstName": "given_name",
            "lastName": "family_name",
            "phone": "work_phone",
            "cdate": "date_created",
        },
        "custom_fields": {
            "LAND": "org_country",
            "SPRACHE": "language_code",
            "MOBIL": "mobile_phone",
        },
    }
}


@dataclass(frozen=True, slots=True)
class Settings:
    """The target's settings, checked. The API key is never part of `repr`."""

    api_url: str
    api_key: str = field(repr=False)
    requests_per_second: float
    state_dir: Path
    max_errors: int
    report_file: Path | None
    timeout_seconds: float
    deadline_seconds: float | None
    fail_on_rejects: bool
    on_unknown_stream: str
    reads: str
    full_read_days: float
    ca_bundle: Path | None
    ledger_url: str | None = field(repr=False)
    streams: Mapping[str, ContactStream]
    account_streams: Mapping[str, AccountStream]
    control: Control
    report_html: Path | None = None
    rate_limit_url: str | None = field(default=None, repr=False)
    shard: Shard | None = None

    @property
    def shared_dir(self) -> Path:
        """`state_dir` as it was set; a shard's own is a folder in it, which is `state_dir` here."""
        return self.state_dir.parent if self.shard else self.state_dir

    @property
    def account(self) -> str:
        """What one run at a time may write to."""
        url = urlsplit(self.api_url)
        return url.netloc + url.path

    def ledger_scope(self, stream: str) -> str:
        """Whose persons a stream's ledger knows: those of this account and stream."""
        return f"{self.account}/{stream}"


def read_settings(config: Mapping[str, Any]) -> Settings:
    """Check the whole configuration; raises one ConfigurationError naming every fault."""
    faults: list[str] = []
    api_url = ""
    try:
        api_url = check_base_url(
            str(config.get("api_url") or ""),
            allowed_hosts=("*.api-us1.com", "*.activehosted.com"),
            allow_custom_host=bool(config.get("allow_custom_host", False)),
        )
    except ConfigurationError as error:
        faults.append(str(error))
    if not str(config.get("api_key") or "").strip():
        faults.append("api_key: is missing; copy it from Settings > Developer")
    create_fields = bool(config.get("create_fields", False))
    raw_streams = config.get("streams") or DEFAULT_STREAMS
    accounts = {n: r for n, r in raw_streams.items() if r.get("object") == "account"}
    account_streams = {
        name: read_account_stream(name, raw, faults, create_fields=create_fields)
        for name, raw in accounts.items()
    }
    streams = {
        name: read_contact_stream(name, raw, faults, create_fields=create_fields)
        for name, raw in raw_streams.items()
        if name not in accounts
    }
    faults += truth_faults((n, s.provenance) for n, s in streams.items() if s)
    control = read_control(config, faults)
    faults += _profile_faults(config, api_url, control)
    shard = read_shard(config, faults)
    if faults:
        raise ConfigurationError("; ".join(faults))
    deadline = config.get("deadline_seconds")
    report = config.get("report_file")
    page = config.get("report_html")
    bundle = config.get("ca_bundle")
    state_dir = Path(str(config.get("state_dir") or "state/target-activecampaign"))
    return Settings(
        api_url=api_url,
        api_key=str(config["api_key"]).strip(),
        requests_per_second=float(config.get("requests_per_second", 5)),
        state_dir=state_dir / shard.folder if shard else state_dir,
        max_errors=int(config.get("max_errors", 500)),
        report_file=Path(str(report)) if report else None,
        timeout_seconds=float(config.get("timeout_seconds", 30)),
        deadline_seconds=None if deadline is None else float(deadline),
        fail_on_rejects=bool(config.get("fail_on_rejects", False)),
        on_unknown_stream=str(config.get("on_unknown_stream", "fail")),
        reads=str(config.get("reads", "auto")),
        full_read_days=float(config.get("full_read_days", 7)),
        ca_bundle=Path(str(bundle)) if bundle else None,
        ledger_url=str(config["ledger_url"]) if config.get("ledger_url") else None,
        streams={name: stream for name, stream in streams.items() if stream is not None},
        account_streams={n: stream for n, stream in account_streams.items() if stream is not None},
        control=control,
        report_html=Path(str(page)) if page else None,
        rate_limit_url=str(config["rate_limit_url"]) if config.get("rate_limit_url") else None,
        shard=shard,
    )


def _profile_faults(config: Mapping[str, Any], api_url: str, control: Control) -> list[str]:
    """A rehearsal with data of one's own must not end in the production account (S4-33)."""
    if config.get("profile", "production") != "test" or control.mode is Mode.PLAN:
        return []
    host = urlsplit(api_url).hostname or ""
    known = {str(name).strip().lower() for name in config.get("test_accounts") or ()}
    if not host or is_loopback(host) or host in known:
        return []
    return ["profile: test writes to test_accounts only, and the host of api_url is none of them"]
