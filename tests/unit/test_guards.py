"""Guards: what may be set, and when they say no."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_kit.errors import GuardTripped
from target_kit.guards import (
    GUARDS_SCHEMA,
    MEASURES,
    Guards,
    Measure,
    Tripped,
    check,
    read_guards,
    tripped_error,
)

NAMES = (
    "creates",
    "updates",
    "address_changes",
    "unsubscribes",
    "blank_outs",
    "deletes",
    "tag_removals",
    "list_removals",
)


def guards(**settings: Any) -> Guards:
    faults: list[str] = []
    found = read_guards(settings, "guards", faults)
    assert faults == []
    return found


def trips(guards: Guards, name: str, count: int | None, of: int | None) -> bool:
    return bool(check(guards, {name: Measure(count, of)}))


def test_each_kind_of_change_has_its_guard() -> None:
    """X6: what can't be taken back easily can be limited, each by its own name."""
    assert tuple(MEASURES) == NAMES
    wanted = {"min_population", *(f"max_{n}" for n in NAMES), *(f"max_{n}_pct" for n in NAMES)}
    assert set(GUARDS_SCHEMA["properties"]) == wanted


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("count", "trip"), [(6, False), (7, False), (8, True)])
def test_a_number_trips_one_above_its_limit(name: str, count: int, trip: bool) -> None:
    """Exactly at the limit a run goes on; the population does not matter."""
    limited = guards(**{f"max_{name}": 7})
    for of in (None, 0, 8, 1_000_000):
        found = check(limited, {name: Measure(count, of)})
        assert [one.setting for one in found] == [f"guards.max_{name}"] * trip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("count", "trip"), [(99, False), (100, False), (101, True)])
def test_a_share_trips_one_above_its_limit(name: str, count: int, trip: bool) -> None:
    """Ten percent of a thousand are a hundred, exactly."""
    found = check(guards(**{f"max_{name}_pct": 10}), {name: Measure(count, 1000)})
    assert [one.setting for one in found] == [f"guards.max_{name}_pct"] * trip


@pytest.mark.parametrize(
    ("percent", "most", "of"),
    [(Decimal("19.9"), 199, 1000), (Decimal("1E+1"), 100, 1000),
     (0.1, 1, 1000), (0.1, 3, 3000), (0.7, 7, 1000), (33.3, 333, 1000), (100, 1000, 1000),
     (0, 0, 1000), (1e-05, 1, 10_000_000), (1.1, 11 * 10**15, 10**18)],
)  # fmt: skip
def test_shares_are_exact(percent: float | Decimal, most: int, of: int) -> None:
    """0.1 percent is one tenth of a percent, not the binary number next to it."""
    limited = guards(max_updates_pct=percent)
    assert not trips(limited, "updates", most, of)
    assert trips(limited, "updates", most + 1, of)


@pytest.mark.parametrize(("of", "trip"), [(0, False), (99, False), (100, True), (101, True)])
def test_shares_count_from_the_least_population_on(of: int, trip: bool) -> None:
    """Half of two contacts are no mass change; the default is a hundred."""
    assert trips(guards(max_creates_pct=1), "creates", of + 1, of) is trip


@pytest.mark.parametrize(("of", "trip"), [(4, False), (5, True)])
def test_the_least_population_is_a_setting(of: int, trip: bool) -> None:
    """Small accounts choose their own."""
    assert trips(guards(max_creates_pct=1, min_population=5), "creates", 1, of) is trip


def test_a_share_of_nothing_is_too_much_unless_nothing_is_done() -> None:
    """With no least population even a share of no records can be judged."""
    limited = guards(max_creates_pct=100, min_population=0)
    assert trips(limited, "creates", 1, 0)
    assert not trips(limited, "creates", 0, 0)
    assert check(limited, {"creates": Measure(1, 0)})[0].share is None


def test_a_number_counts_below_the_least_population_too() -> None:
    """Only shares need one."""
    assert trips(guards(max_deletes=0, min_population=100), "deletes", 1, 1)


