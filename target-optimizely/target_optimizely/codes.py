"""What the codes of addAll3 mean for a row. Pure.

Source: docs.developers.optimizely.com/optimizely-campaign/docs/addall3.
"""

from __future__ import annotations

from target_kit.outcome import Outcome, Result, Step

_MEANING: dict[int, tuple[Outcome, str, str]] = {
    0: (Outcome.APPLIED, "", ""),
    1: (Outcome.REJECTED, "validation", "the vendor does not take the address or a value"),
    2: (Outcome.SUPPRESSED, "unsubscribed", "is unsubscribed"),
    3: (Outcome.SUPPRESSED, "blocklisted", "is on the blocklist"),
    4: (Outcome.SUPPRESSED, "bounced_out", "bounced too often"),
    6: (Outcome.REJECTED, "filtered", "the vendor filtered it"),
    7: (Outcome.FAILED, "general_error", "the vendor reports a general error"),
}
_ALREADY_THERE = 5
ID_TAKEN = "id_taken"


def result_of(code: int, *, sent_before: bool) -> Result:
    """The outcome of one row.

    `sent_before`: this run has sent the row already without learning its fate, so "already in the
    list" means that it was taken then (S1-26). Otherwise somebody else put the id there, and its
    values are not ours. A code nobody has documented is never a success.
    """
    if code == _ALREADY_THERE and sent_before:
        return Result(Outcome.APPLIED, Step.INSERT, "confirmed_by_repeating")
    if code == _ALREADY_THERE:
        message = "the list holds this id already, perhaps in another case; nothing was written"
        return Result(Outcome.REJECTED, Step.INSERT, ID_TAKEN, message)
    outcome, cause, message = _MEANING.get(
        code, (Outcome.REJECTED, "unknown_code", f"the vendor answered with unknown code {code}")
    )
    return Result(outcome, Step.INSERT, cause, message)
