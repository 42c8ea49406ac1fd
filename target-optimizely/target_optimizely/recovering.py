"""Lists that an earlier run left open, and the last snapshot on request: no input is needed."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from target_kit.errors import ConfigurationError, GuardTripped
from target_kit.outcome import Tally

from target_optimizely.journal import Journal
from target_optimizely.outcomes import Outcomes
from target_optimizely.recovery import finish_or_restore
from target_optimizely.settings import ListSettings
from target_optimizely.workbench import Workbench

logger = logging.getLogger(__name__)


@dataclass
class Recovering:
    """Works through the journals of all configured lists."""

    bench: Workbench

    def recover(self) -> None:
        """Finish or restore whatever an earlier run left open (S1-23)."""
        settings, known = self.bench.settings, set()
        for one in settings.lists.values():
            path = Journal.path_of(settings.state_dir, settings.account, one.list_id)
            known.add(path)
            if path.exists():
                self._recover(one)
        for path in sorted(Journal.all_in(settings.state_dir) - known):
            if Journal.is_left_open(path):
                logger.warning(
                    "%s holds an open change of a list that these settings don't have (or of "
                    "another client); run once with the settings it was begun with",
                    path,
                )

    def restore(self, name: str) -> int:
        """Put the last snapshot of a list back; returns its size. Raises ConfigurationError."""
        one = self.bench.settings.lists.get(name)
        if one is None:
            raise ConfigurationError(f"--restore: there is no list {name} under 'lists'")
        with self.bench.lock(one), self.bench.journal(one) as journal:
            intent = journal.last_intent()
            if intent is None:
                raise ConfigurationError(f"list {name}: no snapshot is kept in {journal.path}")
            with (
                self.bench.vendor() as campaign,
                self.bench.stop.hold(self.bench.settings.grace_seconds, self.bench.clock),
            ):
                work = self.bench.work(one, journal, campaign)
                work.check_at_rest()
                return work.restore(intent)

    def _recover(self, one: ListSettings) -> None:
        with self.bench.lock(one), self.bench.journal(one) as journal:
            intent = journal.open_intent()
            if intent is None:
                return
            outcomes = Outcomes(Tally(self.bench.settings.max_errors))
            try:
                with (
                    self.bench.vendor() as campaign,
                    self.bench.stop.hold(self.bench.settings.grace_seconds, self.bench.clock),
                ):
                    finish_or_restore(self.bench.work(one, journal, campaign), intent, outcomes)
            except GuardTripped as error:
                if journal.open_intent() is not None:
                    raise
                logger.error("%s", error)  # noqa: TRY400 - nothing is open any more: go on
            ended = journal.last_intent()
            self.bench.report.recovered.append(
                {"list": one.name, "list_id": one.list_id, "opened_at": intent.opened_at,
                 "ended": ended.phase.value if ended else ""}
            )  # fmt: skip
