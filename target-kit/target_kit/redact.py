"""Nothing personal and nothing forged in logs."""

from __future__ import annotations

import logging

_HTTP_LOGGERS = ("urllib3", "requests")


def quiet_http_loggers() -> None:
    """Cap the loggers of the HTTP libraries, whatever the root level is (they print URLs)."""
    for name in _HTTP_LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