@pytest.mark.parametrize("setting", ["max_deletes", "max_deletes_pct"])
@pytest.mark.parametrize("measures", [{}, {"deletes": Measure(None, None)},
                                      {"deletes": Measure(None, 1000)},
                                      {"creates": Measure(0, 1000)}])  # fmt: skip
def test_what_was_not_found_out_is_too_much(setting: str, measures: dict[str, Measure]) -> None:
    """A guard that can't be evaluated says no, and says that."""
    (found,) = check(guards(**{setting: 100}), measures)
    assert "can't be found out" in found.message
    assert f"guards.{setting}" in found.message


def test_a_share_of_an_unknown_population_is_too_much() -> None:
    """Even of nothing done, even with a limit of 0: the guard was not evaluated."""
    (zero,) = check(guards(max_updates_pct=0), {"updates": Measure(0, None)})
    assert "of how many can't be found out" in zero.message
    (found,) = check(guards(max_updates_pct=50), {"updates": Measure(0, None)})
    assert found.message == (
        "0 records would be changed, of how many can't be found out, and guards.max_updates_pct "
        "is 50 %; check the source, or raise guards.max_updates_pct for one run"
    )


def test_what_is_not_guarded_is_not_looked_at() -> None:
    """Without a limit nothing trips, found out or not."""
    assert check(Guards(), {}) == []
    assert check(guards(max_creates=1), {"creates": Measure(1, 1)}) == []


def test_every_guard_that_says_no_is_named() -> None:
    """One line with count, share, limit and setting of each."""
    found = check(
        guards(max_creates=10, max_creates_pct=2.5, max_deletes=5),
        {"creates": Measure(30, 400), "deletes": Measure(6, 400)},
    )
    error = tripped_error("contacts", found)
    assert isinstance(error, GuardTripped)
    assert str(error) == (
        "contacts: nothing was written but withdrawals of consent, a guard says no: "
        "30 of 400 (7.5 %) records would be created, guards.max_creates is 10; check the source, "
        "or raise guards.max_creates for one run; "
        "6 of 400 (1.5 %) records would be deleted for good, guards.max_deletes is 5; check the "
        "source, or raise guards.max_deletes for one run; "
        "30 of 400 (7.5 %) records would be created, guards.max_creates_pct is 2.5 %; check the "
        "source, or raise guards.max_creates_pct for one run"
    )


def test_a_number_without_population_says_only_itself() -> None:
    """Nothing is invented."""
    (found,) = check(guards(max_blank_outs=0), {"blank_outs": Measure(2, None)})
    assert found.message.startswith("2 values would be emptied, guards.max_blank_outs is 0; ")
    (lost,) = check(guards(max_blank_outs=0), {})
    assert lost.message.startswith(
        "how many values would be emptied can't be found out, and guards.max_blank_outs is 0; "
    )


def test_reports_get_plain_numbers() -> None:
    """What a plan and a report keep can be written as JSON."""
    tripped = Tripped("creates", 30, 400, Fraction(5, 2), "guards.max_creates_pct")
    assert tripped.as_dict() == {
        "name": "creates",
        "setting": "guards.max_creates_pct",
        "count": 30,
        "of": 400,
        "share": 7.5,
        "limit": 2.5,
        "message": tripped.message,
    }
    assert type(tripped.as_dict()["limit"]) is float
    number = Tripped("creates", None, 400, 3, "guards.max_creates")
    assert number.as_dict()["limit"] == 3
    assert type(number.as_dict()["limit"]) is int
    assert number.share is None


def test_without_settings_there_are_no_guards() -> None:
    """Null and an empty object are the same as nothing."""
    assert read_guards(None, "guards", []) == Guards() == guards() == guards(max_creates=None)
    assert not Guards()
    assert not guards(min_population=5)
    assert guards(min_population=None) == Guards()
    assert guards(max_creates=0)
    assert guards(max_creates_pct=0)
    assert hash(guards(max_creates=3)) == hash(guards(max_creates=3))
    assert guards(max_creates=3) != guards(max_creates=4)


