"""How a run reads what exists: one by one, or all pages."""

from __future__ import annotations

import pytest
from target_activecampaign.planning import Reads, choose_reads


@pytest.mark.parametrize(
    ("records", "total", "expected"),
    [
        (1, 200, Reads("crawl", "1 records: about 3 look-ups against 3 pages")),
        (1, 201, Reads("point", "1 records: about 3 look-ups against 4 pages")),
        (100, 20_100, Reads("point", "100 records: about 201 look-ups against 202 pages")),
        (101, 20_100, Reads("crawl", "101 records: about 204 look-ups against 202 pages")),
        (0, 0, Reads("point", "0 records: about 0 look-ups against 1 pages")),
        (1, 100, Reads("crawl", "1 records: about 3 look-ups against 2 pages")),
        (1, 101, Reads("crawl", "1 records: about 3 look-ups against 3 pages")),
    ],
)
def test_the_cheaper_way_is_taken_and_its_price_told(
    records: int, total: int, expected: Reads
) -> None:
    """S0-21: two look-ups a record and one a hundred, against one page a hundred contacts and the
    last, which is empty; for the same price all pages, which see more.
    """
    assert choose_reads("auto", records, total) == expected


def test_a_configured_way_is_taken_whatever_the_price() -> None:
    """S0-21: and the report tells the price all the same."""
    reads = choose_reads("crawl", 1, 1_000)
    assert reads.as_dict() == {
        "strategy": "crawl",
        "because": "configured; 1 records: about 3 look-ups against 11 pages",
    }
