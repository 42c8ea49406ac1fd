"""Nothing personal and nothing forged in logs (E3, E5, E7, E11)."""

from __future__ import annotations

import copy
import errno
import hashlib
import hmac
import logging
import os
import secrets
import stat
from pathlib import Path
from typing import Any, Self

from target_kit.clock import Clock, SystemClock
from target_kit.errors import ConfigurationError

_KEY_BYTES = 32
_KEY_FILE = "log-hash.key"
_HASH_CHARACTERS = 12
_LONG_HASH_CHARACTERS = 32

_HTTP_LOGGERS = (
    "requests",
    "urllib3",
    "urllib3.connection",
    "urllib3.connectionpool",
    "urllib3.poolmanager",
    "urllib3.response",
    "urllib3.util.retry",
)


def escape(text: str) -> str:
    """`text` on one line that shows what it is: control, ANSI, bidi and broken characters escaped.

    Without it a value `x\\nCRITICAL ...` forges a line of the log, and an ANSI sequence hides one.
    """
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text
    )


class SafeRecord(logging.LogRecord):
    """A log record whose message is one escaped line, whoever formats it."""

    def getMessage(self) -> str:  # noqa: N802 - the name is logging's
        """See `logging.LogRecord`; a message that does not fit its values says only that."""
        try:
            text = super().getMessage()
        except (TypeError, ValueError, KeyError):
            # `logging` would print template and values to stderr.
            text = f"a log message could not be formatted ({self.pathname}:{self.lineno})"
        return escape(text)


class SafeFormatter(logging.Formatter):
    """Escapes every line; lines of a trace begin with a bar, so that none passes as ours."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        fresh = copy.copy(record)
        fresh.exc_text = None  # another formatter may have left its own text here
        return super().format(fresh)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """See `logging.Formatter`."""
        return escape(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name is logging's
        """See `logging.Formatter`."""
        return _barred(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 - the name is logging's
        """See `logging.Formatter`."""
        return _barred(super().formatStack(stack_info))


def _barred(text: str) -> str:
    return "\n".join(f"  | {escape(line)}" for line in text.split("\n"))


def guard_logs() -> None:
    """Make every record of this process a `SafeRecord` and quieten the HTTP libraries."""
    logging.setLogRecordFactory(SafeRecord)
    quiet_http_loggers()


class _OnlyErrors(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.ERROR


_only_errors = _OnlyErrors()


def quiet_http_loggers() -> None:
    """Cap the HTTP libraries' loggers, whatever the root level is or a later config says.

    At DEBUG urllib3 prints every path with its query, so e-mail addresses; at WARNING it still
    prints the whole URL of an answer with broken headers. Hence errors only. The filter stays when
    somebody sets the level anew.
    """
    for name in _HTTP_LOGGERS:
        logger = logging.getLogger(name)
        logger.setLevel(logging.ERROR)
        logger.addFilter(_only_errors)


class KeyHasher:
    """Names a person in logs and reports without naming them: HMAC-SHA256, 12 hex digits.

    Keyed, because a plain hash of an e-mail address is found by guessing; 12 digits tell a few
    million people apart well enough to follow one through a log.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < _KEY_BYTES:
            raise ValueError(f"key needs at least {_KEY_BYTES} bytes")
        self._key = key

    @classmethod
    def from_state_dir(cls, state_dir: Path, clock: Clock | None = None) -> Self:
        """Hasher with the key of `state_dir`, which is made (0600) on first use.

        Raises `ConfigurationError` when the key file is a link, readable by others or not ours.
        """
        path = state_dir / _KEY_FILE
        try:
            state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            key = _make_key(path)
            return cls(key if key is not None else _read_key(path, clock or SystemClock()))
        except OSError as error:
            what = "is a symbolic link" if error.errno == errno.ELOOP else str(error.strerror)
            raise ConfigurationError(f"state_dir: {path} can't be used: {what}") from None

    @staticmethod
    def has_key(state_dir: Path) -> bool:
        """Whether `from_state_dir` would find a key and make none."""
        return (state_dir / _KEY_FILE).exists()

    def __call__(self, key: str) -> str:
        """Hash of a person's key."""
        return self.long(key)[:_HASH_CHARACTERS]

    def long(self, key: str) -> str:
        """The same with 32 hex digits (128 bits), for what must never be taken for another."""
        message = key.encode("utf-8", "surrogatepass")
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()[:_LONG_HASH_CHARACTERS]


def _make_key(path: Path) -> bytes | None:
    """Write a new key; None if there is a file already."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        return None
    key = secrets.token_bytes(_KEY_BYTES)
    with os.fdopen(fd, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key


def _read_key(path: Path, clock: Clock) -> bytes:
    for _ in range(20):
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
                raise ConfigurationError(f"state_dir: {path} is not a file of this user; remove it")
            if found.st_mode & 0o077:
                raise ConfigurationError(f"state_dir: {path} is open to others; remove it")
            key = file.read(_KEY_BYTES + 1)
        if len(key) == _KEY_BYTES:
            return key
        clock.sleep(0.05)  # another process may be between creating and writing
    raise ConfigurationError(f"state_dir: {path} is not a key of {_KEY_BYTES} bytes; remove it")
