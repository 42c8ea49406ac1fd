"""What `doctor` looks at on this machine: state directory, ledger, what waits for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from target_kit.checkup_places import is_open_to_others, state_directory
from target_kit.errors import Interrupted, LockedError, StopRun
from target_kit.ledger_schema import SCHEMA
from target_kit.rejects import open_rejects

from target_activecampaign import doctor_checks as checks
from target_activecampaign.commands import ledger_of
from target_activecampaign.doctor_checks import Check
from target_activecampaign.settings import Settings


def places(settings: Settings) -> Iterator[Check]:
    """Everything local; nothing is made."""
    yield from state_directory(settings.state_dir)
    yield from _guarded("rejects", lambda: _rejects(settings))
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


def _ledger(settings: Settings) -> Iterator[Check]:
    if settings.ledger_url is None and is_open_to_others(settings.state_dir):
        yield checks.open_(
            "ledger", "is not opened: that would make state_dir private, as a run does"
        )
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
