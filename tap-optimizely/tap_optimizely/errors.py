"""What can stop the tap, named by what happens next.

TapError                  one clear line on stderr, never a value, never a credential
├── SettingsError         exit 2: the user changes a setting and runs again
├── AccessError           exit 3: credentials, permission, or the closed loop is not set up
├── GapError              exit 4: responses are lost for certain; the user accepts that, or not
├── LayoutError           exit 6: an export or a file has another shape than agreed
├── VendorError           exit 7: the vendor does not answer, after all tries
└── ReaderGoneError       exit 1: the target has ended; its own log says why
"""

from __future__ import annotations

EXIT_UNEXPECTED = 1
EXIT_SETTINGS = 2
EXIT_ACCESS = 3
EXIT_GAP = 4
EXIT_LAYOUT = 6
EXIT_VENDOR = 7


class TapError(Exception):
    """Stops the run; `exit_code` is what the shell sees."""

    exit_code = EXIT_UNEXPECTED


class SettingsError(TapError):
    """Settings are missing, malformed or contradict each other."""

    exit_code = EXIT_SETTINGS

    def __init__(self, problems: str | list[str]) -> None:
        """Take one problem or several; each begins with the name of its setting."""
        self.problems = [problems] if isinstance(problems, str) else problems
        super().__init__("; ".join(self.problems))


class AccessError(TapError):
    """The vendor refuses the login, the operation, or this machine."""

    exit_code = EXIT_ACCESS


class GapError(TapError):
    """Responses were deleted by the vendor before they were fetched (S1-37)."""

    exit_code = EXIT_GAP


class LayoutError(TapError):
    """Columns, times or lines are not what was agreed on."""

    exit_code = EXIT_LAYOUT


class VendorError(TapError):
    """The vendor cannot be reached, or answers with nothing that makes sense."""

    exit_code = EXIT_VENDOR


class ReaderGoneError(TapError):
    """Nobody reads the output any more: the target has ended."""
