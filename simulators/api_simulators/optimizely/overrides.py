"""Result codes on order: recipients picked by pattern get the code a test wants to see."""

from __future__ import annotations

import re

UNKNOWN_CODE = 99


def overrides(text: str) -> list[tuple[re.Pattern[str], int]]:
    """Return the pairs of a text like `^bad=7,@example.net$=6`; raises ValueError, re.error."""
    pairs: list[tuple[re.Pattern[str], int]] = []
    for part in filter(None, text.split(",")):
        pattern, separator, code = part.rpartition("=")
        if not separator:
            raise ValueError(part)
        pairs.append((re.compile(pattern), int(code)))
    return pairs


def is_override_list(text: object) -> bool:
    """Say whether `overrides` can read a text."""
    try:
        overrides(str(text))
    except (ValueError, re.error):
        return False
    return True
