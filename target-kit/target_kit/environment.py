"""Settings from environment variables in the shape they have in a file. Pure.

Meltano hands a setting of kind object over flat, `{"people.attributes.Land": "country"}`; numbers
that are not whole are texts to the SDK.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any


def as_in_a_file(found: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    """`found` by name of the setting, `properties` their JSON schemas."""
    settings = dict(found)
    for name in found.keys() & properties.keys():
        kinds = properties[name].get("type", ())
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if "number" in kinds:
            with suppress(ValueError, TypeError):  # what is none is named by the validation
                settings[name] = float(found[name])
        elif "object" in kinds and _is_flat(found[name]):
            settings[name] = nested(found[name])
    return settings


def _is_flat(value: Any) -> bool:
    """Whether it is an object without objects in it: a name with a dot may be a stream's else."""
    return isinstance(value, Mapping) and not any(
        isinstance(one, Mapping) and one for one in value.values()
    )


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Names with dots as objects in objects; as Meltano does it where it writes a file."""
    whole: dict[str, Any] = {}
    for name, value in flat.items():
        *folders, last = name.split(".")
        place = whole
        for folder in folders:
            inner = place.setdefault(folder, {})
            if not isinstance(inner, dict):  # a value and an object of one name: nobody's setting
                inner = place[folder] = {}
            place = inner
        place[last] = value
    return whole
