"""A JSON schema → a typed decoder that accepts only what the schema accepts.

It may refuse valid records (the caller asks a full validator then), it never accepts an invalid
one. `None` where a schema can't be expressed that way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

Acquit = Callable[[Any], object]


def sieve_decoder(
    schema: Mapping[str, Any],
    keys: Sequence[str],
    free: Sequence[str],
    *,
    validate: bool,
) -> Acquit | None:
    """Decoder for whole records: every key present, `free` columns of any value."""
    return None
