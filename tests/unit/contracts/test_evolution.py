"""Each rule of evolution finds the change that it is there for, and lets good changes pass."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from waybill.contracts.evolution import (
    pair_violations,
    published_violations,
    schema_hashes,
    schema_violations,
    violations,
)

Schema = dict[str, Any]


def parcel() -> Schema:
    """A small schema that keeps every rule."""
    return {
        "type": "record",
        "name": "Parcel",
        "namespace": "com.waybill.v1",
        "doc": "A parcel.",
        "fields": [
            {"name": "id", "type": "string", "doc": "Id."},
            {
                "name": "state",
                "type": {
                    "type": "enum",
                    "name": "ParcelState",
                    "namespace": "com.waybill.v1",
                    "doc": "States.",
                    "symbols": ["UNRECOGNISED", "new", "gone"],
                    "default": "UNRECOGNISED",
                },
                "doc": "State.",
            },
            {
                "name": "cost",
                "type": {
                    "type": "record",
                    "name": "Price",
                    "namespace": "com.waybill.v1",
                    "doc": "A price.",
                    "fields": [
                        {
                            "name": "amount",
                            "type": {
                                "type": "bytes",
                                "logicalType": "decimal",
                                "precision": 18,
                                "scale": 4,
                            },
                            "doc": "Amount.",
                        },
                        {"name": "currency", "type": "string", "doc": "ISO 4217."},
                    ],
                },
                "doc": "Cost.",
            },
            {
                "name": "sent_at",
                "type": {"type": "long", "logicalType": "timestamp-millis"},
                "doc": "When, UTC milliseconds.",
            },
            {"name": "note", "type": ["null", "string"], "default": None, "doc": "Note."},
        ],
    }


def field(schema: Schema, name: str) -> Schema:
    found: Schema = next(one for one in schema["fields"] if one["name"] == name)
    return found


def changed(change: Callable[[Schema], None]) -> Schema:
    schema = parcel()
    change(schema)
    return schema


def found_between(change: Callable[[Schema], None]) -> list[str]:
    return [str(one) for one in pair_violations("parcel v1 to v2", parcel(), changed(change))]


def found_in(change: Callable[[Schema], None]) -> list[str]:
    return [str(one) for one in schema_violations("parcel v1", changed(change))]


def added(**extra: Any) -> Schema:
    return {"name": "weight", "type": ["null", "string"], "doc": "Weight.", **extra}


def test_a_schema_that_keeps_the_rules_passes() -> None:
    assert violations({"parcel": [parcel()]}) == []


def test_a_new_optional_field_and_a_new_symbol_pass() -> None:
    def grow(schema: Schema) -> None:
        schema["fields"].append(added(default=None))
        field(schema, "state")["type"]["symbols"].append("lost")

    assert violations({"parcel": [parcel(), changed(grow)]}) == []


def test_removing_an_optional_field_passes() -> None:
    assert found_between(lambda s: s["fields"].remove(field(s, "note"))) == []


BETWEEN: list[tuple[str, Callable[[Schema], Any], str]] = [
    (
        "another scale",
        lambda s: field(field(s, "cost")["type"], "amount")["type"].update(scale=2),
        "com.waybill.v1.Price.amount: was ",
    ),
    (
        "another precision",
        lambda s: field(field(s, "cost")["type"], "amount")["type"].update(precision=20),
        "com.waybill.v1.Price.amount: was ",
    ),
    (
        "milliseconds become microseconds",
        lambda s: field(s, "sent_at")["type"].update(logicalType="timestamp-micros"),
        "com.waybill.v1.Parcel.sent_at: was ",
    ),
    (
        "a time becomes a plain number",
        lambda s: field(s, "sent_at").update(type="long"),
        "com.waybill.v1.Parcel.sent_at: was ",
    ),
    (
        "text becomes bytes, which Avro may promote",
        lambda s: field(s, "id").update(type="bytes"),
        'com.waybill.v1.Parcel.id: was "string" and is "bytes"',
    ),
    (
        "the branches of a union change places",
        lambda s: field(s, "note").update(type=["string", "null"]),
        "com.waybill.v1.Parcel.note: was ",
    ),
    (
        "a new field without a default",
        lambda s: s["fields"].append(added()),
        "com.waybill.v1.Parcel.weight: was added without a default",
    ),
    (
        "a needed field is removed",
        lambda s: s["fields"].remove(field(s, "id")),
        "com.waybill.v1.Parcel.id: was removed",
    ),
    (
        "a new field in the middle",
        lambda s: s["fields"].insert(1, added(default=None)),
        "com.waybill.v1.Parcel: fields may only be appended",
    ),
    (
        "fields change places",
        lambda s: s["fields"].reverse(),
        "com.waybill.v1.Parcel: fields may only be appended",
    ),
    (
        "another default",
        lambda s: field(s, "note").update(default="-"),
        "com.waybill.v1.Parcel.note: has another default",
    ),
    (
        "a default is taken away",
        lambda s: field(s, "note").pop("default"),
        "com.waybill.v1.Parcel.note: has another default",
    ),
    (
        "a symbol is removed",
        lambda s: field(s, "state")["type"]["symbols"].remove("gone"),
        "com.waybill.v1.ParcelState: symbols may only be appended",
    ),
    (
        "a symbol is renamed",
        lambda s: field(s, "state")["type"].update(symbols=["UNRECOGNISED", "new", "left"]),
        "com.waybill.v1.ParcelState: symbols may only be appended",
    ),
    (
        "symbols change places",
        lambda s: field(s, "state")["type"].update(symbols=["UNRECOGNISED", "gone", "new"]),
        "com.waybill.v1.ParcelState: symbols may only be appended",
    ),
    (
        "another namespace",
        lambda s: s.update(namespace="com.waybill.parcels"),
        "com.waybill.v1.Parcel: is called com.waybill.parcels.Parcel now",
    ),
    (
        "a nested type in another namespace",
        lambda s: field(s, "state")["type"].update(namespace="com.other"),
        "com.waybill.v1.ParcelState: is called com.other.ParcelState now",
    ),
    (
        "a record becomes an enum",
        lambda s: (
            field(s, "cost")["type"].update(
                type="enum", symbols=["UNRECOGNISED"], default="UNRECOGNISED", fields=None
            )
            or field(s, "cost")["type"].pop("fields")
        ),
        "com.waybill.v1.Price: is another kind of type now",
    ),
]


@pytest.mark.parametrize(
    ("change", "problem"), [case[1:] for case in BETWEEN], ids=[c[0] for c in BETWEEN]
)
def test_a_change_that_breaks_readers_is_found(
    change: Callable[[Schema], None], problem: str
) -> None:
    found = found_between(change)

    assert any(one.startswith(f"parcel v1 to v2: {problem}") for one in found), found


def test_what_avro_itself_refuses_is_found_in_both_directions() -> None:
    found = found_between(lambda s: field(s, "id").update(type="int"))

    assert any("the new reads the old: Apache Avro refuses: " in one for one in found)
    assert any("the old reads the new: Apache Avro refuses: " in one for one in found)


WITHIN: list[tuple[str, Callable[[Schema], Any], str]] = [
    ("a record without a doc", lambda s: s.pop("doc"), "com.waybill.v1.Parcel: has no doc"),
    (
        "a field without a doc",
        lambda s: field(s, "id").pop("doc"),
        "com.waybill.v1.Parcel.id: has no doc",
    ),
    (
        "an enum without a default",
        lambda s: field(s, "state")["type"].pop("default"),
        "com.waybill.v1.ParcelState: the enum's default has to be its symbol UNRECOGNISED",
    ),
    (
        "an enum with another default",
        lambda s: field(s, "state")["type"].update(default="new"),
        "com.waybill.v1.ParcelState: the enum's default has to be its symbol UNRECOGNISED",
    ),
    (
        "money as a double",
        lambda s: field(field(s, "cost")["type"], "amount").update(type="double"),
        "com.waybill.v1.Price.amount: is a floating-point number",
    ),
    (
        "money without a currency",
        lambda s: field(s, "cost")["type"]["fields"].pop(),
        "com.waybill.v1.Price: an amount has no currency beside it",
    ),
    (
        "a time in microseconds",
        lambda s: field(s, "sent_at")["type"].update(logicalType="timestamp-micros"),
        "com.waybill.v1.Parcel.sent_at: is a timestamp-micros",
    ),
    (
        "a time whose doc has no unit",
        lambda s: field(s, "sent_at").update(doc="When."),
        "com.waybill.v1.Parcel.sent_at: is a time whose doc does not name its unit",
    ),
    (
        "a union that starts with its type",
        lambda s: field(s, "note").update(type=["string", "null"], default=""),
        "com.waybill.v1.Parcel.note: is a union",
    ),
    (
        "a union of two types",
        lambda s: field(s, "note").update(type=["null", "string", "long"]),
        "com.waybill.v1.Parcel.note: is a union",
    ),
    (
        "an optional field without a default",
        lambda s: field(s, "note").pop("default"),
        "com.waybill.v1.Parcel.note: is a union",
    ),
    (
        "a foreign namespace",
        lambda s: s.update(namespace="org.example"),
        "org.example.Parcel: the namespace is not com.waybill.v1",
    ),
]


@pytest.mark.parametrize(
    ("change", "problem"), [case[1:] for case in WITHIN], ids=[c[0] for c in WITHIN]
)
def test_a_schema_that_breaks_a_rule_is_found(
    change: Callable[[Schema], None], problem: str
) -> None:
    found = found_in(change)

    assert any(one.startswith(f"parcel v1: {problem}") for one in found), found


def test_every_pair_of_versions_is_compared_not_only_neighbours() -> None:
    gone = changed(lambda s: s["fields"].remove(field(s, "note")))
    back = changed(lambda s: field(s, "note").update(type=["null", "long"]))

    found = [str(one) for one in violations({"parcel": [parcel(), gone, back]})]

    assert any(one.startswith("parcel v1 to v3: com.waybill.v1.Parcel.note: was ") for one in found)


def test_two_versions_with_one_fingerprint_are_found() -> None:
    rescaled = changed(lambda s: field(field(s, "cost")["type"], "amount")["type"].update(scale=2))

    found = [str(one) for one in violations({"parcel": [parcel(), rescaled]})]

    assert any(one.startswith("parcel v2: has the fingerprint of parcel v1") for one in found)


def test_one_name_with_two_definitions_is_found() -> None:
    def other(schema: Schema) -> None:
        schema["name"] = "Box"
        field(schema, "state")["type"]["symbols"].append("lost")

    found = [str(one) for one in violations({"parcel": [parcel()], "box": [changed(other)]})]

    assert found == ["box: com.waybill.v1.ParcelState: is defined otherwise in parcel"]


class TestPublished:
    """What was published never changes and never goes."""

    def hashes(self, *schemas: Schema) -> dict[str, str]:
        return schema_hashes({"parcel": schemas})

    def test_what_is_as_it_was_published_passes(self) -> None:
        assert published_violations(self.hashes(parcel()), self.hashes(parcel())) == []

    def test_an_edited_version_is_found(self) -> None:
        edited = changed(lambda s: s["fields"].append(added(default=None)))

        (found,) = published_violations(self.hashes(edited), self.hashes(parcel()))

        assert str(found) == "parcel/v1: was published and has changed; make a new version instead"

    @pytest.mark.parametrize(
        "change",
        [
            lambda s: field(field(s, "cost")["type"], "amount")["type"].update(scale=2),
            lambda s: field(s, "note").update(default="-"),
            lambda s: field(s, "state")["type"]["symbols"].append("lost"),
        ],
    )
    def test_what_the_fingerprint_does_not_see_counts_too(
        self, change: Callable[[Schema], None]
    ) -> None:
        assert published_violations(self.hashes(changed(change)), self.hashes(parcel()))

    def test_a_better_doc_is_no_change(self) -> None:
        reworded = changed(lambda s: s.update(doc="A parcel, or a pallet."))

        assert published_violations(self.hashes(reworded), self.hashes(parcel())) == []

    def test_a_removed_version_is_found(self) -> None:
        (found,) = published_violations({}, self.hashes(parcel()))

        assert str(found) == "parcel/v1: was published and is gone"

    def test_a_version_that_was_not_published_is_found(self) -> None:
        (found,) = published_violations(self.hashes(parcel()), {})

        assert str(found) == "parcel/v1: is not published yet; run `waybill schemas publish`"


def test_the_rules_change_nothing() -> None:
    schema = parcel()
    violations({"parcel": [schema, schema]})

    assert json.dumps(schema) == json.dumps(parcel())
