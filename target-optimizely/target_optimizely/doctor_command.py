"""`doctor`: is all in place for a transfer? Every check says what it found and what to do.

Only reads, at the vendor and here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from optimizely_soap.faults import SoapFault
from target_kit.checkup import Check, Level, exit_code, fail, good, open_, warning
from target_kit.checkup_places import state_directory
from target_kit.commands import operator_command
from target_kit.errors import (
    CallFailed,
    CallRefused,
    CredentialsError,
    Interrupted,
    LockedError,
    OutcomeUnknown,
    StopRun,
    VendorUnavailable,
)
from target_kit.feedback import read_feedback
from target_kit.signals import StopSignal
from target_kit.suppression import Suppressions

from target_optimizely import guards
from target_optimizely.checks import check_at_rest, check_list
from target_optimizely.client import Campaign
from target_optimizely.journal import Journal
from target_optimizely.model import Row
from target_optimizely.settings import ListSettings, Settings
from target_optimizely.suppression import Suppression
from target_optimizely.workbench import Workbench

_LONGEST_SECONDS = 60.0
_ASKED = "doctor@example.com"
_LOGIN = (
    "correct mandator_id, username and password; look whether the API user is active and allowed"
)
_LATER = "look at api_url, the network and the vendor's status page, then try again"
_SEE = "see the cause; a run would end with it"


def doctor_command(target_class: Any, stop: StopSignal) -> click.Command:
    """Check everything, print each check, end with the code of the worst."""

    @operator_command("doctor", target_class, stop)
    def doctor(target: Any) -> int:
        """Check settings, credentials, lists, attributes, feedback, open changes and files."""
        found = []
        target.settings = _patient(target.settings)
        for check in _checks(target.bench):
            found.append(check)
            for line in check.lines:
                click.echo(line)
        bad = sum(check.level is Level.FAIL for check in found)
        odd = sum(check.level is Level.WARNING for check in found)
        click.echo(f"{len(found)} checks, {odd} warning(s), {bad} failed", err=True)
        return exit_code(found)

    return doctor


def _patient(settings: Settings) -> Settings:
    """A vendor that does not answer is not waited for as long as by a run."""
    given = settings.deadline_seconds or _LONGEST_SECONDS
    return replace(settings, deadline_seconds=min(given, _LONGEST_SECONDS))


def _checks(bench: Workbench) -> Iterator[Check]:
    settings = bench.settings
    yield good("settings", f"{len(settings.lists)} list(s): {', '.join(settings.lists)}")
    try:
        with bench.vendor() as campaign:
            campaign.list_ids()
            yield good("credentials", f"client {settings.mandator_id} lets this user in")
            for one in settings.lists.values():
                yield from _list(bench, campaign, one)
    except Interrupted:
        raise
    except StopRun as error:
        step = _LOGIN if isinstance(error, CredentialsError) else _LATER
        yield fail("Optimizely Campaign", str(error), step, error.code)
    for one in settings.lists.values():
        yield from _feedback(bench, one)
    yield from _open_changes(settings)
    yield _judged("forgotten", lambda: _forgotten(settings))
    yield from state_directory(settings.state_dir)


def _list(bench: Workbench, campaign: Campaign, one: ListSettings) -> Iterator[Check]:
    where = f"list {one.name}"

    def fits() -> Check:
        attributes = check_list(campaign, one)
        said = f"{one.list_id} is there, of a kind that fits, with all {len(one.names)} attributes"
        more = len(attributes) - len(set(attributes) & set(one.names))
        return good(where, f"{said}; {more} more are not mapped")

    def rests() -> Check:
        if not bench.settings.check_mailings:
            return open_(f"mailings to {one.name}", "are not looked at (check_mailings: false)")
        check_at_rest(campaign, one)
        return good(f"mailings to {one.name}", "none is being sent or paused")

    def suppresses() -> Check:
        name = f"suppression of {one.name}"
        if one.suppression != "api":
            return open_(name, f"the vendor is not asked (suppression: {one.suppression})")
        Suppression(campaign, one, 1).of([Row(0, _ASKED, _ASKED, "", ())])
        return good(name, "unsubscribes, blocklist and bounces can be asked for")

    def size() -> Check:
        return good(f"size of {one.name}", f"{campaign.count(one.list_id)} recipients")

    there = _judged(where, fits)
    yield there
    if there.level is Level.FAIL:
        return
    if one.allow_optin_list:
        said = "whoever unsubscribes between question and sending is subscribed again"
        yield warning(f"opt-in of {one.name}", said, "use a regular list: see Limits in the README")
    else:
        yield good(f"opt-in of {one.name}", "rows are added without an opt-in process")
    yield _judged(f"suppression of {one.name}", suppresses)
    yield _judged(f"mailings to {one.name}", rests)
    yield _judged(f"size of {one.name}", size)


def _judged(name: str, look: Callable[[], Check]) -> Check:
    try:
        return look()
    except Interrupted:
        raise
    except LockedError as error:
        return warning(name, str(error), "wait for its end, then run")
    except StopRun as error:
        return fail(name, str(error), _SEE, error.code)
    except (SoapFault, CallFailed, CallRefused, OutcomeUnknown) as error:
        called = getattr(error, "__notes__", [])[:1]
        return fail(name, ": ".join([*called, str(error)]), _SEE, VendorUnavailable.exit_code)


def _feedback(bench: Workbench, one: ListSettings) -> Iterator[Check]:
    name, path = f"feedback for {one.name}", bench.settings.feedback_file
    if path is None or one.max_feedback_age_hours is None:
        yield open_(name, "no feedback_file is set: nobody looks whether it was imported")
        return

    def fresh() -> Check:
        now = bench.clock.now()
        feedback = read_feedback(Path(path), now)
        guards.check_feedback(one, feedback, now)
        return good(name, f"imported {feedback.age_hours(now):.1f} hours ago, whole")

    yield _judged(name, fresh)


def _forgotten(settings: Settings) -> Check:
    known = Suppressions.any_in(settings.state_dir, settings.lists)
    return good("forgotten", "who was forgotten can be read" if known else "nobody")


def _open_changes(settings: Settings) -> Iterator[Check]:
    """Journals that hold a change which has not come to its end; none is opened for writing."""
    known = {
        Journal.path_of(settings.state_dir, settings.account, one.list_id): one.name
        for one in settings.lists.values()
    }
    left = [p for p in sorted(Journal.all_in(settings.state_dir)) if Journal.is_left_open(p)]
    for path in left:
        name = known.get(path, "which these settings don't have")
        said = f"an earlier run left a change of list {name} open"
        step = "target-optimizely recover, with the settings it was begun with"
        yield warning("open changes", said, step)
    if not left:
        yield good("open changes", "none")
