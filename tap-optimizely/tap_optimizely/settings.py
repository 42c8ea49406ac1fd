"""The door: configuration → frozen `Settings`; every problem is reported at once. Pure."""

from __future__ import annotations

import datetime as dt
import typing as t
import zoneinfo
from dataclasses import dataclass, field

from tap_optimizely.errors import SettingsError
from tap_optimizely.exports import (
    BOTH,
    BY_LIST,
    CSV_STREAMS,
    DAY_SECONDS,
    DEFAULT_API_URL,
    SCOPES,
    SOURCES,
)
from tap_optimizely.layouts import (
    BounceRule,
    CsvFile,
    ExportSettings,
    read_bounce_rule,
    read_csv_files,
    read_exports,
)
from tap_optimizely.urls import check_url, rest_base

Config = t.Mapping[str, t.Any]
NEEDED = "is required (unless csv_files holds both unsubscribes and bounces)"


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, checked. The password is kept out of the repr."""

    api_url: str
    rest_url: str
    mandator_id: int
    username: str = field(repr=False)
    password: str = field(repr=False)
    start: dt.datetime | None
    overlap: dt.timedelta
    session_seconds: int
    timeout_seconds: int
    max_tries: int
    unsubscribes_source: str
    unsubscribe_scope: str
    exports: t.Mapping[str, ExportSettings]
    timezone: zoneinfo.ZoneInfo
    page_size_rows: int
    lifetime: dt.timedelta
    warn_after_share: float
    accept_gap: bool
    deliver_without_campaign: bool
    hard_bounce: BounceRule
    soft_bounce: BounceRule
    csv_dir: str | None
    csv_files: t.Mapping[str, CsvFile]

    @property
    def without_api(self) -> bool:
        """Whether files stand in for the API altogether."""
        return set(CSV_STREAMS) <= self.csv_files.keys()


def parse_settings(config: Config) -> Settings:
    """Check the configuration and freeze it.

    Raises:
        SettingsError: names each wrong setting; never repeats its value.
    """
    problems: list[str] = []
    read = _Reader(config, problems)
    csv_files = read_csv_files(config.get("csv_files"), problems)
    without_api = set(CSV_STREAMS) <= csv_files.keys()
    custom = read.flag("allow_custom_host")
    api_url = check_url(
        config.get("api_url") or DEFAULT_API_URL,
        "api_url",
        allow_custom_host=custom,
        problems=problems,
    )
    settings = Settings(
        api_url=api_url,
        rest_url=check_url(
            config.get("rest_url") or rest_base(api_url or DEFAULT_API_URL),
            "rest_url",
            allow_custom_host=custom,
            problems=problems,
        ),
        mandator_id=read.whole("mandator_id", None, 1),
        username=read.text("username", needed=not without_api),
        password=read.text("password", needed=not without_api),
        start=read.moment("start_date"),
        overlap=dt.timedelta(seconds=read.whole("overlap_seconds", DAY_SECONDS, 0)),
        session_seconds=read.whole("session_seconds", 900, 1, 1200),
        timeout_seconds=read.whole("timeout_seconds", 180, 1),
        max_tries=read.whole("max_tries", 5, 1),
        unsubscribes_source=read.choice("unsubscribes_source", BOTH, SOURCES),
        unsubscribe_scope=read.choice("unsubscribe_scope", BY_LIST, SCOPES),
        exports=read_exports(config, problems),
        timezone=read.zone("timezone", "Europe/Berlin"),
        page_size_rows=read.whole("page_size_rows", 1000, 2, 1000),
        lifetime=dt.timedelta(days=read.whole("response_lifetime_days", 14, 14, 30)),
        warn_after_share=read.share("warn_after_share", 0.5),
        accept_gap=read.flag("accept_gap"),
        deliver_without_campaign=read.flag("deliver_without_campaign"),
        hard_bounce=read_bounce_rule(config, "hard_bounce", problems),
        soft_bounce=read_bounce_rule(config, "soft_bounce", problems),
        csv_dir=read.text("csv_dir", needed=False) or None,
        csv_files=csv_files,
    )
    both = set(settings.hard_bounce.categories) & set(settings.soft_bounce.categories)
    if both:
        problems.append("soft_bounce.categories: a category cannot be hard and soft")
    for name, rule in (("hard", settings.hard_bounce), ("soft", settings.soft_bounce)):
        if without_api and rule.threshold is not None and rule.threshold > 1:
            problems.append(f"{name}_bounce.threshold: above 1 the API is needed for its counter")
    if problems:
        raise SettingsError(problems)
    return settings


class _Reader:
    """Takes single values out of a configuration and notes what is wrong with them."""

    def __init__(self, config: Config, problems: list[str]) -> None:
        self._config = config
        self._problems = problems

    def text(self, name: str, *, needed: bool) -> str:
        value = self._config.get(name)
        if value in (None, ""):
            if needed:
                self._problems.append(f"{name}: {NEEDED}")
            return ""
        if not isinstance(value, str):
            self._problems.append(f"{name}: must be a text")
            return ""
        return value

    def flag(self, name: str) -> bool:
        value = self._config.get(name)
        if value not in (None, True, False):
            self._problems.append(f"{name}: must be true or false")
        return value is True

    def whole(self, name: str, default: int | None, least: int, most: int | None = None) -> int:
        value = self._config.get(name, default)
        if value is None:
            value = default
        if value is None:
            self._problems.append(f"{name}: is required")
            return least
        number = int_or_none(value)
        if number is None or number < least or (most is not None and number > most):
            limits = f"at least {least}" if most is None else f"from {least} to {most}"
            self._problems.append(f"{name}: must be a whole number, {limits}")
            return least
        return number

    def share(self, name: str, default: float) -> float:
        value = self._config.get(name)
        if value is None:
            return default
        try:
            share = float(value)
        except (TypeError, ValueError):
            share = -1.0
        if isinstance(value, (bool, str)) or not 0 <= share <= 1:
            self._problems.append(f"{name}: must be a number from 0 to 1")
            return default
        return share

    def choice(self, name: str, default: str, choices: t.Sequence[str]) -> str:
        value = self._config.get(name) or default
        if value not in choices:
            self._problems.append(f"{name}: must be one of {', '.join(choices)}")
            return default
        return str(value)

    def zone(self, name: str, default: str) -> zoneinfo.ZoneInfo:
        try:
            return zoneinfo.ZoneInfo(str(self._config.get(name) or default))
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            self._problems.append(f"{name}: is no IANA time zone (example: Europe/Berlin)")
            return zoneinfo.ZoneInfo(default)

    def moment(self, name: str) -> dt.datetime | None:
        value = self._config.get(name)
        if value is None:
            return None
        try:
            moment = dt.datetime.fromisoformat(value)
            return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        except (TypeError, ValueError):
            self._problems.append(f"{name}: is no ISO 8601 date (example: 2026-01-31T00:00:00Z)")
            return None


def int_or_none(value: object) -> int | None:
    """Take a whole number in any numeric type (the SDK parses JSON floats as Decimal)."""
    if isinstance(value, (bool, str)):
        return None
    try:
        whole = int(value)  # type: ignore[call-overload]
    except (TypeError, ValueError, ArithmeticError):
        return None
    return whole if whole == value else None
