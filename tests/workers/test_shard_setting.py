"""The setting `shard`: what it needs, and which folder it gives a process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from target_activecampaign.settings import read_settings
from target_kit.errors import ConfigurationError
from target_kit.shards import Shard

SHARED = {
    "ledger_url": "postgresql://somebody@127.0.0.1/db",
    "rate_limit_url": "redis://127.0.0.1:6379/0",
}


def config(index: int, count: int, **more: Any) -> dict[str, Any]:
    """A configuration for this shard."""
    return {
        "api_url": "https://example.api-us1.com",
        "api_key": "sim-key",
        "state_dir": "there",
        "shard": {"index": index, "count": count},
        **more,
    }


def test_a_shard_has_a_folder_of_its_own() -> None:
    """Item 7: spool, rejects and work files are apart; locks and tombstones are not."""
    settings = read_settings(config(2, 4, **SHARED))
    assert settings.shard == Shard(2, 4)
    assert settings.state_dir == Path("there/shard-2-of-4")
    assert settings.shared_dir == Path("there")
    whole = read_settings({**config(2, 4), "shard": None})
    assert (whole.shard, whole.state_dir, whole.shared_dir) == (None, Path("there"), Path("there"))


@pytest.mark.parametrize("missing", sorted(SHARED))
def test_a_shard_needs_what_the_others_share(missing: str) -> None:
    """Item 7: alone it would be too fast, or double somebody; no part of a URL is told."""
    with pytest.raises(ConfigurationError, match=f"shard: needs {missing}") as caught:
        read_settings(config(0, 4, **{n: url for n, url in SHARED.items() if n != missing}))
    assert "127.0.0.1" not in str(caught.value)


@pytest.mark.parametrize(("index", "count"), [(4, 4), (-1, 4), (0, 0), (7, 2)])
def test_an_index_outside_of_the_count_is_a_fault(index: int, count: int) -> None:
    """Indexes count from 0."""
    with pytest.raises(ConfigurationError, match="shard: index must be from 0 to count - 1"):
        read_settings(config(index, count, **SHARED))


@pytest.mark.parametrize("name", ["shard-1", "shard-1-of-4-old", "shard-x-of-4", "1-of-4", ""])
def test_other_folders_are_no_shards(name: str) -> None:
    """Only what a shard made counts as one."""
    assert Shard.of_folder(name) is None


def test_a_shard_is_known_by_its_folder() -> None:
    """Whose rejects a folder holds can be told later."""
    assert Shard.of_folder(Shard(11, 12).folder) == Shard(11, 12)
