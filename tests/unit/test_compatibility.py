"""Which column fits which custom field, before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest
from target_activecampaign.compatibility import (
    account_faults,
    declared_faults,
    fits,
    source_kinds,
)
from target_activecampaign.contact_settings import ContactStream
from target_activecampaign.model import Field
from target_activecampaign.settings import read_settings
from target_kit.errors import ConfigurationError

KINDS = (
    "string", "date", "date-time", "time", "integer", "number", "boolean", "array", "object",
)  # fmt: skip
TYPES = (
    "text", "textarea", "hidden", "date", "datetime", "number", "dropdown", "radio", "checkbox",
    "listbox",
)  # fmt: skip
FREE = {"text", "textarea", "hidden", "dropdown", "radio", "checkbox", "listbox"}
ALLOWED = {
    "string": set(TYPES),
    "date": FREE | {"date"},
    "date-time": FREE | {"date", "datetime"},
    "time": FREE,
    "integer": FREE | {"number"},
    "number": FREE | {"number"},
    "boolean": FREE,
    "array": {"checkbox", "listbox"},
    "object": set(),
}


@pytest.mark.parametrize("field_type", TYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_pair_has_its_verdict(kind: str, field_type: str) -> None:
    """S4-9: the whole table, kind of column by type of field."""
    assert fits(kind, field_type) is (field_type in ALLOWED[kind])


@pytest.mark.parametrize(
    ("declared", "kinds"),
    [
        ({"type": ["string", "null"], "format": "date"}, {"date"}),
        ({"type": "string", "format": "email"}, {"string"}),
        ({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}, {"date-time"}),
        ({"oneOf": [{"type": "integer"}, {"type": "boolean"}]}, {"integer", "boolean"}),
        ({"type": ["array", "null"], "items": {"type": "string"}}, {"array"}),
        ({}, set()),
        ({"type": "null"}, set()),
    ],
)
def test_a_column_is_what_its_schema_says(declared: dict[str, Any], kinds: set[str]) -> None:
    """S4-9: null is no kind, moments are told by their format, nothing declared is anything."""
    assert source_kinds(declared) == kinds


def stream(**options: Any) -> ContactStream:
    raw = {"key": "id", "fields": {"email": "mail"}, **options}
    config = {"api_url": "http://127.0.0.1:1", "api_key": "k", "streams": {"people": raw}}
    return read_settings(config).streams["people"].with_upper_perstags()


SCHEMA = {
    "properties": {
        "id": {"type": "integer"},
        "born": {"type": ["string", "null"], "format": "date"},
        "score": {"type": "number"},
        "extra": {"type": "object"},
    }
}


def test_all_faults_of_all_fields_come_at_once() -> None:
    """S4-9: what the settings alone tell, and what only the account tells."""
    wanted = stream(
        custom_fields={
            "score_at": {"column": "score", "type": "datetime"},
            "BORN": {"column": "born", "type": "number"},
            "EXTRA": "extra",
            "FINE": "score",
            "ABSENT": "no_such_column",
        }
    )
    assert declared_faults(wanted, SCHEMA) == [
        "streams.people: score (number) can't go into SCORE_AT (datetime)",
        "streams.people: born (date) can't go into BORN (number)",
    ]
    fields = {
        "BUBSCTTID": Field("1", "BUBSCTTID", "date"),
        "EXTRA": Field("2", "EXTRA", "text"),
        "FINE": Field("3", "FINE", "number"),
        "BORN": Field("4", "BORN", "text"),
        "FOREIGN": Field("5", "FOREIGN", "date"),
    }
    assert account_faults(wanted, SCHEMA, fields) == [
        "streams.people: id (integer) can't go into BUBSCTTID (date)",
        "streams.people: extra (object) can't go into EXTRA (text)",
        "streams.people.custom_fields.BORN: is a number here and a text at ActiveCampaign",
    ]


def test_a_kind_among_several_that_fits_is_enough() -> None:
    """S4-9: values are judged one by one then."""
    properties = {"score": {"type": ["integer", "string"]}}
    wanted = stream(custom_fields={"D": {"column": "score", "type": "date"}})
    assert declared_faults(wanted, {"properties": properties}) == []


def test_options_that_the_field_lacks_are_named() -> None:
    """S0-14: without create_fields somebody has to add them there."""
    spec = {
        "column": "c",
        "type": "dropdown",
        "options": ["de", {"value": "fr", "label": "France"}],
    }
    fields = {"LAND": Field("1", "LAND", "dropdown", (("de", "Germany"),))}
    (fault,) = account_faults(stream(custom_fields={"LAND": spec}), {}, fields)
    assert "lacks the option fr" in fault
    creating = stream(custom_fields={"LAND": spec}, create_fields=True)
    assert account_faults(creating, {}, fields) == []


def test_every_fault_of_the_new_options_is_named_at_once() -> None:
    """S4-9: one message for the whole configuration."""
    with pytest.raises(ConfigurationError) as caught:
        stream(
            create_fields=True,
            null_semantics="maybe",
            on_delete="delete",
            deleted_tag=" ",
            max_deletes=-1,
            custom_fields={
                "A": {"type": "text"},
                "B": {"column": "b", "type": "currency"},
                "C": {"column": "c", "type": "shoe", "colour": "red"},
                "D": {"column": "d", "type": "radio"},
                "E": {"column": "e", "type": "text", "options": ["x"]},
                "F": {"column": "f", "type": "radio", "options": ["x", "x", "a||b", ""]},
                "G": {"column": "g", "relation": "some"},
            },
        )
    message = str(caught.value)
    for part in (
        "people.null_semantics", "on_delete: 'delete' needs erasure_column", "people.deleted_tag",
        "people.max_deletes", "A.column", "B.type", "C.type", "C.colour", "D.options: a radio",
        "E.options: only", "F.options: x is there twice", "F.options: a value", "G.relation",
    ):  # fmt: skip
        assert part in message, part


def test_an_erasure_column_without_deletes_is_a_fault() -> None:
    """X6: it would look like a protection that is not there."""
    with pytest.raises(ConfigurationError, match="only with on_delete: delete"):
        stream(erasure_column="erase")
