"""Fault texts, sorted by what happens next and stripped of everything but fixed words.

The vendor has no fault codes, only texts with Java class names in front, and they echo session ids,
user names, recipient ids and attribute values. So a text is sorted by regular expressions, then
thrown away: `SoapFault` keeps the kind and a phrase that is written here.

Values come from customers: somebody's name must not be able to look like "Invalid credentials" and
end the run. What ends or repeats a call is therefore recognised only at the head of the message,
before ` for call:`, never inside quotes or a nested cause.
"""

from __future__ import annotations

import re
from enum import StrEnum


class FaultKind(StrEnum):
    """What a fault is about."""

    SESSION = "session"  # the session is unknown or too old: log in again
    CREDENTIALS = "credentials"  # the login itself was refused
    PERMISSION = "permission"  # user, operation or address of this machine is not allowed
    NOT_FOUND = "not_found"  # one or more recipients are not in the list
    NO_UNSUBSCRIBE = "no_unsubscribe"  # nothing to take back
    OTHER = "other"


class SoapFault(Exception):
    """The service refused a call. `str()` is a fixed phrase without any value of the message."""

    def __init__(self, kind: FaultKind, phrase: str) -> None:
        super().__init__(phrase)
        self.kind = kind

    def __reduce__(self) -> tuple[type[SoapFault], tuple[FaultKind, str]]:
        return (type(self), (self.kind, str(self)))


class NotSoap(Exception):
    """The body is no answer to the call: no envelope, cut, with a DTD, or of another shape."""


UNKNOWN = "a fault with an unknown text"

_CLASSES = re.compile(r"\s*((?:[A-Za-z_$][\w$]*\.)+[A-Za-z_$][\w$]*:\s*)*", re.ASCII)
_ORIGIN = re.compile(r"\[[^\[\],]*,[^\[\],]*,[^\[\]]*\]\s*")
_QUOTED = re.compile(r"['\"].*['\"]", re.DOTALL)
_SESSION_CLASS = re.compile(r"\bInvalidWebserviceSessionException\b")
_CAUSED_BY = re.compile(r"; caused by: ")
_GUESSED_FROM = 300  # characters of a head in which guesses are looked for

# Heads that were seen, or stand in the engine's source (Axis 1.4).
_KNOWN = (
    (FaultKind.SESSION, re.compile(r"Invalid sessionId\b"), "Invalid sessionId"),
    (FaultKind.CREDENTIALS, re.compile(r"Invalid credentials\b"), "Invalid credentials"),
    (FaultKind.NOT_FOUND, re.compile(r"Recipient does not exists?\b"), "Recipient does not exist"),
    (
        FaultKind.NOT_FOUND,
        re.compile(r"Recipients? .*\bdo not exist\b", re.DOTALL),
        "Recipients do not exist",
    ),
    (FaultKind.NO_UNSUBSCRIBE, re.compile(r"No unsubscribe found\b"), "No unsubscribe found"),
    (FaultKind.OTHER, re.compile(r"Error updating users in userlist\b"), "Error updating users"),
    (FaultKind.OTHER, re.compile(r"No such operation\b"), "No such operation"),
    (FaultKind.OTHER, re.compile(r"Bad types\b"), "Bad types"),
    (FaultKind.OTHER, re.compile(r"no SOAPAction header"), "no SOAPAction header"),
    (FaultKind.OTHER, re.compile(r"For input string\b"), "a value that is no number"),
)