@pytest.mark.parametrize("setting", [*(f"max_{name}" for name in NAMES), "min_population"])
@pytest.mark.parametrize("value", [-1, 1.5, 2.0, "3", True, False, [], float("nan")])
def test_numbers_are_whole_and_not_negative(setting: str, value: Any) -> None:
    """Every other value is a fault with the setting's name and without the value."""
    faults: list[str] = []
    assert read_guards({setting: value}, "guards", faults) == Guards()
    assert faults == [f"guards.{setting}: must be a whole number, 0 or more"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "value",
    [
        -0.1,
        100.1,
        101,
        "3",
        True,
        False,
        {},
        float("nan"),
        float("inf"),
        Decimal("NaN"),
        Decimal("100.1"),
    ],
)
def test_shares_are_percent(name: str, value: Any) -> None:
    """From 0 to 100; `true` is not 1 percent."""
    faults: list[str] = []
    assert read_guards({f"max_{name}_pct": value}, "guards", faults) == Guards()
    assert faults == [f"guards.max_{name}_pct: must be a share in percent, 0 to 100"]


def test_all_faults_are_named_at_once() -> None:
    """A guard that does not exist is one: somebody would rely on it."""
    faults: list[str] = []
    found = read_guards(
        {"max_create": 3, "max_deletes": -1, "max_creates_pct": 200, "max_updates": 7}, "at", faults
    )
    assert faults == [
        "at.max_create: no such guard",
        "at.max_creates_pct: must be a share in percent, 0 to 100",
        "at.max_deletes: must be a whole number, 0 or more",
    ]
    assert found == guards(max_updates=7)


def test_the_schema_allows_what_can_be_read() -> None:
    """Limits of zero and of everything, and null."""
    jsonschema.Draft202012Validator.check_schema(GUARDS_SCHEMA)
    validator = jsonschema.Draft202012Validator(GUARDS_SCHEMA)
    validator.validate(None)
    for name in NAMES:
        for good in ({f"max_{name}": 0}, {f"max_{name}_pct": 100}, {f"max_{name}_pct": 0.1},
                     {f"max_{name}": None, f"max_{name}_pct": None}):  # fmt: skip
            validator.validate(good)
            assert guards(**good) is not None
        number, share = f"max_{name}", f"max_{name}_pct"
        bads = ({number: -1}, {number: 0.5}, {number: "3"}, {share: 100.5}, {share: -1},
                {share: "3"}, [])  # fmt: skip
        for bad in bads:
            assert not validator.is_valid(bad)
    assert all(one["description"] for one in GUARDS_SCHEMA["properties"].values())


@given(
    name=st.sampled_from(NAMES),
    count=st.integers(0, 10**7),
    limit=st.integers(0, 10**7),
    near=st.integers(-1, 1),
)
def test_a_number_trips_if_and_only_if_it_is_above(
    name: str, count: int, limit: int, near: int
) -> None:
    """For any numbers, and for those next to the limit."""
    assert trips(guards(**{f"max_{name}": limit}), name, count, None) is (count > limit)
    close = max(0, limit + near)
    assert trips(guards(**{f"max_{name}": limit}), name, close, None) is (close > limit)


@given(
    name=st.sampled_from(NAMES),
    of=st.integers(0, 10**7),
    count=st.integers(0, 10**7),
    tenths=st.integers(0, 1000),
    least=st.integers(0, 1000),
)
def test_a_share_trips_if_and_only_if_it_is_above(
    name: str, of: int, count: int, tenths: int, least: int
) -> None:
    """For any population from the least on, counted in tenths of a percent."""
    limited = guards(**{f"max_{name}_pct": tenths / 10, "min_population": least})
    assert trips(limited, name, count, of) is (of >= least and count * 1000 > tenths * of)
    most = tenths * of // 1000
    assert not trips(limited, name, most, of)
    assert trips(limited, name, most + 1, of) is (of >= least)
