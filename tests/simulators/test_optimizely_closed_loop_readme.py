"""The simulators' README says what the code of response data does."""

from __future__ import annotations

import re
from pathlib import Path

from api_simulators.optimizely.closed_loop import GETTERS
from api_simulators.optimizely.export_columns import LAYOUTS
from api_simulators.optimizely.response_events import RESPONSE_EVENTS
from api_simulators.optimizely.rest import ROUTES

README = Path(__file__).parents[2] / "simulators" / "README.md"


def section() -> str:
    """The part about response data."""
    text = README.read_text(encoding="utf-8")
    return text.partition("## Optimizely Campaign: response data\n")[2].partition("\n## ")[0]


def test_it_has_every_stream_with_its_default_columns() -> None:
    """The table of layouts is the code's."""
    rows = re.findall(r"^\| `get(\w+)` \| `(\w+)` \| `([\w,]+)` \|$", section(), re.MULTILINE)
    assert {stream: getter for getter, stream, _ in rows} == GETTERS
    assert {stream: columns for _, stream, columns in rows} == LAYOUTS


def test_it_names_every_event() -> None:
    """No event is left for the reader to find in the code."""
    events = section().partition("### Events\n")[2].partition("\n### ")[0]
    missing = [name for name in RESPONSE_EVENTS if f"`{name}`" not in events]
    assert RESPONSE_EVENTS
    assert missing == []


def test_it_has_every_rest_endpoint_with_its_methods() -> None:
    """Neither more nor fewer than are routed."""
    said = section().partition("### REST endpoints\n")[2].partition("\n### ")[0]
    table = {
        (method, re.sub(r"\{\w+\}", "*", path))
        for path, methods in re.findall(r"^\| `([\w/{}]+)` \| (.+)\|$", said, re.MULTILINE)
        for method in re.findall(r"GET|PUT|POST|DELETE", methods)
    }
    assert table == set(ROUTES)
