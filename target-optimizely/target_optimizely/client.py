"""Campaign's operations as typed methods: one each, answers checked for shape and length.

Answers are matched to recipients by place, so an array of another length than what was asked about
means nothing: `UnexpectedAnswer`, never a guess. Signatures follow the vendor's WSDLs
(docs.developers.optimizely.com/optimizely-campaign/docs/soap-api).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from optimizely_soap.codec import (
    Parameter,
    Row,
    boolean,
    int_,
    long,
    rows,
    text,
    texts,
)
from optimizely_soap.faults import FaultKind, NotSoap, SoapFault
from optimizely_soap.session import SoapSession
from target_kit.errors import CredentialsError, OutcomeUnknown

from target_optimizely.shapes import (
    StoredRow,
    UnexpectedAnswer,
    as_text,
    check_length,
    check_rows,
    each,
    is_a,
    is_list_of,
    table,
)

LOCALES = ("de", "en")
#: Operations that change nothing; all others count as writes.
READING = frozenset(
    {
        "RpcSession.login", "RpcSession.logout", "RpcSession.getVersion",
        "RpcRecipientList.getAllIds", "RpcRecipientList.getAttributeNames",
        "RpcRecipientList.getDataSet", "RpcRecipientList.getName",
        "RpcRecipient.contains", "RpcRecipient.getAll", "RpcRecipient.getAllAdvanced",
        "RpcRecipient.getCount",
        "RpcUnsubscribe.containsAll", "RpcUnsubscribe.containsAllByRecipientList",
        "RpcBlacklist.areBlacklisted",
        "RpcResponse.getAllRecipientResponseCounts2", "RpcResponse.getBounceCounterThreshold",
        "RpcResponse.isBounceCounterThresholdExeeded",
        "RpcMailing.getIdsInStatus", "RpcMailing.getRecipientListIds",
    }
)  # fmt: skip
_ALL = long(0)  # a filter or mailing of 0 stands for none
T = TypeVar("T")
_NOT_ALLOWED = {FaultKind.CREDENTIALS, FaultKind.PERMISSION}


class Campaign:
    """The vendor's services for one client (mandator); thread-safe as its session is.

    Every method may raise what the transport raises, `CredentialsError` where the user is refused,
    `UnexpectedAnswer`, and `SoapFault` for what the caller has to judge. Texts must hold no
    characters that XML lacks (`ValueError`).
    """

    def __init__(self, session: SoapSession) -> None:
        self._session = session

    def version(self) -> str:
        """Version of the services; needs no login."""
        value = self._call("RpcSession", "getVersion", session=False)
        return as_text("RpcSession.getVersion", value)

    # ---- recipient lists

    def list_ids(self) -> list[int]:
        """Ids of all lists of the client (getAllIds)."""
        return self._ints("RpcRecipientList", "getAllIds")

    def list_name(self, list_id: int) -> str:
        """Name of a list (getName)."""
        value = self._call("RpcRecipientList", "getName", long(list_id))
        return as_text("RpcRecipientList.getName", value)

    def list_data_set(self) -> list[StoredRow]:
        """All lists, names of the columns first; which ones is not documented (getDataSet)."""
        return table("RpcRecipientList.getDataSet", self._call("RpcRecipientList", "getDataSet"))

    def attribute_names(self, list_id: int, locale: str = "en") -> list[str]:
        """Internal names of a list's attributes, the vendor's own columns in `locale`."""
        value = self._call(
            "RpcRecipientList", "getAttributeNames", long(list_id), text(locale)
        )  # fmt: skip
        return each(str, "RpcRecipientList.getAttributeNames", value)

    def attribute_names_all_locales(self, list_id: int) -> list[str]:
        """The same for German and English together, each name once."""
        names = (name for one in LOCALES for name in self.attribute_names(list_id, one))
        return list(dict.fromkeys(names))

    # ---- recipients of a list

    def count(self, list_id: int) -> int:
        """Number of recipients (getCount without filter)."""
        return self._one(int, "RpcRecipient", "getCount", long(list_id), _ALL)

    def contains(self, list_id: int, recipient_id: str) -> bool:
        """Whether a recipient is in the list."""
        return self._one(bool, "RpcRecipient", "contains", long(list_id), text(recipient_id))

    def clear(self, list_id: int) -> None:
        """Delete all recipients; irreversible. May be repeated: cleared twice is cleared."""
        self._void("RpcRecipient", "clear", long(list_id))

    def add_all3(
        self,
        list_id: int,
        optin_process: int,
        ids: Sequence[str],
        addresses: Sequence[str],
        names: Sequence[str],
        values: Sequence[Row],
    ) -> list[int]:
        """Insert recipients; a code each, in their order. Never repeated blindly.

        `values` has a row of `names` for each id. The number of codes is NOT checked: what to do
        when it differs is the caller's to decide, for the recipients may be stored.
        `OutcomeUnknown` where the answer can't be read at all.
        """
        check_rows(ids, names, values)
        if len(addresses) != len(ids):
            raise ValueError("every recipient has one address")
        if not ids:
            return []
        codes = self._call(
            "RpcRecipient", "addAll3", long(list_id), long(optin_process), texts(ids),
            texts(addresses), texts(names), rows(values), repeatable=False,
        )  # fmt: skip
        if is_list_of(codes, int):
            return codes
        raise OutcomeUnknown("RpcRecipient.addAll3 was answered without codes")

    def remove_all(self, list_id: int, ids: Sequence[str]) -> list[bool]:
        """Take recipients out of the list; False for one that was not in it (any more)."""
        return self._flags(ids, "RpcRecipient", "removeAll", long(list_id), texts(ids))

    def set_attributes_in_batch_flat(
        self, list_id: int, ids: Sequence[str], names: Sequence[str], values: Sequence[Row]
    ) -> None:
        """Set the same attributes of many recipients; one unknown id faults the whole call."""
        check_rows(ids, names, values)
        if ids:
            flat = [value for row in values for value in row]
            self._void(
                "RpcRecipient", "setAttributesInBatchFlat", long(list_id), texts(ids),
                texts(names), texts(flat),
            )  # fmt: skip

    def get_all(self, list_id: int, names: Sequence[str]) -> list[StoredRow]:
        """All recipients, a row of `names` each, in one answer."""
        value = self._call("RpcRecipient", "getAll", long(list_id), texts(names))
        return table("RpcRecipient.getAll", value, len(names))

    def get_all_advanced(
        self,
        list_id: int,
        names: Sequence[str],
        order_by: str | None,
        page_start: int,
        page_size: int,
    ) -> list[StoredRow]:
        """A page of recipients in ascending order of an attribute, None for any order.

        Whether `page_start` counts from 0, and how large a page may be, is not documented.
        """
        value = self._call(
            "RpcRecipient", "getAllAdvanced", long(list_id), texts(names), _ALL, text(order_by),
            boolean(True), int_(page_start), int_(page_size),
        )  # fmt: skip
        return table("RpcRecipient.getAllAdvanced", value, len(names))

    # ---- who must not get mail

    def unsubscribed(self, ids: Sequence[str]) -> list[bool]:
        """Who is unsubscribed from the client as a whole (containsAll)."""
        return self._flags(ids, "RpcUnsubscribe", "containsAll", texts(ids))

    def unsubscribed_from(self, list_id: int, ids: Sequence[str]) -> list[bool]:
        """Who is unsubscribed from one list (containsAllByRecipientList)."""
        return self._flags(
            ids, "RpcUnsubscribe", "containsAllByRecipientList", long(list_id), texts(ids)
        )

    def blocklisted(self, addresses: Sequence[str]) -> list[bool]:
        """Which addresses match an entry of the blocklist (areBlacklisted)."""
        return self._flags(addresses, "RpcBlacklist", "areBlacklisted", texts(addresses))

    def bounce_threshold(self, category: str) -> int:
        """From how many bounces of a category (hardbounce, softbounce) nothing is sent any more."""
        return self._one(int, "RpcResponse", "getBounceCounterThreshold", text(category))

    def response_counts(self, category: str, ids: Sequence[str]) -> list[int]:
        """Responses of a category for each recipient, over all mailings."""
        if not ids:
            return []
        operation = "getAllRecipientResponseCounts2"
        counts = self._ints("RpcResponse", operation, text(category), texts(ids), _ALL)
        check_length(f"RpcResponse.{operation}", counts, len(ids))
        return counts

    def bounced_out(self, recipient_id: str) -> bool:
        """Whether a recipient bounced too often (the vendor spells it Exeeded)."""
        return self._one(
            bool, "RpcResponse", "isBounceCounterThresholdExeeded", text(recipient_id)
        )  # fmt: skip

    # ---- mailings

    def mailing_ids_in_status(self, mailing_type: str, status: str) -> list[int]:
        """Mailings of a type (regular, event, ...) in a status (SENDING, ...)."""
        return self._ints("RpcMailing", "getIdsInStatus", text(mailing_type), text(status))

    def mailing_list_ids(self, mailing_id: int) -> list[int]:
        """Lists that a mailing goes to (getRecipientListIds)."""
        return self._ints("RpcMailing", "getRecipientListIds", long(mailing_id))

    # ---- shapes

    def _call(
        self,
        service: str,
        operation: str,
        *params: Parameter,
        repeatable: bool = True,
        session: bool = True,
    ) -> object:
        route = f"{service}.{operation}"
        send = self._session.call if session else self._session.call_without_session
        try:
            return send(service, operation, *params, repeatable=repeatable)
        except SoapFault as fault:
            if fault.kind not in _NOT_ALLOWED:
                fault.add_note(route)  # a fault does not say which call it is about
                raise
            refused, why = True, str(fault)
        except NotSoap as error:
            refused, why = False, str(error)
        if refused:
            raise CredentialsError(f"{route}: {why}; check user, password and its permissions")
        if not repeatable:
            raise OutcomeUnknown(f"{route} was answered with something unreadable: {why}")
        raise UnexpectedAnswer(f"{route} was answered with something unreadable: {why}")

    def _one(self, kind: type[T], service: str, operation: str, *params: Parameter) -> T:
        value = self._call(service, operation, *params)
        if is_a(value, kind):
            return value
        raise UnexpectedAnswer(f"{service}.{operation} was not answered with {kind.__name__}")

    def _void(self, service: str, operation: str, *params: Parameter) -> None:
        if self._call(service, operation, *params) is not None:
            raise UnexpectedAnswer(f"{service}.{operation} was answered with a value")

    def _ints(self, service: str, operation: str, *params: Parameter) -> list[int]:
        return each(int, f"{service}.{operation}", self._call(service, operation, *params))

    def _flags(
        self, asked: Sequence[str], service: str, operation: str, *params: Parameter
    ) -> list[bool]:
        """A boolean for each that was asked about."""
        if not asked:
            return []
        route = f"{service}.{operation}"
        flags = each(bool, route, self._call(service, operation, *params))
        check_length(route, flags, len(asked))
        return flags
