"""RpcRecipient: the operations, each with its documented parameters, and where it is done."""

from __future__ import annotations

from api_simulators.optimizely import recipient_reads as reads
from api_simulators.optimizely import recipient_writes as writes
from api_simulators.optimizely.operations import Kind, Operation, Service, version

Parameters = tuple[tuple[str, Kind], ...]

LIST: Parameters = (("recipientListId", "long"),)
ONE: Parameters = (*LIST, ("recipientId", "string"))
NAMES: Parameters = (("attributeNames", "strings"),)
ADD: Parameters = (
    *LIST,
    ("optinProcessId", "long"),
    ("recipientId", "string"),
    ("address", "string"),
    *NAMES,
    ("attributeValues", "strings"),
)
ADD_ALL: Parameters = (
    *LIST,
    ("optinProcessId", "long"),
    ("recipientIds", "strings"),
    ("emailAddresses", "strings"),
    *NAMES,
)
ROWS: Parameters = (("attributeValues", "rows"),)
FLAT: Parameters = (("flatAttributeValues", "strings"),)
PAGE: Parameters = (
    *LIST,
    *NAMES,
    ("recipientFilterId", "long"),
    ("orderByAttribute", "string"),
    ("ascending", "boolean"),
    ("pageStart", "int"),
    ("pageSize", "int"),
)
DISTINCT: Parameters = (
    *LIST,
    ("recipientFilterId", "long"),
    ("attributeName", "string"),
    ("threshold", "int"),
)
MULTIPLE: Parameters = (("recipientListIds", "longs"), ("recipientId", "string"))
BATCH: Parameters = (*LIST, ("recipientIds", "strings"))
ID: Parameters = (("recipientId", "string"),)

SERVICE = Service(
    "RpcRecipient",
    (
        Operation("add", ADD, "boolean", writes.add),
        Operation("add2", ADD, "int", writes.add2),
        Operation("addAll", (*ADD_ALL, *ROWS), "booleans", writes.add_all),
        Operation("addAll2", (*ADD_ALL, *ROWS), "ints", writes.add_all3),
        Operation("addAll2Flat", (*ADD_ALL, *FLAT), "ints", writes.add_all3_flat),
        Operation("addAll3", (*ADD_ALL, *ROWS), "ints", writes.add_all3),
        Operation("addAll3Flat", (*ADD_ALL, *FLAT), "ints", writes.add_all3_flat),
        Operation(
            "changeRecipientId",
            (*LIST, ("oldRecipientId", "string"), ("newRecipientId", "string")),
            None,
            writes.change_id_in_list,
        ),
        Operation(
            "changeRecipientId2",
            (("oldRecipientId", "string"), ("newRecipientId", "string")),
            None,
            writes.change_id,
        ),
        Operation("clear", LIST, None, writes.clear),
        Operation("contains", ONE, "boolean", reads.contains),
        Operation("containsMultiple", MULTIPLE, "booleans", reads.contains_multiple),
        Operation("containsValid", ONE, "boolean", reads.contains_valid),
        Operation("containsValidMultiple", MULTIPLE, "booleans", reads.contains_valid_multiple),
        Operation("createTrackingOptOut", ID, None, writes.create_tracking_opt_out),
        Operation("deleteTrackingOptOut", ID, None, writes.delete_tracking_opt_out),
        Operation("getAll", (*LIST, *NAMES), "rows", reads.get_all),
        Operation("getAllFlat", (*LIST, *NAMES), "strings", reads.get_all_flat),
        Operation("getAllAdvanced", PAGE, "rows", reads.get_page),
        Operation("getAllAdvancedFlat", PAGE, "strings", reads.get_page_flat),
        Operation("getAttributes", (*ONE, *NAMES), "strings", reads.get_attributes),
        Operation("getCount", (*LIST, ("recipientFilterId", "long")), "int", reads.get_count),
        Operation("getDistinctValues", DISTINCT, "strings", reads.distinct),
        Operation("getDistinctValuesCount", DISTINCT, "rows", reads.distinct_count),
        Operation("getDistinctValuesCountFlat", DISTINCT, "strings", reads.distinct_count_flat),
        version(),
        Operation("remove", ONE, None, writes.remove),
        Operation("removeAll", BATCH, "booleans", writes.remove_all),
        Operation("removeBlacklisted", LIST, "int", writes.remove_blacklisted),
        Operation("removeBounced", LIST, "int", writes.remove_bounced),
        Operation("removeUnsubscribed", LIST, "int", writes.remove_unsubscribed),
        Operation("removeNotOptined", ONE, "boolean", writes.remove_not_optined),
        Operation(
            "setAttributes",
            (*ONE, *NAMES, ("attributeValues", "strings")),
            None,
            writes.set_attributes,
        ),
        Operation(
            "setAttributesByFilter",
            (
                *LIST,
                ("recipientFilterId", "long"),
                *NAMES,
                ("attributeValues", "strings"),
                ("mode", "string"),
            ),
            None,
            writes.set_attributes_by_filter,
        ),
        Operation(
            "setAttributesInBatch",
            (*BATCH, ("attributeNames", "rows"), ("attributeValues", "rows")),
            None,
            writes.set_attributes_in_batch,
        ),
        Operation(
            "setAttributesInBatchFlat",
            (*BATCH, *NAMES, *FLAT),
            None,
            writes.set_attributes_in_batch_flat,
        ),
    ),
)
