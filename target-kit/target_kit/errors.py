"""Errors, named by what happens next.

    Exception
    ├── StopRun                 the run ends; carries the exit code every target shares
    │   ├── ConfigurationError      2   a setting, a column or a field is wrong: nothing was written
    │   ├── CredentialsError        3   key refused, permission or paid plan missing
    │   ├── GuardTripped            4   a guard says no
    │   │   └── BudgetExceeded      4   more row errors in one step than `max_errors`
    │   ├── LockedError             5   another run works on the same account and object
    │   ├── InputError              6   the stream of messages is cut or malformed
    │   ├── VendorUnavailable       7   the vendor does not answer sensibly, after retries
    │   └── Interrupted         128+n   a signal; publishes nothing
    ├── RowError                this record is rejected, the run goes on (within its budget)
    ├── CallRefused             the vendor refused one call for what it carried (4xx); the caller
    │                           decides whether that is a RowError, a conflict or a lost id
    ├── CallFailed              one call failed for good without having been applied
    └── OutcomeUnknown          a write may or may not have happened: look before repeating

Messages never hold record values, keys of persons, secrets or addresses (X7): they name the line,
the column, the setting and the next step.
"""

from __future__ import annotations

from typing import Any, ClassVar


class StopRun(Exception):
    """Ends the run with `exit_code` and one line on stderr."""

    exit_code: ClassVar[int] = 1

    @property
    def code(self) -> int:
        """Exit code of the process."""
        return self.exit_code


class ConfigurationError(StopRun):
    """A setting, a column or a field of the destination does not fit; found before any write."""

    exit_code = 2


class CredentialsError(StopRun):
    """Key refused, permission missing, account unpaid."""

    exit_code = 3


class GuardTripped(StopRun):
    """A guard with numbers refuses to go on."""

    exit_code = 4


class BudgetExceeded(GuardTripped):
    """More row errors in one step than its budget allows (S0-56)."""


class LockedError(StopRun):
    """Another run holds the lock of this account and object."""

    exit_code = 5


class InputError(StopRun):
    """The message stream is malformed or incomplete; says line and byte, never content."""

    exit_code = 6


class VendorUnavailable(StopRun):
    """The vendor cannot be reached or talks nonsense, after all retries."""

    exit_code = 7


class Interrupted(StopRun):
    """A signal asked the run to end."""

    def __init__(self, signum: int) -> None:
        super().__init__(f"stopped by signal {signum}; what was not yet applied comes again")
        self.signum = signum

    @property
    def code(self) -> int:
        """128 + signal number, as shells report it."""
        return 128 + self.signum


class RowError(Exception):
    """One record can't be taken as it is.

    `cause` is a fixed word for counting (`email_syntax`), `message` a sentence for the analyst,
    `field` the column or destination field concerned.
    """

    def __init__(self, cause: str, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.cause = cause
        self.message = message
        self.field = field


class CallRefused(Exception):
    """The vendor refused one call (HTTP 4xx other than auth, quota and rate).

    `status` is the HTTP status, `body` the decoded answer (may be None). The text of the exception
    names only method, route and status: vendors echo values in their messages.
    """

    def __init__(self, route: str, status: int, body: Any = None) -> None:
        super().__init__(f"{route} was refused with status {status}")
        self.route = route
        self.status = status
        self.body = body


class CallFailed(Exception):
    """One call failed after its retries and is known not to have been applied."""


class OutcomeUnknown(Exception):
    """A write was sent and its fate is not known (timeout, reset, cut answer, 5xx)."""
