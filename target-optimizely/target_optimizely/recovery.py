"""What an earlier run left half done is finished, or the old content is put back, first of all.

The journal says how far it came (S1-23). A list that was being cleared or filled is filled from the
wanted rows on disk: from where it stopped if the vendor's count fits, else from a new clear, which
is harmless to repeat. Where the rows are damaged or were being refused, the snapshot comes back.
"""

from __future__ import annotations

import logging

from target_kit.errors import GuardTripped
from target_kit.outcome import Outcome

from target_optimizely.model import Intent, Phase
from target_optimizely.outcomes import Outcomes
from target_optimizely.reconcile import Reconciler
from target_optimizely.sender import AllRefused
from target_optimizely.stored_rows import StoredRows
from target_optimizely.work import ListWork

logger = logging.getLogger(__name__)


def finish_or_restore(work: ListWork, intent: Intent, outcomes: Outcomes) -> None:
    """Bring the open intent to its end; the journal says which.

    Raises `GuardTripped` when the old content had to come back because the new one was refused.
    The intent stays open for the next run while a mailing to the list is on its way (`LockedError`,
    S1-27), when rows are missing (`Incomplete`) and in all trouble of the vendor.
    """
    name = work.settings.name
    logger.warning(
        "list %s: a change of %s was left in phase %s; it is brought to its end first",
        name,
        intent.opened_at,
        intent.phase,
    )
    work.check_at_rest()
    if intent.phase is Phase.RESTORING:
        work.restore(intent)
        return
    if not work.journal.wanted.is_intact(intent.digest):
        logger.warning("list %s: the wanted rows on disk are damaged; restoring", name)
        work.restore(intent)
        return
    if intent.phase is Phase.RECONCILING:
        # Compared anew: what the stopped run has written is the same by now.
        work.reader.save(work.journal.present, intent.snapshot_names)
        work.journal.wanted.reopen_sent()
        work.suppress(work.journal.wanted, outcomes.settled)
        held = work.journal.present
        size = reconcile_or_give_up(work, intent, held, outcomes, sent_before=True)
    else:
        size = fill_or_restore(work, intent, outcomes, resumed=True)
    work.journal.finish(intent, Phase.DONE, work.now(), size)


def fill_or_restore(
    work: ListWork, intent: Intent, outcomes: Outcomes, *, resumed: bool = False
) -> int:
    """Clear unless the list is where the journal left it, fill, count; returns the size.

    When the new content is refused (error budget, too many or all rows) the old one is put back and
    `GuardTripped` is raised: a list must not stay half filled for a reason that will not go away.
    """
    wanted = work.journal.wanted
    try:
        if not (resumed and _stands_where_it_stopped(work, intent)):
            wanted.reopen_sent()
            work.clear()
            work.journal.move(intent, Phase.FILLING)
        work.fill(wanted, intent.names, outcomes.settled, sent_before=resumed)
        size = work.check(wanted, intent.names, outcomes.settled)
        work.check_enough(intent)
    except (AllRefused, GuardTripped) as error:
        if isinstance(error, GuardTripped) and not outcomes.over_budget:
            raise
        size = work.restore(intent)
        raise GuardTripped(
            f"list {work.settings.name} ({work.settings.list_id}): {error}. Its old content of "
            f"{size} recipients was put back"
        ) from None
    return size


def _stands_where_it_stopped(work: ListWork, intent: Intent) -> bool:
    """Whether the list holds what the journal says was put into it, and nothing else.

    Nor anybody who left since: hours may lie between the stop and now.
    """
    if intent.phase is not Phase.FILLING:
        return False
    wanted = work.journal.wanted
    return work.count() == wanted.count(Outcome.APPLIED) and not work.some_left(wanted)


def reconcile_or_give_up(
    work: ListWork,
    intent: Intent,
    held: StoredRows,
    outcomes: Outcomes,
    *,
    sent_before: bool = False,
) -> int:
    """Write the differences to what the list has (`held`); returns the size.

    When too many rows are refused the intent is closed with the list as it is then, somewhere
    between old and new and never empty, and `GuardTripped` is raised.
    """
    try:
        return Reconciler(work, intent, held, outcomes.settled).run(sent_before=sent_before)
    except (AllRefused, GuardTripped) as error:
        if isinstance(error, GuardTripped) and not outcomes.over_budget:
            raise
        size = work.count()
        work.journal.finish(intent, Phase.ABANDONED, work.now(), size)
        raise GuardTripped(
            f"list {work.settings.name} ({work.settings.list_id}): {error}. It is left with "
            f"{size} recipients, part of the differences written"
        ) from None
