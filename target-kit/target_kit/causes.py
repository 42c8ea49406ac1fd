"""What each fixed word for a cause means and what to do about it, in a sentence for people.

Words that a record's cause may be come from the kit and from all targets, so that the report's page
has one place to look them up. A word without a sentence is shown alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_REFUSED = re.compile(r"refused_(\d{3})")

#: The record itself, or how it fits its settings.
_RECORDS = {
    "schema": "The record does not match what the tap declared. Correct the source or the tap.",
    "encoding": "A value is no valid text. Correct it in the source.",
    "control_characters": "A value holds control characters. Correct it in the source.",
    "nul_character": "A value holds a NUL character. Correct it in the source.",
    "too_long": "A value is longer than its column. Correct it, or widen the column.",
    "value_does_not_fit": "A value does not fit the type of its column. Correct it in the source.",
    "email_syntax": "The address is not written as one can be. Correct it in the backoffice.",
    "no_email": "The record has no address, so there is nobody to write to.",
    "no_name": "The account has no name. Give it one in the backoffice.",
    "key_missing": "The columns of the key are empty. Correct them in the source.",
    "key_format": "The key is not written as keys are here. Correct it, or see key_type.",
    "field_structure": "A value is a list or an object where one value is wanted.",
    "field_number": "A value is no number. Correct it, or see the field's type.",
    "field_date": "A value is no date. Correct it, or see the field's type.",
    "field_datetime": "A value is no time with its offset. Correct it, or see the field's type.",
    "field_currency": "An amount can't be sent in its currency. See currency and digits.",
    "field_length": "A value is longer than the destination takes. Shorten it in the backoffice.",
    "field_option": "The field has no such option. Add it there, or correct the value.",
    "contradicting_rows": "Rows of one key want different things. Order them by version_column.",
    "repeated_row": "The same row came several times and was written once.",
    "older_version": "A newer row of the same record was there.",
    "later_record_of_this_key": "A later record of the same key was there.",
    "address_shared": "Several persons of the run share this address. See on_duplicate_email.",
    "name_shared": "Several accounts of the run share this name. See on_duplicate_name.",
    "duplicate_address": "Another row of this address stands for it. See duplicates.",
    "duplicate_id": "Another row of this recipient id stands for it. See duplicates.",
    "not_attempted": "The run ended before its turn. It comes again with the next run.",
}

#: Who is who at the destination.
_IDENTITY = {
    "ambiguous_key": "Several contacts or accounts carry this key. Clear all but one there.",
    "ambiguous_address": "Several contacts have this address. Merge them there.",
    "ambiguous_name": "Several accounts have this name. Rename or merge them there.",
    "ambiguous_account_key": "Several accounts carry the key. Clear all but one there.",
    "key_field_unreadable": "The key field there holds no key. Correct it there.",
    "address_of_other_key": "The address is on the contact of another key. Merge the two persons "
    "in the backoffice, or correct one address.",
    "address_of_former_contact": "The contact with this address was given up before. Delete it "
    "there, or clear its key field, if the address is this person's.",
    "address_taken": "The new address is on another contact. Nothing was changed; merge the two.",
    "address_reserved": "The address exists there, but its contact is not shown. Try again later.",
    "address_not_taken_over": "The destination kept the old address. Look at the contact there.",
    "name_of_other_key": "The account of this name carries another key. Correct one of the two.",
    "name_taken": "Another account has the new name. Nothing was changed; rename one of the two.",
    "name_reserved": "The name exists there, but its account is not shown. See the key's rights.",
    "contact_gone": "The contact was deleted there. See on_contact_gone.",
    "account_gone": "The account was deleted there. See on_account_gone.",
    "key_not_given_up": "A contact that was signed off kept its key. Clear its key field there.",
    "email_change_held": "A changed address waits for consent or an approval. See the worklist.",
    "email_swap": "Several contacts want each other's addresses. Free one of them by hand.",
    "id_taken": "The list holds this id already. Look for the same id in another case.",
}

#: Consent, lists, tags, deletions.
_RULES = {
    "no_consent": "There is no consent that counts, so nobody was subscribed.",
    "no_evidence_for_address": "There is no consent for the new address, so nobody was subscribed.",
    "unsubscribed_there": "The person unsubscribed there; only newer consent brings them back.",
    "bounced_there": "Mail to the address bounced; only newer consent brings it back.",
    "left_meanwhile": "The person left between look and write, and stays off the list.",
    "unsubscribed": "The person is unsubscribed, and stays so.",
    "blocklisted": "The address is on the vendor's blocklist, and stays so.",
    "bounced_out": "Mail to the address bounced too often.",
    "consent_unreadable": "A column of consent can't be read. Correct it; nobody was moved.",
    "wrong_consent": "The row's consent is not that of the list. Correct the tap's selection.",
    "still_subscribed": "The destination kept the person on a list. Unsubscribe them there.",
    "not_subscribed": "The destination took the subscription and did not carry it out.",
    "tag_not_owned": "A tag has none of the prefixes in owned_prefixes. Correct tag or setting.",
    "record_type_unreadable": "The record type can't be read. See provenance.values.",
    "not_convertible": "Such a record is never turned into the other type. See Provenance.",
    "other_source_of_truth": "Another stream decides about this contact.",
    "person_account_there": "The contact is a person account; another stream decides about it.",
    "no_provenance_tag": "The contact has no tag that tells where it came from; left alone.",
    "deleted_in_source": "The record was deleted in the source.",
    "deleted_before": "The person was deleted in the source after this row was written.",
    "forgotten": "The person was erased by the command forget, and is never written again.",
    "gone_already": "The contact was gone already.",
    "still_there": "The contact is still there after its deletion. Look at it there.",
    "erasure_flag": "The flag for erasing is neither true nor false. Correct it in the source.",
    "no_list_for_selection": "No list takes this selection.",
    "recipient_id_missing": "The row has no recipient id. Correct it in the source.",
    "technical_missing": "A technical field is empty. Correct it in the source.",
    "entity_type": "The entity type is not one of entity_types.",
}

#: What the destination said, or did.
_VENDOR = {
    "vendor_failed": "The destination failed after several tries. The next run tries again.",
    "fate_unknown": "A write was sent and no answer came. The next run looks before it writes.",
    "keeps_changing": "The record changed there each time it was looked at. See who writes it.",
    "changes_back": "A field was changed back after each run and is left alone. See who writes it.",
    "value_not_stored": "The destination took a value and did not store it. See the field there.",
    "value_refused": "The destination refused a value. See the message in the rejects file.",
    "email_refused": "The destination refused the address. Correct it in the backoffice.",
    "field_missing": "The destination misses a field. See the message in the rejects file.",
    "field_invalid": "The destination refused a field. See the message in the rejects file.",
    "filtered": "The vendor filtered the recipient.",
    "general_error": "The vendor reports a general error. The next run tries again.",
    "not_stored": "The vendor took the recipient twice and does not show it.",
    "unknown_code": "The vendor answered with a code that nobody documents.",
    "refused": "The database refused the row. See the message in the rejects file.",
    "plan_moved": "Plan and account no longer agree about this row. Make a new plan.",
    "unchanged_since": "Nothing had changed since it was read.",
    "confirmed_by_reading_back": "The answer was lost; reading it back showed that it was done.",
    "confirmed_by_repeating": "The answer was lost; repeating it showed that it was done.",
    "worklist": "The record names nobody the backoffice knows; it is on the worklist.",
}

SENTENCES: Mapping[str, str] = {**_RECORDS, **_IDENTITY, **_RULES, **_VENDOR}


def sentence(cause: str) -> str:
    """What the word means and what to do; "" for a word that has no sentence."""
    if refused := _REFUSED.fullmatch(cause):
        return (
            f"The destination refused the call with status {refused[1]}. See the message in the "
            "rejects file."
        )
    return SENTENCES.get(cause, "")
