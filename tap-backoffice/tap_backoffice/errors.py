"""What can stop the tap, named by what happens next.

TapError                  one clear line on stderr, never a value, never a credential
├── SettingsError         exit 2: the user changes a setting and runs again
├── ReaderGoneError       exit 1: the target has ended; its own log says why
└── SourceError           exit 1: the database does not answer, or answered wrongly
    └── UnsortedError     exit 1: rows came in another order than asked for
"""

from __future__ import annotations

EXIT_UNEXPECTED = 1
EXIT_SETTINGS = 2


class TapError(Exception):
    """Stops the run; `exit_code` is what the shell sees."""

    exit_code = EXIT_UNEXPECTED


class SettingsError(TapError):
    """A setting is missing, malformed, or names something the database does not have."""

    exit_code = EXIT_SETTINGS

    def __init__(self, problems: str | list[str]) -> None:
        """Take one problem or several; each begins with the name of its setting."""
        self.problems = [problems] if isinstance(problems, str) else problems
        super().__init__("; ".join(self.problems))


class SourceError(TapError):
    """The database cannot be reached, refuses, or broke off."""


class ReaderGoneError(TapError):
    """Nobody reads the output any more: the target has ended."""


class UnsortedError(SourceError):
    """The source broke the order by replication key, so a bookmark would lose rows."""
