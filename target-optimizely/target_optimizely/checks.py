"""Questions to the vendor before anything is changed: does the list fit, is it at rest?"""

from __future__ import annotations

from optimizely_soap.faults import SoapFault
from target_kit.errors import ConfigurationError, GuardTripped, LockedError

from target_optimizely import guards
from target_optimizely.client import Campaign
from target_optimizely.kinds import check_kind, kind_in_data_set
from target_optimizely.model import SYSTEM_COLUMNS
from target_optimizely.settings import ListSettings

#: Mailings that go to whole lists; the other types are sent to one recipient at a time.
MAILING_TYPES = ("regular", "split", "campaign", "event")
#: A paused mailing goes on with the list it finds then.
BUSY_STATUSES = ("SENDING", "PAUSED")


def check_list(campaign: Campaign, settings: ListSettings) -> list[str]:
    """Refuse a list that is not there, of the wrong kind or without our attributes (S1-12, S1-28).

    Returns the attributes a snapshot needs: all that a client can write. Raises ConfigurationError.
    """
    if settings.list_id not in campaign.list_ids():
        raise ConfigurationError(
            f"lists.{settings.name}.list_id: this client has no list {settings.list_id}"
        )
    attributes = campaign.attribute_names_all_locales(settings.list_id)
    guards.check_attributes(settings, attributes)
    check_kind(settings, kind_in_data_set(campaign.list_data_set(), settings.list_id))
    return [name for name in attributes if name not in SYSTEM_COLUMNS]


def check_at_rest(campaign: Campaign, settings: ListSettings) -> None:
    """Refuse to touch a list while a mailing to it is being sent (S1-27).

    Raises LockedError, and GuardTripped where the vendor doesn't tell.
    """
    try:
        busy = {
            mailing
            for kind in MAILING_TYPES
            for status in BUSY_STATUSES
            for mailing in campaign.mailing_ids_in_status(kind, status)
            if settings.list_id in campaign.mailing_list_ids(mailing)
        }
    except SoapFault as fault:
        raise GuardTripped(
            f"list {settings.name} ({settings.list_id}): whether a mailing to it is being sent "
            f"can't be told ({fault}); allow the API user to call RpcMailing, or set "
            "check_mailings: false and keep the hours of mailings and transfers apart"
        ) from None
    if busy:
        raise LockedError(
            f"list {settings.name} ({settings.list_id}): {len(busy)} mailing(s) to it are being "
            "sent or paused; the list is left as it was, run again when they are done"
        )
