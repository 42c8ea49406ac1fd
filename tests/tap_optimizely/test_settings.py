"""Settings: one clear line that names the setting, exit 2, and never a secret."""

from __future__ import annotations

from typing import Any

import pytest
from tap_optimizely.errors import SettingsError
from tap_optimizely.settings import parse_settings
from tap_optimizely_support import Tap

GOOD = {"mandator_id": 1, "username": "u", "password": "p"}
FILE = {"path": "x", "columns": ["recipient_id"]}


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"mandator_id": None}, "mandator_id: is required"),
        ({"mandator_id": "canary"}, "mandator_id: must be a whole number"),
        ({"mandator_id": True}, "mandator_id: must be a whole number"),
        ({"username": None}, "username: is required (unless"),
        ({"password": ""}, "password: is required (unless"),
        ({"password": 7}, "password: must be a text"),
        ({"api_url": "http://api.broadmail.de/soap11"}, "api_url: has to begin with https"),
        ({"api_url": "https://canary.example.com/soap11"}, "api_url: is none of"),
        ({"api_url": "https://canary@api.broadmail.de/soap11"}, "api_url: takes no user name"),
        ({"api_url": "https://10.0.0.1/soap11"}, "api_url: names no host"),
        ({"api_url": "https://api.broadmail.de/canary/../x"}, "api_url: takes no '..'"),
        ({"api_url": "https://api.broadmail.de/soap11?canary"}, "api_url: holds characters"),
        ({"api_url": "https://[canary"}, "api_url: is no address"),
        ({"rest_url": "https://canary.example.com"}, "rest_url: is none of"),
        ({"start_date": "canary"}, "start_date: is no ISO 8601"),
        ({"overlap_seconds": -1}, "overlap_seconds: must be"),
        ({"session_seconds": 1201}, "session_seconds: must be a whole number, from 1 to 1200"),
        ({"timeout_seconds": 0}, "timeout_seconds: must be"),
        ({"max_tries": 0}, "max_tries: must be"),
        ({"page_size_rows": 1001}, "page_size_rows: must be a whole number, from 2 to 1000"),
        ({"page_size_rows": 1}, "page_size_rows: must be"),
        ({"response_lifetime_days": 13}, "response_lifetime_days: must be"),
        ({"response_lifetime_days": 31}, "response_lifetime_days: must be"),
        ({"warn_after_share": 1.1}, "warn_after_share: must be a number"),
        ({"warn_after_share": "canary"}, "warn_after_share: must be a number"),
        ({"unsubscribes_source": "canary"}, "unsubscribes_source: must be one of"),
        ({"unsubscribe_scope": "canary"}, "unsubscribe_scope: must be one of"),
        ({"timezone": "../canary"}, "timezone: is no IANA"),
        ({"accept_gap": "canary"}, "accept_gap: must be true or false"),
        ({"columns": ["canary"]}, "columns: must be a mapping"),
        ({"columns": {"canary": []}}, "columns: 1 unknown name(s)"),
        ({"columns": {"opens": "canary"}}, "columns.opens: must be a list"),
        ({"columns": {"opens": ["a", "ca nary"]}}, "columns.opens: name 2 must be letters"),
        ({"columns": {"opens": ["scope"]}}, "columns.opens: name 1 is taken"),
        ({"columns": {"opens": ["col_1"]}}, "columns.opens: name 1 is taken"),
        ({"columns": {"opens": ["time", "time"]}}, "columns.opens: name 2 is used twice"),
        ({"header_rows": {"opens": -1}}, "header_rows.opens: must be"),
        ({"header_rows": {"opens": "canary"}}, "header_rows.opens: must be"),
        ({"timestamp_formats": {"opens": "canary"}}, "timestamp_formats.opens: must be"),
        ({"hard_bounce": "canary"}, "hard_bounce: must be a mapping"),
        ({"hard_bounce": {"threshold": 0}}, "hard_bounce.threshold: must be"),
        ({"hard_bounce": {"categories": "canary"}}, "hard_bounce.categories: must be"),
        ({"hard_bounce": {"ends_consent": "canary"}}, "hard_bounce.ends_consent: must be"),
        ({"soft_bounce": {"ends_consent": True}}, "soft_bounce: 1 unknown name(s)"),
        ({"soft_bounce": {"categories": ["hardbounce"]}}, "cannot be hard and soft"),
        ({"csv_dir": 7}, "csv_dir: must be a text"),
        ({"csv_files": {"opens": FILE}}, "csv_files: 1 unknown name(s)"),
        ({"csv_files": {"bounces": "canary"}}, "csv_files.bounces: must be a mapping"),
        ({"csv_files": {"bounces": {"columns": ["a"]}}}, "csv_files.bounces.path: is required"),
        ({"csv_files": {"bounces": {"path": "x"}}}, "csv_files.bounces.columns: is required"),
        ({"csv_files": {"bounces": {**FILE, "delimiter": "canary"}}}, "delimiter: must be one"),
        ({"csv_files": {"bounces": {**FILE, "quote": ";"}}}, "quote: must differ"),
        ({"csv_files": {"bounces": {**FILE, "encoding": "canary"}}}, "encoding: is no encoding"),
        ({"csv_files": {"bounces": {**FILE, "canary": 1}}}, "csv_files.bounces: has unknown"),
        ({"csv_files": {"bounces": {**FILE, "columns": {"": "a"}}}}, "columns: must map names"),
    ],
)
def test_a_wrong_setting_is_named_and_not_repeated(config: dict[str, Any], named: str) -> None:
    """The message leads to the setting; its value may be a secret."""
    with pytest.raises(SettingsError) as raised:
        parse_settings({**GOOD, **config})
    assert named in str(raised.value)
    assert "canary" not in str(raised.value)


