"""A settings error in words: which setting, what it should be, never its value."""

from __future__ import annotations

from collections.abc import Mapping

from jsonschema import ValidationError


def describe_setting_fault(error: ValidationError) -> str:
    """`setting requests_per_second: type must be number`."""
    path = "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path
    ).lstrip(".")
    keyword = str(error.validator)
    where = f"setting {path}" if path else "settings"
    wanted = error.validator_value
    if keyword == "required" and isinstance(error.instance, Mapping) and isinstance(wanted, list):
        missing = [name for name in wanted if name not in error.instance]
        return f"{where}: {', '.join(missing)} missing"
    if keyword in ("type", "enum", "const", "minimum", "maximum", "minItems", "pattern"):
        return f"{where}: {keyword} must be {wanted}"
    return f"{where}: doesn't fit ({keyword})"