# Heads that nobody recorded; only ever used outside of quotes.
_GUESSED = (
    (
        FaultKind.SESSION,
        re.compile(
            r"\bsession(?: id)?\b.{0,40}\b(?:expired|invalid|unknown|timed out)\b"
            r"|\b(?:expired|invalid|unknown) session\b",
            re.IGNORECASE,
        ),
        "the session is not valid",
    ),
    (
        FaultKind.CREDENTIALS,
        re.compile(
            r"\b(?:login|logon|authentication)\b.{0,20}\b(?:failed|refused|denied)\b"
            r"|\b(?:wrong|invalid|incorrect|expired) password\b"
            r"|^(?:the )?(?:api )?(?:user|account)\b.{0,40}\b(?:locked|disabled|unknown)\b",
            re.IGNORECASE,
        ),
        "the login is not accepted",
    ),
    (
        FaultKind.PERMISSION,
        re.compile(
            # Values are refused too ("... not allowed in this field"): that is no matter of rights.
            r"\b(?:access|permission) (?:denied|forbidden)\b|\bINTERFACE_WEBSERVICE\b"
            r"|\b(?:no|missing|insufficient|lacks?)\b.{0,30}\b(?:permission|privilege)s?\b"
            r"|\bnot authori[sz]ed\b|\bnot (?:allowed|permitted) to (?:call|use|access|execute)\b"
            r"|\b(?:user|operation|service|method)\b.{0,40}\bnot (?:allowed|permitted|whitelisted)"
            r"|\bIP\b.{0,60}\b(?:not|denied|refused|blocked)\b",
            re.IGNORECASE,
        ),
        "the user may not do this",
    ),
    (
        FaultKind.OTHER,
        re.compile(r"\blist does not exist", re.IGNORECASE),
        "the list does not exist",
    ),
    (
        FaultKind.OTHER,
        re.compile(r"\battribute\b.{0,40}\bnot exist|\bunknown attribute\b", re.IGNORECASE),
        "an attribute does not exist",
    ),
    (
        FaultKind.OTHER,
        re.compile(r"\b(?:cannot|can't|could not) (?:convert|parse)\b", re.IGNORECASE),
        "a value could not be converted",
    ),
    (
        FaultKind.OTHER,
        re.compile(r"\btoo many (?:elements|recipients|connections)\b", re.IGNORECASE),
        "too many at once",
    ),
)
# Axis 1.4, org.apache.axis.Constants: Server.Unauthenticated, Server.Unauthorized.
_NOT_ALLOWED_CODE = re.compile(r"(?:.*:)?Server\.Un(?:authenticated|authori[sz]ed)")


def fault_of(text: str, code: str = "") -> SoapFault:
    """The fault behind `faultstring` and `faultcode`, without their words."""
    return SoapFault(*_judge(text, code))


def classify(text: str, code: str = "") -> FaultKind:
    """What the text of a fault is about."""
    return _judge(text, code)[0]


def redact(text: str) -> str:
    """The fixed phrase that stands for `text`; nothing of `text` itself."""
    return _judge(text, "")[1]


def _judge(text: str, code: str) -> tuple[FaultKind, str]:
    first, *causes = _CAUSED_BY.split(text)
    prefix, head = _head(first)
    if _SESSION_CLASS.search(prefix):
        return FaultKind.SESSION, "Invalid sessionId"
    known = _look_up(head)
    # A nested cause may say more, but it may also be a value: it never ends or repeats anything.
    for cause in causes if known is None or known[0] is FaultKind.OTHER else ():
        nested = _look_up(_head(cause)[1])
        if nested is not None and nested[0] in {FaultKind.NOT_FOUND, FaultKind.NO_UNSUBSCRIBE}:
            return nested
    if known is not None:
        return known
    plain = _QUOTED.sub("", head)[:_GUESSED_FROM]
    for kind, pattern, phrase in _GUESSED:
        if pattern.search(plain):
            return kind, phrase
    if _NOT_ALLOWED_CODE.fullmatch(code.strip()):
        return FaultKind.PERMISSION, "the user may not do this"
    return FaultKind.OTHER, UNKNOWN


def _head(text: str) -> tuple[str, str]:
    """Java class names in front, and the message up to where it lists the call's values."""
    found = _CLASSES.match(text)
    prefix = found.group() if found else ""
    message = text[len(prefix) :].split(" for call:", 1)[0]
    origin = _ORIGIN.match(message)
    return prefix, message[origin.end() :] if origin else message


def _look_up(head: str) -> tuple[FaultKind, str] | None:
    return next(((kind, phrase) for kind, known, phrase in _KNOWN if known.match(head)), None)
