"""Values of recipient fields: what a field takes, how it is stored, how times are read back."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from api_simulators.optimizely.model import TEXT_TYPES, Attribute
from api_simulators.optimizely.operations import BusinessError
from api_simulators.switches import Switches

INTEGER_BITS = {"SHORT": 16, "INTEGER": 32, "LONG": 64}
BOOLEANS = {
    "true_false": {"true": "true", "false": "false"},
    "one_zero": {"1": "true", "0": "false"},
    "any": {"true": "true", "false": "false", "1": "true", "0": "false"},
}


class Converter:
    """Brings text into the form of a field, as the switches stand when it is made."""

    def __init__(self, switches: Switches) -> None:
        self._nil_on_number = switches["nil_on_number"] == "accepted"
        self._truncate = switches["over_long"] == "truncate"
        self._booleans = BOOLEANS[switches["boolean_literals"]]
        self._zone = ZoneInfo(switches["server_timezone"])

    def takes_as_is(self, attribute: Attribute) -> bool:
        """Say whether every text is stored unchanged."""
        return attribute.type in TEXT_TYPES and not attribute.length

    def convert(self, attribute: Attribute, value: str | None) -> str | None:
        """Return the stored form; raises BusinessError, which faults the whole call."""
        if attribute.type in TEXT_TYPES:
            return self._text(attribute, value)
        if value is None:
            if not self._nil_on_number:
                raise _refused(attribute, "null")
            return None
        try:
            return self._typed(attribute.type, value)
        except (ValueError, InvalidOperation, OverflowError, KeyError) as error:
            raise _refused(attribute, value) from error

    def _text(self, attribute: Attribute, value: str | None) -> str | None:
        if value is None or not attribute.length or len(value) <= attribute.length:
            return value
        if self._truncate:
            return value[: attribute.length]
        raise BusinessError(f"Value too long for attribute '{attribute.name}'")

    def _typed(self, kind: str, value: str) -> str:
        if kind in INTEGER_BITS:
            return _integer(value, INTEGER_BITS[kind])
        if kind == "BOOLEAN":
            return self._booleans[value.lower()]
        if kind == "DATE":
            return date.fromisoformat(value[:10]).isoformat() if _is_date(value) else _fail(value)
        if kind == "TIMESTAMP":
            return self.shown(_moment(value))
        number = Decimal(value)
        if not number.is_finite() or not re.fullmatch(r"[-+.\deE]+", value, re.ASCII):
            raise ValueError(value)
        return str(number) if kind == "DECIMAL" else _float(float(value))

    def shown(self, seconds: float) -> str:
        """Return a time as it is read back: ISO 8601 with the server's offset."""
        moment = datetime.fromtimestamp(math.floor(seconds), UTC).astimezone(self._zone)
        return moment.isoformat()


def _integer(value: str, bits: int) -> str:
    if not re.fullmatch(r"[+-]?\d{1,19}", value, re.ASCII):
        raise ValueError(value)
    number = int(value)
    if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
        raise OverflowError(value)
    return str(number)


def _float(number: float) -> str:
    if math.isinf(number):
        raise OverflowError
    return repr(number)


def _is_date(value: str) -> bool:
    return len(value) == 10 or value[10:11] == "T"


def _fail(value: str) -> str:
    raise ValueError(value)


def _moment(value: str) -> float:
    moment = datetime.fromisoformat(value)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _refused(attribute: Attribute, value: str) -> BusinessError:
    return BusinessError(
        f"Cannot convert value '{value}' of attribute '{attribute.name}' to {attribute.type}"
    )
