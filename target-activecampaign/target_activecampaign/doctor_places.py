"""What `doctor` looks at on this machine: state directory, ledger, what waits for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from target_kit.checkup_places import is_open_to_others, state_directory
from target_kit.errors import Interrupted, LockedError, StopRun
from target_kit.ledger_schema import SCHEMA
from target_kit.rejects import open_rejects
from target_kit.suppression import Suppressions
from target_kit.tombstones import Tombstones

from target_activecampaign import doctor_checks as checks
from target_activecampaign.commands import ledger_of
from target_activecampaign.doctor_checks import Check
from target_activecampaign.settings import Settings

_PRIVATE = "is not opened: that would make state_dir private, as a run does"


def places(settings: Settings) -> Iterator[Check]:
    """Everything local; nothing is made."""
    yield from state_directory(settings.state_dir)
    yield from _guarded("rejects", lambda: _rejects(settings))
    yield from _guarded("forgotten", lambda: _forgotten(settings))
    yield from _guarded("tombstones", lambda: _tombstones(settings))
    yield from _guarded("ledger", lambda: _ledger(settings))


def _guarded(name: str, look: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    try:
        yield from look()
    except Interrupted:
        raise
    except LockedError:
        yield checks.open_(name, "a run is working with it; ask again after its end")
    except StopRun as error:
        yield checks.fail(name, str(error), "see the cause; a run would end with it", error.code)


def _rejects(settings: Settings) -> Iterator[Check]:
    for name in (*settings.account_streams, *settings.streams):
        causes = Counter(reject.cause for reject in open_rejects(settings.state_dir, name))
        where = f"rejects of {name}"
        if causes:
            said = ", ".join(f"{number} {cause}" for cause, number in causes.most_common())
            yield checks.warning(where, said, "rejects list; correct the source")
        else:
            yield checks.good(where, "none is open")


def _forgotten(settings: Settings) -> Iterator[Check]:
    if Suppressions.any_in(settings.shared_dir, settings.streams):
        yield checks.good("forgotten", "who was forgotten can be read")


def _tombstones(settings: Settings) -> Iterator[Check]:
    acting = [name for name, stream in settings.streams.items() if stream.deletes.acts]
    if not acting or not (settings.shared_dir / "tombstones.sqlite").exists():
        return
    if is_open_to_others(settings.shared_dir):
        yield checks.open_("tombstones", _PRIVATE)
        return
    for name in acting:
        Tombstones(settings.shared_dir, name).close()
    yield checks.good("tombstones", "who was deleted in the source can be read")


def _ledger(settings: Settings) -> Iterator[Check]:
    if settings.ledger_url is None and is_open_to_others(settings.state_dir):
        yield checks.open_("ledger", _PRIVATE)
        return
    if not _has_ledger(settings):
        yield checks.good("ledger", "can be reached; the first run makes it")
        return
    for name in settings.streams:
        with ledger_of(settings, name) as ledger:
            kinds = Counter(item.kind for item in ledger.worklist())
        if kinds:
            said = ", ".join(f"{number} {kind}" for kind, number in kinds.most_common())
            yield checks.warning(f"worklist of {name}", said, "worklist; decide what it proposes")
        else:
            yield checks.good(f"worklist of {name}", "nothing is to be decided")


def _has_ledger(settings: Settings) -> bool:
    if settings.ledger_url is None:
        return (settings.state_dir / "ledger.sqlite").exists()
    import sqlalchemy as sa
    from target_kit.ledger_database import lock_between_machines

    name = f"{settings.account}/doctor"
    with (
        lock_between_machines(settings.ledger_url, name, None) as transaction,
        transaction() as connection,
    ):
        return bool(sa.inspect(connection).has_table(SCHEMA.name))
