"""Settings from the environment are those of a file."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_kit.environment import as_in_a_file, nested

NAMES = st.text("ab-_", min_size=1, max_size=3)
TREES = st.recursive(
    st.integers() | st.text(), lambda kids: st.dictionaries(NAMES, kids, min_size=1), max_leaves=9
).filter(lambda tree: isinstance(tree, dict))


def flat(tree: dict[str, Any], before: str = "") -> dict[str, Any]:
    """As Meltano hands an object over."""
    found: dict[str, Any] = {}
    for name, value in tree.items():
        inside = isinstance(value, dict)
        found |= flat(value, f"{before}{name}.") if inside else {f"{before}{name}": value}
    return found


@given(TREES)
def test_what_was_flattened_comes_back(tree: dict[str, Any]) -> None:
    """Whatever the depth; and what was never flat stays as it is."""
    assert nested(flat(tree)) == tree
    assert nested(tree) == tree


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [("number", "0.5", 0.5), (["number", "null"], "7", 7.0), ("number", "soon", "soon"),
     ("integer", 7, 7), ("string", "0.5", "0.5"), (["object", "null"], {"a.b": 1}, {"a": {"b": 1}}),
     ("object", {"a.b": {"c": 1}}, {"a.b": {"c": 1}}), ("object", "a.b", "a.b"),
     ("string", {"a.b": 1}, {"a.b": 1})],
)  # fmt: skip
def test_each_kind_of_setting_has_its_shape(kind: Any, text: Any, value: Any) -> None:
    """Numbers that are not whole, objects; everything else as it came."""
    found = as_in_a_file({"one": text, "other": "x"}, {"one": {"type": kind}, "third": {}})
    assert found == {"one": value, "other": "x"}
