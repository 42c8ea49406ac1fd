"""One history: a backoffice, an account, a target, and everything that is looked at on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from destinations_support import seeded_fields, sums_close
from properties.backoffice import (
    FOREIGN_TAG,
    KEYS,
    NAMES,
    PERSONAL,
    STEP,
    Backoffice,
    Row,
    Setting,
)
from properties.intended import Intended
from properties.place import Kill, Place
from properties.watch import FOREIGN_FIELD, FOREIGN_LIST, Watch
from target_support import Run


class History:
    """Three persons who consented and are delivered; then whatever is asked for. `tell` hears each
    run, event and write in words; `sound` is False once a promise was broken.
    """

    def __init__(self, place: Place, tell: Callable[[str], None]) -> None:
        self.place, self.sim, self.tell = place, place.sim, tell
        self.source = Backoffice()
        self.count = 0
        self.sound = False

    def start(self, setting: Setting, stranger: str | None = None) -> None:
        """An account with foreign lists, tags and fields, and perhaps somebody who is there."""
        self.setting = setting
        self.sim.reset()
        self.sim.clock(now=self.source.now.isoformat())
        lists = ["News", {"name": "Foreign", "id": int(FOREIGN_LIST)}]
        people = []
        if stranger:
            values = {FOREIGN_FIELD: "99"}
            standing = {"News": 1, FOREIGN_LIST: 1}
            people = [{"email": stranger, "fieldValues": values, "lists": standing,
                       "tags": [FOREIGN_TAG]}]  # fmt: skip
        fields = seeded_fields({"perstag": FOREIGN_FIELD})
        self.sim.seed({"fields": fields, "lists": lists, "tags": [FOREIGN_TAG], "contacts": people})
        self.sim.switches(**setting.switches())
        self.target = self.place.target(
            streams={"contacts": setting.stream()},
            reads=setting.reads,
            strategy=setting.strategy,
            connections=setting.connections,
            timeout_seconds=10,
        )
        contacts = {c["id"]: c for c in self.sim.state()["contacts"]}
        self.watch = Watch(setting, contacts, seen=self.place.seen)
        self.sim.keep_journal()
        for key in KEYS[:-1]:
            self.source.say(key, name=NAMES[key])
            self.source.say(key, **self.source.consent_for(f"p{key}@example.com", "confirmed", 1))
        self.run(self.rows(whole=True), codes={0})

    def pass_time(self) -> None:
        """Two days go by."""
        self.source.now += STEP
        self.sim.clock(now=self.source.now.isoformat())

    def happens(self, kind: str, contact: str, **more: Any) -> None:
        """An event, followed like any other change."""
        self.pass_time()
        self.sim.event(kind, contact=contact, **more)
        self.follow()

    def follow(self) -> None:
        """Look at every state since the last time."""
        self.sound = False
        said = self.watch.follow(self.sim.journal())
        self.sim.keep_journal()
        for line in said:
            self.tell(line)
        self.sound = True

    def rows(self, whole: bool) -> list[Row]:
        """What the next run is given."""
        return [row for key, row in sorted(self.source.rows.items())
                if whole or key in self.source.dirty]  # fmt: skip

    def run(
        self, rows: list[Row], *, codes: set[int], kill: Kill | None = None, **more: Any
    ) -> Run:
        """One run of the target as a real process, looked at call by call."""
        self.sound = False
        self.watch.given |= {str(row.key): row for row in rows}
        self.watch.run_began = self.source.now
        done = self.place.run(self.target, rows, kill, **more)
        self.count += 1
        self.tell(f"  run {self.count} of {[row.key for row in rows]} ended with {done.code}")
        self.follow()
        self.sound = False
        self.watch.run_began = None
        self.judge(done, codes)
        assert done.code or not self.watch.owed, f"X2: left and still active: {self.watch.owed}"
        self.watch.owed.clear()
        self.watch.look(f"ended {done.code}")
        if done.code == 0:
            self.source.dirty -= {row.key for row in rows if self.source.rows[row.key] == row}
            for row in rows:
                if row.deleted_at:
                    self.watch.gone[str(row.key)] = max(row.version, row.deleted_at)
        self.sound = True
        return done

    def judge(self, run: Run, codes: set[int]) -> None:
        """What holds after every run: how it ended, X4 (its sums), X6 (announced), X7 (silence)."""
        assert run.code in codes, run.stderr
        assert "Traceback" not in run.stderr, run.stderr
        assert not run.report or sums_close(run), f"X4: sums do not close: {run.report}"
        assert self.place.unannounced == [], "X6: erased without a tombstone on disk"
        said = {"stderr": run.stderr, "report": str(run.report), "STATE": str(run.states)}
        for name, text in said.items():
            for word in PERSONAL:
                assert word not in text, f"X7: {word} in {name}: {text}"

    def settle(self, remembers: bool) -> None:
        """X3, X8, and the model: a run of everything makes the account what it must be, and once
        more, with or without the state directory, writes nothing.
        """
        self.pass_time()
        rows = self.rows(whole=True)
        intended = Intended(self.watch, rows, self.watch.contacts)
        self.run(rows, codes={0})
        self.sound = False
        rejects = {reject["key"]: reject["cause"] for reject in self.target.rejects}
        self.watch.look("settled")
        for cause in rejects.values():
            self.watch.look(cause)
        intended.assert_met(self.watch.contacts, rejects)
        self.pass_time()
        if not remembers:
            self.place.forget()
        self.sim.forget_requests()
        again = self.run(rows, codes={0})
        self.sound = False
        written = self.sim.requests(writes=True)
        where = "X3" if remembers else "X8"
        assert written == [], f"{where}: {[(w['method'], w['path']) for w in written]}"
        assert again.report["writes"] == 0
        self.sound = True