def test_all_wrong_settings_are_told_at_once() -> None:
    """Nobody wants to find seven mistakes in seven runs."""
    wrong = {"mandator_id": 0, "max_tries": 0, "timezone": "x", "columns": 1, "accept_gap": 2}
    with pytest.raises(SettingsError) as raised:
        parse_settings(wrong)
    assert len(raised.value.problems) == len(wrong) + 2


def test_neither_password_nor_user_shows_in_the_settings() -> None:
    """Settings may be logged by whoever debugs."""
    shown = repr(parse_settings({**GOOD, "username": "canary-u", "password": "canary-p"}))
    assert "canary" not in shown


@pytest.mark.parametrize(
    ("api_url", "rest_url"),
    [
        (None, "https://api.campaign.episerver.net/rest"),
        ("https://api.broadmail.de/soap11/", "https://api.broadmail.de/rest"),
        ("http://127.0.0.1:8800/optimizely/soap11", "http://127.0.0.1:8800/optimizely/rest"),
    ],
)
def test_the_rest_address_is_the_neighbour_of_the_soap_one(
    api_url: str | None, rest_url: str
) -> None:
    """One address is enough; a second one can be given."""
    assert parse_settings({**GOOD, "api_url": api_url}).rest_url == rest_url


def test_another_host_is_allowed_by_name_of_the_setting() -> None:
    """A proxy of one's own is possible, but not by mistake."""
    url = "https://campaign.example.com/soap11"
    assert parse_settings({**GOOD, "api_url": url, "allow_custom_host": True}).api_url == url


def test_credentials_are_not_needed_with_files_for_both_streams() -> None:
    """Files stand in for the API then, and only their streams are offered."""
    files = {"unsubscribes": FILE, "bounces": FILE}
    assert parse_settings({"mandator_id": 1, "csv_files": files}).without_api


def test_a_threshold_above_one_needs_the_api() -> None:
    """Files have no counter (S1-46)."""
    files = {"unsubscribes": FILE, "bounces": FILE}
    with pytest.raises(SettingsError, match=r"hard_bounce\.threshold: above 1 the API is needed"):
        parse_settings({"mandator_id": 1, "csv_files": files, "hard_bounce": {"threshold": 2}})


def test_a_wrong_setting_ends_the_command_with_exit_2(tap: Tap) -> None:
    """One line on stderr, nothing on stdout."""
    run = tap.run(max_tries=0, password="canary-secret", columns={"opens": ["a b"]})
    assert (run.code, run.output) == (2, b"")
    assert run.said.startswith("tap-optimizely: ")
    assert "max_tries" in run.said
    assert "columns.opens" in run.said
    assert "canary" not in run.errors
