"""ActiveCampaign's error bodies; each is raised by the rule that finds the error."""

from __future__ import annotations

from typing import Any

from api_simulators.wire import Answer, json_answer


class ApiError(Exception):
    """An answer other than success."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def _error(status: int, payload: Any) -> ApiError:
    return ApiError(json_answer(status, payload))


def message(status: int, text: str) -> ApiError:
    """`{"message": text}`."""
    return _error(status, {"message": text})


def malformed() -> ApiError:
    """400 `{}`: the body is not what this endpoint reads at all."""
    return _error(400, {})


def not_found(kind: str, number: str | int, *, status: int = 404) -> ApiError:
    """A missing Subscriber, _List, Tag, Field, SubscriberTag, ...; sometimes told as 403."""
    return message(status, f"No Result found for {kind} with id {number}")


def delete_not_found(number: str | int) -> ApiError:
    """DELETE of a missing contact, which is worded differently."""
    return message(404, f"No result found for contact with id {number}")


def titled(status: int, title: str, detail: str | None = None) -> ApiError:
    """`{"errors":[{"status","title","detail"?}]}`, the shape without a code."""
    error: dict[str, Any] = {"status": status, "title": title}
    if detail is not None:
        error["detail"] = detail
    return _error(status, {"errors": [error]})


def invalid(
    code: str, title: str, pointer: str | None, *, detail: str = "", extra: str | None = None
) -> ApiError:
    """422 in the JSON:API-like shape; `pointer` is the attribute's name."""
    error: dict[str, Any] = {"title": title, "detail": detail, "code": code}
    if extra is not None:
        error["error"] = extra
    if pointer is not None:
        error["source"] = {"pointer": f"/data/attributes/{pointer}"}
    return _error(422, {"errors": [error]})


def missing_attribute(pointer: str) -> ApiError:
    """422 as newer endpoints word a missing attribute."""
    source = {"pointer": f"/data/attributes/{pointer}"}
    error = {"status": 422, "title": "Missing attribute", "source": source}
    return _error(422, {"errors": [error]})


def invalid_attribute(pointer: str, detail: str) -> ApiError:
    """422 as newer endpoints word an invalid attribute."""
    source = {"pointer": f"/data/attributes/{pointer}"}
    error = {"status": 422, "title": "Invalid attribute", "detail": detail, "source": source}
    return _error(422, {"errors": [error]})


def errors_text(text: str) -> ApiError:
    """422 where `errors` is a string, as fieldOption/bulk answers."""
    return _error(422, {"errors": text})


def email_duplicate() -> ApiError:
    """The address belongs to another contact."""
    return invalid("duplicate", "Email address already exists in the system", "email")


def email_invalid() -> ApiError:
    """The address is not one."""
    title = "Contact Email Address is not valid."
    return invalid("email_invalid", title, "email", extra="must_be_valid_email_address")


def email_missing() -> ApiError:
    """No address was given where one is needed."""
    return invalid("field_missing", "Contact Email Address was not provided.", "email")


def import_refused(text: str, reasons: list[Any] | None = None) -> ApiError:
    """400 of the import endpoints."""
    payload: dict[str, Any] = {"success": 0, "message": text}
    if reasons is not None:
        payload["failureReasons"] = reasons
    return _error(400, payload)
